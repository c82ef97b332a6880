process INFER_EXPLORE {
    tag "generation ${generation} ${start.baseName}"
    label 'process_loop'
    // keyed by what is in the start, not by where it lies
    cache 'deep'

    input:
    tuple val(key), val(generation), path(start), path(fit), val(settings), val(state)

    output:
    tuple val(key), path("explored/${start.baseName}"), emit: explored
    tuple val("${task.process}"), path("explored/${start.baseName}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    infer explore --potential ${fit}/potential --start ${start} --config config.json \\
        --state '${state}/generation_${String.format('%02d', generation)}/${start.baseName}' --out explored/${start.baseName} ${args}
    """

    stub:
    """
    mkdir -p explored/${start.baseName}
    touch explored/${start.baseName}/candidates.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > explored/${start.baseName}/result.json
    """
}
