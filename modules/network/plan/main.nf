include { options; quoted } from '../../functions'

process NETWORK_PLAN {
    tag "${meta.id}"
    label 'process_table'

    input:
    tuple val(meta), path(systems, stageAs: 'systems/?/*'), path(before, stageAs: 'before/*'), path(records, stageAs: 'records/?/*')
    val settings
    path files, stageAs: 'given?/*'

    output:
    tuple val(meta), path("network/${meta.id}"), emit: network
    tuple val("${task.process}"), path("network/${meta.id}/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    gibbsflow network edges ${options('--system', systems)} ${options('--before', before)} ${options('--record', records)} --state ${quoted(meta.state)} --config config.json --out ${quoted("network/${meta.id}")} ${args}
    """

    stub:
    // a chain in the order of the names; planned again it has nothing to add
    def edges = before ? [] : meta.ligands.collate(2, 1, false).collect { pair -> groovy.json.JsonOutput.toJson([name: pair.join('~'), ligand_a: pair[0], ligand_b: pair[1]]) }
    def out = "network/${meta.id}"
    """
    mkdir -p ${quoted(out)}/edges
    for edge in ${options('', edges)}; do
        name=\$(expr "\$edge" : '.*"name":"\\([^"]*\\)"')
        mkdir -p ${quoted(out)}/edges/"\$name"
        printf %s "\$edge" > ${quoted(out)}/edges/"\$name"/edge.json
    done
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > ${quoted(out)}/result.json
    """
}
