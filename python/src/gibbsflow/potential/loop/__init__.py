"""The learning loop: what comes next, when it stops, and its run without Nextflow."""
