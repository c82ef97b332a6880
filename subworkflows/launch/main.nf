// What happens before the first task: parameters against nextflow_schema.json, the samplesheet against the core, --help.

def readSchema(path) {
    new groovy.json.JsonSlurper().parseText(file(path).text)['$defs']
}

// Properties of all groups by name, in the schema's order.
def properties(schema) {
    schema.values().inject([:]) { all, group -> all + group.properties }
}

def helpText(schema) {
    def groups = schema.collect { name, group ->
        def lines = group.properties.collect { key, item ->
            def facts = [takes(item), item.default == null ? '' : "default ${item.default}"].findAll { fact -> fact }.join('; ')
            "  --${key.padRight(43)} ${item.description}\n${' ' * 48}[${facts}]"
        }
        "${name}: ${group.description}\n${lines.join('\n')}"
    }
    """
    |Usage: ./nextfloww run main.nf --input ligands.csv --receptor FILE --outdir DIR [--mode abfe|md] [-resume] [-profile demo]
    |       ./nextfloww run main.nf --mode potential --config FILE.yaml --outdir DIR [-resume] [-profile demo_potential]
    |
    |${groups.join('\n\n')}
    |""".stripMargin()
}

// What a parameter takes, in words: choices, or type and range with its unit.
def takes(item) {
    def kinds = [boolean: 'true or false', integer: 'whole number', number: 'number', string: 'text']
    def signs = [exclusiveMinimum: '>', minimum: '>=', exclusiveMaximum: '<', maximum: '<=']
    def range = signs.findAll { key, _sign -> item[key] != null }.collect { key, sign -> "${sign} ${item[key]}" }
    def words = item['enum'] ? item['enum'].join(' | ') : ([kinds[item.type]] + range).join(' ')
    item.unit ? "${words} ${item.unit}" : words
}

// The parameters as their schema types them, all problems at once: [values, problems].
def checkParams(params, schema) {
    def known = properties(schema)
    def problems = params.keySet().findAll { key -> !(key in known) }.collect { key -> "--${key}: unknown parameter (right: ${nearest(key, known.keySet())})" }
    def values = [:]
    known.each { key, item ->
        def value = typed(params[key], item)
        values[key] = value
        def fault = value == null ? null : faultOf(value, item)
        if (fault) {
            problems << "--${key}: ${fault} (${item.errorMessage ?: "right: ${takes(item)}"})".toString()
        }
    }
    known.findAll { key, item -> values.mode in (item.requiredIn ?: []) && values[key] == null }.keySet().each { key ->
        problems << "--${key}: missing (right: ${known[key].description})".toString()
    }
    known.findAll { key, item -> item.exists && values[key] != null }.each { key, _item ->
        if (!file(values[key]).exists()) {
            problems << "--${key}: no such file ${values[key]}".toString()
        }
    }
    if (values.sampler == 'exchange' && values.windows_per_task instanceof Integer && values.windows_per_task > 1) {
        problems << "--windows_per_task: ${values.windows_per_task} means nothing with --sampler exchange, which samples all windows of a leg in one task (right: --sampler independent, or leave it out)".toString()
    }
    [values, problems]
}

// Command lines and YAML differ in what they take for a number: the schema decides.
def typed(value, item) {
    def text = value?.toString()
    if (value == null || text == '') {
        return null
    }
    if (item.type == 'integer' && text ==~ /[+-]?\d+(\.0*)?/) {
        return new BigDecimal(text).intValue()
    }
    if (item.type == 'number' && text ==~ /[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/) {
        return new BigDecimal(new BigDecimal(text).stripTrailingZeros().toPlainString())
    }
    if (item.type == 'boolean' && text in ['true', 'false']) {
        return text == 'true'
    }
    item.type == 'string' && !(value instanceof Boolean) ? text : value
}

def faultOf(value, item) {
    def number = value instanceof Number
    def fits = item.type == 'string' ? value instanceof CharSequence
        : item.type == 'boolean' ? value instanceof Boolean
        : item.type == 'integer' ? value instanceof Integer
        : number
    def outside = fits && number && (
        (item.minimum != null && value < item.minimum) || (item.maximum != null && value > item.maximum)
        || (item.exclusiveMinimum != null && value <= item.exclusiveMinimum) || (item.exclusiveMaximum != null && value >= item.exclusiveMaximum))
    def misfit = fits && ((item['enum'] && !(value in item['enum'])) || (item.pattern && !(value.toString() ==~ item.pattern)))
    !fits || misfit ? "'${value}' is not usable" : outside ? "${value} is out of range" : null
}

def nearest(name, known) {
    def best = known.min { key -> editDistance(name, key) }
    editDistance(name, best) <= Math.max(2, name.size().intdiv(3)) ? "did you mean --${best}?" : 'see --help for the names'
}

// Levenshtein distance, one row of the table after the other.
def editDistance(first, second) {
    def start = (0..second.size()).toList()
    def last = (0..<first.size()).inject(start) { above, i ->
        (0..<second.size()).inject([i + 1]) { row, j ->
            row + [[above[j + 1] + 1, row[j] + 1, above[j] + (first[i] == second[j] ? 0 : 1)].min()]
        }
    }
    last[-1]
}

// The settings of some sections, or of single keys of them, as the JSON that a verb reads; absent ones take their default there.
def settings(values, schema, names) {
    def sections = names.groupBy { name -> name.tokenize('.')[0] }.sort().collectEntries { section, wanted ->
        def keys = section in wanted ? schema[section].properties.keySet() : wanted.collect { name -> name.tokenize('.')[1] }
        [section, keys.sort().collectEntries { key -> [key, values[key]] }.findAll { _key, value -> value != null }]
    }
    groovy.json.JsonOutput.toJson(sections)
}

// The core's own check of samplesheet, structures and settings; its message where it found something, null where all is well.
def checkInput(values, schema, program) {
    def config = java.nio.file.Files.createTempFile('gibbsflow', '.json')
    config.text = settings(values, schema, schema.keySet() - ['io', 'nextflow'])
    def fault = ask([program, 'check', '--input', values.input, '--receptor', values.receptor, '--config', config, '--outdir', values.outdir])
    config.delete()
    fault
}

// The same for the settings of a potential; programs are looked for here only where tasks will run here too.
def checkPotential(config, program, here) {
    ask([program, 'config', '--expand', config] + (here ? ['--check'] : []))
}

def ask(command) {
    def job = command.collect { word -> word.toString() }.execute()
    def out = new StringBuffer()
    def err = new StringBuffer()
    job.waitForProcessOutput(out, err)
    if (job.exitValue() == 127) {
        log.info 'No gibbsflow core beside Nextflow: each task checks its own input.'
        return null
    }
    if (job.exitValue() == 0) {
        err.readLines().findAll { line -> line.startsWith('note: ') }.unique().each { line -> log.info(line) }
        return null
    }
    (err.toString() ?: out.toString()).trim()
}

// Structure files that the settings of a potential name, relative to their folder or absolute.
def structureFiles(config) {
    def content = new org.yaml.snakeyaml.Yaml().load(config.text)
    def target = content.target instanceof Map ? content.target : [:]
    [content.structure, target.structure_file]
        .findAll { name -> name && (name ==~ /.*[.\/].*/) }
        .collect { name -> file(config.parent.resolve(name), checkIfExists: true) }
        .unique()
}

// Rows of the samplesheet as [meta, structure, pose], files empty where absent; meta.state is the item's folder in the state folder.
def samplesheet(input, state) {
    def sheet = file(input, checkIfExists: true)
    def rows = sheet.splitCsv(header: true, quote: '"', strip: true).collect { row ->
        row.collectEntries { key, value -> [key.replace('\ufeff', ''), value?.trim()] }
    }
    rows.findAll { row -> row.values().any { value -> value } }.collect { row ->
        if (!(row.ligand ==~ /[A-Za-z0-9_][A-Za-z0-9._-]*/)) {
            error("${input}: '${row.ligand}' cannot name a ligand (right: letters, digits, '.', '_' and '-')")
        }
        def fixed = row.pose in ['given', 'place'] ? row.pose : null
        def meta = [ligand: row.ligand, smiles: row.smiles ?: null, charge: row.charge ?: null, pose: fixed, state: "${state}/${row.ligand}".toString()]
        [meta, besides(sheet, row.structure), besides(sheet, fixed ? null : row.pose)]
    }
}

// A file named in the samplesheet, relative to its folder or absolute; empty where none is named.
def besides(sheet, name) {
    name ? file(sheet.parent.resolve(name), checkIfExists: true) : []
}

// Forget earlier failures, and nothing else: what gibbsflow.workflow.state.cleaning removes.
def cleanFailures(folder) {
    if (file(folder).exists()) {
        ['find', folder.toString(), '-type', 'f', '-not', '-path', '*/superseded-*', '(', '-name', 'FAILED', '-o', '-name', 'attempts.json', '-o', '-name', 'progress.json', ')', '-delete'].execute().waitFor()
    }
}

// One head a campaign: returns what has to be let go of at the end, and what is wrong, null where all is well. The kernel's lock ends with this
// process, however it ends; the record beside it says whose it is or was (gibbsflow.workflow.state.locks has the same for run-local).
def holdCampaign(state, run) {
    def folder = file(state)
    folder.mkdirs()
    if (!java.nio.file.Files.isWritable(folder)) {
        return [null, "--state_dir: ${state} cannot be written to (right: a folder that you may write to, visible from all machines)"]
    }
    def record = folder.resolve('.head.json')
    def before = record.exists() ? recordOf(record.text) : null
    def channel = java.nio.channels.FileChannel.open(folder.resolve('.head.lock'), java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)
    if (!channel.tryLock() || jobRuns(before)) {
        channel.close()
        return [null, "The campaign in ${state} is held by another run: ${headOf(before)}. Wait for it to end, or end it; --campaign NAME begins another.\n  Nothing was started."]
    }
    if (before) {
        log.info("The campaign in ${state} was held by ${headOf(before)}, which has ended without letting go: taken over. Tasks of it that still run are waited for.")
    }
    def mine = [host: java.net.InetAddress.localHost.hostName, pid: ProcessHandle.current().pid(), slurm_job: System.getenv('SLURM_JOB_ID') ?: '', run: run.runName,
        process_started: ProcessHandle.current().info().startInstant().map { start -> start.toString() }.orElse(''), since: java.time.Instant.now().toString()]
    record.text = groovy.json.JsonOutput.toJson(mine)
    [[channel: channel, record: record], null]
}

def letGo(held) {
    held.record.delete()
    held.channel.close()
}

// A record that a crash has left half-written holds nobody.
def recordOf(text) {
    try {
        def content = new groovy.json.JsonSlurper().parseText(text)
        content instanceof Map ? content : [:]
    }
    catch (groovy.json.JsonException | IllegalArgumentException _unreadable) {
        [:]
    }
}

def headOf(head) {
    head?.pid ? "${head.run ?: 'a run'}, pid ${head.pid} on ${head.host}${head.slurm_job ? ", SLURM job ${head.slurm_job}" : ''}, since ${head.since}" : 'a run that left no record'
}

// Whether a head on another host runs on as a SLURM job: there the kernel's lock may not reach.
def jobRuns(head) {
    if (!head?.slurm_job || head.host == java.net.InetAddress.localHost.hostName || !['sh', '-c', 'command -v squeue'].execute().text) {
        return false
    }
    ['squeue', '--noheader', '--jobs', "${head.slurm_job}".toString(), '--format', '%T'].execute().text.trim() != ''
}
