include { options; quoted } from '../../functions'

process TRAIN_CONFIG {
    tag "${meta.id}"
    label 'process_loop'

    input:
    tuple val(meta), path(config)
    path structures
    path surrogate, stageAs: 'surrogate/*'

    output:
    tuple val(meta), path('settings/config.json'), emit: config
    tuple val("${task.process}"), path('settings/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    train config --expand ${quoted(config)} ${options('--structure', structures)} ${options('--surrogate', surrogate)} --check --out settings ${args}
    """

    stub:
    """
    mkdir settings
    validation=\$(sed -nE 's/.*validation: (PASS|WARN).*/\\1/p' ${quoted(config)})
    surrogate=\$(sed -nE 's/.*surrogate:.*model: ([a-z_]+).*/"surrogate": {"model": "\\1"}, /p' ${quoted(config)})
    echo '{"target": {}, "generator": {}, "dft": {}, "labels": {}, "training": {}, "exploration": {}, "selection": {}, "loop": {},' \\
        '"validation": {}, '"\$surrogate"'"convergence": {"validation": "'"\${validation:-none}"'"}}' > settings/config.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > settings/result.json
    """
}
