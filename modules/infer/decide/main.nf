process INFER_DECIDE {
    tag "generation ${generation}"
    label 'process_loop'

    input:
    tuple val(generation), path(explored, stageAs: 'explored/*'), path(state, stageAs: 'state'), path(dataset), path(fit), val(settings)

    output:
    tuple val(generation), path("generation_${String.format('%02d', generation)}"), emit: state
    tuple val("${task.process}"), path("generation_${String.format('%02d', generation)}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def folder = "generation_${String.format('%02d', generation)}"
    """
    cat > config.json <<'END'
    ${settings}
    END
    infer decide --from state --dataset ${dataset} --fit ${fit} --explored explored --config config.json --out ${folder} ${args}
    """

    stub:
    def folder = "generation_${String.format('%02d', generation)}"
    """
    mkdir -p ${folder}/batches ${folder}/trajectories ${folder}/potential
    touch ${folder}/batches/batch_{000,001,002}.extxyz ${folder}/trajectories/trajectory_{00,01}.extxyz
    ls explored > ${folder}/explored.txt
    cp ${dataset}/labels.txt ${folder}
    echo '{"generation": ${generation + 1}, "stopped_by": "${generation > 0 ? 'generations' : ''}"}' > ${folder}/checkpoint.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${folder}/result.json
    """
}
