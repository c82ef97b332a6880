include { quoted; timeBudget } from '../../functions'

process EQUIL_RUN {
    tag "${meta.ligand}"
    label 'process_md'
    ext work: { meta.work }

    input:
    tuple val(meta), path(system)

    output:
    tuple val(meta), path("phases/${meta.ligand}/equil"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/equil/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    equil run --system ${quoted(system)} --state ${quoted("${meta.state}/equil")} --out ${quoted("phases/${meta.ligand}/equil")} ${timeBudget(task.time)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/equil"
    """
    mkdir -p ${quoted(out)}
    cp ${quoted(system)}/system.json ${quoted(system)}/result.json ${quoted(out)}
    """
}
