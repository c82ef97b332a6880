include { quoted } from '../../functions'

process TRAIN_VALIDATE {
    tag "generation ${meta.generation}"
    label 'process_loop'
    label 'process_dft'
    // keyed by potential and data set, not by where they lie
    cache 'deep'

    input:
    tuple val(meta), path(fit), path(train), val(settings)

    output:
    tuple val(meta), path('validated'), emit: validated
    tuple val("${task.process}"), path('validated/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    train validate --potential ${quoted("${fit}/potential")} --data ${quoted(train)} --config config.json \\
        --state ${quoted(meta.state)} --out validated ${args}
    """

    stub:
    """
    mkdir -p validated
    touch validated/validation.html validated/validation.csv validated/validation.json
    echo '{"status": "finished", "verdict": "PASS", "reasons": [], "versions": {"gibbsflow": "stub"}}' > validated/result.json
    """
}
