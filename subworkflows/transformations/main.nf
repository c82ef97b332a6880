// Free energies of transformations: their legs, all replicates, and what they sum up to. A transformation is a ligand alone, or an edge of two.

include { FE_PREPARE              } from '../../modules/fe/prepare'
include { FE_PILOT                } from '../../modules/fe/pilot'
include { FE_RUN                  } from '../../modules/fe/run'
include { FE_SHARE                } from '../../modules/fe/share'
include { ANALYSED                } from '../extension'
include { EXTENSION as EXTENSION_1 } from '../extension'
include { EXTENSION as EXTENSION_2 } from '../extension'
include { EXTENSION as EXTENSION_3 } from '../extension'
include { EXTENSION as EXTENSION_4 } from '../extension'
include { EXTENSION as EXTENSION_5 } from '../extension'

workflow TRANSFORMATIONS {
    take:
    ch_transformations // [meta{ligand, state}, system, and of an edge the system of its other end and the edge, or []]
    settings           // JSON of the sections that a verb reads, by process name
    schedules          // lambda schedules given as files
    campaign           // {replicates, windows_per_task, pilot, extended}: extended where legs are sampled longer for the sake of an error

    main:
    FE_PREPARE(ch_transformations, settings.FE_PREPARE, schedules)
    ch_legs = FE_PREPARE.out.legs
    if (campaign.pilot) {
        FE_PILOT(FE_PREPARE.out.legs.flatMap { meta, legs -> pilotsOf(meta, legs) })
        // a leg whose pilot was lost to the failure policy is missing, as one whose runs were
        ch_legs = FE_PILOT.out.leg
            .map { meta, leg -> [groupKey(meta.ligand, meta.members), meta, leg] }
            .groupTuple(remainder: true)
            .map { ligand, metas, legs -> [[ligand: ligand.toString(), state: metas[0].home], legs] }
    }
    ch_groups = ch_legs.flatMap { meta, legs -> groupsOf(runsOf(meta, legs, campaign.replicates, campaign.windows_per_task)) }
    FE_SHARE(ch_groups.filter { group -> group.size() > 1 }.map { group -> sharedBy(group) })
    ch_shared = FE_SHARE.out.runs.flatMap { meta, folders -> folders.collect { folder -> [meta.runs.find { run -> run.name == folder.name }, folder] } }
    // a run that failed beside others is that of a task of its own, for the failure policy
    ch_failed = FE_SHARE.out.runs
        .flatMap { meta, folders -> meta.runs.findAll { run -> !(run.name in folders*.name) }.collect { run -> ["${run.ligand} ${run.leg}".toString(), run] } }
        .combine(ch_legs.flatMap { meta, legs -> [legs].flatten().collect { leg -> ["${meta.ligand} ${leg.name}".toString(), leg] } }, by: 0)
        .map { _key, run, leg -> [run, leg] }
    FE_RUN(ch_groups.filter { group -> group.size() == 1 }.map { group -> group[0] }.mix(ch_failed))
    // what was lost to the failure policy leaves its group short: it is emitted at the end all the same
    ch_sampled = FE_RUN.out.run.mix(ch_shared)
        .map { meta, run -> [groupKey(meta.ligand, meta.members), [meta, run]] }
        .groupTuple(remainder: true)
        .map { ligand, runs -> [ligand.toString(), runs.sort { run -> run[0].name }] }
    ch_prepared = FE_PREPARE.out.system
        .map { meta, system -> [meta.ligand, meta, system] }
        .join(ch_sampled)
        .map { _ligand, meta, system, runs -> [meta, system, runs] }
    ANALYSED(ch_prepared.map { meta, system, runs -> [meta, system, runs.collect { _run, folder -> folder }, []] }, settings.ANALYSIS_TRANSFORMATION)
    ch_records = ANALYSED.out.ch_records

    if (campaign.extended) {
        ch_first = ch_prepared
            .map { meta, system, runs -> [meta.ligand, meta, system, runs] }
            .join(ch_legs.map { meta, legs -> [meta.ligand, [legs].flatten()] })
            .join(ch_records.map { meta, record -> [meta.ligand, record] })
            .map { _ligand, meta, system, runs, legs, record -> [meta, system, legs, runs, record] }
        // as many rounds as binding/analyse/enough/rounds.py has; what has had enough passes through
        EXTENSION_1(ch_first, settings.ANALYSIS_TRANSFORMATION, 1)
        EXTENSION_2(EXTENSION_1.out.ch_items, settings.ANALYSIS_TRANSFORMATION, 2)
        EXTENSION_3(EXTENSION_2.out.ch_items, settings.ANALYSIS_TRANSFORMATION, 3)
        EXTENSION_4(EXTENSION_3.out.ch_items, settings.ANALYSIS_TRANSFORMATION, 4)
        EXTENSION_5(EXTENSION_4.out.ch_items, settings.ANALYSIS_TRANSFORMATION, 5)
        ch_records = EXTENSION_5.out.ch_items.map { meta, _system, _legs, _runs, record -> [meta, record] }
    }

    emit:
    ch_records
}

// Pilots of one transformation, as [meta, leg]: one for each leg, with a state folder beside those of its replicates.
def pilotsOf(meta, legs) {
    def all = [legs].flatten()
    all.collect { leg ->
        def content = new groovy.json.JsonSlurper().parseText(leg.resolve('leg.json').text)
        [[ligand: meta.ligand, leg: leg.name, state: "${meta.state}/${leg.name}/pilot".toString(), home: meta.state, work: content.work, members: all.size()], leg]
    }
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
                [[ligand: meta.ligand, leg: leg.name, replicate: replicate, windows: windows, name: name, state: "${meta.state}/${home}".toString(), work: content.work], leg]
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

// Runs of a leg that share a GPU, as many as the core says (binding/workload.py); on a CPU each has a task of its own.
def groupsOf(runs) {
    runs.groupBy { run, _leg -> run.leg }.values().collectMany { same -> same.collate(same[0][0].work?.legs_per_gpu ?: 1) }
}

// A group as [meta, legs]: what it asks for is what its runs ask for at the same time.
def sharedBy(group) {
    def runs = group.collect { run, _leg -> run }
    def hours = runs.collect { run -> run.work.hours ?: 24 }.sum()
    def work = [memory_gb: runs.collect { run -> run.work.memory_gb }.sum(), hours: [hours, 24].min(), tasks: runs.size()]
    [[ligand: runs[0].ligand, name: "${runs[0].name}_and_${runs.size() - 1}_more".toString(), runs: runs, work: work], group.collect { _run, leg -> leg }.unique()]
}
