include { quoted } from '../../functions'

process EQUIL_PREPARE {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system)
    val settings
    path stages

    output:
    tuple val(meta), path("phases/${meta.ligand}/prepare_equil"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/prepare_equil/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    equil prepare --system ${quoted(system)} --config config.json --state ${quoted("${meta.state}/prepare_equil")} --out ${quoted("phases/${meta.ligand}/prepare_equil")} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/prepare_equil"
    """
    mkdir -p ${quoted(out)}
    cp ${quoted(system)}/system.json ${quoted(system)}/result.json ${quoted(out)}
    """
}
