"""The launch: parameters of the pipeline, their schema and form, the samplesheet's columns, and files made of them."""
