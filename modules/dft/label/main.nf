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
    // a batch without one good label is still an outcome: each structure has its fate in labels.jsonl
    """
    cat > config.json <<'END'
    ${settings}
    END
    dft label --input ${batch} --config config.json --state ${quoted(meta.state)} --out labels/${meta.name} ${args} || {
        code=\$?
        [[ \$code == 70 && -f labels/${meta.name}/labels.jsonl ]] || exit \$code
    }
    """

    stub:
    """
    mkdir -p labels/${meta.name}
    touch labels/${meta.name}/labelled.extxyz labels/${meta.name}/labels.jsonl
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > labels/${meta.name}/result.json
    """
}
