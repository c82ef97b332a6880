include { quoted; timeBudget } from '../../functions'

process EQUIL_RUN {
    tag "${meta.ligand}"
    label 'process_md'

    input:
    tuple val(meta), path(system)

    output:
    tuple val(meta), path("phases/${meta.ligand}/equil"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/equil/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    equil run --system ${system} --state ${quoted("${meta.state}/equil")} --out phases/${meta.ligand}/equil ${timeBudget(task.time)} ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/equil
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/equil
    """
}
