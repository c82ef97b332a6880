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
    code=0
    dft label --input ${quoted(batch)} --config config.json --state ${quoted(meta.state)} --out ${quoted(out)} ${args} || code=\$?
    # the machine had no memory for some: the next attempt has twice as much, and all that is finished
    if grep -Eqs '"short_of_memory": [1-9]' ${quoted(out)}/result.json; then
        : > "\${NXF_TASK_WORKDIR:-.}/.oom"
        exit 137
    fi
    [[ \$code == 0 || ( \$code == 70 && -f ${quoted(out)}/labels.jsonl ) ]] || exit \$code
    """

    stub:
    def out = "labels/${meta.name}"
    """
    mkdir -p ${quoted(out)}
    touch ${quoted(out)}/labelled.extxyz ${quoted(out)}/labels.jsonl
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
