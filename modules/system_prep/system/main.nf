include { options; quoted } from '../../functions'

process SYSTEM_PREP {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(structure, stageAs: 'structure/*'), path(pose, stageAs: 'pose/*')
    path receptor, stageAs: 'receptor/*'
    path protonation, stageAs: 'protonation/*'
    path parameters, stageAs: 'parameters*/*'
    val settings

    output:
    tuple val(meta), path("phases/${meta.ligand}/system_prep"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/system_prep/result.json"), topic: versions

    script:
    def held = options('--receptor', receptor)
    def source = structure ? "--structure ${quoted(structure)}" : "--smiles ${quoted(meta.smiles)}"
    def charge = meta.charge == null ? '' : "--charge ${quoted(meta.charge)}"
    def symmetry = meta.symmetry_number ? "--symmetry_number ${quoted(meta.symmetry_number)}" : ''
    def placing = pose || meta.pose ? "--pose ${quoted(pose ?: meta.pose)}" : ''
    def states = protonation ? "--protonation ${quoted(protonation)}" : ''
    def beside = options('--parameters', parameters)
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    system_prep system ${held} --ligand ${quoted(meta.ligand)} ${source} ${charge} ${placing} ${symmetry} \\
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
