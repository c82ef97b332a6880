"""A campaign as a whole: its check before anything starts, its phases in their order, and the run without Nextflow."""
