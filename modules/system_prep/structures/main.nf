include { quoted } from '../../functions'

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
    printf %s ${quoted(settings)} > config.json
    system_prep structures --config config.json ${holdout} --out ${quoted("structures/${meta.id}")} ${args}
    """

    stub:
    def out = "structures/${meta.id}"
    """
    mkdir -p ${quoted(out)}
    touch ${quoted(out)}/structures.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
