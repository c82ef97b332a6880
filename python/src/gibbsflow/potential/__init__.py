"""Machine-learned potentials: generation, labelling, training, exploration, selection."""
