include { quoted } from '../../functions'

process EQUIL_PREPARE {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system)
    val settings

    output:
    tuple val(meta), path("phases/${meta.ligand}/prepare_equil"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/prepare_equil/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    equil prepare --system ${system} --config config.json --state ${quoted("${meta.state}/prepare_equil")} --out phases/${meta.ligand}/prepare_equil ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/prepare_equil
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/prepare_equil
    """
}
