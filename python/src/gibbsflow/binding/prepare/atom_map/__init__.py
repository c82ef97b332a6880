"""Which atom of one ligand becomes which of another: maps found, scored, checked, read and written; poses by them."""
