process INFER_DECIDE {
    tag "generation ${generation}"
    label 'process_loop'

    input:
    tuple val(generation), path(explored, stageAs: 'explored/*'), path(recorded), path(fit)

    output:
    tuple val(generation), path("generation_${String.format('%02d', generation)}"), emit: state
    tuple val("${task.process}"), path("generation_${String.format('%02d', generation)}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def found = [explored].flatten().collect { run -> "--explored ${run}" }.join(' ')
    def folder = "generation_${String.format('%02d', generation)}"
    """
    infer decide --from ${recorded} --fit ${fit} ${found} --out ${folder} ${args}
    """

    stub:
    def folder = "generation_${String.format('%02d', generation)}"
    """
    mkdir -p ${folder}/batches ${folder}/trajectories ${folder}/potential
    touch ${folder}/batches/batch_{000,001,002}.extxyz ${folder}/trajectories/trajectory_{00,01}.extxyz
    for number in 00 01; do echo '{"seed": 1}' > ${folder}/trajectories/trajectory_\$number.json; done
    ls explored > ${folder}/explored.txt
    cp ${recorded}/labels.txt ${folder}
    echo '{"generation": ${generation + 1}, "stopped_by": "${generation > 0 ? 'generations' : ''}"}' > ${folder}/checkpoint.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${folder}/result.json
    """
}
