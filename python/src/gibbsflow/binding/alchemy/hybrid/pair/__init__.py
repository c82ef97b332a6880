"""Two ligands of an edge: their force fields, the atoms that they share, and what becomes of the others."""
