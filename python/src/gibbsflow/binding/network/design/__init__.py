"""Which pairs of ligands are compared: the network planned, planned anew, read from a file."""
