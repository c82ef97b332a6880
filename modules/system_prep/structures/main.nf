process SYSTEM_PREP_STRUCTURES {
    tag "${meta.id}"
    label 'process_loop'

    input:
    tuple val(meta), val(settings)
    path structures

    output:
    tuple val(meta), path("structures/${meta.id}"), emit: structures
    tuple val("${task.process}"), path("structures/${meta.id}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def holdout = meta.id == 'holdout' ? '--holdout' : ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    system_prep structures --config config.json ${holdout} --out structures/${meta.id} ${args}
    """

    stub:
    """
    mkdir -p structures/${meta.id}
    touch structures/${meta.id}/structures.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > structures/${meta.id}/result.json
    """
}
