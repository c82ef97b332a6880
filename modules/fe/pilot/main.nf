include { quoted; timeBudget } from '../../functions'

// A short run of a leg with the states that it has; what it leaves is the leg with states at even distances.
process FE_PILOT {
    tag "${meta.ligand} ${meta.leg}"
    label 'process_md'
    ext work: { meta.work }

    input:
    tuple val(meta), path(leg, stageAs: 'leg')

    output:
    tuple val(meta), path("phases/${meta.ligand}/pilot/${meta.leg}"), emit: leg
    tuple val("${task.process}"), path("phases/${meta.ligand}/pilot/${meta.leg}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    fe pilot --leg leg --state ${quoted(meta.state)} --out ${quoted("phases/${meta.ligand}/pilot/${meta.leg}")} ${timeBudget(task.time)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/pilot/${meta.leg}"
    """
    mkdir -p ${quoted(out)}
    cp leg/leg.json ${quoted(out)}
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
