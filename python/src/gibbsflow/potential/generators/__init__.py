"""Generators: each a function of the settings and a seed, whose structures say where they come from."""
