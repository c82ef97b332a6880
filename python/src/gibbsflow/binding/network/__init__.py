"""From a list of ligands to a network of edges, and from edges to the free energy of every ligand."""
