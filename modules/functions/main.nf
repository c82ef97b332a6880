// What more than one module needs.

// The option of a verb that stops by itself, its state saved, before the scheduler ends its task: the last five minutes of the
// task's time, of a short one the last tenth, are for saving. Nothing where a task has no time limit.
def timeBudget(time) {
    time ? "--time-budget ${Math.max(time.toSeconds() - 300, (time.toSeconds() * 9).intdiv(10))}s" : ''
}

// A value as one word of the shell, whatever is in it. All that a script is given goes through here, paths too: what Nextflow
// escapes by itself is no more than blanks and quotes, neither `$` nor a line's end nor what a shell takes for a pattern.
def quoted(value) {
    "'" + value.toString().replace("'", "'\\''") + "'"
}

// One or many values as words, each after the option that it goes with; nothing for none.
def options(option, values) {
    [values].flatten().collect { value -> "${option} ${quoted(value)}".trim() }.join(' ')
}
