process INFER_EXPLORE {
    tag "generation ${generation} ${name}"
    label 'process_loop'
    // keyed by name and content of the start and its settings, not by where they lie
    cache 'deep'

    input:
    tuple val(key), val(generation), val(name), path(start), path(settings), path(fit), val(seed), val(state)

    output:
    tuple val(key), path("explored/${name}"), emit: explored
    tuple val("${task.process}"), path("explored/${name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    // leaves time to save the state before the scheduler ends the job
    def budget = task.time ? "--time-budget ${Math.max(task.time.toSeconds() - 300, (task.time.toSeconds() * 9).intdiv(10))}s" : ''
    """
    infer explore --potential ${fit}/potential --structure ${start} --config ${settings} --seed ${seed} --generation ${generation + 1} \\
        --state '${state}/generation_${String.format('%02d', generation)}/${name}' --out explored/${name} ${budget} ${args}
    """

    stub:
    """
    mkdir -p explored/${name}
    touch explored/${name}/frames.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > explored/${name}/result.json
    """
}
