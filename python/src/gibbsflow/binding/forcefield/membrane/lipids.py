"""Lipids of a topology, told by their atoms: lipid21 splits them into residues, other force fields do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.binding.forcefield.topology_file import molecules, residue_labels, sections
from gibbsflow.units import Ints

LEAST_CARBONS = 20
"""Of a phospholipid with two chains: dicaprylphosphatidylcholine has 24; detergents of one chain, as DPC, 17."""
STEROLS = frozenset({"CHL", "CHL1", "CLR", "CHOL"})
"""Residues of cholesterol: lipid21's, CHARMM's, the PDB's, GROMOS'."""
STEROL_CARBONS, STEROL_HYDROGENS = (27, 29), (44, 50)
"""With one oxygen and no other element: cholesterol C27H46O, ergosterol C28H44O, sitosterol C29H50O by any name."""
LEAST_LIPIDS = 8
"""Fewer are bound to a protein, and no membrane."""
_POLYMER_NAMES = ({"C1'", "C3'", "C4'"}, {"N", "CA", "C"})
_HYDROGEN, _CARBON, _OXYGEN, _PHOSPHORUS = 1, 6, 8, 15


@dataclass(frozen=True)
class Lipids:
    """The lipids of a box.

    Attributes
    ----------
    molecules
        Atoms of each, 0-based.
    heads
        Of each the atom that tells where its head is: phosphorus, or the oxygen of a sterol.
    kinds
        What each is called, by its residues, as ``PA-PC-OL`` or ``POPC``.
    sterols
        Places of sterols among them.
    """

    molecules: tuple[Ints, ...]
    heads: tuple[int, ...]
    kinds: tuple[str, ...]
    sterols: tuple[int, ...] = ()

    @property
    def are_a_membrane(self) -> bool:
        """Say whether there are enough of them.

        Returns
        -------
        bool
            False for a few that are bound to a protein.
        """
        return len(self.molecules) >= LEAST_LIPIDS

    @property
    def atoms(self) -> Ints:
        """All their atoms.

        Returns
        -------
        ndarray
            In the order of the lipids.
        """
        return np.concatenate(self.molecules) if self.molecules else np.zeros(0, dtype=np.int32)

    def counts(self) -> dict[str, int]:
        """Count them by kind.

        Returns
        -------
        dict
            In the order of their first ones.
        """
        return dict(Counter(self.kinds))


NO_LIPIDS = Lipids((), (), ())


def find_lipids(
    elements: Ints,
    names: Sequence[str],
    labels: Sequence[str],
    residue_of: Ints,
    molecule_of: Ints,
    without: Sequence[int] = (),
) -> Lipids:
    """Find the lipids among the molecules of a topology.

    Phospholipids are molecules with a phosphorus and at least `LEAST_CARBONS` carbons that are no polymer; sterols go
    by the names of their residues or by their formula.

    Parameters
    ----------
    elements
        Atomic numbers, shape (N,).
    names
        Of the atoms.
    labels
        Of the residues.
    residue_of, molecule_of
        Of each atom, counted from 0, shape (N,).
    without
        Atoms whose molecules are none, whatever they are: ligand and receptor.

    Returns
    -------
    Lipids
        In the order of the topology.
    """
    count = int(molecule_of.max()) + 1
    carbons = np.bincount(molecule_of[elements == _CARBON], minlength=count)
    phosphori = np.bincount(molecule_of[elements == _PHOSPHORUS], minlength=count)
    possible = carbons >= LEAST_CARBONS
    possible[molecule_of[list(without)]] = False
    order, ends = np.argsort(molecule_of, kind="stable"), np.cumsum(np.bincount(molecule_of, minlength=count))
    found: list[Ints] = []
    heads, kinds, sterols = [], [], []
    for molecule in np.flatnonzero(possible).tolist():
        atoms = order[ends[molecule - 1] if molecule else 0 : ends[molecule]].astype(np.int32)
        residues = list(dict.fromkeys(residue_of[atoms].tolist()))
        sterol = all(labels[residue] in STEROLS for residue in residues) or _has_formula_of_sterol(elements[atoms])
        if not sterol and (not phosphori[molecule] or _is_polymer(atoms, names, residue_of)):
            continue
        if sterol:
            sterols.append(len(found))
        heads.append(int(atoms[elements[atoms] == (_OXYGEN if sterol else _PHOSPHORUS)][0]))
        kinds.append("-".join(labels[residue] for residue in residues))
        found.append(atoms)
    return Lipids(tuple(found), tuple(heads), tuple(kinds), tuple(sterols))


def _has_formula_of_sterol(elements: Ints) -> bool:
    found = Counter(elements.tolist())
    carbons, hydrogens = found.pop(_CARBON, 0), found.pop(_HYDROGEN, 0)
    fits = [low <= n <= high for n, (low, high) in ((carbons, STEROL_CARBONS), (hydrogens, STEROL_HYDROGENS))]
    return all(fits) and found == {_OXYGEN: 1}


def _is_polymer(atoms: Ints, names: Sequence[str], residue_of: Ints) -> bool:
    inside: dict[int, set[str]] = {}
    for atom in atoms.tolist():
        inside.setdefault(int(residue_of[atom]), set()).add(names[atom])
    return any(found >= wanted for found in inside.values() for wanted in _POLYMER_NAMES)


def lipids_of(prmtop: Path, without: Sequence[int] = ()) -> Lipids:
    """Find the lipids of a topology in its file.

    Parameters
    ----------
    prmtop
        AMBER topology.
    without
        Atoms whose molecules are none: ligand and receptor.

    Returns
    -------
    Lipids
        Of no molecules where there are none.
    """
    found = sections(prmtop)
    elements = np.array(found["ATOMIC_NUMBER"].split(), dtype=np.int32)
    lines = found["ATOM_NAME"].rstrip("\n").split("\n")
    names = [line[i : i + 4].strip() for line in lines for i in range(0, len(line), 4)][: len(elements)]
    starts = np.array(found["RESIDUE_POINTER"].split(), dtype=int) - 1
    residue_of = (np.searchsorted(starts, np.arange(len(elements)), side="right") - 1).astype(np.int32)
    return find_lipids(elements, names, residue_labels(prmtop), residue_of, molecules(prmtop), without)


def is_membrane(prmtop: Path) -> bool:
    """Say whether a box holds a membrane, whose area and thickness a barostat has to leave to it.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    bool
        True where it has lipids enough.
    """
    return lipids_of(prmtop).are_a_membrane
