"""Frames that are kept to be looked at: which atoms, how far apart, and the topology that lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from openmm import app, unit

from gibbsflow.binding.equilibrate.periodic_box import gathered, to_nearest_image
from gibbsflow.binding.forcefield.topology_file import is_periodic, molecules
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.files import atomic_open

Kind = Literal["solute", "all"]
WATERS = 200
"""Water molecules that go with a solute: those nearest to the ligand, more than its first shell."""

LARGEST_BYTES = 500_000_000
"""Of the frames of one run before they are packed; where there would be more, they are further apart."""


def thinned(wanted: int, count: int, frame_bytes: int) -> int:
    """Say how many steps are between frames.

    Parameters
    ----------
    wanted
        As many as were asked for.
    count
        Steps in all.
    frame_bytes
        Size of what is kept at a step.

    Returns
    -------
    int
        As many, or twice that often enough for `LARGEST_BYTES`; all, of fewer.
    """
    every = max(1, min(wanted, count))
    while every < count and count // every * frame_bytes > LARGEST_BYTES:
        every *= 2
    return every


@dataclass(frozen=True)
class Selection:
    """Atoms of a topology that are kept of each frame.

    Attributes
    ----------
    topology
        Of the whole system.
    kind
        ``solute`` (receptor and ligand, then the waters nearest to the ligand, the nearest first, so that a place among
        them is another molecule from frame to frame) or ``all``, in the topology's order.
    solute
        Indices of receptor and ligand, in order.
    ligand
        Indices of the ligand.
    waters
        Indices of the atoms of each water, its oxygen first, shape (M, atoms of one).
    molecules
        Which molecule each atom is in, shape (N,); None without a box.
    """

    topology: app.Topology
    kind: Kind
    solute: Ints
    ligand: Ints
    waters: Ints
    molecules: Ints | None

    @classmethod
    def read(cls, prmtop: Path, receptor: Sequence[int], ligand: Sequence[int], kind: Kind) -> Selection:
        """Find the atoms in a topology.

        Parameters
        ----------
        prmtop
            AMBER topology.
        receptor, ligand
            Indices of their atoms.
        kind
            What is kept.

        Returns
        -------
        Selection
            Of that topology.
        """
        parts = molecules(prmtop, min(receptor or ligand)) if is_periodic(prmtop) else None
        return cls.of_topology(load_topology(prmtop).topology, parts, receptor, ligand, kind)

    @classmethod
    def of_topology(
        cls, topology: app.Topology, parts: Ints | None, receptor: Sequence[int], ligand: Sequence[int], kind: Kind
    ) -> Selection:
        """Find the atoms in a topology that is no file.

        Parameters
        ----------
        topology
            The topology.
        parts
            Which molecule each atom is in, shape (N,); None without a box.
        receptor, ligand
            Indices of their atoms.
        kind
            What is kept.

        Returns
        -------
        Selection
            Of that topology.
        """
        solute = np.array(sorted({*receptor, *ligand}), dtype=np.int32)
        return cls(topology, kind, solute, np.array(ligand, dtype=np.int32), _waters(topology, set(solute)), parts)

    @property
    def nearest(self) -> int:
        """How many waters go with the solute.

        Returns
        -------
        int
            At most `WATERS`.
        """
        return min(WATERS, len(self.waters))

    @property
    def atoms(self) -> int:
        """Count the atoms of a frame.

        Returns
        -------
        int
            The same in every frame.
        """
        if self.kind == "all":
            return int(self.topology.getNumAtoms())
        return len(self.solute) + self.waters[: self.nearest].size

    @property
    def oxygens(self) -> Ints:
        """Say where the oxygens of water stand in a frame.

        Returns
        -------
        ndarray
            Indices into a frame.
        """
        if self.kind == "all":
            return self.waters[:, 0]
        return len(self.solute) + np.arange(self.nearest, dtype=np.int32) * self.waters.shape[1]

    def of(self, positions_nm: Floats, box_nm: Floats | None) -> npt.NDArray[np.float32]:
        """Take a frame.

        Parameters
        ----------
        positions_nm
            Of the whole system, shape (N, 3), nm.
        box_nm
            Its periodic box, shape (3, 3), nm; None without one.

        Returns
        -------
        ndarray
            Molecules whole, and round the receptor (or ligand); shape (atoms, 3), nm.
        """
        where = positions_nm
        if box_nm is not None and self.molecules is not None:
            where = gathered(positions_nm, box_nm, self.molecules, self.solute.tolist())
        if self.kind == "all":
            return where.astype(np.float32)
        if not self.nearest:
            return where[self.solute].astype(np.float32)
        water = where[self.waters]
        if box_nm is not None:
            water = water + to_nearest_image(water[:, 0] - where[self.ligand].mean(axis=0), box_nm)[:, None]
        # by blocks: of a large box all distances at once would be a gigabyte
        apart = np.min([((water[:, 0] - atom) ** 2).sum(axis=1) for atom in where[self.ligand]], axis=0)
        order = np.argsort(apart, kind="stable")[: self.nearest]
        return np.concatenate([where[self.solute], water[order].reshape(-1, 3)]).astype(np.float32)

    def part(self) -> app.Topology:
        """Make the topology of a frame.

        Returns
        -------
        Topology
            Atoms in the frame's order; of waters, the first ones stand for any.
        """
        if self.kind == "all":
            return self.topology
        kept = np.concatenate([self.solute, self.waters[: self.nearest].ravel()])
        known = list(self.topology.atoms())
        part, chain, residue, made = app.Topology(), None, None, {}
        part.setPeriodicBoxVectors(self.topology.getPeriodicBoxVectors())
        for atom in (known[index] for index in kept):
            if residue is None or atom.residue is not residue:
                if residue is None or atom.residue.chain is not residue.chain:
                    chain = part.addChain(atom.residue.chain.id)
                residue = atom.residue
                new = part.addResidue(residue.name, chain, residue.id)
            made[atom] = part.addAtom(atom.name, atom.element, new)
        for one, other in self.topology.bonds():
            if one in made and other in made:
                part.addBond(made[one], made[other])
        return part


def _waters(topology: app.Topology, solute: set[int]) -> Ints:
    """Waters outside the solute, by what they are made of, the oxygen of each first, then as they are."""
    found = []
    for residue in topology.residues():
        atoms = list(residue.atoms())
        symbols = [atom.element.symbol if atom.element else "" for atom in atoms]
        if atoms[0].index in solute or symbols[0] != "O" or symbols.count("H") != 2 or len("".join(symbols)) != 3:
            continue
        found.append([atom.index for atom in atoms])
    size = len(found[0]) if found else 3
    return np.array([water for water in found if len(water) == size], dtype=np.int32).reshape(-1, size)


def write_pdb(path: Path, topology: app.Topology, positions_nm: npt.NDArray[np.floating]) -> None:
    """Write the topology of a trajectory, without a date.

    Parameters
    ----------
    path
        The file.
    topology
        Of its frames.
    positions_nm
        One of them, shape (atoms, 3), nm.
    """
    with atomic_open(path, "w") as file:
        app.PDBFile.writeModel(topology, positions_nm.astype(float) * unit.nanometer, file, keepIds=True)
        app.PDBFile.writeFooter(topology, file)
