"""Waters that become ions as the net charge of a ligand changes, so that a periodic box is neutral at all λ.

One water far from the ligand for each unit of charge: its oxygen takes the charge and the Lennard-Jones of an ion of
the other sign, the rest of it loses its charges and stays as a rigid shape without interactions. Charges follow the
ligand's own net charge q_L(λ) = q_shared + λ_e q_old + λ_e,new q_new, x = (q_L − q_A)/(q_B − q_A) from 0 to 1, so that
the sum is that of A's box in each state; Lennard-Jones goes with ``lambda_core``. The work is that of a water which
turns into an ion in bulk, the same in both legs, and drops out of their difference. A wall that does not change with λ
keeps the molecule there. The same is done by perses and OpenFE (`handle_alchemical_waters`); the idea is that of Chen,
Deng, Russell, Wu, Abel, Wang, J. Chem. Theory Comput. 14, 6346 (2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import openmm

from gibbsflow.binding.alchemy.hybrid.mixed_bonds import CORE
from gibbsflow.binding.equilibrate.periodic_box import to_nearest_image
from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.binding.forcefield.ions import Ion
from gibbsflow.binding.forcefield.remote import OF_AN_EDGE, beyond_wall, wall_for_ions
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

BREATHES_TO = 0.98
"""Share of its edges to which a box at its density may shrink."""
APART_ANGSTROM = 5.0
"""Waters that become ions start no nearer to each other, whatever the image."""


@dataclass(frozen=True)
class CoIons:
    """Waters that become ions.

    Attributes
    ----------
    waters
        Atoms of each, the oxygen first.
    name
        Of the ion, such as ``Cl-``.
    charge_e
        Its charge, e.
    sigma_nm, epsilon_kj_per_mol
        Its Lennard-Jones.
    """

    waters: tuple[tuple[int, ...], ...]
    name: str
    charge_e: float
    sigma_nm: float
    epsilon_kj_per_mol: float

    @classmethod
    def of(cls, waters: Sequence[Sequence[int]], ion: Ion) -> Self:
        """Choose what waters become.

        Parameters
        ----------
        waters
            Their atoms, the oxygen first.
        ion
            The ion.

        Returns
        -------
        CoIons
            All of one kind.
        """
        return cls(tuple(map(tuple, waters)), ion.name, ion.charge_e, ion.sigma_nm, ion.epsilon_kj_per_mol)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read them from ``leg.json``.

        Parameters
        ----------
        content
            As :meth:`as_dict` gives it.

        Returns
        -------
        CoIons
            The same.
        """
        return cls(**{**content, "waters": tuple(tuple(atoms) for atoms in content["waters"])})

    def as_dict(self) -> dict[str, Any]:
        """Give the form in which they stand in ``leg.json``.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return asdict(self) | {"waters": [list(atoms) for atoms in self.waters]}

    def __str__(self) -> str:
        count = len(self.waters)
        return f"{count} water{'s' * (count > 1)} far from the ligand become{'s' * (count == 1)} {self.name}"

    def lennard_jones_in(self, particles: Sequence[Sequence[float]]) -> list[list[float]]:
        """Put the ions' Lennard-Jones in place of the waters'.

        Parameters
        ----------
        particles
            Charge, σ and ε of all atoms, nm and kJ/mol.

        Returns
        -------
        list of list of float
            The same with σ and ε of B's end.
        """
        found = [list(one) for one in particles]
        for oxygen, *others in self.waters:
            found[oxygen][1:] = [self.sigma_nm, self.epsilon_kj_per_mol]
            for atom in others:
                found[atom][2] = 0.0
        return found


def put_ions(force: openmm.NonbondedForce, ions: CoIons, charge: Mapping[str, tuple[float, float]]) -> None:
    """Let waters become ions by the parameters with which a ligand's net charge goes.

    Parameters
    ----------
    force
        The System's; changed.
    ions
        The waters.
    charge
        By global parameter its value at A's end, and what the ligand's net charge changes by with it, e.
    """
    first = sum(value * slope for value, slope in charge.values())
    whole = sum(slope * (1 - 2 * value) for value, slope in charge.values())
    for oxygen, *others in ions.waters:
        for atom in (oxygen, *others):
            q, sigma, epsilon = (v._value for v in force.getParticleParameters(atom))
            to_q = ions.charge_e if atom == oxygen else 0.0
            to_sigma, to_epsilon = (ions.sigma_nm, ions.epsilon_kj_per_mol) if atom == oxygen else (sigma, 0.0)
            force.setParticleParameters(atom, q - (to_q - q) * first / whole, sigma, epsilon)
            for name, (_, slope) in charge.items():
                lj = (to_sigma - sigma, to_epsilon - epsilon) if name == CORE else (0.0, 0.0)
                force.addParticleParameterOffset(name, atom, (to_q - q) * slope / whole, *lj)


def far_waters(
    topology: Topology,
    solute: Sequence[int],
    frames_nm: Floats,
    boxes_nm: Floats,
    count: int,
    md: Md,
    *,
    seed: int,
    name: str,
) -> tuple[Floats, tuple[tuple[int, ...], ...], RemoteFacts]:
    """Let the last waters of a box stand far from its solute, in each frame of an equilibration without a wall.

    Waters are alike, so that one changes places with one that is there.

    Parameters
    ----------
    topology
        Of the box: its elements and residues count.
    solute
        What the waters are kept away from.
    frames_nm, boxes_nm
        Shapes (F, N, 3) and (F, 3, 3), nm. Atoms beyond those of the topology are those that only B has: as far as they
        reach, the solute does.
    count
        How many.
    md
        Padding, for messages.
    seed
        Of the places.
    name
        What messages call the box.

    Returns
    -------
    frames
        With waters exchanged, shape (F, N, 3), nm.
    waters
        Atoms of those that stand far away, the oxygen first.
    wall
        What keeps them there; its atoms are those of the box.

    Raises
    ------
    InputError
        For a box without room, or without so many waters beyond the wall.
    """
    order = sorted(solute)
    waters = _waters(topology, set(order))
    of_solute = topology.elements[order], topology.residue_of[order], topology.charges_e[order]
    inside = [Topology(*of_solute, frame[order] * 10) for frame in frames_nm]
    coming = frames_nm[:, len(topology.elements) :] * 10
    walls = [
        wall_for_ions(one, box, md, BREATHES_TO, name, coming_angstrom=own, instead=OF_AN_EDGE)
        for one, box, own in zip(inside, boxes_nm, coming, strict=True)
    ]
    wall = min(walls, key=lambda one: one.least_angstrom)
    random = np.random.default_rng(seed)
    oxygens = np.array([atoms[0] for atoms in waters], dtype=int)
    moved = frames_nm.copy()
    chosen = waters[-count:]
    for number, (one, box) in enumerate(zip(inside, boxes_nm, strict=True)):
        places = moved[number, oxygens] * 10
        far = [int(k) for k in random.permutation(beyond_wall(wall, one.positions_angstrom, box, places))]
        taken: list[int] = []
        for k in far:
            away = (places[taken] - places[k]) / 10
            apart_nm = np.linalg.norm(away + to_nearest_image(away, box), axis=1)
            if len(taken) < count and (apart_nm >= APART_ANGSTROM / 10).all():
                taken.append(k)
        if len(taken) < count:
            what = f"{len(taken)} waters beyond {wall.least_angstrom:.1f} Å from the solute, and {count} become ions"
            raise InputError(Problem(name, what, "more padding_angstrom", field="padding_angstrom"))
        stays = [len(waters) - count + k for k in range(count)]
        free = [k for k in stays if k not in taken]
        swap = dict(zip(free, [k for k in taken if k not in stays], strict=True))
        for there, here in swap.items():
            one_, other = list(waters[there]), list(waters[here])
            moved[number][[*one_, *other]] = moved[number][[*other, *one_]]
    own = wall.model_copy(update={"centre_atoms": tuple(order[k] for k in wall.centre_atoms)})
    return moved, tuple(chosen), own


def _waters(topology: Topology, solute: set[int]) -> list[tuple[int, ...]]:
    """Waters outside the solute, the oxygen first; sites without an element are of it."""
    residues: dict[int, list[int]] = {}
    for atom, residue in enumerate(topology.residue_of.tolist()):
        if atom not in solute:
            residues.setdefault(residue, []).append(atom)
    found = []
    for atoms in residues.values():
        elements = sorted(int(topology.elements[atom]) for atom in atoms)
        if [z for z in elements if z > 0] == [1, 1, 8]:
            found.append(tuple(sorted(atoms, key=lambda atom: (topology.elements[atom] != 8, atom))))  # noqa: PLR2004
    return found
