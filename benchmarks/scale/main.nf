// A campaign between two rows of bare one-line processes, in one run: what its tasks cost beside such that do nothing.
// Stubs of the real subworkflow with the real checks, settings and publishing; scale.py starts it.

include { BARE as BARE_BEFORE                                } from './bare'
include { BARE as BARE_AFTER                                 } from './bare'
include { readSchema; typedParams; askCore; settings         } from '../../subworkflows/launch'
include { samplesheet                                        } from '../../subworkflows/launch'
include { versionsOf                                         } from '../../subworkflows/completion'
include { BINDING                                            } from '../../workflows/binding'

workflow {
    main:
    def root = projectDir.parent.parent
    def schema = readSchema("${root}/nextflow_schema.json")
    def given = params.findAll { key, _value -> key != 'bare_tasks' }
    def values = typedParams(given, schema)
    def state = "${workflow.workDir.resolveSibling('state')}/scale".toString()
    def answer = askCore("${root}/bin/gibbsflow", given, values, schema, state, false)
    if (answer.problem) {
        error(answer.problem)
    }

    BARE_BEFORE(channel.fromList((1..params.bare_tasks).toList()))
    ch_rows = channel.fromList(samplesheet(values.input, answer.rows, "${state}/${file(values.receptor).baseName}"))
        .combine(BARE_BEFORE.out.number.count())
        .map { meta, structure, pose, _count -> [meta, structure, pose] }
    BINDING(
        ch_rows,
        file(values.input),
        file(values.receptor),
        [protonation: [], parameters: []],
        [
            SYSTEM_PREP: settings(values, schema, ['system', 'run.seed']),
            PARAM_LIGAND: settings(values, schema, ['param']),
            EQUIL_PREPARE: settings(values, schema, ['md', 'equil', 'run.seed']),
            NETWORK_PLAN: '{}',
            FE_PREPARE: settings(values, schema, ['fe', 'run.seed', 'run.replicates']),
            ANALYSIS_TRANSFORMATION: settings(values, schema, ['analysis', 'run.mode']),
            ANALYSIS_CAMPAIGN: settings(values, schema, ['analysis', 'run.mode']),
        ],
        [],
        [],
        [],
        [mode: 'abfe', replicates: values.replicates, windows_per_task: values.windows_per_task, state: state, system_state: state, cache: "${state}/param_cache"],
    )
    BARE_AFTER(BINDING.out.ch_results.flatMap { _results -> (1..params.bare_tasks).toList() })

    channel.topic('versions')
        .map { process, result -> versionsOf(process, result) }
        .unique()
        .collectFile(name: 'versions.yml', storeDir: "${values.outdir}/pipeline_info", sort: true)
}
