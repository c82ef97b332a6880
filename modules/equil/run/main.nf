process EQUIL_RUN {
    tag "${meta.ligand}"
    label 'process_md'

    input:
    tuple val(meta), path(system)

    output:
    tuple val(meta), path("phases/${meta.ligand}/equil"), emit: system
    tuple val("${task.process}"), path("phases/${meta.ligand}/equil/result.json"), topic: versions

    script:
    def args = task.ext.args ?: ''
    // leaves time to save the state before the scheduler ends the job
    def budget = task.time ? "--time-budget ${Math.max(task.time.toSeconds() - 300, (task.time.toSeconds() * 9).intdiv(10))}s" : ''
    """
    equil run --system ${system} --state '${meta.state}/equil' --out phases/${meta.ligand}/equil ${budget} ${args}
    """

    stub:
    """
    mkdir -p phases/${meta.ligand}/equil
    cp ${system}/system.json ${system}/result.json phases/${meta.ligand}/equil
    """
}
