include { quoted } from '../../functions'

process FE_PREPARE {
    tag "${meta.ligand}"

    input:
    tuple val(meta), path(system)
    val settings
    path schedules

    output:
    tuple val(meta), path("phases/${meta.ligand}/prepare_fe"), emit: system
    tuple val(meta), path("phases/${meta.ligand}/prepare_fe/legs/*", type: 'dir'), emit: legs
    tuple val("${task.process}"), path("phases/${meta.ligand}/prepare_fe/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    cat > config.json <<'END'
    ${settings}
    END
    fe prepare --system ${system} --config config.json --state ${quoted("${meta.state}/prepare_fe")} --out phases/${meta.ligand}/prepare_fe ${args}
    """

    stub:
    def sampler = task.ext.sampler ?: new groovy.json.JsonSlurper().parseText(settings).fe.sampler
    def states = (['{}'] * (task.ext.windows ?: 2)).join(', ')
    """
    for leg in complex solvent; do
        mkdir -p phases/${meta.ligand}/prepare_fe/legs/\$leg
        echo '{"leg": "'\$leg'", "states": [${states}], "fe": {"sampler": "${sampler}"}}' > phases/${meta.ligand}/prepare_fe/legs/\$leg/leg.json
    done
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/prepare_fe
    """
}
