// gibbsflow: check what was given -> BINDING or POTENTIAL -> table and report. The only .nf file that reads params.

include { readSchema; helpText; typedParams; settings; stateFolder; askCore } from './subworkflows/launch'
include { pathOf; staged; folderProblem                                     } from './subworkflows/launch'
include { samplesheet; structureFiles; surrogateFiles; filesAmong; inFolders } from './subworkflows/launch'
include { holdCampaign; letGo                                               } from './subworkflows/launch'
include { keepPolicy; tooLate; fromSettings; endOrphans; mdRunsHere         } from './subworkflows/site'
include { completionText; failureHint; versionsOf; writeCrate               } from './subworkflows/completion'
include { tellOfDisks; endWithDisks; endOf; keepSummary                     } from './subworkflows/completion'
include { parameterSummary; hookOf; tally; tallyText; tellOthers             } from './subworkflows/notice'
include { BINDING                                                           } from './workflows/binding'
include { POTENTIAL                                                         } from './workflows/potential'

workflow {
    main:
    def schema = readSchema("${projectDir}/nextflow_schema.json")
    if (params.help || params.help_full) {
        println(helpText(schema, params.help_full))
    }
    else if (params.dry_run == true) {
        def values = typedParams(params, schema)
        def unknown = params.keySet().findAll { key -> !values.containsKey(key) }
        def answer = askCore("${projectDir}/bin/gibbsflow", unknown, fromSettings(unknown, workflow.commandLine), values, schema, stateFolder(values, workflow.workDir), workflow.containerEngine, mdRunsHere(workflow))
        if (answer.problem) {
            error(answer.problem)
        }
        println("${parameterSummary(values, schema)}\n\n${answer.plan ?: 'Nothing is wrong. How many tasks there will be is told by a gibbsflow core beside Nextflow, for binding free energies.'}")
    }
    else {
        def core = "${projectDir}/bin/gibbsflow" // projectDir is not known any more once the run has ended
        def values = typedParams(params, schema)
        def state = stateFolder(values, workflow.workDir)
        def run = workflow
        def disks = [results: values.outdir, tasks: run.workDir, state: state, 'temporary files': System.getenv('TMPDIR') ?: '/tmp', 'launch folder': run.launchDir]
        tellOfDisks(run, disks)
        def late = tooLate(workflow.session.config.process, params, workflow.commandLine)
        if (late) {
            error("${late.join('\n  ')}\n  Nothing was started.")
        }
        def unknown = params.keySet().findAll { key -> !values.containsKey(key) }
        def answer = [problem: folderProblem(workflow, values)]
        if (!answer.problem) {
            answer = askCore(core, unknown, fromSettings(unknown, workflow.commandLine), values, schema, state, workflow.containerEngine, mdRunsHere(workflow))
        }
        if (answer.problem) {
            error(answer.problem)
        }
        def hook = hookOf(values, schema)
        log.info(parameterSummary(values, schema))
        keepPolicy(workflow.session.config.process, values, state).each { note -> log.info("note: ${note}") }
        def potential = values.mode == 'potential'
        // containers are shown them, so they have to be there
        [state, values.param_cache].findAll { folder -> folder }.each { folder -> pathOf(folder).mkdirs() }
        def hold = holdCampaign(state, run, answer)
        def held = hold[0]
        def unsaid = new java.util.concurrent.atomic.AtomicBoolean(true) // the handler may be called twice
        if (hold[1]) {
            error(hold[1])
        }
        def orphans = workflow.preview ? 0 : endOrphans(state)
        if (orphans) {
            log.info("Ended ${orphans} jobs that an earlier head had left in SLURM's queue: what they were at goes on from what they have saved.")
        }

        if (potential) {
            POTENTIAL(
                staged(pathOf(values.config), run.workDir),
                structureFiles(pathOf(values.config)).collect { path -> staged(path, run.workDir) },
                surrogateFiles(pathOf(values.config)).collect { path -> staged(path, run.workDir) },
                values.resume_from ? staged(pathOf(values.resume_from), run.workDir) : null,
                state,
            )
        }
        else {
            def receptor = values.receptor ? staged(pathOf(values.receptor), run.workDir) : []
            def home = "${state}/${values.receptor ? pathOf(values.receptor).baseName : 'alone'}".toString()
            // a schedule, network or atom map may be a file: it goes with the task, and the verb finds it in its folder there
            def schedules = filesAmong(values, schema.fe.properties.keySet().findAll { key -> key.endsWith('_schedule') }, run.workDir)
            def network = filesAmong(values, ['network', 'map'], run.workDir)
            def stages = values.equil_stages ? staged(pathOf(values.equil_stages), run.workDir) : []
            // files about the receptor go with its task as options, and are not among its settings
            def about = [
                protonation: values.protonation ? staged(pathOf(values.protonation), run.workDir) : [],
                parameters: (values.parameters ?: '').tokenize(',').collect { name -> staged(pathOf(name.trim()), run.workDir) },
            ]
            // what each ligand is laid on, its row tells by now
            def own = values + inFolders('schedule', schedules) + inFolders('given', network) + about.collectEntries { key, _files -> [key, null] } + [align_poses: null] + (stages ? [equil_stages: stages.name] : [:])
            // ions of an edge are waters of its box, which is built without them; other boxes are the same in each mode
            def boxed = values.mode == 'rbfe' ? own : own + [mode: null]

            BINDING(
                channel.fromList(samplesheet(pathOf(values.input), answer.rows, home, run.workDir)),
                staged(pathOf(values.input), run.workDir),
                receptor,
                about,
                [
                    SYSTEM_PREP: settings(own, schema, ['system', 'run.seed']),
                    PARAM_LIGAND: settings(own, schema, ['param']),
                    EQUIL_PREPARE: settings(boxed, schema, ['md', 'equil', 'run.mode', 'run.seed', 'fe.abfe_protocol', 'fe.charge_correction']),
                    NETWORK_PLAN: settings(own, schema, ['relative', 'run.mode', 'run.seed', 'md.solvent', 'md.engine', 'fe.charge_correction']),
                    FE_PREPARE: settings(own, schema, ['fe', 'run.mode', 'run.seed', 'run.replicates', 'relative.hard_map']),
                    ANALYSIS_TRANSFORMATION: settings(own, schema, ['analysis', 'run.mode']),
                    ANALYSIS_CAMPAIGN: settings(own, schema, ['analysis', 'costs', 'md.threads', 'md.platform', 'md.legs_per_gpu', 'relative.anchor', 'run.mode', 'run.seed']),
                ],
                schedules.values().toList().unique(),
                stages,
                network.values().toList().unique(),
                [mode: values.mode, replicates: values.replicates, windows_per_task: values.windows_per_task, pilot: values.schedule == 'auto', extended: values.target_error_kcal_per_mol != null, state: state, system_state: home, cache: "${pathOf(values.param_cache ?: "${pathOf(state).parent}/param_cache")}"],
            )
        }

        channel.topic('versions')
            .map { process, result -> versionsOf(process, result) }
            .unique()
            .collectFile(name: 'versions.yml', storeDir: "${values.outdir}/pipeline_info", sort: true)

        workflow.onError {
            log.info(failureHint(run.errorReport ?: '', potential ? null : state, values.on_failure))
        }
        workflow.onComplete {
            letGo(held)
            def text = completionText(values.outdir, endOf(run), (run.stats?.succeedCount ?: 0) + (run.stats?.cachedCount ?: 0) + (run.stats?.ignoredCount ?: 0))
            def told = tally(run, values)
            log.info("${text}\n${tallyText(told)}")
            // the terminal has had it from onError
            def hint = run.success ? '' : failureHint(run.errorReport ?: '', potential ? null : state, values.on_failure)
            def whole = [hint, text].findAll { part -> part }.join('\n')
            keepSummary(values.outdir, "gibbsflow ${run.runName}: ${told.end}, ${told.complete}\n${whole}\n${tallyText(told)}")
            writeCrate(run, values, schema, core)
            if (unsaid.compareAndSet(true, false)) {
                tellOthers(told, whole, values.email, hook)
            }
            endWithDisks(run, disks)
        }
    }
}
