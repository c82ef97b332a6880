// How a site's settings and the pipeline's own go together. Whatever a site file, an institution's (-c) or a profile says of a task's
// resources, hooks and options is where the failure policy of conf/base.config starts from; it cannot undo it.

// Put a policy's directives together with what is said of them, wherever that is: `process` is the resolved scope of that name.
// Returns what is worth saying.
def keepPolicy(process, values, state) {
    def policy = process.remove('withLabel:gibbsflow_policy')
    def own = process.'withName:(?s).+'
    passOn(process, 'FE_RUN', 'FE_PILOT', own.keySet() + ['array'])
    passOn(process, 'FE_RUN', 'FE_EXTEND', own.keySet())
    passOn(process, 'FE_RUN', 'FE_SHARE', own.keySet() + ['array', 'cpus', 'memory'])
    // a parameter goes before what is said of its label
    ['': 'memory_gb', 'withLabel:process_md': 'memory_md_gb', 'withLabel:process_train': 'memory_train_gb', 'withLabel:process_dft': 'memory_dft_gb']
        .findAll { _selector, key -> values[key] != null }
        .each { selector, key ->
            def scope = selector ? process.get(selector, [:]) : process
            scope.memory = "${values[key]} GB".toString()
            process[selector ?: 'memory'] = selector ? scope : scope.memory
        }
    def scopes = [process: process] + process.findAll { name, scope -> name.toString().startsWith('with') && scope instanceof Map && !scope.is(own) }
    def notes = scopes.collectMany { name, scope ->
        policy.each { directive, closure ->
            if (scope.containsKey(directive)) {
                scope[directive] = closure.curry(saidBy(scope[directive]))
            }
        }
        def mine = own.keySet().findAll { directive -> scope.containsKey(directive) }
        mine.each { directive -> scope.remove(directive) }
        mine.collect { directive -> "${name == 'process' ? 'process' : "process.${name}"}.${directive} of your settings is not used: the failure policy (--on_failure) needs its own; docs/cluster.md".toString() }
    }
    own.ext = [campaign: state]
    notes
}

// What is said of one process by name holds for another too, which does the same several times in one task: but for `others`, which are
// not the same there, and for what is said of it by its own name.
def passOn(process, from, to, others) {
    def names = process.keySet().findAll { name -> name.toString().startsWith('withName:') && !name.toString().startsWith('withName:!') }
    def said = names.findAll { name -> name =~ "\\b${to}\\b" }.collectMany { name -> process[name].keySet() }
    names.findAll { name -> name =~ "\\b${from}\\b" }.each { name ->
        def passed = process[name].findAll { directive, _value -> !(directive in others + said) }
        if (passed) {
            def choices = name.toString().contains('(') ? [name.toString() - 'withName:'] : (name.toString() - 'withName:').tokenize('|')
            def selector = 'withName:' + choices.findAll { choice -> choice =~ "\\b${from}\\b" }.join('|').replaceAll("\\b${from}\\b", to)
            process[selector] = passed + process.get(selector, [:])
        }
    }
}

// What is said of a directive, as a function of the task that it is asked for.
def saidBy(said) {
    { task -> said instanceof Closure ? inContext(said, task) : said }
}

def inContext(said, task) {
    def asked = said.clone()
    asked.delegate = task
    asked.resolveStrategy = Closure.DELEGATE_FIRST
    asked.call()
}

// Parameters that Nextflow needs before it has read all settings files, and that such a file (-c) has given too late: process.ext.early
// of nextflow.config holds what they were then. Images are mended here; for the others one line each of what is wrong.
def tooLate(process, params, commandLine) {
    def early = process.ext?.remove('early') ?: [:]
    if (!early) {
        return [] // a site has put its own `ext` in place of the pipeline's
    }
    def was = imagesOf(early)
    imagesOf(params).each { selector, image ->
        def scope = selector ? process[selector] : process
        scope.container = scope.container == was[selector] ? image : scope.container // else it is a site's own
    }
    fromSettings(early.findAll { name, _value -> !(name in ['registry', 'platform', 'engine']) && !name.startsWith('image_') }.findAll { name, value -> "${params[name]}" != "${value}" }.keySet(), commandLine).collect { name ->
        "--${name}: given in a settings file, which Nextflow reads too late for it (right: on the command line, or in a file for -params-file)".toString()
    }
}

// The images of conf/containers.config by their selectors, of parameters as they are.
def imagesOf(params) {
    [
        '': imageOf(params, 'core'),
        'withLabel:process_md': imageOf(params, params.platform == 'CUDA' ? 'cuda' : params.engine != 'openmm' ? 'md' : 'core'),
        'withName:EQUIL_PREPARE': imageOf(params, params.platform != 'CUDA' && params.engine != 'openmm' ? 'md' : 'core'),
        'withLabel:process_loop': imageOf(params, 'ml'),
        'withLabel:process_dft': imageOf(params, 'dft'),
        'withName:TRAIN_CONFIG': imageOf(params, 'dft'),
    ]
}

def imageOf(params, name) {
    (params["image_${name}".toString()] ?: "${params.registry ? "${params.registry}/" : ''}gibbsflow-${name}:${params.image_version}").toString()
}

// Those of some parameters that only a settings file can have given: neither the command line nor the file of -params-file names them.
def fromSettings(names, commandLine) {
    def found = (commandLine =~ /\s-params-file[=\s]+('[^']*'|"[^"]*"|\S+)/)
    def path = found.find() ? found.group(1).replaceAll(/^['"]|['"]$/, '') : System.getenv('NXF_PARAMS_FILE')
    def source = path ? file(path, glob: false) : null
    def given = source?.exists() ? source.text : ''
    names.findAll { name ->
        def dashed = name.replaceAll(/([a-z0-9])([A-Z])/, '$1-$2').toLowerCase()
        !given.contains(name) && ![name, dashed].any { word -> " ${commandLine} ".replace('=', ' ').contains(" --${word} ") }
    }
}

// Jobs that a head which has died left in SLURM's queue are asked to end, and save their state: a task of this run would wait for
// them in an allocation of its own. They are known by the campaign's state folder in their script. Returns how many there were.
def endOrphans(state) {
    def mine = ["${state}/", "${state.replace("'", "'\\''")}/"]
    def user = System.getProperty('user.name')
    def jobs = (answer(['squeue', '--noheader', '--array', '--user', user, '--format', '%A|%Z']) ?: []).collect { line -> line.tokenize('|') }.findAll { words ->
        def script = words.size() == 2 ? file("${words[1]}/.command.sh", glob: false) : null
        // that of an array names the folders of its members
        def scripts = script?.exists() ? [script] + script.readLines().findAll { line -> line.startsWith('array=(') }.collectMany { line ->
            line.replaceAll(/^array=\(|\)\s*$/, '').split(/(?<!\\)\s+/).findAll { folder -> folder }.collect { folder -> file("${folder.replaceAll(/\\(.)/, '$1')}/.command.sh", glob: false) }
        } : []
        scripts.findAll { each -> each.exists() }.any { each -> mine.any { text -> each.text.contains(text) } }
    }.collect { words -> words[0] }
    if (jobs) {
        answer(['scancel'] + jobs)
        (1..90).find { _second ->
            def left = answer(['squeue', '--noheader', '--jobs', jobs.join(','), '--format', '%A'])
            left ? Thread.sleep(1000) : true
        }
    }
    jobs.size()
}

// Whether MD will run on this machine and in its environment, so that the core can look for the GPU before anything is computed.
def mdRunsHere(workflow) {
    def process = workflow.session.config.process
    def executors = [process.executor] + process.findAll { _name, scope -> scope instanceof Map }.collect { _name, scope -> scope.executor }
    !workflow.stubRun && !workflow.preview && !workflow.containerEngine && !executors.any { executor -> executor && executor != 'local' }
}

// Lines that a command answers; nothing where it is not there, or fails.
def answer(command) {
    try {
        def job = ([] + command).collect { word -> word.toString() }.execute()
        def out = new StringBuffer()
        job.waitForProcessOutput(out, new StringBuffer())
        job.exitValue() == 0 ? out.readLines().findAll { line -> line.trim() } : null
    }
    catch (IOException _error) {
        null
    }
}
