include { options; quoted } from '../../functions'

process INFER_SCREEN {
    tag "${meta.id}"
    label 'process_loop'

    input:
    tuple val(meta), path(state, stageAs: 'unscreened'), path(surrogate, stageAs: 'surrogate/*') // what its model is read from, or []

    output:
    tuple val(meta), path("${meta.id}"), emit: state
    tuple val("${task.process}"), path("${meta.id}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    infer screen --from ${quoted(state)} ${options('--surrogate', surrogate)} --state ${quoted(meta.state)} --out ${quoted(meta.id)} ${args}
    """

    stub:
    def out = meta.id
    """
    cp -rL ${quoted(state)} ${quoted(out)}
    touch ${quoted(out)}/screening.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
