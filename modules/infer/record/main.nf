include { options; quoted } from '../../functions'

process INFER_RECORD {
    tag "generation ${meta.generation}"
    label 'process_loop'

    input:
    tuple val(meta), path(labels), path(state, stageAs: 'state')

    output:
    tuple val(meta), path('recorded'), path('recorded/dataset/train.extxyz'), path('recorded/dataset/holdout.extxyz'), emit: dataset
    tuple val("${task.process}"), path('recorded/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    infer record --from state ${options('--labels', labels)} --out recorded ${args}
    """

    stub:
    """
    mkdir -p recorded/dataset
    ls -d ${options('', labels)} > recorded/labels.txt
    cp -r state/trajectories recorded
    echo ${quoted("generation ${meta.generation}")} | tee recorded/dataset/train.extxyz > recorded/dataset/holdout.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > recorded/result.json
    """
}
