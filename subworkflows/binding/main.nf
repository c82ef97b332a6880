// Absolute binding free energies, or MD of the complexes alone: the phases of gibbsflow.workflow.phases, one process each.

include { SYSTEM_PREP             } from '../../modules/system_prep/system'
include { PARAM_LIGAND            } from '../../modules/param/ligand'
include { EQUIL_PREPARE           } from '../../modules/equil/prepare'
include { EQUIL_RUN               } from '../../modules/equil/run'
include { EQUIL_ANALYSE           } from '../../modules/equil/analyse'
include { FE_PREPARE              } from '../../modules/fe/prepare'
include { FE_RUN                  } from '../../modules/fe/run'
include { ANALYSIS_TRANSFORMATION } from '../../modules/analysis/transformation'
include { ANALYSIS_CAMPAIGN       } from '../../modules/analysis/campaign'

workflow BINDING {
    take:
    ch_rows   // [meta{ligand, smiles, charge, pose, state}, structure or [], pose or []]
    input     // samplesheet
    receptor  // host or protein
    settings  // JSON of the sections that a verb reads, by process name
    schedules // lambda schedules given as files
    campaign  // {mode, state, cache}

    main:
    SYSTEM_PREP(ch_rows, receptor, settings.SYSTEM_PREP)
    PARAM_LIGAND(SYSTEM_PREP.out.system, settings.PARAM_LIGAND, campaign.cache)
    EQUIL_PREPARE(PARAM_LIGAND.out.system, settings.EQUIL_PREPARE)
    EQUIL_RUN(EQUIL_PREPARE.out.system)
    EQUIL_ANALYSE(EQUIL_RUN.out.system)
    ch_records = EQUIL_ANALYSE.out.system

    if (campaign.mode == 'abfe') {
        FE_PREPARE(EQUIL_ANALYSE.out.system, settings.FE_PREPARE, schedules)
        FE_RUN(FE_PREPARE.out.legs.flatMap { meta, legs -> runsOf(meta, legs, campaign.replicates) })
        // what was lost to the failure policy leaves its group short: it is emitted at the end all the same
        ch_sampled = FE_RUN.out.run
            .map { meta, run -> [groupKey(meta.ligand, meta.members), run] }
            .groupTuple(remainder: true)
            .map { ligand, runs -> [ligand.toString(), runs.sort { run -> run.name }] }
        ch_prepared = FE_PREPARE.out.system
            .map { meta, system -> [meta.ligand, meta, system] }
            .join(ch_sampled)
            .map { _ligand, meta, system, runs -> [meta, system, runs] }
        ANALYSIS_TRANSFORMATION(ch_prepared, settings.ANALYSIS_TRANSFORMATION)
        ch_records = ANALYSIS_TRANSFORMATION.out.record
    }

    ch_found = ch_records
        .toSortedList { one, other -> one[0].ligand <=> other[0].ligand }
        .map { records -> records.collect { _meta, folder -> folder } }
    ANALYSIS_CAMPAIGN(input, ch_found, settings.ANALYSIS_CAMPAIGN, campaign.state)
    ch_results = ANALYSIS_CAMPAIGN.out.results

    emit:
    ch_results
}

// What is sampled for one transformation: every leg and replicate, and with the independent sampler every window, as [meta, leg].
def runsOf(meta, legs, replicates) {
    def runs = [legs].flatten().sort { leg -> leg.name }.collectMany { leg ->
        def content = new groovy.json.JsonSlurper().parseText(leg.resolve('leg.json').text)
        def windows = content.fe.sampler == 'independent' ? (0..<content.states.size()).toList() : [null]
        (0..<replicates).toList().collectMany { replicate ->
            windows.collect { window ->
                def part = window == null ? '' : String.format('window_%02d', window)
                def run = [ligand: meta.ligand, leg: leg.name, replicate: replicate, window: window]
                def name = [leg.name, "replicate_${replicate}", part].findAll { word -> word }
                [run + [name: name.join('_'), state: "${meta.state}/${name.join('/')}".toString()], leg]
            }
        }
    }
    runs.collect { run, leg -> [run + [members: runs.size()], leg] }
}
