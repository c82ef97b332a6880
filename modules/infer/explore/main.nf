process INFER_EXPLORE {
    tag "generation ${generation} ${name}"
    label 'process_loop'
    // keyed by name and content of the start, not by where it lies
    cache 'deep'

    input:
    tuple val(key), val(generation), val(name), path(start), path(fit), val(settings), val(state)

    output:
    tuple val(key), path("explored/${name}"), emit: explored
    tuple val("${task.process}"), path("explored/${name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    infer explore --potential ${fit}/potential --start ${start} --config config.json \\
        --state '${state}/generation_${String.format('%02d', generation)}/${name}' --out explored/${name} ${args}
    """

    stub:
    """
    mkdir -p explored/${name}
    touch explored/${name}/candidates.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > explored/${name}/result.json
    """
}
