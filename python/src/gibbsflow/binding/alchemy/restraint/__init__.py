"""How a decoupled ligand is held, and what letting it go is worth."""
