process INFER_DECIDE {
    tag "generation ${meta.generation}"
    label 'process_loop'

    input:
    tuple val(meta), path(explored, stageAs: 'explored/*'), path(recorded), path(fit)

    output:
    tuple val(meta), path("${meta.id}"), emit: state
    tuple val("${task.process}"), path("${meta.id}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def found = [explored].flatten().collect { run -> "--explored ${run}" }.join(' ')
    """
    infer decide --from ${recorded} --fit ${fit} ${found} --out ${meta.id} ${args}
    """

    stub:
    """
    mkdir -p ${meta.id}/batches ${meta.id}/trajectories ${meta.id}/potential
    touch ${meta.id}/batches/batch_{000,001,002}.extxyz ${meta.id}/trajectories/trajectory_{00,01}.extxyz
    for number in 00 01; do echo '{"seed": 1}' > ${meta.id}/trajectories/trajectory_\$number.json; done
    ls explored > ${meta.id}/explored.txt
    cp ${recorded}/labels.txt ${meta.id}
    echo '{"generation": ${meta.generation + 1}, "stopped_by": "${meta.generation > 0 ? 'generations' : ''}"}' > ${meta.id}/checkpoint.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${meta.id}/result.json
    """
}
