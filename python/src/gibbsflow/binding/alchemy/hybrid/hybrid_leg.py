"""A leg from one ligand to another, as it lies in its folder: A in its surroundings, and B alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from openmm import app

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME, AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons
from gibbsflow.binding.alchemy.hybrid.hybrid_system import HybridTopology, hybrid_topology
from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState, Pair
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms, share_atoms
from gibbsflow.binding.alchemy.restraint.restraints import Restraint, restraint_as_dict, restraint_from_dict
from gibbsflow.binding.forcefield.topology_file import molecules
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.files import read_json


@dataclass(frozen=True)
class HybridLeg(AlchemicalLeg):
    """A leg whose ligand turns into another one.

    Its atoms are those of `topology` (A and its surroundings), then those that only B has.

    Attributes
    ----------
    other_topology
        File name: AMBER topology of B alone, beside ``leg.json``.
    old_atoms
        0-based indices of A's ligand, in the order of its molecule; ``ligand_atoms`` are these and B's own.
    pairs
        Numbers of the shared atoms in A's and in B's ligand; none where both are there as a whole.
    ligands
        Names of A and B.
    tether
        What holds two whole ligands to each other; None where they share atoms.
    ions
        Waters that become ions as the net charge changes; None for none.
    """

    other_topology: str = ""
    old_atoms: tuple[int, ...] = ()
    pairs: tuple[Pair, ...] = ()
    ligands: tuple[str, str] = ("A", "B")
    tether: Restraint | None = None
    ions: CoIons | None = None

    @property
    def thermal_starts(self) -> bool:
        """Whether the starts are to be taken as they are.

        Returns
        -------
        bool
            False: they are those of A, and in other windows there are atoms of B.
        """
        return False

    def files(self) -> dict[str, Path]:
        """Name the input files.

        Returns
        -------
        dict
            Paths by role: ``topology``, ``start`` and ``other_topology``.
        """
        return super().files() | {"other_topology": self.folder / self.other_topology}

    def _beside_the_ligand(self) -> dict[str, Any]:
        own: dict[str, Any] = {
            "other_topology": self.other_topology,
            "old_atoms": list(self.old_atoms),
            "pairs": [list(pair) for pair in self.pairs],
            "ligands": list(self.ligands),
        }
        if self.tether is not None:
            own["tether"] = restraint_as_dict(self.tether)
        if self.ions is not None:
            own["ions"] = self.ions.as_dict()
        return super()._beside_the_ligand() | {"hybrid": own}

    @classmethod
    def _from_mapping(cls, folder: Path, path: Path, content: Mapping[str, Any]) -> Self:
        own = content["hybrid"]
        tether, ions = own.get("tether"), own.get("ions")
        leg = super()._from_mapping(folder, path, content)
        return replace(
            leg,  # type: ignore[arg-type]
            other_topology=own["other_topology"],
            old_atoms=tuple(own["old_atoms"]),
            pairs=tuple((int(i), int(j)) for i, j in own["pairs"]),
            ligands=tuple(own["ligands"]),
            tether=None if tether is None else restraint_from_dict(tether, where=str(path)),
            ions=None if ions is None else CoIons.from_dict(ions),
        )

    @property
    def new_atoms(self) -> tuple[int, ...]:
        """Say where the atoms of B's ligand stand.

        Returns
        -------
        tuple of int
            0-based indices, in the order of its molecule: shared atoms are A's.
        """
        return new_ligand(self.ligand_atoms, self.old_atoms, self.pairs)

    @property
    def molecules(self) -> Ints:
        """Say which molecule each atom is in; the atoms that only B has are in that of A.

        Returns
        -------
        ndarray
            Counted from 0, shape (atoms,).
        """
        found = molecules(self.folder / self.topology)
        added = len(self.ligand_atoms) - len(self.old_atoms)
        return np.concatenate([found, np.full(added, found[self.old_atoms[0]], dtype=np.int32)])

    @property
    def pieces(self) -> Ints:
        """Say what comes to one image of the box in frames that are kept.

        Returns
        -------
        ndarray
            As :attr:`molecules`, the receptor first; of two whole ligands each by itself, since no bond keeps an
            engine from giving them in two images. Shape (atoms,).
        """
        found = molecules(self.folder / self.topology, min(self.receptor_atoms or self.old_atoms))
        added = len(self.ligand_atoms) - len(self.old_atoms)
        of_b = found[self.old_atoms[0]] if self.pairs else found.max() + 1
        return np.concatenate([found, np.full(added, of_b, dtype=np.int32)])

    @cached_property
    def all_atoms(self) -> app.Topology:
        """Make a topology to look at: A and its surroundings, and B's own atoms as a residue at the end.

        Returns
        -------
        Topology
            Of the atoms of a frame.
        """
        topology = load_topology(self.folder / self.topology).topology
        if len(self.ligand_atoms) == len(self.old_atoms):
            return topology
        known = list(topology.atoms())
        other = load_topology(self.folder / self.other_topology).topology
        residue = topology.addResidue(known[self.old_atoms[0]].residue.name, topology.addChain())
        place = self.new_atoms
        for atom in other.atoms():
            if place[atom.index] >= len(known):
                topology.addAtom(atom.name, atom.element, residue)
        made = list(topology.atoms())
        for one, two in other.bonds():
            ends = place[one.index], place[two.index]
            if max(ends) >= len(known):
                topology.addBond(*(made[end] for end in ends))
        return topology

    def shared(self, engine: MdEngine) -> SharedAtoms:
        """Read both end states.

        Parameters
        ----------
        engine
            OpenMM's.

        Returns
        -------
        SharedAtoms
            With the pairs of this leg.
        """
        system = engine.system(self.folder / self.topology, self.md, apart=self.apart)
        return _shared(
            self.ligands, system, self.folder / self.topology, self.old_atoms,
            self.folder / self.other_topology, self.pairs or None, self.md, engine,
        )  # fmt: skip

    def hybrid(self, engine: MdEngine) -> HybridTopology:
        """Make the System of the leg.

        Parameters
        ----------
        engine
            OpenMM's.

        Returns
        -------
        HybridTopology
            Dummies stand on the side on which the first start has them.
        """
        if engine.name != "openmm":
            what, right = f"an edge, and {engine.name} runs the windows", "engine openmm"
            raise InputError(Problem(str(self.folder), what, right, field="engine"))
        shared, start = self.shared(engine), self.start_nm
        first: Floats = start if start.ndim == 2 else start[0]
        ends = (first[list(shared.place_a)], first[list(shared.place_b)])
        return hybrid_topology(shared, *ends, soft_core=self.fe.soft_core, tether=self.tether, ions=self.ions)

    def systems(self, engine: MdEngine) -> list[EngineSystem]:
        """Make the Systems of the states, for what has no box.

        Parameters
        ----------
        engine
            OpenMM's.

        Returns
        -------
        list of EngineSystem
            One a state.
        """
        made = self.hybrid(engine)
        return [made.at(state.as_dict()) for state in self.states]


def new_ligand(ligand: Sequence[int], old: Sequence[int], pairs: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Say where the atoms of B's ligand stand in a leg.

    Parameters
    ----------
    ligand, old, pairs
        ``ligand_atoms``, ``old_atoms`` and ``pairs`` of its ``leg.json``.

    Returns
    -------
    tuple of int
        0-based indices, in the order of its molecule: shared atoms are A's, its own follow all others.

    Raises
    ------
    ValueError
        For indices that are not all different.
    """
    places = {j: old[i] for i, j in pairs}
    unique = (j for j in range(len(places) + len(ligand) - len(old)) if j not in places)
    places |= zip(unique, sorted(set(ligand) - set(old)), strict=True)
    return tuple(places[j] for j in range(len(places)))


def share_files(
    names: tuple[str, str],
    topology: Path,
    ligand: tuple[int, ...],
    other_topology: Path,
    pairs: tuple[Pair, ...] | None,
    md: Md,
    engine: MdEngine,
) -> SharedAtoms:
    """Read the end states of an edge from their topologies, and settle its map.

    Parameters
    ----------
    names
        Of A and B.
    topology
        AMBER topology of A in its surroundings.
    ligand
        A's ligand in it.
    other_topology
        AMBER topology of B alone.
    pairs
        The map; None where both ligands are there as a whole.
    md
        Settings of the leg.
    engine
        OpenMM's.

    Returns
    -------
    SharedAtoms
        From :func:`~gibbsflow.binding.alchemy.hybrid.pair.shared_atoms.share_atoms`, of a map.
    """
    return _shared(names, engine.system(topology, md), topology, ligand, other_topology, pairs, md, engine)


def _shared(
    names: tuple[str, str],
    system: EngineSystem,
    topology: Path,
    ligand: tuple[int, ...],
    other_topology: Path,
    pairs: tuple[Pair, ...] | None,
    md: Md,
    engine: MdEngine,
) -> SharedAtoms:
    # alone B has no box; its surroundings are A's
    other = engine.system(other_topology, md if not md.explicit else md.model_copy(update={"solvent": "vacuum"}))
    ends = (
        EndState(names[0], system, ligand, load_topology(topology).topology),
        EndState(names[1], other, tuple(range(other.getNumParticles())), load_topology(other_topology).topology),
    )
    return SharedAtoms(*ends, ()) if pairs is None else share_atoms(*ends, pairs)


def read_leg_folder(folder: Path) -> AlchemicalLeg:
    """Read a leg of either kind.

    Parameters
    ----------
    folder
        With ``leg.json`` and the files that it names.

    Returns
    -------
    AlchemicalLeg
        A :class:`HybridLeg` where a ligand turns into another one.

    Raises
    ------
    InputError
        As :meth:`AlchemicalLeg.read`.
    """
    path = Path(folder) / FILE_NAME
    of_edge = path.exists() and "hybrid" in read_json(path)
    return HybridLeg.read(folder) if of_edge else AlchemicalLeg.read(folder)
