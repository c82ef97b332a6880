include { quoted; timeBudget } from '../../functions'

process INFER_EXPLORE {
    tag "generation ${meta.generation} ${meta.name}"
    label 'process_loop'
    // keyed by name and content of the start and its settings, not by where they lie
    cache 'deep'

    input:
    tuple val(meta), path(start), path(settings), path(fit)

    output:
    tuple val(meta), path("explored/${meta.name}"), emit: explored
    tuple val("${task.process}"), path("explored/${meta.name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    infer explore --potential ${quoted(fit)}/potential --structure ${quoted(start)} --config ${quoted(settings)} --seed ${quoted(meta.seed)} --generation ${quoted(meta.generation + 1)} \\
        --state ${quoted(meta.state)} --out ${quoted("explored/${meta.name}")} ${timeBudget(task.time)} ${args}
    """

    stub:
    def out = "explored/${meta.name}"
    """
    mkdir -p ${quoted(out)}
    touch ${quoted(out)}/frames.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
