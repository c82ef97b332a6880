"""Force fields: GAFF parameters of ligands and hosts, AMBER names of proteins, topologies of complex and ligand."""
