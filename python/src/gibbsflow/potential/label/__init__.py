"""Labelling: engines that compute energies, forces and stresses, their pseudopotentials, and batches of structures."""
