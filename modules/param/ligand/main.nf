include { quoted } from '../../functions'

process PARAM_LIGAND {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system)
    val settings
    val cache

    output:
    tuple val(meta), path("phases/${meta.ligand}/param_ligands"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/param_ligands/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    param ligand --system ${system} --config config.json --cache ${quoted(cache)} --state ${quoted("${meta.state}/param_ligands")} --out phases/${meta.ligand}/param_ligands ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/param_ligands
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/param_ligands
    """
}
