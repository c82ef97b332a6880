"""Readers of energies that other programs wrote: GROMACS and AMBER."""
