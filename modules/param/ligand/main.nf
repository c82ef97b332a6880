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
    printf %s ${quoted(settings)} > config.json
    param ligand --system ${quoted(system)} --config config.json --cache ${quoted(cache)} --state ${quoted("${meta.state}/param_ligands")} --out ${quoted("phases/${meta.ligand}/param_ligands")} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/param_ligands"
    """
    mkdir -p ${quoted(out)}
    cp ${quoted(system)}/system.json ${quoted(system)}/result.json ${quoted(out)}
    """
}
