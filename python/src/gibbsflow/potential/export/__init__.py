"""Potentials handed over to others: to LAMMPS with their grade, as a model card, and with the data behind them."""
