"""The free energy of a leg, split into enthalpy and entropy."""
