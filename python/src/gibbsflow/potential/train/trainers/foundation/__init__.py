"""A foundation model as a trainer: reference energies, tuning, and the potential that it leaves."""
