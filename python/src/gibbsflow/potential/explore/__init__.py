"""Exploration: MD that watches its extrapolation grade, the selection of what to label next, and ASE's calculator."""
