"""Analysis: energies of windows gathered, estimators, convergence, legs, and their combination to a free energy with a verdict."""
