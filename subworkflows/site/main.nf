// How a site's settings and the pipeline's own go together. Whatever a site file, an institution's (-c) or a profile says of a task's
// resources, hooks and options is where the failure policy of conf/base.config starts from; it cannot undo it.

// Put a policy's directives together with what is said of them, wherever that is: `process` is the resolved scope of that name.
// Returns what is worth saying.
def keepPolicy(process, values, state) {
    def policy = process.remove('withLabel:policy')
    def own = process.'withName:.+'
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
