// One turn of the learning loop: label -> record -> train (and validate) -> explore -> decide (and select what comes next).
//
// Made to be recursed: one tuple in, one of the same shape out. Nothing in here may gather by `collect`, `toList` or `count`, for their
// channels end only after the last generation; groups have a known size and are sorted, so that -resume finds them again.

include { DFT_LABEL     } from '../../modules/dft/label'
include { INFER_RECORD  } from '../../modules/infer/record'
include { TRAIN_FIT     } from '../../modules/train/fit'
include { INFER_EXPLORE } from '../../modules/infer/explore'
include { INFER_DECIDE  } from '../../modules/infer/decide'

workflow LEARNING_GENERATION {
    take:
    ch_state // [generation, folder of the state, campaign{settings by process, seed, state}]

    main:
    ch_batches = ch_state.flatMap { generation, folder, campaign ->
        def batches = files("${folder}/batches/*.extxyz").sort { batch -> batch.name }
        batches.collect { batch -> [groupKey(generation, batches.size()), generation, batch.baseName, batch, campaign.settings.DFT_LABEL, campaign.state] }
    }
    DFT_LABEL(ch_batches)

    ch_recorded = DFT_LABEL.out.labels
        .groupTuple()
        .map { key, labels -> [key.target, labels.sort { folder -> folder.name }] }
        .combine(ch_state, by: 0)
        .map { generation, labels, folder, _campaign -> [generation, labels, folder] }
    INFER_RECORD(ch_recorded)

    ch_training = INFER_RECORD.out.dataset
        .combine(ch_state, by: 0)
        .map { generation, _recorded, train, holdout, _folder, campaign -> [generation, train, holdout, campaign.settings.TRAIN_FIT, campaign.seed, campaign.state] }
    TRAIN_FIT(ch_training)

    ch_starts = TRAIN_FIT.out.fit
        .combine(ch_state, by: 0)
        .flatMap { generation, fit, folder, campaign ->
            def starts = files("${folder}/trajectories/*.extxyz").sort { start -> start.name }
            starts.collect { start ->
                def settings = start.resolveSibling("${start.baseName}.json")
                def seed = new groovy.json.JsonSlurper().parseText(settings.text).seed
                [groupKey(generation, starts.size()), generation, start.baseName, start, settings, fit, seed, campaign.state]
            }
        }
    INFER_EXPLORE(ch_starts)

    ch_explored = INFER_EXPLORE.out.explored
        .groupTuple()
        .map { key, explored -> [key.target, explored.sort { folder -> folder.name }] }
        .combine(INFER_RECORD.out.dataset, by: 0)
        .combine(TRAIN_FIT.out.fit, by: 0)
        .map { generation, explored, recorded, _train, _holdout, fit -> [generation, explored, recorded, fit] }
    INFER_DECIDE(ch_explored)

    ch_next = INFER_DECIDE.out.state
        .combine(ch_state, by: 0)
        .map { generation, decided, _folder, campaign -> [generation + 1, decided, campaign] }

    emit:
    ch_next
}
