"""Free energies split into enthalpy and entropy: of a leg, and of a cycle."""
