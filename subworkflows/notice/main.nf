// What a run says of itself: its parameters at the start; at the end counts, failures and costs, in the log, by mail and to a web hook.

include { recordsOf; endOf; failureOf } from '../completion'

// The parameters that are not as they are by default, by group.
def parameterSummary(values, schema) {
    def groups = schema.collect { name, group ->
        def changed = group.properties.keySet().findAll { key -> values[key] != null && !same(values[key], group.properties[key].default) }
        changed.collect { key -> "  ${key.padRight(28)} ${group.properties[key].writeOnly ? hostOf(values[key]) : values[key]}${group.properties[key].unit ? " ${group.properties[key].unit}" : ''}" }
            .with { lines -> lines ? "${name}\n${lines.join('\n')}" : '' }
    }
    "Parameters that are not the default (--help_full lists all):\n${groups.findAll { text -> text }.join('\n') ?: '  none'}"
}

def same(value, other) {
    value instanceof Number && other instanceof Number ? value.toDouble() == other.toDouble() : "${value}" == "${other}"
}

// Where a web hook is, null for none: the parameter, or what the environment has, which no log repeats.
def hookOf(values, schema) {
    def address = values.hook_url ?: System.getenv('GIBBSFLOW_HOOK_URL')
    if (address && !(address ==~ schema.nextflow.properties.hook_url.pattern)) {
        error("GIBBSFLOW_HOOK_URL: no address of a web hook (${schema.nextflow.properties.hook_url.errorMessage})\n  Nothing was started.")
    }
    address
}

def hostOf(address) {
    "${address}".replaceAll(/^(\w+:\/\/[^\/?#]*).*/, '$1/...')
}

// Counts of a run, its costs, and what came of its items. Hours of CPU are Nextflow's (time of each task by its cores); those of GPU are the time of
// the tasks that asked for one, by the trace. Both are of the tasks of this run alone, and of all that a task does: the hours of engines over all
// runs of a campaign, which its report and its live view tell, come from its state.
def tally(run, values) {
    def stats = run.stats
    def csv = file("${values.outdir}/results.csv", glob: false)
    def rows = run.success && csv.exists() ? recordsOf(csv) : []
    def lost = rows.findAll { row -> row.status != 'finished' }
    def nothing = run.success && !run.stubRun && csv.exists() && lost.size() == rows.size() // analysis campaign says it, too
    [
        pipeline: run.manifest.name,
        version: run.manifest.version,
        run: run.runName,
        mode: values.mode,
        success: run.success,
        end: endOf(run),
        cause: nothing ? 'NOTHING FINISHED' : run.success ? '' : causeOf(failureOf(run.errorReport ?: '')),
        start: "${run.start}",
        complete: "${run.complete}",
        duration_h: hoursOf(run.duration),
        tasks: [done: stats?.succeedCount ?: 0, cached: stats?.cachedCount ?: 0, tried_again: stats?.retriesCount ?: 0, dropped: stats?.ignoredCount ?: 0, failed: stats?.failedCount ?: 0, cut_off: (stats?.runningCount ?: 0) + (stats?.abortedCount ?: 0)],
        cpu_h: (hoursOf(stats?.succeedDuration) + hoursOf(stats?.failedDuration)).toDouble().round(3),
        cpu_h_cached: hoursOf(stats?.cachedDuration),
        gpu_h: gpuHours(values),
        hours_of: 'tasks of this run alone, whole, by its trace',
        items: rows.size(),
        verdicts: rows.countBy { row -> row.verdict ?: 'none' },
        failures: run.success ? lost.take(20).collectEntries { row -> [row.transformation, "${row.status}${row.cause ? ": ${row.cause}" : ''}".toString()] } : failedTasks(values),
        outdir: "${values.outdir}",
    ]
}

def hoursOf(duration) {
    ((duration?.toMillis() ?: 0) / 3600000).toDouble().round(3)
}

def gpuHours(values) {
    if (!(values.platform in ['CUDA', 'OpenCL'])) {
        return 0
    }
    def onGpu = traced(values).findAll { task -> task.name && task.status != 'CACHED' && task.name.tokenize(' ')[0].tokenize(':')[-1] in ['EQUIL_RUN', 'FE_RUN', 'FE_PILOT', 'FE_EXTEND', 'FE_SHARE'] }
    (onGpu.collect { task -> task.realtime in [null, '-'] ? 0 : new nextflow.util.Duration(task.realtime).toMillis() }.sum(0) / 3600000).toDouble().round(3)
}

// Attempts of tasks as the trace has them, in the order in which they ended.
def traced(values) {
    def trace = file("${values.outdir}/pipeline_info/trace.txt", glob: false)
    def lines = trace.exists() ? trace.readLines() : []
    def names = lines ? lines[0].split('\t').toList() : []
    lines.drop(1).collect { line -> [names, line.split('\t').toList()].transpose().collectEntries { pair -> pair } }
}

// Tasks whose last attempt has failed, with its cause: where a run has not finished no table tells of them.
def failedTasks(values) {
    def named = traced(values).findAll { task -> task.name } // a site may have asked for other columns
    def last = named.groupBy { task -> task.name }.collect { _name, attempts -> attempts[-1] }
    last.findAll { task -> task.status == 'FAILED' }.take(20).collectEntries { task ->
        def said = task.workdir ? (endOfFile(new File("${task.workdir}/.command.err")) =~ /(?m)^\s*error: (.+)$/).collect { found -> found[1] } : []
        [task.name.tokenize(':')[-1], "${task.exit in [null, '-'] ? 'no exit code' : "exit code ${task.exit}"}${said ? ": ${said[-1].take(500)}" : ''}".toString()]
    }
}

// The last 64 kB of a file; nothing of one that cannot be read.
def endOfFile(path) {
    if (!path.isFile() || !path.canRead()) {
        return ''
    }
    path.withInputStream { stream ->
        stream.skip(Math.max(0L, path.length() - 65536))
        stream.getText('UTF-8')
    }
}

def causeOf(failure) {
    [failure.task, failure.cause].findAll { word -> word }.join(': ')
}

// The same in words.
def tallyText(told) {
    def tasks = told.tasks
    def verdicts = told.verdicts.collect { verdict, count -> "${count} ${verdict}" }.join(', ')
    def lines = [
        "Tasks:    ${tasks.done} done, ${tasks.cached} from the cache, ${tasks.tried_again} tried again, ${tasks.dropped} dropped${told.success ? '' : ", ${tasks.failed} failed"}${tasks.cut_off ? ", ${tasks.cut_off} cut off (not in the hours below)" : ''}",
        "Tasks of this run took ${told.cpu_h} CPU hours, ${told.gpu_h} GPU hours, in ${told.duration_h} h (by its trace, whole tasks${told.cpu_h_cached ? "; what came from the cache had taken ${told.cpu_h_cached} CPU hours in earlier runs" : ''})",
        "Hours of MD and fits over all runs of the campaign are another number: gibbsflow watch STATE_FOLDER and costs.csv tell it",
        told.items ? "Items:    ${told.items} (verdicts: ${verdicts})" : '',
    ] + told.failures.collect { name, cause -> told.success ? "Failed:   ${name} (${cause})" : "Failed task: ${name}, ${cause}" } + [
        // the last line, since Nextflow ends with 0: the failure policy was kept (docs/usage.md)
        told.success && told.cause ? "${told.cause}: none of ${told.items} rows has a result; ${told.outdir}/results.csv has the causes" : '',
    ]
    lines.findAll { line -> line }.join('\n')
}

// By mail and to a hook, where that is asked for. A run is no worse where neither gets through.
def tellOthers(told, text, email, hook) {
    def subject = "gibbsflow ${told.run}: ${told.end}${told.cause ? " (${told.cause.take(100)})" : ''}".replaceAll(/\p{Cntrl}/, ' ')
    if (email) {
        try {
            within(60) { sendMail(to: email, subject: subject, body: "${subject}\n\n${tallyText(told)}\n\n${text}\n") }
        }
        catch (Exception fault) {
            def cause = fault.cause ?: fault
            log.warn("No mail could be sent to ${email}: ${cause.message ?: cause.class.simpleName}")
        }
    }
    if (hook) {
        postTo(hook, [text: "${subject}\n${tallyText(told)}".toString()] + told)
    }
}

// No redirection is followed, and nothing is said of the address but its host: the rest may be a secret.
def postTo(address, content) {
    try {
        def request = java.net.http.HttpRequest.newBuilder(URI.create(address))
            .timeout(java.time.Duration.ofSeconds(20))
            .header('Content-Type', 'application/json')
            .POST(java.net.http.HttpRequest.BodyPublishers.ofString(groovy.json.JsonOutput.toJson(content)))
            .build()
        def client = java.net.http.HttpClient.newBuilder().connectTimeout(java.time.Duration.ofSeconds(10)).build()
        def status = within(30) { client.send(request, java.net.http.HttpResponse.BodyHandlers.discarding()).statusCode() }
        if (status >= 300) {
            log.warn("The web hook at ${hostOf(address)} answered ${status}.")
        }
    }
    catch (Exception fault) {
        log.warn("The web hook at ${hostOf(address)} could not be told: ${(fault.cause ?: fault).class.simpleName}.")
    }
}

// What an action gives, or a TimeoutException: a mail server that says nothing, or an answer that never ends, holds up no run.
def within(seconds, action) {
    def job = new java.util.concurrent.FutureTask(action as java.util.concurrent.Callable)
    def worker = new Thread(job)
    worker.daemon = true
    worker.start()
    job.get(seconds, java.util.concurrent.TimeUnit.SECONDS)
}
