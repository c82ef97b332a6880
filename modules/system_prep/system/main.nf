include { options; quoted } from '../../functions'

process SYSTEM_PREP {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(structure, stageAs: 'structure/*'), path(pose, stageAs: 'pose/*'), path(complex_topology, stageAs: 'complex_topology/*'), path(complex_coordinates, stageAs: 'complex_coordinates/*'), path(complex_includes, stageAs: 'complex_includes/*'), path(solvent_topology, stageAs: 'solvent_topology/*'), path(solvent_coordinates, stageAs: 'solvent_coordinates/*'), path(solvent_includes, stageAs: 'solvent_includes/*')
    path receptor, stageAs: 'receptor/*'
    path protonation, stageAs: 'protonation/*'
    path parameters, stageAs: 'parameters*/*'
    val settings

    output:
    tuple val(meta), path("phases/${meta.ligand}/system_prep"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/system_prep/result.json"), topic: versions

    script:
    def held = complex_topology || solvent_topology ? '' : options('--receptor', receptor)
    def drawn = structure ? "--structure ${quoted(structure)}" : ''
    def smiles = !structure && meta.smiles ? "--smiles ${quoted(meta.smiles)}" : ''
    def residue = meta.ligand_residue ? "--ligand_residue ${quoted(meta.ligand_residue)}" : ''
    def charge = meta.charge == null ? '' : "--charge ${quoted(meta.charge)}"
    def symmetry = meta.symmetry_number ? "--symmetry_number ${quoted(meta.symmetry_number)}" : ''
    def laid = meta.aligned_to ? "--aligned_to ${quoted(meta.aligned_to)}" : ''
    def placing = pose || (meta.pose && (structure || meta.smiles)) ? "--pose ${quoted(pose ?: meta.pose)}" : ''
    def states = protonation ? "--protonation ${quoted(protonation)}" : ''
    def beside = options('--parameters', parameters)
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    system_prep system ${held} --ligand ${quoted(meta.ligand)} ${drawn} ${smiles} ${charge} ${placing} ${laid} ${symmetry} ${residue} \\
        ${options('--complex_topology', complex_topology)} ${options('--complex_coordinates', complex_coordinates)} \\
        ${options('--complex_includes', complex_includes)} ${options('--solvent_topology', solvent_topology)} \\
        ${options('--solvent_coordinates', solvent_coordinates)} ${options('--solvent_includes', solvent_includes)} \\
        ${states} ${beside} --config config.json \\
        --state ${quoted("${meta.state}/system_prep")} --out ${quoted("phases/${meta.ligand}/system_prep")} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/system_prep"
    def system = groovy.json.JsonOutput.toJson([name: meta.ligand, artifacts: [:], meta: [:]])
    """
    mkdir -p ${quoted(out)}
    printf %s ${quoted(system)} > ${quoted(out)}/system.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
