include { quoted } from '../../functions'

process DFT_LABEL {
    tag "generation ${meta.generation} ${meta.name}"
    label 'process_loop'
    label 'process_dft'
    // keyed by name and content of the batch, not by where it lies
    cache 'deep'

    input:
    tuple val(meta), path(batch), val(settings)

    output:
    tuple val(meta), path("labels/${meta.name}"), emit: labels
    tuple val("${task.process}"), path("labels/${meta.name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def out = "labels/${meta.name}"
    // a batch without one good label is still an outcome: each structure has its fate in labels.jsonl
    """
    printf %s ${quoted(settings)} > config.json
    dft label --input ${quoted(batch)} --config config.json --state ${quoted(meta.state)} --out ${quoted(out)} ${args} || {
        code=\$?
        [[ \$code == 70 && -f ${quoted(out)}/labels.jsonl ]] || exit \$code
    }
    """

    stub:
    def out = "labels/${meta.name}"
    """
    mkdir -p ${quoted(out)}
    touch ${quoted(out)}/labelled.extxyz ${quoted(out)}/labels.jsonl
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
