"""Training: from labelled frames to a potential, with its errors and its extrapolation grade.

``fit`` holds the table of trainers; ``trainers/`` has one or a few modules for each of them; ``shared/`` is what all of
them use: inputs, folds, reference energies, regression, errors, the grade, and the protocols.
"""
