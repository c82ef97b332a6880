"""GROMACS: topologies and parameters in its own words, its programs, and the energies that it writes."""
