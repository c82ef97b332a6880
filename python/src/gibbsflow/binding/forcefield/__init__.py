"""Force fields: GAFF parameters of small molecules, AMBER names of proteins, topologies of the complex and its parts."""
