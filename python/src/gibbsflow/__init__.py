"""gibbsflow: binding free energies and machine-learned potentials, restartable and with a reason to trust them."""

from gibbsflow.version import __version__

__all__ = ["__version__"]
