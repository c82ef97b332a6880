include { options; quoted } from '../../functions'

process FE_PREPARE {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system, stageAs: 'system/*'), path(partner, stageAs: 'partner/*'), path(edge)
    val settings
    path schedules, stageAs: 'schedule?/*' // two may have one name

    output:
    tuple val(meta), path("phases/${meta.ligand}/prepare_fe"), emit: system
    tuple val(meta), path("phases/${meta.ligand}/prepare_fe/legs/*", type: 'dir'), emit: legs
    tuple val("${task.process}"), path("phases/${meta.ligand}/prepare_fe/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    fe prepare --system ${quoted(system)} ${options('--partner', partner)} ${options('--edge', edge)} --config config.json --state ${quoted("${meta.state}/prepare_fe")} --out ${quoted("phases/${meta.ligand}/prepare_fe")} ${args}
    """

    stub:
    def out = "phases/${meta.ligand}/prepare_fe"
    def given = new groovy.json.JsonSlurper().parseText(settings)
    def chosen = given.fe
    def sampler = task.ext.sampler ?: chosen.sampler
    def names = given.run.mode in ['asfe', 'rsfe'] ? ['solvent', 'vacuum'] : chosen.abfe_protocol == 'sdr' ? ['sdr'] : ['complex', 'solvent']
    def work = task.ext.legs_per_gpu || task.ext.gpus ? [work: [memory_gb: 1, legs_per_gpu: task.ext.legs_per_gpu ?: 1, gpus: task.ext.gpus]] : [:]
    def content = groovy.json.JsonOutput.toJson([leg: '%s', states: [[:]] * (task.ext.windows ?: 2), fe: [sampler: sampler]] + work)
    """
    for leg in ${options('', names)}; do
        mkdir -p ${quoted(out)}/legs/\$leg
        printf ${quoted(content)} \$leg > ${quoted(out)}/legs/\$leg/leg.json
    done
    cp ${quoted(system)}/system.json ${quoted(system)}/result.json ${quoted(out)}
    """
}
