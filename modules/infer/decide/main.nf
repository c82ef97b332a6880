include { options; quoted } from '../../functions'

process INFER_DECIDE {
    tag "generation ${meta.generation}"
    label 'process_loop'

    input:
    tuple val(meta), path(explored, stageAs: 'explored/*'), path(recorded), path(fit), path(validated)

    output:
    tuple val(meta), path("${meta.id}"), emit: state
    tuple val("${task.process}"), path("${meta.id}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    infer decide --from ${quoted(recorded)} --fit ${quoted(fit)} ${options('--explored', explored)} ${options('--validated', validated)} --out ${quoted(meta.id)} ${args}
    """

    stub:
    def out = meta.id
    def next = groovy.json.JsonOutput.toJson([generation: meta.generation + 1, stopped_by: meta.generation > 0 ? 'generations' : ''])
    """
    mkdir -p ${quoted(out)}/batches ${quoted(out)}/trajectories ${quoted(out)}/potential
    touch ${quoted(out)}/batches/batch_{000,001,002}.extxyz ${quoted(out)}/trajectories/trajectory_{00,01}.extxyz
    for number in 00 01; do echo '{"seed": 1}' > ${quoted(out)}/trajectories/trajectory_\$number.json; done
    ls explored > ${quoted(out)}/explored.txt
    cp ${quoted(recorded)}/labels.txt ${quoted(out)}
    printf %s ${quoted(next)} > ${quoted(out)}/checkpoint.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
