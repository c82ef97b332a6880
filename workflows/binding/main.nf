// Binding or solvation free energies, absolute or relative, or MD of the complexes alone: the phases of gibbsflow.binding.campaign.phases.

include { SYSTEM_PREP                              } from '../../modules/system_prep/system'
include { PARAM_LIGAND                             } from '../../modules/param/ligand'
include { EQUIL_PREPARE                            } from '../../modules/equil/prepare'
include { EQUIL_RUN                                } from '../../modules/equil/run'
include { EQUIL_ANALYSE                            } from '../../modules/equil/analyse'
include { NETWORK_PLAN                             } from '../../modules/network/plan'
include { NETWORK_PLAN as NETWORK_REPLAN           } from '../../modules/network/plan'
include { TRANSFORMATIONS                          } from '../../subworkflows/transformations'
include { TRANSFORMATIONS as MORE_TRANSFORMATIONS  } from '../../subworkflows/transformations'
include { ANALYSIS_CAMPAIGN                        } from '../../modules/analysis/campaign'

workflow BINDING {
    take:
    ch_rows   // [meta{ligand, smiles, charge, pose, state}, structure or [], pose or [], and of complex and solvent topology, coordinates, includes or []]
    input     // samplesheet
    receptor  // host or protein, or [] where there is none
    about     // {protonation, parameters}: files about the receptor, or [] for each
    settings  // JSON of the sections that a verb reads, by process name
    schedules // lambda schedules given as files
    stages    // stages of the equilibration given as a file, or []
    network   // network and atom maps given as files
    campaign  // {mode, replicates, windows_per_task, pilot, extended, state, system_state, cache}

    main:
    SYSTEM_PREP(ch_rows, receptor, about.protonation, about.parameters, settings.SYSTEM_PREP)
    PARAM_LIGAND(SYSTEM_PREP.out.system, settings.PARAM_LIGAND, campaign.cache)
    EQUIL_PREPARE(PARAM_LIGAND.out.system, settings.EQUIL_PREPARE, stages)
    EQUIL_RUN(EQUIL_PREPARE.out.system.map { meta, system -> [meta + [work: workOf(system.resolve('result.json'))], system] })
    EQUIL_ANALYSE(EQUIL_RUN.out.system)
    ch_records = EQUIL_ANALYSE.out.system
    ch_network = channel.value([])

    if (campaign.mode in ['rbfe', 'rsfe']) {
        ch_systems = EQUIL_ANALYSE.out.system.map { meta, system -> [meta.ligand, system] }
        ch_left = ch_systems
            .toSortedList { one, other -> one[0] <=> other[0] }
            .map { pairs -> [[ligands: pairs.collect { ligand, _system -> ligand }], pairs.collect { _ligand, system -> system }] }
        NETWORK_PLAN(ch_left.map { meta, systems -> [planOf('plan', meta, campaign), systems, [], []] }, settings.NETWORK_PLAN, network)
        TRANSFORMATIONS(edgesOf(NETWORK_PLAN.out.network, ch_systems, campaign), settings, schedules, campaign)
        // what was lost may be made up for by other edges, once
        ch_done = TRANSFORMATIONS.out.ch_records
            .toSortedList { one, other -> one[0].ligand <=> other[0].ligand }
            .map { records -> [records.collect { _meta, record -> record }] }
        ch_again = ch_left
            .combine(NETWORK_PLAN.out.network.map { _meta, plan -> plan })
            .combine(ch_done)
            .map { meta, systems, before, records -> [planOf('replan', meta, campaign), systems, before, records] }
        NETWORK_REPLAN(ch_again, settings.NETWORK_PLAN, network)
        MORE_TRANSFORMATIONS(edgesOf(NETWORK_REPLAN.out.network, ch_systems, campaign), settings, schedules, campaign)
        ch_records = TRANSFORMATIONS.out.ch_records.mix(MORE_TRANSFORMATIONS.out.ch_records)
        ch_network = NETWORK_REPLAN.out.network.map { _meta, plan -> plan }
    }
    else if (campaign.mode != 'md') {
        TRANSFORMATIONS(EQUIL_ANALYSE.out.system.map { meta, system -> [meta, system, [], []] }, settings, schedules, campaign)
        ch_records = TRANSFORMATIONS.out.ch_records
    }

    ch_found = ch_records
        .toSortedList { one, other -> one[0].ligand <=> other[0].ligand }
        .map { records -> [records.collect { _meta, folder -> folder }] }
        .combine(ch_network.map { plan -> [plan] })
        .map { records, plan -> [[id: 'campaign', state: campaign.state], input, records, plan] }
    ANALYSIS_CAMPAIGN(ch_found, settings.ANALYSIS_CAMPAIGN)
    ch_results = ANALYSIS_CAMPAIGN.out.results

    emit:
    ch_results
}

def planOf(name, meta, campaign) {
    meta + [id: name, state: "${campaign.system_state}/network/${name}".toString()]
}

// Edges of a planned network as transformations: [meta{ligand, state}, system it begins with, system it ends with, edge].
def edgesOf(ch_network, ch_systems, campaign) {
    ch_network
        .flatMap { _meta, folder -> edgesIn(folder) }
        .map { edge -> [edge, new groovy.json.JsonSlurper().parseText(edge.resolve('edge.json').text)] }
        .map { edge, content -> [content.ligand_a, content.ligand_b, edge] }
        .combine(ch_systems, by: 0)
        .map { _first, ligand, edge, system -> [ligand, edge, system] }
        .combine(ch_systems, by: 0)
        .map { _last, edge, system, partner -> [[ligand: edge.name, state: "${campaign.system_state}/${edge.name}".toString()], system, partner, edge] }
}

def edgesIn(network) {
    (network.resolve('edges').toFile().listFiles() ?: []).sort { folder -> folder.name }.collect { folder -> folder.toPath() }
}

// What a task of MD asks for, as the core has written it down; nothing where it has not.
def workOf(result) {
    result.exists() ? new groovy.json.JsonSlurper().parseText(result.text).work : null
}
