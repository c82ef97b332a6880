"""What GROMACS is given of a leg's atoms: a topology, and where it has each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gibbsflow.binding.forcefield.topology_file import in_blocks, molecules
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs.parameters import Pull
from gibbsflow.engines.gromacs.topology import g96_text, read_g96, topology_text
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.units import Floats, Ints


@dataclass(frozen=True)
class GromacsTopology:
    """Atoms of a leg in GROMACS.

    Attributes
    ----------
    text
        A ``.top``.
    order
        Atoms of the leg as the topology has them, shape (N,).
    masses_amu
        Of the leg's atoms, shape (N,).
    """

    text: str
    order: Ints
    masses_amu: Floats

    def frame(self, positions_nm: Floats, box_nm: Floats, velocities_nm_per_ps: Floats | None = None) -> str:
        """Write a configuration.

        Parameters
        ----------
        positions_nm
            Of the leg's atoms, shape (N, 3), nm.
        box_nm
            Vectors as rows, shape (3, 3), nm.
        velocities_nm_per_ps
            Shape (N, 3), nm/ps; None for none.

        Returns
        -------
        str
            A ``.g96``.
        """
        velocities = None if velocities_nm_per_ps is None else velocities_nm_per_ps[self.order]
        return g96_text(positions_nm[self.order], box_nm, velocities)

    def read(self, text: str) -> dict[str, Floats]:
        """Read a configuration.

        Parameters
        ----------
        text
            A ``.g96``.

        Returns
        -------
        dict
            As :func:`~gibbsflow.engines.gromacs.topology.read_g96`, in the order of the leg.
        """
        found = dict(read_g96(text))
        for name in ("positions_nm", "velocities_nm_per_ps"):
            if len(found[name]):
                placed = np.empty_like(found[name])
                placed[self.order] = found[name]
                found[name] = placed
        return found

    def placed(self, coordinates: Sequence[Pull]) -> list[Pull]:
        """Count the atoms of coordinates as the topology does.

        Parameters
        ----------
        coordinates
            Of the leg's atoms.

        Returns
        -------
        list of Pull
            The same coordinates.
        """
        place = np.argsort(self.order)
        return [
            replace(
                one,
                groups=tuple(tuple(int(place[atom]) for atom in group) for group in one.groups),
                middles=tuple(int(place[atom]) for atom in one.middles),
            )
            for one in coordinates
        ]


def decoupling_topology(prmtop: Path, md: Md, ligand_atoms: Sequence[int]) -> GromacsTopology:
    """Write the topology of a leg whose ligand is decoupled.

    Parameters
    ----------
    prmtop
        Of the leg.
    md
        Settings of the attempt.
    ligand_atoms
        0-based indices of what changes with λ.

    Returns
    -------
    GromacsTopology
        In the leg's order.

    Raises
    ------
    InputError
        For what has no counterpart in GROMACS.
    """
    system = create_system(prmtop, md)
    count = system.getNumParticles()
    masses = np.array([system.getParticleMass(i)._value for i in range(count)])
    text = topology_text(system, in_blocks(molecules(prmtop)), ligand_atoms)
    return GromacsTopology(text, np.arange(count), masses)
