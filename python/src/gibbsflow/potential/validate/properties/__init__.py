"""What is measured of a crystal or a molecule, by any model that gives energy, forces and stress."""
