include { quoted } from '../../functions'

process ANALYSIS_TRANSFORMATION {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system), path(runs, stageAs: 'runs/*')
    val settings

    output:
    tuple val(meta), path("phases/${meta.ligand}/analysis"), emit: record
    tuple val("${task.process}"), path("phases/${meta.ligand}/analysis/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def sampled = [runs].flatten().collect { run -> "--run ${run}" }.join(' ')
    """
    cat > config.json <<'END'
    ${settings}
    END
    analysis transformation --system ${system} ${sampled} --config config.json --state ${quoted("${meta.state}/analysis")} --out phases/${meta.ligand}/analysis ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/analysis
    echo '{"transformation": "${meta.ligand}", "status": "finished"}' > phases/${meta.ligand}/analysis/record.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > phases/${meta.ligand}/analysis/result.json
    """
}
