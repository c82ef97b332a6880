// What happens before the first task: --help, parameters as their types, the core's check of all that comes in, the campaign's lock. The rules
// are the core's, which is asked once (gibbsflow.cli.launch); what stands here has to work on a head that has containers alone, and no core.

def readSchema(path) {
    new groovy.json.JsonSlurper().parseText(file(path, glob: false).text)['$defs']
}

// Properties of all groups by name, in the schema's order.
def properties(schema) {
    schema.values().inject([:]) { all, group -> all + group.properties }
}

// All parameters in full, else those that many have cause to change.
def helpText(schema, full = true) {
    def groups = schema.collect { name, group ->
        def lines = group.properties.findAll { _key, item -> full || !item.hidden }.collect { key, item ->
            def facts = [item.accepts, item.default == null ? '' : "default ${item.default}"].findAll { fact -> fact }.join('; ')
            "  --${key.padRight(43)} ${item.description}\n${' ' * 48}[${facts}]"
        }
        lines ? "${name}: ${group.description}\n${lines.join('\n')}" : ''
    }.findAll { text -> text }
    """
    |Usage: ./nextfloww run main.nf --input ligands.csv --receptor FILE --outdir DIR [--mode ${properties(schema).input.requiredIn.join('|')}] [-resume] [-profile demo]
    |       ./nextfloww run main.nf --mode potential --config FILE.yaml --outdir DIR [-resume] [-profile demo_potential]
    |
    |${groups.join('\n\n')}
    |${full ? '' : '\n--help_full lists the others, too.\n'}""".stripMargin()
}

// The parameters of the schema, as it types them; null where nothing is given, the text where the type does not fit.
def typedParams(params, schema) {
    properties(schema).collectEntries { key, item -> [key, typed(params[key], item)] }
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
    value instanceof Boolean || value instanceof Map || value instanceof Collection || (value instanceof Number && item.type != 'string') ? value : text
}

// The settings of some sections, or of single keys of them, as the JSON that a verb reads; absent ones take their default there.
def settings(values, schema, names) {
    def sections = names.groupBy { name -> name.tokenize('.')[0] }.sort().collectEntries { section, wanted ->
        def keys = section in wanted ? schema[section].properties.keySet() : wanted.collect { name -> name.tokenize('.')[1] }
        [section, keys.sort().collectEntries { key -> [key, values[key]] }.findAll { _key, value -> value != null }]
    }
    groovy.json.JsonOutput.toJson(sections)
}

// What a parameter names, as a path: a name is no pattern and no address, whatever is in it.
def pathOf(name) {
    launchDir.resolve("${name}").normalize()
}

// Those of some parameters that name files, each as a task is given it.
def filesAmong(values, keys, workDir) {
    keys.findAll { key -> values[key] ==~ /.*[.\/].*/ }.collectEntries { key -> [key, staged(pathOf(values[key]), workDir)] }
}

// Where a verb finds such files in its task: in folders of their own, as two may have one name.
def inFolders(name, files) {
    def each = files.values().toList().unique()
    files.collectEntries { key, path -> [key, "${name}${each.indexOf(path) + 1}/${path.name}".toString()] }
}

// Where the campaign's state lies.
def stateFolder(values, workDir) {
    "${pathOf(values.state_dir ?: workDir.resolveSibling('state'))}/${values.campaign ?: pathOf(values.outdir).fileName}".toString()
}

// A file or folder that a task is given, as a path that every script of Nextflow's reads as that one: where its own has other
// characters than these, a copy below the work folder, under a name without them. It has the time of the original, and its
// place tells path, size and time, so that -resume knows it again.
def staged(path, workDir) {
    if (!path.exists()) {
        error("${shown(path)}: no such file")
    }
    if ("${path}" ==~ /[\p{L}\p{M}\p{N} %'()+.\/=@_-]+/ && !(path.name ==~ /[-=].*/)) {
        return path
    }
    def parts = path.isDirectory() ? java.nio.file.Files.walk(path).withCloseable { found -> found.sorted().toList() } : [path]
    def facts = parts.collect { part -> "${part} ${part.size()} ${part.lastModified()}" }.join('\n')
    def home = workDir.resolve('inputs').resolve(java.security.MessageDigest.getInstance('SHA-256').digest(facts.bytes).encodeHex().toString().take(16))
    def name = path.name.replaceAll(/^[-=]|[^\p{L}\p{M}\p{N} %'()+.=@_-]/) { found -> found.getBytes('UTF-8').collect { octet -> String.format('%%%02X', octet) }.join() }
    if (!home.exists()) {
        home.parent.mkdirs()
        def partial = java.nio.file.Files.createTempDirectory(home.parent, '.partial')
        def job = ['cp', '-RLp', "${path}".toString(), "${partial.resolve(name)}".toString()].execute()
        def err = new StringBuffer()
        job.waitForProcessOutput(new StringBuffer(), err)
        if (job.exitValue() != 0) {
            error("${shown(path)}: cannot be copied to the work folder: ${shown(err.toString().trim())}")
        }
        home.exists() ? partial.deleteDir() : partial.renameTo("${home}")
    }
    home.resolve(name)
}

// A text for a message: on one line, whatever is in it.
def shown(text) {
    "${text}".replaceAll(/\p{Cc}/, '?').toString()
}

// Why Nextflow could not go on in these folders, null where it can: they stand in the scripts that it writes for each task, which quote
// them for one shell at most, and not for a pattern, a variable or a container's option.
def folderProblem(run, values) {
    def engine = run.containerEngine
    // one shell reads them by itself; two with Docker, and with Apptainer the second without any quotes
    def kind = !engine ? 0 : engine in ['docker', 'podman'] ? 1 : 2
    def plain = ['[^\\p{Cc}$`"\\\\]+', "[\\p{L}\\p{M}\\p{N} '()%+./=@_-]+", '[\\p{L}\\p{M}\\p{N}%+./=@_-]+'][kind]
    def right = ['control characters, $, `, ", \\', "other than letters, digits, blanks and '()%+./=@_-", 'other than letters, digits and %+./=@_-'][kind]
    def visible = [state_dir: values.state_dir ?: run.workDir.resolveSibling('state'), param_cache: values.param_cache].findAll { _key, folder -> engine && folder }
    def problems = [
        ["${run.workDir}" ==~ plain && !isPattern(run.workDir), "the work folder ${shown(run.workDir)} cannot stand in Nextflow's scripts (right: -work-dir FOLDER, of a path without ${right}, that no shell takes for a pattern)"],
        ["${run.projectDir}" ==~ plain && !isPattern(run.projectDir) && !"${run.projectDir}".contains(':'), "the project's folder ${shown(run.projectDir)} cannot stand in Nextflow's scripts (right: a path without ${right}, : and what a shell takes for a pattern)"],
        [kind < 2 || !System.getenv('GIBBSFLOW_HOME') || System.getenv('GIBBSFLOW_HOME') ==~ plain, "GIBBSFLOW_HOME, where images are, cannot stand in Nextflow's scripts (right: a path without ${right})"],
    ] + visible.collect { key, folder ->
        [!(pathOf(folder).toFile().canonicalPath =~ /[:,\p{Cc}]/), "--${key}: ${shown(folder)} cannot be shown to a container (right: a path without : and ,)"]
    }
    problems.find { fine, _text -> !fine }?.last()
}

// Whether a shell that is given this path without quotes would read it as anything else.
def isPattern(path) {
    if ("${path}" ==~ /.*\{.*(,|\.\.).*\}.*/) {
        return true
    }
    def job = ['bash', '-c', 'IFS=; set -- "$1" $1; [[ $# == 2 && $1 == "$2" ]]', 'bash', "${path}".toString()]
    "${path}" ==~ /.*[*?\[].*/ && job.execute().waitFor() != 0
}

// What the core says of parameters, samplesheet, structures, settings and of who held the campaign; its answer's `problem` is null where all is
// well. Where there is no core, what no task would notice is looked at here, and each task checks the rest.
// `unknown` are names that no parameter has; those `elsewhere` stand in an institution's settings, and may mean something there.
def askCore(program, unknown, elsewhere, values, schema, state, containers, here) {
    def given = (unknown - elsewhere).collectEntries { key -> [key, null] } + values.findAll { _key, value -> value != null }
    def asked = null
    try {
        asked = java.nio.file.Files.createTempFile('gibbsflow', '.json')
        asked.text = groovy.json.JsonOutput.toJson(given)
    }
    catch (IOException fault) {
        return [problem: "${asked ?: 'temporary files'}: ${fault.message}\n  Nothing was started."]
    }
    def told = ['--project', "${projectDir}", '--nextflow', "${ProcessHandle.current().pid()}"] + elsewhere.collectMany { key -> ['--elsewhere', key] }
    def job = ([program, 'launch', '--params', "${asked}", '--state', state] + told + (containers ? ['--containers'] : []) + (here ? ['--here'] : [])).collect { word -> word.toString() }.execute()
    def out = new StringBuffer()
    def err = new StringBuffer()
    job.waitForProcessOutput(out, err)
    asked.delete()
    if (job.exitValue() == 127) {
        log.info 'No gibbsflow core beside Nextflow: each task checks its own input.'
        return [problem: unnoticed(unknown - elsewhere, values, schema)]
    }
    if (!(job.exitValue() in [0, 65]) || !out) {
        return [problem: (err.toString() ?: out.toString()).trim()]
    }
    def answer = new groovy.json.JsonSlurper().parseText(out.readLines().last())
    answer.notes.unique().each { note -> log.info("note: ${note}") }
    answer
}

// What no task would notice: names that mean nothing, what must be given, and values of another type; null where there is nothing.
def unnoticed(unknown, values, schema) {
    def known = properties(schema)
    def types = [string: CharSequence, boolean: Boolean, integer: Integer, number: Number]
    def problems = unknown.collect { key -> "--${shown(key)}: unknown parameter" } +
        known.findAll { key, item -> values[key] != null && !(types[item.type].isInstance(values[key]) && isText(values[key], item)) }
            .collect { key, item -> "--${key}: ${item.writeOnly ? 'what was given' : "'${shown(values[key])}'"} is not usable (${item.errorMessage ?: "right: ${item.accepts}"})" } +
        known.findAll { key, item -> item.format == 'file-path' && values[key] instanceof CharSequence && isText(values[key], item) && pathOf(values[key]).exists() && !pathOf(values[key]).isFile() }
            .collect { key, _item -> "--${key}: ${shown(values[key])} is no regular file" } +
        known.findAll { key, item -> values[key] == null && values.mode in (item.requiredIn ?: []) && !(key == 'receptor' && bringsReceptors(values.input)) }.collect { key, item -> "--${key}: missing (right: ${item.description})" } +
        values.findAll { _key, value -> "${value}" ==~ /(?s).*:\/\/[^\s:\/@]*:[^\s\/]*@.*/ }.collect { key, _value -> "--${key}: holds a password, which logs and reports would repeat" } +
        (values.align_poses ? ['--align_poses: needs a gibbsflow core beside Nextflow (right: a file with each pose)'] : []) +
        (values.clean_failures ? ['--clean_failures: needs a gibbsflow core beside Nextflow (right: gibbsflow clean-failures STATE, in the image)'] : [])
    problems ? "${problems.join('\n  ')}\n  Nothing was started; --help_full lists all parameters." : null
}

// Whether the samplesheet has complexes that come solvated: no receptor need be given beside it.
def bringsReceptors(input) {
    def sheet = input ? pathOf(input).toFile() : null
    sheet && sheet.isFile() && (sheet.withReader { reader -> reader.readLine() } ?: '').tokenize(',').any { name -> name.replace('\ufeff', '').replace('"', '').trim() == 'complex_topology' }
}

// Whether a text is one of those that a parameter takes: on one line, and of its pattern or its choices. Numbers have none.
def isText(value, item) {
    !(value instanceof CharSequence) || (value ==~ /\S([^\p{Cc}]*\S)?/ && value ==~ (item.pattern ?: /.*/) && value in (item['enum'] ?: [value]))
}

// The structure file that the settings of a potential name, relative to their folder or absolute; the core tells what else may stand there.
def structureFiles(config) {
    def content = contentOf(config)
    def target = content.target instanceof Map ? content.target : [:]
    [content.structure, target.structure_file]
        .findAll { name -> name }
        .collect { name -> [name.toString(), config.parent.resolve(name.toString())] }
        .findAll { name, path -> name ==~ /.*[.\/].*/ || path.isFile() }
        .collect { _name, path -> path.normalize() }
        .unique()
}

// The file or folder of the surrogate that the settings of a potential name, in the same way.
def surrogateFiles(config) {
    def content = contentOf(config)
    def surrogate = content.surrogate instanceof Map ? content.surrogate : [:]
    [surrogate.pair_file, surrogate.potential].findAll { name -> name }.collect { name -> config.parent.resolve(name.toString()).normalize() }
}

def contentOf(config) {
    new org.yaml.snakeyaml.Yaml(new org.yaml.snakeyaml.constructor.SafeConstructor(new org.yaml.snakeyaml.LoaderOptions())).load(config.text)
}

// The ligands as [meta, structure, pose, and of complex and of solvent topology, coordinates and includes], files empty where absent; meta.state is
// the item's folder in the state folder.
def samplesheet(sheet, rows, state, workDir) {
    (rows ?: unchecked(sheet)).collect { row ->
        def fixed = row.pose in ['given', 'place'] ? row.pose : null
        def meta = [ligand: row.ligand, smiles: row.smiles ?: null, charge: row.charge in [null, ''] ? null : row.charge, pose: fixed, state: "${state}/${row.ligand}".toString()]
        def solvated = ['complex', 'solvent'].collectMany { role ->
            ['topology', 'coordinates'].collect { kind -> besides(sheet, row["${role}_${kind}".toString()], workDir) } +
                [(row["${role}_includes".toString()] ?: []).collect { name -> besides(sheet, name, workDir) }]
        }
        def own = ['symmetry_number', 'ligand_residue', 'aligned_to'].findAll { key -> row[key] }.collectEntries { key -> [key, row[key]] }
        [meta + own, besides(sheet, row.structure, workDir), besides(sheet, fixed ? null : row.pose, workDir)] + solvated
    }
}

// Rows of a samplesheet that no core has read. Names become folders, so that they are looked at here too.
def unchecked(sheet) {
    def rows = sheet.name.toLowerCase().endsWith('.sdf') ? recordsIn(sheet) : sheet.splitCsv(header: true, quote: '"', strip: true).collect { row ->
        row.collectEntries { key, value -> [key.replace('\ufeff', ''), value?.trim()] }
    }
    rows.findAll { row -> row.values().any { value -> value } }.each { row ->
        if (!(row.ligand ==~ /(?!superseded-)[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/)) {
            error("${sheet}: '${row.ligand}' cannot name a ligand (right: letters, digits, '.', '_' and '-')")
        }
        if (row.pose ==~ /align(:.*)?/) {
            error("${sheet}: ${row.ligand}: pose '${shown(row.pose)}' needs a gibbsflow core beside Nextflow (right: a file with the pose)")
        }
    }
}

// Records of an SDF as rows: ligands by their titles, each in its pose.
def recordsIn(sheet) {
    sheet.text.split(/(?m)^[$]{4}.*\R?/).findAll { record -> record.trim() }.collect { record ->
        [ligand: record.readLines()[0].trim().replaceAll(/[^A-Za-z0-9._-]/, '_'), structure: sheet.name, pose: 'given']
    }
}

// A file named in the samplesheet, relative to its folder or absolute; empty where none is named.
def besides(sheet, name, workDir) {
    name ? staged(sheet.parent.resolve(name).normalize(), workDir) : []
}

// One head a campaign: returns what has to be let go of at the end, and what is wrong, null where all is well. The kernel's lock is this process's
// and ends with it, however it ends; the record beside it says whose it is (gibbsflow.workflow.state.locks reads it, and has the same for run-local).
def holdCampaign(state, run, answer) {
    def folder = pathOf(state)
    folder.mkdirs()
    if (!java.nio.file.Files.isWritable(folder)) {
        return [null, "--state_dir: ${state} cannot be written to (right: a folder that you may write to, visible from all machines)"]
    }
    def record = folder.resolve('.head.json')
    def channel = java.nio.channels.FileChannel.open(folder.resolve('.head.lock'), java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)
    if (!channel.tryLock() || answer.runs_elsewhere) {
        channel.close()
        def refusal = answer.refusal ?: "The campaign in ${state} is held by another run: ${record.exists() ? record.text : 'it left no record'}."
        return [null, "${refusal} Wait for it to end, or end it; --campaign NAME begins another.\n  Nothing was started."]
    }
    if (answer.takeover) {
        log.info("${answer.takeover} Tasks of it that still run on this machine are waited for.")
    }
    def mine = [host: java.net.InetAddress.localHost.hostName, pid: ProcessHandle.current().pid(), slurm_job: System.getenv('SLURM_JOB_ID') ?: '', run: run.runName,
        process_started: ProcessHandle.current().info().startInstant().map { start -> start.toString() }.orElse(''), since: java.time.Instant.now().toString()]
    if (java.nio.file.Files.isSymbolicLink(record)) {
        java.nio.file.Files.delete(record) // what it leads to is another's
    }
    record.text = groovy.json.JsonOutput.toJson(mine)
    if (answer.campaign) { // which results it writes to, for `gibbsflow list`
        def fresh = folder.resolve('.campaign.json.tmp')
        java.nio.file.Files.deleteIfExists(fresh) // be it a link
        fresh.text = groovy.json.JsonOutput.toJson(answer.campaign)
        java.nio.file.Files.move(fresh, folder.resolve('.campaign.json'), java.nio.file.StandardCopyOption.ATOMIC_MOVE)
    }
    [[channel: channel, record: record], null]
}

// Once: the record that is there after that is another's.
def letGo(held) {
    if (held.channel.isOpen()) {
        held.record.delete()
        held.channel.close()
    }
}
