"""Machine-learned potentials, in the order of the method: data, generators, label, train, explore, validate, loop."""
