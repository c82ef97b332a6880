"""Proteins: their files read, their residues told apart, chosen, protonated and mended; what is kept beside them."""
