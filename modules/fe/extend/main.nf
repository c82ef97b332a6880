include { options; quoted; timeBudget } from '../../functions'

process FE_EXTEND {
    tag "${meta.ligand} ${meta.name}"
    label 'process_md'
    ext work: { meta.work }

    input:
    tuple val(meta), path(leg, stageAs: 'leg')

    output:
    tuple val(meta), path("phases/${meta.ligand}/extension_${meta.round}/${meta.name}"), emit: run
    tuple val("${task.process}"), path("phases/${meta.ligand}/extension_${meta.round}/${meta.name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def windows = meta.windows ? "--window ${quoted([meta.windows.min(), meta.windows.max()].unique().join('-'))}" : ''
    """
    fe extend --leg leg --replicate ${quoted(meta.replicate)} ${windows} --window-ps ${quoted(meta.window_ps)} --state ${quoted(meta.state)} --out ${quoted("phases/${meta.ligand}/extension_${meta.round}/${meta.name}")} ${timeBudget(task.time)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/extension_${meta.round}/${meta.name}"
    def files = (meta.windows ?: [0]).collect { window -> String.format('window_%02d.parquet', window) }
    """
    mkdir -p ${quoted(out)}
    cp leg/leg.json ${quoted(out)}
    (cd ${quoted(out)} && touch ${options('', files)})
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
