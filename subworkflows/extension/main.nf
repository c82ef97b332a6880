// One round of sampling longer: the legs that a record asks for go on from where they ended, and the record is made again. A
// transformation that asks for nothing passes through; one whose extension is lost to the failure policy keeps the record that it has.

include { FE_EXTEND               } from '../../modules/fe/extend'
include { ANALYSIS_TRANSFORMATION } from '../../modules/analysis/transformation'

// The first analysis, by the process of the later ones: strict parsers of 25.04 take a module of functions into one script alone.
workflow ANALYSED {
    take:
    ch_transformations // [meta, system, folders of the runs, []]
    settings           // JSON of the sections that the analysis reads

    main:
    ANALYSIS_TRANSFORMATION(ch_transformations, settings)
    ch_records = ANALYSIS_TRANSFORMATION.out.record.map { meta, record -> told(meta, record) }

    emit:
    ch_records
}

workflow EXTENSION {
    take:
    ch_transformations // [meta, system, legs, [[meta of a run, its folder], ...], record]
    settings           // JSON of the sections that the analysis reads
    number             // of the round, from 1

    main:
    ch_asked = ch_transformations.branch { meta, _system, _legs, _runs, record ->
        longer: !meta.ended && askedOf(record)
        enough: true
    }
    FE_EXTEND(ch_asked.longer.flatMap { _meta, _system, legs, runs, record -> extensionsOf(legs, runs, askedOf(record), number) })
    ch_extended = FE_EXTEND.out.run
        .map { meta, run -> [groupKey(meta.ligand, meta.members), [meta, run]] }
        .groupTuple(remainder: true)
        .map { ligand, runs -> [ligand.toString(), runs] }
    ch_again = ch_asked.longer
        .map { meta, system, legs, runs, record -> [meta.ligand, meta, system, legs, runs, record] }
        .join(ch_extended)
        .map { _ligand, meta, system, legs, runs, record, longer -> [meta, system, legs, withLonger(runs, longer), record] }
    ch_analysed = ch_again.map { meta, system, _legs, runs, record -> [meta + [round: number], system, runs.collect { _run, folder -> folder }, record] }
    ANALYSIS_TRANSFORMATION(ch_analysed, settings)
    ch_done = ch_again
        .map { meta, system, legs, runs, _record -> [meta.ligand, meta, system, legs, runs] }
        .join(ANALYSIS_TRANSFORMATION.out.record.map { meta, record -> told(meta, record) }.map { meta, record -> [meta.ligand, record] })
        .map { ligand, meta, system, legs, runs, record -> [ligand, [meta, system, legs, runs, record]] }
    ch_items = ch_asked.longer
        .map { meta, system, legs, runs, record -> [meta.ligand, [meta + [ended: true], system, legs, runs, record]] }
        .join(ch_done, remainder: true)
        .map { _ligand, before, after -> after ?: before }
        .mix(ch_asked.enough)

    emit:
    ch_items
}

// A record, once whoever watches has been told where its rounds stand.
def told(meta, record) {
    def progress = samplingOf(record)?.progress
    if (progress) {
        log.info("${meta.ligand}: ${progress}")
    }
    [meta, record]
}

// Length of the windows, ps, of each leg that a record asks to be sampled longer.
def askedOf(record) {
    samplingOf(record)?.next_window_ps
}

def samplingOf(record) {
    new groovy.json.JsonSlurper().parseText(record.resolve('record.json').text).sampling
}

// The runs of those legs, as [meta, leg].
def extensionsOf(legs, runs, asked, number) {
    def chosen = runs.findAll { run, _folder -> asked.containsKey(run.leg) }
    chosen.collect { run, _folder ->
        [run + [window_ps: asked[run.leg], round: number, members: chosen.size()], legs.find { leg -> leg.name == run.leg }]
    }
}

// Runs with their extensions in their places; one that failed stays as it was.
def withLonger(runs, longer) {
    runs.collect { run, folder ->
        def found = longer.find { meta, _folder -> meta.name == run.name }
        [run, found ? found[1] : folder]
    }
}
