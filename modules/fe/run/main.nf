include { options; quoted; timeBudget } from '../../functions'

process FE_RUN {
    tag "${meta.ligand} ${meta.name}"
    label 'process_md'
    ext work: { meta.work }

    input:
    tuple val(meta), path(leg, stageAs: 'leg')

    output:
    tuple val(meta), path("phases/${meta.ligand}/fe/${meta.name}"), emit: run
    tuple val("${task.process}"), path("phases/${meta.ligand}/fe/${meta.name}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def windows = meta.windows ? "--window ${quoted([meta.windows.min(), meta.windows.max()].unique().join('-'))}" : ''
    """
    fe run --leg leg --replicate ${quoted(meta.replicate)} ${windows} --state ${quoted(meta.state)} --out ${quoted("phases/${meta.ligand}/fe/${meta.name}")} ${timeBudget(task.time)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/fe/${meta.name}"
    def files = (meta.windows ?: [0]).collect { window -> String.format('window_%02d.parquet', window) }
    """
    mkdir -p ${quoted(out)}
    cp leg/leg.json ${quoted(out)}
    (cd ${quoted(out)} && touch ${options('', files)})
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
