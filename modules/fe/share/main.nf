include { options; quoted; timeBudget } from '../../functions'

// Runs of one ligand that share a GPU. One that fails has no folder here, and gets a task of its own, under the failure policy.
process FE_SHARE {
    tag "${meta.ligand} ${meta.name}"
    label 'process_md'
    ext work: { meta.work }

    input:
    tuple val(meta), path(legs, stageAs: 'legs/*')

    output:
    tuple val(meta), path("phases/${meta.ligand}/fe/*", type: 'dir', arity: '0..*'), emit: runs
    tuple val("${task.process}"), path("shared/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def windows = meta.runs.findAll { run -> run.windows }.collect { run -> [run.windows.min(), run.windows.max()].unique().join('-') }
    """
    fe share ${options('--leg', meta.runs.collect { run -> "legs/${run.leg}" })} ${options('--replicate', meta.runs.collect { run -> run.replicate })} \\
        ${options('--window', windows)} ${options('--state', meta.runs.collect { run -> run.state })} \\
        ${options('--run-out', meta.runs.collect { run -> "phases/${run.ligand}/fe/${run.name}" })} --out shared ${timeBudget(task.time)} ${args}
    """

    stub:
    def each = meta.runs.collect { run ->
        def out = "phases/${run.ligand}/fe/${run.name}"
        def files = (run.windows ?: [0]).collect { window -> String.format('window_%02d.parquet', window) }
        """
        mkdir -p ${quoted(out)}
        cp ${quoted("legs/${run.leg}")}/leg.json ${quoted(out)}
        (cd ${quoted(out)} && touch ${options('', files)})
        echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
        """
    }
    def own = '''
        mkdir -p shared
        echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > shared/result.json
        '''
    (each + own).join('\n')
}
