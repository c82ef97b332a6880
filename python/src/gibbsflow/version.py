"""The one place of the version; images, Nextflow's manifest and its parameters take it from here (`make schema`)."""

__version__ = "0.1.0"
