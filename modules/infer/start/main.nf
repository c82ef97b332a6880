include { quoted } from '../../functions'

process INFER_START {
    tag "${meta.id}"
    label 'process_loop'

    input:
    tuple val(meta), path(begin) // folders training/ and holdout/ of structures, or generation_NN/ of an earlier run
    val settings

    output:
    tuple val(meta), path('start'), emit: state
    tuple val("${task.process}"), path('start/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def from = begin instanceof List ? '--structures training --holdout holdout' : "--from ${quoted(begin)}"
    """
    printf %s ${quoted(settings)} > config.json
    infer start --config config.json ${from} --out start ${args}
    """

    stub:
    def earlier = begin instanceof List ? 'training' : begin
    """
    mkdir -p start/batches start/trajectories
    touch start/batches/batch_{000,001}.extxyz start/trajectories/trajectory_{00,01}.extxyz
    for number in 00 01; do echo '{"seed": 1}' > start/trajectories/trajectory_\$number.json; done
    echo '{"generation": 0, "stopped_by": ""}' > start/checkpoint.json
    [[ ! -f ${quoted(earlier)}/checkpoint.json ]] || cp ${quoted(earlier)}/checkpoint.json start
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > start/result.json
    """
}
