process SYSTEM_PREP_STRUCTURES {
    tag "${kind}"
    label 'process_loop'

    input:
    tuple val(kind), val(settings)
    path structures

    output:
    tuple val(kind), path("structures/${kind}"), emit: structures
    tuple val("${task.process}"), path("structures/${kind}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def holdout = kind == 'holdout' ? '--holdout' : ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    system_prep structures --config config.json ${holdout} --out structures/${kind} ${args}
    """

    stub:
    """
    mkdir -p structures/${kind}
    touch structures/${kind}/structures.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > structures/${kind}/result.json
    """
}
