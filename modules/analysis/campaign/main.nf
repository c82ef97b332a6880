include { options; quoted } from '../../functions'

process ANALYSIS_CAMPAIGN {
    tag "${meta.id}"
    label 'process_table'

    input:
    tuple val(meta), path(input), path(records, stageAs: 'records/?/*'), path(network, stageAs: 'network/*')
    val settings

    output:
    tuple val(meta), path('campaign/*'), emit: results
    tuple val("${task.process}"), path('campaign/result.json'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    printf %s ${quoted(settings)} > config.json
    analysis campaign --input ${quoted(input)} ${options('--record', records)} ${options('--network', network)} --state ${quoted(meta.state)} --config config.json --out campaign ${args}
    """

    stub:
    """
    mkdir campaign
    ls -d ${options('', records)} > campaign/record.stub.json
    echo 'transformation,ligand,mode,status,verdict,dg_kcal_per_mol,dg_error_kcal_per_mol,mbar_error_kcal_per_mol,replicates,experimental_dg_kcal_per_mol,cause,notes,ci95_low_kcal_per_mol,ci95_high_kcal_per_mol,stopped_by' > campaign/results.csv
    touch campaign/results.parquet campaign/report.html campaign/methods.md
    echo '{"version": 1, "artifacts": []}' > campaign/manifest.json
    echo '{"status": "finished", "versions": {"gibbsflow": "stub"}}' > campaign/result.json
    """
}
