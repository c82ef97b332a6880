"""Force fields: GAFF parameters of small molecules, AMBER names of proteins, topologies of complex and parts."""
