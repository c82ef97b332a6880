// Absolute binding or solvation free energies, or MD of the complexes alone: the phases of gibbsflow.binding.campaign.phases, one process each.

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
    ch_rows   // [meta{ligand, smiles, charge, pose, state}, structure or [], pose or [], and of complex and solvent topology, coordinates, includes or []]
    input     // samplesheet
    receptor  // host or protein, or [] where there is none
    about     // {protonation, parameters}: files about the receptor, or [] for each
    settings  // JSON of the sections that a verb reads, by process name
    schedules // lambda schedules given as files
    stages    // stages of the equilibration given as a file, or []
    campaign  // {mode, replicates, windows_per_task, state, cache}

    main:
    SYSTEM_PREP(ch_rows, receptor, about.protonation, about.parameters, settings.SYSTEM_PREP)
    PARAM_LIGAND(SYSTEM_PREP.out.system, settings.PARAM_LIGAND, campaign.cache)
    EQUIL_PREPARE(PARAM_LIGAND.out.system, settings.EQUIL_PREPARE, stages)
    EQUIL_RUN(EQUIL_PREPARE.out.system)
    EQUIL_ANALYSE(EQUIL_RUN.out.system)
    ch_records = EQUIL_ANALYSE.out.system

    if (campaign.mode != 'md') {
        FE_PREPARE(EQUIL_ANALYSE.out.system, settings.FE_PREPARE, schedules)
        FE_RUN(FE_PREPARE.out.legs.flatMap { meta, legs -> runsOf(meta, legs, campaign.replicates, campaign.windows_per_task) })
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
        .map { records -> [[id: 'campaign', state: campaign.state], input, records.collect { _meta, folder -> folder }] }
    ANALYSIS_CAMPAIGN(ch_found, settings.ANALYSIS_CAMPAIGN)
    ch_results = ANALYSIS_CAMPAIGN.out.results

    emit:
    ch_results
}

// What is sampled for one transformation, as [meta, leg]: every leg and replicate, with the independent sampler in groups of windows.
// The state folder is that of leg and replicate; each window has its own in it, whatever the groups.
def runsOf(meta, legs, replicates, windowsPerTask) {
    def runs = [legs].flatten().sort { leg -> leg.name }.collectMany { leg ->
        def content = new groovy.json.JsonSlurper().parseText(leg.resolve('leg.json').text)
        def groups = content.fe.sampler == 'independent' ? (0..<content.states.size()).toList().collate(windowsPerTask) : [[]]
        (0..<replicates).toList().collectMany { replicate ->
            groups.collect { windows ->
                def home = "${leg.name}/replicate_${replicate}"
                def name = [leg.name, "replicate_${replicate}", windowName(windows)].findAll { word -> word }.join('_')
                [[ligand: meta.ligand, leg: leg.name, replicate: replicate, windows: windows, name: name, state: "${meta.state}/${home}".toString()], leg]
            }
        }
    }
    runs.collect { run, leg -> [run + [members: runs.size()], leg] }
}

// window_03, or windows_03-06 for a group; nothing where all are sampled together.
def windowName(windows) {
    def ends = [windows.min(), windows.max()].unique().findAll { end -> end != null }.collect { window -> String.format('%02d', window) }
    ends ? "window${windows.size() > 1 ? 's' : ''}_${ends.join('-')}".toString() : ''
}
