include { options; quoted } from '../../functions'

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
    def out = "phases/${meta.ligand}/analysis"
    """
    printf %s ${quoted(settings)} > config.json
    analysis transformation --system ${quoted(system)} ${options('--run', runs)} --config config.json --state ${quoted("${meta.state}/analysis")} --out ${quoted(out)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/analysis"
    def record = groovy.json.JsonOutput.toJson([transformation: meta.ligand, status: 'finished'])
    """
    mkdir -p ${quoted(out)}
    printf %s ${quoted(record)} > ${quoted(out)}/record.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
