process TRAIN_CONFIG {
    tag "${config.name}"
    label 'process_loop'

    input:
    path config
    path structures

    output:
    path 'settings/config.json', emit: config
    tuple val("${task.process}"), path('settings/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    train config --expand ${config} --check --out settings ${args}
    """

    stub:
    """
    mkdir settings
    echo '{"target": {}, "generator": {}, "dft": {}, "labels": {}, "training": {}, "exploration": {}, "selection": {}, "loop": {}}' > settings/config.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > settings/result.json
    """
}
