"""Legs in the files of GROMACS."""
