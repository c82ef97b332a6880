// One line that does nothing: what Nextflow itself takes for a task.
process BARE {
    tag "${number}"

    input:
    val number

    output:
    val number, emit: number

    script:
    'true'
}
