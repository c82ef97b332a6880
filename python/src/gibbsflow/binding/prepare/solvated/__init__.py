"""What a samplesheet says of systems that come solvated."""
