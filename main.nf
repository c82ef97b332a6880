// gibbsflow: check what was given -> BINDING or POTENTIAL -> table and report. The only .nf file that reads params.

include { readSchema; helpText; typedParams; settings; stateFolder; askCore } from './subworkflows/launch'
include { samplesheet; structureFiles; holdCampaign; letGo                  } from './subworkflows/launch'
include { completionText; failureHint; versionsOf; writeCrate               } from './subworkflows/completion'
include { BINDING                                                           } from './workflows/binding'
include { POTENTIAL                                                         } from './workflows/potential'

workflow {
    main:
    def schema = readSchema("${projectDir}/nextflow_schema.json")
    if (params.help) {
        println(helpText(schema))
    }
    else {
        def core = "${projectDir}/bin/gibbsflow" // projectDir is not known any more once the run has ended
        def values = typedParams(params, schema)
        def state = stateFolder(values, workflow.workDir)
        def answer = askCore(core, params, values, schema, state, workflow.containerEngine)
        if (answer.problem) {
            error(answer.problem)
        }
        def potential = values.mode == 'potential'
        // containers are shown them, so they have to be there
        [state, values.param_cache].findAll { folder -> folder }.each { folder -> file(folder).mkdirs() }
        def run = workflow
        def hold = holdCampaign(state, run, answer)
        def held = hold[0]
        if (hold[1]) {
            error(hold[1])
        }

        if (potential) {
            POTENTIAL(file(values.config), structureFiles(file(values.config)), values.resume_from ? file(values.resume_from) : null, state)
        }
        else {
            def receptor = file(values.receptor)
            // a schedule may be a file: it goes with the task, and the verb finds it by its name
            def schedules = schema.fe.properties.keySet().findAll { key -> key.endsWith('_schedule') && values[key] ==~ /.*\.ya?ml/ }
            // files about the receptor go with its task as options, and are not among its settings
            def about = [
                protonation: values.protonation ? file(values.protonation, checkIfExists: true, glob: false) : [],
                parameters: (values.parameters ?: '').tokenize(',').collect { name -> file(name.trim(), checkIfExists: true, glob: false) },
            ]
            def staged = values + schedules.collectEntries { key -> [key, file(values[key]).name] } + about.collectEntries { key, _files -> [key, null] }

            BINDING(
                channel.fromList(samplesheet(values.input, answer.rows, "${state}/${receptor.baseName}")),
                file(values.input),
                receptor,
                about,
                [
                    SYSTEM_PREP: settings(staged, schema, ['system', 'run.seed']),
                    PARAM_LIGAND: settings(staged, schema, ['param']),
                    EQUIL_PREPARE: settings(staged, schema, ['md', 'equil', 'run.seed']),
                    FE_PREPARE: settings(staged, schema, ['fe', 'run.mode', 'run.seed', 'run.replicates']),
                    ANALYSIS_TRANSFORMATION: settings(staged, schema, ['analysis', 'run.mode']),
                    ANALYSIS_CAMPAIGN: settings(staged, schema, ['analysis', 'run.mode']),
                ],
                schedules.collect { key -> file(values[key], checkIfExists: true) }.unique(),
                [mode: values.mode, replicates: values.replicates, windows_per_task: values.windows_per_task, state: state, cache: "${file(values.param_cache ?: "${file(state).parent}/param_cache")}"],
            )
        }

        channel.topic('versions')
            .map { process, result -> versionsOf(process, result) }
            .unique()
            .collectFile(name: 'versions.yml', storeDir: "${values.outdir}/pipeline_info", sort: true)

        workflow.onError {
            log.info(failureHint(run.errorReport ?: '', potential ? null : state))
        }
        workflow.onComplete {
            letGo(held)
            log.info(completionText(values.outdir, run.success, (run.stats?.succeedCount ?: 0) + (run.stats?.cachedCount ?: 0) + (run.stats?.ignoredCount ?: 0)))
            writeCrate(run, values, schema, core)
        }
    }
}
