// What is said at the end of a run.

def number(text) {
    text ? String.format('%.2f', text.toDouble()) : ''
}

// Records of a CSV file by their columns, each cell on one line; Nextflow's own reader knows no quotes within a cell.
def recordsOf(csv) {
    def cells = (csv.text =~ /\G(?:"((?:[^"]++|"")*+)"|([^,"\r\n]*+))(,|\r?\n|$)/).collect { found -> found }
    def rows = cells.inject([[]]) { lines, cell ->
        def value = cell[1] == null ? cell[2] : cell[1].replace('""', '"')
        def own = lines[-1] + [value.replaceAll(/\s+/, ' ').toString()]
        lines.init() + [own] + (cell[3] == ',' ? [] : [[]])
    }.findAll { row -> row.any { cell -> cell } }
    rows.drop(1).collect { row -> rows[0].withIndex().collectEntries { name, column -> [name, row[column] ?: ''] } }
}

// The results table as text, from the published results.csv.
def resultsTable(csv) {
    def rows = recordsOf(csv).collect { row ->
        def error = row.dg_error_kcal_per_mol ? " +- ${number(row.dg_error_kcal_per_mol)}" : ''
        [row.transformation, number(row.dg_kcal_per_mol) + error, number(row.mbar_error_kcal_per_mol), number(row.experimental_dg_kcal_per_mol),
            row.replicates, row.verdict, row.status, row.cause].collect { cell -> cell ?: '' }
    }
    laidOut([['transformation', 'dG (kcal/mol)', 'MBAR error', 'experiment', 'replicates', 'verdict', 'status', 'cause']] + rows)
}

// The ranking of a network's ligands as text, from the published ligands.csv.
def rankingTable(csv) {
    def rows = recordsOf(csv).collect { row ->
        def error = row.dg_error_kcal_per_mol ? " +- ${number(row.dg_error_kcal_per_mol)}" : ''
        [row.ligand, number(row.dg_kcal_per_mol) + error, number(row.experimental_dg_kcal_per_mol), row.edges, row.verdict, row.status, row.cause]
            .collect { cell -> cell ?: '' }
    }
    laidOut([['ligand', 'dG (kcal/mol)', 'experiment', 'edges', 'verdict', 'status', 'cause']] + rows)
}

def laidOut(table) {
    def widths = table.transpose().collect { column -> column.collect { cell -> cell.size() }.max() }
    table.collect { row -> [row, widths].transpose().collect { cell, width -> cell.padRight(width) }.join('  ').trim() }.join('\n')
}

// The learning loop generation by generation, from the published checkpoint.json.
def learningTable(checkpoint) {
    def content = new groovy.json.JsonSlurper().parseText(checkpoint.text)
    def rows = content.history.collect { record ->
        [record.generation, record.labels, String.format('%.4f', record.force_mae_ev_per_angstrom), number("${record.energy_mae_mev_per_atom}"),
            String.format('%.3g', record.largest_grade), String.format('%.1f %%', 100 * record.fraction_above)].collect { cell -> "${cell}".toString() }
    }
    def table = laidOut([['generation', 'labels', 'force MAE (eV/A)', 'energy MAE (meV/atom)', 'largest grade', 'MD above']] + rows)
    "${table}\nStopped by: ${content.stopped_by} (${content.reason})"
}

def completionText(outdir, end, tasks = 1) {
    def checkpoint = file("${outdir}/checkpoint.json", glob: false)
    def csv = file("${outdir}/results.csv", glob: false)
    def ranking = file("${outdir}/ligands.csv", glob: false)
    def report = file("${outdir}/report.html", glob: false)
    end != 'finished' ? "${end == 'cancelled' ? 'Cancelled.' : 'Not finished.'} What is done is kept: the same command with -resume goes on from there.\nRun:      ${outdir}/pipeline_info (trace.txt has each task and its folder)"
        : !tasks ? 'Nothing was run.'
        : csv.exists() ? "\n${resultsTable(csv)}\n${ranking.exists() ? "\n${rankingTable(ranking)}\n" : ''}\nTables: ${csv}\nReport: ${report}\nRun:    ${outdir}/pipeline_info\n"
        : checkpoint.exists() ? "\n${learningTable(checkpoint)}\n\nPotential: ${outdir}/potential\nReport:    ${report}\nRun:       ${outdir}/pipeline_info\n"
        : "Finished; see ${outdir}"
}

// The last line of a run that a disk has ended, after all that Nextflow says: it tells of its own files alone, and a task whose log could not be
// written says nothing, so that the disks are looked at, too.
def tellOfDisks(run, folders) {
    Runtime.runtime.addShutdownHook(new Thread({ printDiskFault(run, folders) } as Runnable))
}

// Threads of Nextflow's die of a full disk, and its end then waits for them for ever.
def endWithDisks(run, folders) {
    def watch = new Thread({
        Thread.sleep(20000)
        if (printDiskFault(run, folders)) {
            Runtime.runtime.halt(1)
        }
    } as Runnable)
    watch.daemon = true
    watch.start()
}

def printDiskFault(run, folders) {
    def fault = diskFault("${run.errorReport}${run.errorMessage}", folders)
    if (fault) {
        System.err.println(fault)
    }
    fault
}

// What is wrong with a run's disks, null where nothing is; `said` is what Nextflow reports. A full disk has a little left where more was needed.
def diskFault(said, folders) {
    def full = folders.findAll { _what, path -> path && existing(path).usableSpace < 65536 }.collect { what, path -> "${path} (${what})" }
    def told = ['No space left on device', 'Disk quota exceeded', 'Read-only file system'].find { fault -> said.contains(fault) }
    full || told ? "A disk is full or cannot be written: ${(full ?: [told]).join(', ')}. Make room; the same command with -resume goes on.".toString() : null
}

// A folder, or the first above it that is there.
def existing(path) {
    def folder = new File("${path}").absoluteFile
    folder.exists() ? folder : existing(folder.parent)
}

// What has ended a run, from Nextflow's error report: the task, its cause and its log, each empty where the report does not tell.
def failureOf(report) {
    def item = (report =~ /Error executing process > '([^']+)'/)
    def causes = (report =~ /(?m)^\s*error: (.+)$/).collect { found -> found[1] }
    def status = (report =~ /Command exit status:\s*(\S+)/)
    def folder = (report =~ /Work dir:\s*(\S.*)/)
    def task = item.find() ? item.group(1).tokenize(':')[-1] : ''
    [
        task: task,
        cause: causes ? causes[-1] : status.find() ? "exit code ${status.group(1)}".toString() : task ? '' : (report.readLines().find { line -> line.trim() } ?: ''),
        log: folder.find() ? "${folder.group(1).trim()}/.command.log".toString() : '',
        // a defect or a disk ends the run under every policy (conf/base.config): nothing would drop its item
        droppable: status.find(0) && status.group(1) ==~ /-|65|70|75|104|13\d|14[0-5]|17[5-7]/,
    ]
}

// The same in words, and what to do.
def failureHint(report, state, policy) {
    def failure = failureOf(report)
    def prune = policy == 'raise' && failure.droppable ? '--on_failure prune drops such items, ' : ''
    def lines = [
        failure.task ? "Failed: ${failure.task}" : '',
        failure.cause ? "Cause:  ${failure.cause}" : '',
        failure.log ? "Log:    ${failure.log}" : '',
        !state ? '' : "State is kept in ${state}: the same command with -resume goes on${failure.task ? "; ${prune}--clean_failures forgets what failed" : ''}.",
    ]
    lines.findAll { line -> line }.join('\n')
}

// How a run has ended. Of one that a signal has ended, by Ctrl-C too, Nextflow reports the signal's name alone.
def endOf(run) {
    run.success ? 'finished' : (run.errorReport ?: 'SIG') ==~ /SIG[A-Z]*/ ? 'cancelled' : 'failed'
}

// What is said at the end stays with the results: pipeline_info/summary.txt, in place of whatever is there.
def keepSummary(outdir, text) {
    def folder = file("${outdir}/pipeline_info", glob: false)
    if (!java.nio.file.Files.isDirectory(folder)) {
        return // nothing was run
    }
    try {
        def summary = folder.resolve('summary.txt')
        java.nio.file.Files.deleteIfExists(summary)
        java.nio.file.Files.writeString(summary, "${text}\n".toString(), java.nio.file.StandardOpenOption.CREATE_NEW)
    }
    catch (IOException fault) {
        log.warn("pipeline_info/summary.txt could not be written: ${fault.message}")
    }
}

// Versions of all programs, one block a process, from the result.json that the verbs leave.
def versionsOf(process, result) {
    def versions = new groovy.json.JsonSlurper().parseText(result.text).versions ?: [:]
    "${process.tokenize(':')[-1]}:\n${versions.sort().collect { tool, version -> "  ${tool}: '${version}'\n" }.join()}".toString()
}

// What only Nextflow knows of a run, for the record: pipeline_info/run.json.
def runRecord(run, values, schema) {
    def manifest = run.manifest
    def inputs = schema.io.properties.findAll { _key, item -> values.mode in (item.requiredIn ?: []) }.keySet()
    [
        name: run.runName,
        session: "${run.sessionId}",
        start: "${run.start}",
        complete: "${run.complete}",
        stub: run.stubRun,
        nextflow: "${run.nextflow.version}",
        command: run.commandLine?.replaceAll(/(--hook_url[ =])\S+/, '$1***'),
        profile: run.profile,
        container_engine: run.containerEngine,
        workflow: [name: manifest.name, description: manifest.description, version: manifest.version, revision: run.commitId, main: "${run.scriptFile}"],
        inputs: inputs.findAll { key -> values[key] != null }.collectEntries { key -> [key, "${file(values[key], glob: false).toAbsolutePath()}"] },
        parameters: values.findAll { key, value -> value != null && key != 'hook_url' }, // what a hook's address holds is a secret
    ]
}

// The record, and the RO-Crate that the core makes of it, once; a run is no worse for lacking it.
def writeCrate(run, values, schema, program) {
    def outdir = file("${values.outdir}", glob: false)
    if (!run.success || !outdir.resolve('manifest.json').exists()) {
        return
    }
    def record = outdir.resolve('pipeline_info/run.json')
    def content = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(runRecord(run, values, schema)))
    if (record.exists() && record.text == content) {
        return
    }
    record.text = content
    def job = [program, 'crate', outdir].collect { word -> word.toString() }.execute()
    def out = new StringBuffer()
    def err = new StringBuffer()
    job.waitForProcessOutput(out, err)
    if (job.exitValue() == 127) {
        log.info "No gibbsflow core beside Nextflow: `gibbsflow crate ${values.outdir}` makes the RO-Crate of this run."
    }
    else if (job.exitValue() != 0) {
        log.warn "The RO-Crate of this run could not be written: ${err.toString().trim()}"
    }
}
