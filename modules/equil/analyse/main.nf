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
    equil analyse --system ${quoted(system)} --state ${quoted("${meta.state}/equil_analysis")} --out ${quoted("phases/${meta.ligand}/equil_analysis")} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/equil_analysis"
    """
    mkdir -p ${quoted(out)}
    cp ${quoted(system)}/system.json ${quoted(system)}/result.json ${quoted(out)}
    """
}
