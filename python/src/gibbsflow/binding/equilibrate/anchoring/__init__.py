"""Atoms of the receptor that hold a ligand: which may, and which do best."""
