// A machine-learned potential: structures -> the learning loop, until its manager says that it has stopped -> report.

// Here, and a literal, since strict parsers take it nowhere else; Nextflow gives its notice of a preview wherever this file is read,
// which is in every run.
nextflow.preview.recursion = true

include { TRAIN_CONFIG                      } from '../../modules/train/config'
include { SYSTEM_PREP_STRUCTURES            } from '../../modules/system_prep/structures'
include { INFER_START                       } from '../../modules/infer/start'
include { INFER_REPORT                      } from '../../modules/infer/report'
include { LEARNING_GENERATION; SCREENING    } from '../../subworkflows/learning_generation'
include { generationOf                      } from '../../subworkflows/learning_generation'

workflow POTENTIAL {
    take:
    config     // settings as the user wrote them
    structures // structure files that they name, or []
    surrogate  // file or folder of the surrogate that they name, or []
    begin      // generation_NN/ of an earlier run to go on from, or null
    state      // folder of finished labels and of MD under way

    main:
    TRAIN_CONFIG([[id: config.name], config], structures, surrogate)
    ch_campaign = TRAIN_CONFIG.out.config.map { _meta, file -> campaignOf(file, state) + [surrogate: surrogate] }

    if (begin) {
        ch_begin = channel.value([[id: 'start'], begin])
    }
    else {
        ch_kinds = ch_campaign.flatMap { campaign -> ['holdout', 'training'].collect { kind -> [[id: kind], campaign.settings.SYSTEM_PREP_STRUCTURES] } }
        SYSTEM_PREP_STRUCTURES(ch_kinds, structures)
        ch_begin = SYSTEM_PREP_STRUCTURES.out.structures
            .toSortedList { one, other -> one[0].id <=> other[0].id }
            .map { kinds -> [[id: 'start'], kinds.collect { _meta, folder -> folder }] }
    }
    INFER_START(ch_begin, ch_campaign.map { campaign -> campaign.settings.INFER_START })
    SCREENING(INFER_START.out.state.combine(ch_campaign))
    ch_start = SCREENING.out.ch_state
        .combine(ch_campaign)
        .map { _meta, folder, campaign -> [generationOf(checkpoint(folder).generation), folder, campaign] }
        .first()

    LEARNING_GENERATION
        .recurse(ch_start)
        .until { next -> checkpoint(next[1]).stopped_by }

    // where a task before it has failed, there is no generation, and the last of none is null
    ch_last = LEARNING_GENERATION.out.last().filter { found -> found != null }
    INFER_REPORT(ch_last.map { _next, folder, campaign -> [[id: folder.name, state: campaign.state.toString()], folder] })
    ch_results = INFER_REPORT.out.results

    emit:
    ch_results
}

def checkpoint(folder) {
    new groovy.json.JsonSlurper().parseText(folder.resolve('checkpoint.json').text)
}

// What goes round with every generation, plain text (the surrogate's file joins it above): each process has the sections that its verb reads,
// so that a change of others leaves its tasks as they are.
def campaignOf(config, state) {
    def all = new groovy.json.JsonSlurper().parseText(config.text)
    def sections = [
        SYSTEM_PREP_STRUCTURES: ['target', 'generator'],
        INFER_START: all.keySet(),
        DFT_LABEL: ['target', 'dft', 'labels'],
        TRAIN_FIT: ['convergence', 'training'],
        TRAIN_VALIDATE: ['target', 'dft', 'labels', 'validation'],
    ]
    def settings = sections.collectEntries { process, names ->
        [process, groovy.json.JsonOutput.toJson(names.sort().collectEntries { name -> [name, all[name]] })]
    }
    [
        settings: settings,
        seed: all.loop?.seed,
        state: state,
        validated: (all.convergence?.validation ?: 'none') != 'none',
        screened: (all.surrogate?.model ?: 'none') != 'none',
    ]
}
