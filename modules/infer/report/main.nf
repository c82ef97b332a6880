include { quoted } from '../../functions'

process INFER_REPORT {
    tag "${meta.id}"
    label 'process_loop'

    input:
    tuple val(meta), path(generation)

    output:
    tuple val(meta), path('potential_report/*'), emit: results
    tuple val("${task.process}"), path('potential_report/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def state = meta.state ? "--state ${quoted(meta.state)}" : ''
    """
    infer report --from ${quoted(generation)} --out potential_report ${state} ${args}
    """

    stub:
    """
    mkdir -p potential_report/potential
    touch potential_report/report.html potential_report/dataset_card.md potential_report/learning_curve.csv potential_report/structures.csv potential_report/methods.md
    echo '{"version": 1, "artifacts": []}' > potential_report/manifest.json
    cp ${quoted(generation)}/checkpoint.json potential_report
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > potential_report/result.json
    """
}
