"""Sampling of alchemical legs: walkers in all states, exchange or independent windows, and the energies they leave."""
