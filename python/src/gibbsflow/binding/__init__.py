"""Binding free energies: structures, ligands, restraints, alchemy, estimators."""
