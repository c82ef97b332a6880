include { quoted } from '../../functions'

process EQUIL_ANALYSE {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system)

    output:
    tuple val(meta), path("phases/${meta.ligand}/equil_analysis"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/equil_analysis/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    equil analyse --system ${system} --state ${quoted("${meta.state}/equil_analysis")} --out phases/${meta.ligand}/equil_analysis ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/equil_analysis
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/equil_analysis
    """
}
