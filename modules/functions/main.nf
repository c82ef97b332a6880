// What more than one module needs.

// The option of a verb that stops by itself, its state saved, before the scheduler ends its task: the last five minutes of the
// task's time, of a short one the last tenth, are for saving. Nothing where a task has no time limit.
def timeBudget(time) {
    time ? "--time-budget ${Math.max(time.toSeconds() - 300, (time.toSeconds() * 9).intdiv(10))}s" : ''
}

// A value as one word of the shell, whatever is in it; paths among a process's inputs are escaped by Nextflow.
def quoted(value) {
    "'" + value.toString().replace("'", "'\\''") + "'"
}
