process DFT_LABEL {
    tag "generation ${generation} ${name}"
    label 'process_loop'
    label 'process_dft'
    // keyed by name and content of the batch, not by where it lies
    cache 'deep'

    input:
    tuple val(key), val(generation), val(name), path(batch), val(settings), val(state)

    output:
    tuple val(key), path("labels/${name}"), emit: labels
    tuple val("${task.process}"), path("labels/${name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    // a batch without one good label is still an outcome: each structure has its fate in labels.jsonl
    """
    cat > config.json <<'END'
    ${settings}
    END
    dft label --input ${batch} --config config.json --state '${state}/labels' --out labels/${name} ${args} || {
        code=\$?
        [[ \$code == 70 && -f labels/${name}/labels.jsonl ]] || exit \$code
    }
    """

    stub:
    """
    mkdir -p labels/${name}
    touch labels/${name}/labelled.extxyz labels/${name}/labels.jsonl
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > labels/${name}/result.json
    """
}
