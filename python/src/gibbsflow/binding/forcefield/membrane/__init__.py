"""Membranes: lipids told from the rest of a box, and what a bilayer is by its numbers."""
