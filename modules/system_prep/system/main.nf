include { quoted } from '../../functions'

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
    def source = structure ? "--structure ${structure}" : "--smiles ${quoted(meta.smiles)}"
    def charge = meta.charge == null ? '' : "--charge ${quoted(meta.charge)}"
    def placing = pose ? "--pose ${pose}" : meta.pose ? "--pose ${meta.pose}" : ''
    def states = protonation ? "--protonation ${protonation}" : ''
    def beside = [parameters].flatten().findAll { file -> file }.collect { file -> "--parameters ${file}" }.join(' ')
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    system_prep system --receptor ${receptor} --ligand ${quoted(meta.ligand)} ${source} ${charge} ${placing} \\
        ${states} ${beside} --config config.json \\
        --state ${quoted("${meta.state}/system_prep")} --out phases/${meta.ligand}/system_prep ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/system_prep
    echo '{"name": "${meta.ligand}", "artifacts": {}, "meta": {}}' > phases/${meta.ligand}/system_prep/system.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > phases/${meta.ligand}/system_prep/result.json
    """
}
