"""What all trainers use: frames, folds, reference energies, regression, errors, extrapolation grade, protocols."""
