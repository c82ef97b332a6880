"""gibbsflow: binding free energies and machine-learned potentials, restartable and with a reason to trust them."""

__version__ = "0.1.0"
