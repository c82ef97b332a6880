include { options; quoted } from '../../functions'

process ANALYSIS_TRANSFORMATION {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system), path(runs, stageAs: 'runs/*'), path(before, stageAs: 'before/*')
    val settings

    output:
    tuple val(meta), path("phases/${meta.ligand}/${meta.round ? "extension_${meta.round}/" : ''}analysis"), emit: record
    tuple val("${task.process}"), path("phases/${meta.ligand}/${meta.round ? "extension_${meta.round}/" : ''}analysis/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    def out = "phases/${meta.ligand}/${meta.round ? "extension_${meta.round}/" : ''}analysis"
    """
    printf %s ${quoted(settings)} > config.json
    analysis transformation --system ${quoted(system)} ${options('--run', runs)} ${options('--before', before)} --config config.json --state ${quoted("${meta.state}/analysis")} --out ${quoted(out)} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/${meta.round ? "extension_${meta.round}/" : ''}analysis"
    def next = (meta.round ?: 0) < (task.ext.rounds ?: 0) ? [sampling: [next_window_ps: [complex: 2000], progress: "round ${meta.round ?: 0}"]] : [:]
    def record = groovy.json.JsonOutput.toJson([transformation: meta.ligand, status: 'finished'] + next)
    """
    mkdir -p ${quoted(out)}
    printf %s ${quoted(record)} > ${quoted(out)}/record.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
