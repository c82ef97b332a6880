"""Lipids, water and ions round a protein: what gives way to what, and how tleap reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.ions import ANION, CATION
from gibbsflow.binding.forcefield.patch.lipid_names import AmberNames, record
from gibbsflow.binding.forcefield.solvation import WATER_MOL_PER_L
from gibbsflow.binding.prepare.membrane.lipid_residues import HEADS
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

CLASH_ANGSTROM, WATER_CLASH_ANGSTROM = 1.8, 2.4
ION_DISTANCE_ANGSTROM = 5.0
BEYOND_HEADS_ANGSTROM = 3.0
"""Ions start farther out than this from the outermost atoms of the lipids."""


@dataclass(frozen=True)
class Lipid:
    """One lipid as lipid21 names it.

    Attributes
    ----------
    names, residues
        Of each atom.
    residue_of
        Of each atom, counted from 0 in the order in which they are bonded: both tails may have one name.
    positions_angstrom
        Shape (A, 3), Å.
    """

    names: tuple[str, ...]
    residues: tuple[str, ...]
    residue_of: tuple[int, ...]
    positions_angstrom: Floats

    @property
    def kind(self) -> str:
        """What it is.

        Returns
        -------
        str
            Its residues, as ``PA-PC-OL``.
        """
        first = [self.residue_of.index(k) for k in range(self.residue_of[-1] + 1)]
        return "-".join(self.residues[k] for k in first)

    @property
    def charge_e(self) -> int:
        """Its charge.

        Returns
        -------
        int
            In e, that of its head.
        """
        return sum(HEADS.get(name, 0) for name in set(self.residues))

    @property
    def heavy_angstrom(self) -> Floats:
        """Places of its heavy atoms.

        Returns
        -------
        ndarray
            Shape (H, 3), Å.
        """
        return self.positions_angstrom[[not name.lstrip("0123456789").startswith("H") for name in self.names]]


def named_lipid(names: AmberNames, positions_angstrom: Floats) -> Lipid:
    """Give a lipid lipid21's names.

    Parameters
    ----------
    names
        Of its atoms.
    positions_angstrom
        In the order that the names were asked for, shape (A, 3), Å.

    Returns
    -------
    Lipid
        In lipid21's order.
    """
    return Lipid(names.names, names.residues, names.residue_of, positions_angstrom[list(names.source)])


@dataclass(frozen=True)
class Surroundings:
    """Lipids, water and ions round a protein.

    Attributes
    ----------
    lipids
        One by one.
    waters
        Oxygen and hydrogens of each, shape (W, 3, 3), Å.
    box_angstrom
        Lengths, shape (3,), Å.
    ions
        Places of each kind, shape (K, 3), Å.
    """

    lipids: tuple[Lipid, ...]
    waters: Floats
    box_angstrom: Floats
    ions: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def atoms(self) -> int:
        """How many atoms.

        Returns
        -------
        int
            Of all of them.
        """
        ions = sum(map(len, self.ions.values()))
        return sum(len(lipid.names) for lipid in self.lipids) + 3 * len(self.waters) + ions

    def composition(self) -> dict[str, int]:
        """Count the lipids by kind.

        Returns
        -------
        dict
            In the order of their first ones.
        """
        kinds = [lipid.kind for lipid in self.lipids]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def without_clashes(packed: Surroundings, ligand_angstrom: Floats, *, where: str) -> Surroundings:
    """Take water away from where the ligand is.

    Parameters
    ----------
    packed
        Lipids, water, ions.
    ligand_angstrom
        Its heavy atoms, shape (M, 3), Å.
    where
        What messages call it.

    Returns
    -------
    Surroundings
        Without those waters.

    Raises
    ------
    InputError
        For a ligand that lipids or ions overlap.
    """
    tree = cKDTree(ligand_angstrom)
    near = [tree.query(lipid.heavy_angstrom)[0].min() < CLASH_ANGSTROM for lipid in packed.lipids]
    if any(near):
        what = f"the ligand is in the lipid: {sum(near)} lipids lie where it is"
        right = "a ligand in a site of the protein; for one among lipids a system that is given, equilibrated"
        raise InputError(Problem(where, what, right, field="pose"))
    for kind, places in packed.ions.items():
        if len(places) and tree.query(places)[0].min() < CLASH_ANGSTROM:
            what = f"the ligand is where an ion {kind} is"
            raise InputError(Problem(where, what, "a ligand in a site of the protein", field="pose"))
    return replace(packed, waters=packed.waters[tree.query(packed.waters[:, 0])[0] > WATER_CLASH_ANGSTROM])


def with_ions(
    packed: Surroundings, solute_angstrom: Floats, charge_e: int, salt_mol_per_l: float, seed: int, *, where: str
) -> Surroundings:
    """Put ions in place of waters outside the membrane.

    Parameters
    ----------
    packed
        Lipids, water, and ions that are there already.
    solute_angstrom
        Receptor and ligand, shape (N, 3), Å.
    charge_e
        Of all that is there, lipids and ions among it.
    salt_mol_per_l
        Pairs beside those that neutralise.
    seed
        Of their places.
    where
        What messages call it.

    Returns
    -------
    Surroundings
        With ions in the place of the waters that gave way.

    Raises
    ------
    InputError
        Where they do not fit.
    """
    pairs = round(salt_mol_per_l * len(packed.waters) / WATER_MOL_PER_L)
    counts = {CATION: pairs + max(0, -charge_e), ANION: pairs + max(0, charge_e)}
    heights = np.concatenate([lipid.positions_angstrom[:, 2] for lipid in packed.lipids])
    oxygens = packed.waters[:, 0]
    beyond = (oxygens[:, 2] > heights.max() + BEYOND_HEADS_ANGSTROM) | (
        oxygens[:, 2] < heights.min() - BEYOND_HEADS_ANGSTROM
    )
    there = np.concatenate([solute_angstrom, *packed.ions.values()])
    free = beyond & (cKDTree(there).query(oxygens)[0] > ION_DISTANCE_ANGSTROM)
    chosen: list[int] = []
    for place in np.random.default_rng(seed).permutation(np.flatnonzero(free)).tolist():
        if len(chosen) == sum(counts.values()):
            break
        if not chosen or np.linalg.norm(oxygens[chosen] - oxygens[place], axis=1).min() > ION_DISTANCE_ANGSTROM:
            chosen.append(place)
    if len(chosen) < sum(counts.values()):
        what = f"{sum(counts.values())} ions do not fit outside the membrane, {len(chosen)} do"
        right = "more membrane_padding_angstrom, or less salt_mol_per_l"
        raise InputError(Problem(where, what, right, field="salt_mol_per_l"))
    new = {CATION: oxygens[chosen[: counts[CATION]]], ANION: oxygens[chosen[counts[CATION] :]]}
    none = np.zeros((0, 3))
    ions = {kind: np.concatenate([packed.ions.get(kind, none), new.get(kind, none)]) for kind in {**packed.ions, **new}}
    return replace(packed, waters=np.delete(packed.waters, chosen, axis=0), ions=ions)


def write_surroundings(packed: Surroundings, folder: Path) -> list[str]:
    """Write lipids, ions and waters as tleap reads them.

    Parameters
    ----------
    packed
        Lipids, water, ions.
    folder
        Where tleap runs.

    Returns
    -------
    list of str
        Names of the files without their ending ``.pdb``, in the order that they are to be combined in.
    """
    lines: list[str] = []
    number = 0
    for lipid in packed.lipids:
        for k, (atom, label) in enumerate(zip(lipid.names, lipid.residues, strict=True)):
            place = number + lipid.residue_of[k] + 1
            lines.append(record(k + 1, atom, label, place, lipid.positions_angstrom[k]))
        number += lipid.residue_of[-1] + 1
        lines.append("TER")
    _pdb(folder / "lipids.pdb", lines)
    ionic = [(kind, place) for kind, places in packed.ions.items() for place in places]
    _pdb(folder / "ions.pdb", [record(k, kind, kind, k, place) + "\nTER" for k, (kind, place) in enumerate(ionic, 1)])
    rows: list[str] = []
    for k, water in enumerate(packed.waters, 1):
        rows += [record(k, atom, "WAT", k, xyz) for atom, xyz in zip(("O", "H1", "H2"), water, strict=True)] + ["TER"]
    _pdb(folder / "water.pdb", rows)
    return ["lipids", *(["ions"] if ionic else []), "water"]


def _pdb(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join([*lines, "END", ""]))
