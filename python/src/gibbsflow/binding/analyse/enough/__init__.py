"""Whether a transformation was sampled enough, and if not, what is sampled longer."""
