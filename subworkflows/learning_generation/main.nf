// One turn of the learning loop: label -> record -> train -> explore (and validate) -> decide (and select what comes next) -> screen
// (where a surrogate is asked).
//
// Made to be recursed: one tuple in, one of the same shape out. Nothing in here may gather by `collect`, `toList` or `count`, for their
// channels end only after the last generation; groups have a known size and are sorted, so that -resume finds them again.

include { DFT_LABEL     } from '../../modules/dft/label'
include { INFER_RECORD  } from '../../modules/infer/record'
include { TRAIN_FIT     } from '../../modules/train/fit'
include { TRAIN_VALIDATE } from '../../modules/train/validate'
include { INFER_EXPLORE } from '../../modules/infer/explore'
include { INFER_DECIDE  } from '../../modules/infer/decide'
include { INFER_SCREEN  } from '../../modules/infer/screen'

workflow LEARNING_GENERATION {
    take:
    ch_state // [meta{id, generation}, folder of the state, campaign{settings by process, seed, state, validated, screened, surrogate}]

    main:
    ch_batches = ch_state.flatMap { meta, folder, campaign ->
        def batches = structuresIn(folder.resolve('batches'))
        batches.collect { batch ->
            [itemOf(meta, batch.baseName, batches.size()) + [state: "${campaign.state}/labels".toString()], batch, campaign.settings.DFT_LABEL]
        }
    }
    DFT_LABEL(ch_batches)

    ch_recorded = DFT_LABEL.out.labels
        .map { meta, labels -> [groupKey(generationOf(meta.generation), meta.size), labels] }
        .groupTuple()
        .map { key, labels -> [key.target, labels.sort { folder -> folder.name }] }
        .combine(ch_state, by: 0)
        .map { meta, labels, folder, _campaign -> [meta, labels, folder] }
    INFER_RECORD(ch_recorded)

    ch_training = INFER_RECORD.out.dataset
        .combine(ch_state, by: 0)
        .map { meta, _recorded, train, holdout, _folder, campaign ->
            [meta + [seed: campaign.seed, state: "${campaign.state}/${meta.id}/fit".toString()], train, holdout, campaign.settings.TRAIN_FIT]
        }
    TRAIN_FIT(ch_training)
    ch_fit = TRAIN_FIT.out.fit.map { meta, fit -> [generationOf(meta.generation), fit] }

    ch_starts = ch_fit
        .combine(ch_state, by: 0)
        .flatMap { meta, fit, folder, campaign ->
            def starts = structuresIn(folder.resolve('trajectories'))
            starts.collect { start ->
                def settings = start.resolveSibling("${start.baseName}.json")
                def seed = new groovy.json.JsonSlurper().parseText(settings.text).seed
                def own = [seed: seed, state: "${campaign.state}/${meta.id}/${start.baseName}".toString()]
                [itemOf(meta, start.baseName, starts.size()) + own, start, settings, fit]
            }
        }
    INFER_EXPLORE(ch_starts)

    ch_validating = ch_fit
        .combine(INFER_RECORD.out.dataset, by: 0)
        .combine(ch_state, by: 0)
        .filter { _meta, _fit, _recorded, _train, _holdout, _folder, campaign -> campaign.validated }
        .map { meta, fit, _recorded, train, _holdout, _folder, campaign ->
            [meta + [state: "${campaign.state}/validation".toString()], fit, train, campaign.settings.TRAIN_VALIDATE]
        }
    TRAIN_VALIDATE(ch_validating)
    ch_validated = TRAIN_VALIDATE.out.validated
        .map { meta, validated -> [generationOf(meta.generation), [validated]] }
        .mix(ch_state.filter { _meta, _folder, campaign -> !campaign.validated }.map { meta, _folder, _campaign -> [meta, []] })

    ch_explored = INFER_EXPLORE.out.explored
        .map { meta, explored -> [groupKey(generationOf(meta.generation), meta.size), explored] }
        .groupTuple()
        .map { key, explored -> [key.target, explored.sort { folder -> folder.name }] }
        .combine(INFER_RECORD.out.dataset, by: 0)
        .combine(ch_fit, by: 0)
        .combine(ch_validated, by: 0)
        .combine(ch_state, by: 0)
        .map { meta, explored, recorded, _train, _holdout, fit, validated, _folder, campaign ->
            [meta + (campaign.screened ? [id: meta.id.replace('generation', 'unscreened')] : [:]), explored, recorded, fit, validated]
        }
    INFER_DECIDE(ch_explored)

    ch_decided = INFER_DECIDE.out.state
        .map { meta, decided -> [generationOf(meta.generation), decided] }
        .combine(ch_state, by: 0)
        .map { meta, decided, _folder, campaign -> [meta, decided, campaign] }
    SCREENING(ch_decided)

    ch_next = SCREENING.out.ch_state
        .combine(ch_state, by: 0)
        .map { meta, decided, _folder, campaign -> [generationOf(meta.generation + 1), decided, campaign] }

    emit:
    ch_next
}

// A state as a surrogate leaves it, where one is asked; else as it is.
workflow SCREENING {
    take:
    ch_decided // [meta, folder of the state, campaign]

    main:
    ch_asked = ch_decided.branch { _meta, _folder, campaign ->
        by_surrogate: campaign.screened
        as_it_is: true
    }
    ch_looked_at = ch_asked.by_surrogate.map { meta, folder, campaign ->
        [meta + [state: "${campaign.state}/screening".toString()], folder, campaign.surrogate]
    }
    INFER_SCREEN(ch_looked_at)

    ch_screened = INFER_SCREEN.out.state.map { meta, folder -> [meta.findAll { name, _value -> name != 'state' }, folder] }

    emit:
    ch_state = ch_asked.as_it_is.map { meta, folder, _campaign -> [meta, folder] }.mix(ch_screened)
}

// The structures that lie in a folder, in order. Their names name folders and tasks; those of an earlier run come from outside.
def structuresIn(folder) {
    def found = java.nio.file.Files.newDirectoryStream(folder, '*.extxyz').withCloseable { stream -> stream.toList() }
    found.sort { path -> path.name }.each { path ->
        if (!(path.name ==~ /[A-Za-z0-9_][A-Za-z0-9._-]*/)) {
            error("${folder}: a file in it cannot name a task (right: letters, digits, '.', '_' and '-')")
        }
    }
}

// What goes with all that belongs to a generation; its id names the generation's folders.
def generationOf(number) {
    [id: String.format('generation_%02d', number), generation: number]
}

// The same for one of so many batches or trajectories of a generation.
def itemOf(meta, name, size) {
    [id: "${meta.id}_${name}".toString(), generation: meta.generation, name: name, size: size]
}
