"""Analysis: windows gathered, estimators, convergence, legs, and their combination to a ΔG with a verdict."""
