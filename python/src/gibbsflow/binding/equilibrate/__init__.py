"""Equilibration of the complex, whether the ligand stayed bound, and what the free-energy legs start from."""
