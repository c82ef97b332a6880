"""What GROMACS is given of a leg's atoms: a topology, and where it has each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.gromacs_states import middle_of_group
from gibbsflow.binding.forcefield.topology_file import in_blocks, molecules
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs.parameters import Pull
from gibbsflow.engines.gromacs.topology import g96_text, read_g96, topology_text
from gibbsflow.engines.gromacs.walls import Walls, as_one
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints


@dataclass(frozen=True)
class GromacsTopology:
    """Atoms of a leg in GROMACS.

    Attributes
    ----------
    text
        A ``.top``.
    order
        Atoms of the leg as the topology has them, shape (N,); -1 where it has a site that is no atom of the leg.
    masses_amu
        Of the leg's atoms, shape (N,).
    middle_of
        Atoms of the leg that the site is in the middle of; none where there is none.
    """

    text: str
    order: Ints
    masses_amu: Floats
    middle_of: tuple[int, ...] = ()

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
        velocities = None if velocities_nm_per_ps is None else self._placed(velocities_nm_per_ps)
        return g96_text(self._placed(positions_nm), box_nm, velocities)

    def _placed(self, vectors: Floats) -> Floats:
        placed = vectors[self.order]
        if self.middle_of:
            placed[self.order < 0] = vectors[list(self.middle_of)].mean(axis=0)
        return placed

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
                atoms = self.order >= 0
                placed = np.empty((int(atoms.sum()), 3))
                placed[self.order[atoms]] = found[name][atoms]
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
        place = np.argsort(self.order)[int((self.order < 0).sum()) :]
        return [
            replace(
                one,
                groups=tuple(tuple(int(place[atom]) for atom in group) for group in one.groups),
                middles=tuple(int(place[atom]) for atom in one.middles),
            )
            for one in coordinates
        ]


def decoupling_topology(leg: AlchemicalLeg, md: Md) -> GromacsTopology:
    """Write the topology of a leg whose ligand is decoupled.

    Parameters
    ----------
    leg
        In a box. Where ions change with the ligand, walls keep them from the middle of the solute.
    md
        Settings of the attempt.

    Returns
    -------
    GromacsTopology
        In the leg's order, but for a solute with walls: its molecules are one.

    Raises
    ------
    InputError
        For what has no counterpart in GROMACS, and a solute that is too wide for its box.
    """
    prmtop = leg.folder / leg.topology
    system = create_system(prmtop, md)
    count = system.getNumParticles()
    masses = np.array([system.getParticleMass(i)._value for i in range(count)])
    of_atom, walls = in_blocks(molecules(prmtop)), None
    if leg.apart:
        walls = walls_of(leg.apart, of_atom, leg.starts_nm(0)[0], leg.starts_boxes_nm(0)[0])
        of_atom = walls.molecules
    text = topology_text(system, of_atom, leg.ligand_atoms, fading=leg.ion_atoms, walls=walls)
    order, middle_of = (np.arange(count), ()) if walls is None else (walls.order, walls.centre)
    return GromacsTopology(text, order, masses, middle_of)


def walls_of(apart: Sequence[Apart], molecules_of: Ints, positions_nm: Floats, box_nm: Floats) -> Walls:
    """Say in words of GROMACS what keeps ions from a solute.

    Parameters
    ----------
    apart
        All with one centre, and a single atom each.
    molecules_of
        Which molecule each atom is in, shape (N,).
    positions_nm
        A structure, shape (N, 3), nm: the centre's atoms are found by the one in the middle.
    box_nm
        Its periodic box, vectors as rows, shape (3, 3), nm.

    Returns
    -------
    Walls
        With the molecules of the centre taken for one.

    Raises
    ------
    InputError
        For another centre or group, and a centre that is too wide for its box.
    """
    centre = apart[0].centre
    if any(pair.centre != centre or len(pair.away) != 1 for pair in apart):
        what = "walls about more than one centre, or of more than one atom, are not carried over to GROMACS"
        raise InputError(Problem("fe", what, "--engine openmm", field="engine"))
    middle, _ = middle_of_group(centre, positions_nm, box_nm, field="charge_correction")
    first = (middle, *(atom for atom in centre if atom != middle))
    kept = tuple(
        (pair.away[0], pair.least_angstrom / 10, pair.k_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100) for pair in apart
    )
    return Walls(as_one(molecules_of, centre), first, kept)
