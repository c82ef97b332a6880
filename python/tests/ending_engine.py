"""An engine that ends its process, or hangs, as libraries do: to be run in a process of its own."""

import os
import time

from ase import Atoms

from gibbsflow.potential.data.labels import LabelResult


def label(atoms: Atoms) -> LabelResult:
    """One eV for an atom; Fortran's end for two, and no end for three."""
    if len(atoms) == 2:
        os.write(2, b"Error allocating 9 bytes\n")
        os._exit(1)
    if len(atoms) == 3:
        time.sleep(60)
    return LabelResult("gf-0", "labelled", energy_ev=1.0, forces_ev_per_angstrom=[[0.0, 0.0, 0.0]])
