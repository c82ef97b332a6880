process DFT_LABEL {
    tag "generation ${generation} ${batch.baseName}"
    label 'process_loop'
    label 'process_dft'
    // keyed by what is in the batch, not by where it lies
    cache 'deep'

    input:
    tuple val(key), val(generation), path(batch), val(settings), val(state)

    output:
    tuple val(key), path("labels/${batch.baseName}"), emit: labels
    tuple val("${task.process}"), path("labels/${batch.baseName}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    // a batch without one good label is still an outcome: each structure has its fate in labels.jsonl
    """
    cat > config.json <<'END'
    ${settings}
    END
    dft label --input ${batch} --config config.json --state '${state}/labels' --out labels/${batch.baseName} ${args} || {
        code=\$?
        [[ \$code == 70 && -f labels/${batch.baseName}/labels.jsonl ]] || exit \$code
    }
    """

    stub:
    """
    mkdir -p labels/${batch.baseName}
    touch labels/${batch.baseName}/labelled.extxyz labels/${batch.baseName}/labels.jsonl
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > labels/${batch.baseName}/result.json
    """
}
