"""What a periodic box does to the free energy of charging a ligand, and the correction for it."""
