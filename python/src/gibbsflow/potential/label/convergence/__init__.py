"""Cutoffs and k points that make labels with a stated error."""
