process INFER_RECORD {
    tag "generation ${generation}"
    label 'process_loop'

    input:
    tuple val(generation), path(labels), path(state, stageAs: 'state'), val(settings)

    output:
    tuple val(generation), path('dataset'), path('dataset/train.extxyz'), path('dataset/holdout.extxyz'), emit: dataset
    tuple val("${task.process}"), path('dataset/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def found = [labels].flatten().collect { folder -> "--labels ${folder}" }.join(' ')
    """
    cat > config.json <<'END'
    ${settings}
    END
    infer record --from state ${found} --config config.json --out dataset ${args}
    """

    stub:
    """
    mkdir dataset
    ls -d ${labels} > dataset/labels.txt
    touch dataset/train.extxyz dataset/holdout.extxyz
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > dataset/result.json
    """
}
