include { quoted } from '../../functions'

process TRAIN_FIT {
    tag "generation ${meta.generation}"
    label 'process_loop'
    label 'process_train'
    // keyed by what is in the data set, not by where it lies
    cache 'deep'

    input:
    tuple val(meta), path(train), path(holdout), val(settings)

    output:
    tuple val(meta), path('fit'), emit: fit
    tuple val("${task.process}"), path('fit/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    train fit --train ${quoted(train)} --test ${quoted(holdout)} --config config.json --seed ${quoted(meta.seed)} \\
        --state ${quoted(meta.state)} --out fit ${args}
    """

    stub:
    """
    mkdir -p fit/potential
    touch fit/potential/coefficients.pod
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > fit/result.json
    """
}
