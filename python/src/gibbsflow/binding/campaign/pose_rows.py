"""Rows of a samplesheet that are of one ligand: whether its poses can be, and what is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from rdkit import Chem
from rdkit.Chem import rdMolAlign

from gibbsflow.binding.forcefield.given.smiles import constitution
from gibbsflow.binding.network.design.comparison import without_isotopes
from gibbsflow.binding.prepare.molecules import Molecule, rdkit_messages
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.modes import MODES
from gibbsflow.errors import Problem

SAME_POSE_ANGSTROM = 0.5
"""Heavy atoms of two poses nearer than this (RMSD) are the same pose, given twice."""


def pose_problems(
    ligands: Sequence[tuple[Row, Molecule | str | None]], mode: str, where: str
) -> tuple[list[tuple[Row, Problem]], list[Problem]]:
    """Check rows against each other that are poses of one ligand.

    Parameters
    ----------
    ligands
        Usable rows, each with its ligand, in its pose unless it is to be placed; of a system that comes solvated what
        it is by elements and bonds, or None where it was not read.
    mode
        Of the campaign.
    where
        What messages call the samplesheet.

    Returns
    -------
    problems
        With the row that each is about: another molecule, a second one that is placed, a mode without a receptor.
    warnings
        Two poses that are the same: they will be counted once. A molecule that is computed twice, under two names.
    """
    problems: list[tuple[Row, Problem]] = []
    warnings = [] if MODES[mode].compares else _repeated(ligands, mode, where)
    groups: dict[str, list[tuple[Row, Molecule | str | None]]] = {}
    for row, ligand in ligands:
        if row.pose_of is not None:
            groups.setdefault(row.pose_of, []).append((row, ligand))

    def _wrong(row: Row, what: str, right: str) -> None:
        problems.append((row, Problem(where, f"{row.ligand}: {what}", right, row.line, "pose_of")))

    for name, group in groups.items():
        first, molecule = group[0]
        if "receptor" not in MODES[mode].needs:
            for row, _ in group:
                _wrong(row, f"a pose of {name}, without a receptor", f"no pose_of in mode {mode}")
            continue
        for row, ligand in group[1:]:
            if not _alike(ligand, molecule):
                what = f"a pose of {name} is another molecule than {first.ligand}"
                if isinstance(ligand, Molecule) and isinstance(molecule, Molecule):
                    what = f"a pose of {name} is {ligand.smiles}, and {first.ligand} is {molecule.smiles}"
                _wrong(row, what, "one molecule, in one isomer and protonation, for all poses of a ligand")
        alike = [(row, ligand) for row, ligand in group if isinstance(ligand, Molecule) and _alike(ligand, molecule)]
        placed = [row for row, _ in alike if not row.in_its_pose]
        for row in placed[1:]:
            _wrong(row, f"placed, as {placed[0].ligand} is: one pose twice", "a structure or file with its own pose")
        given = [(row, ligand) for row, ligand in alike if row.in_its_pose]
        for (one, mine), (other, theirs) in combinations(given, 2):
            if (apart := _rmsd_angstrom(mine, theirs)) < SAME_POSE_ANGSTROM:
                what = f"{one.ligand} and {other.ligand} are one pose of {name} ({apart:.2f} Å apart): counted once"
                warnings.append(Problem(where, what, row=other.line, field="pose_of"))
    return problems, warnings


def _repeated(ligands: Sequence[tuple[Row, Molecule | str | None]], mode: str, where: str) -> list[Problem]:
    """Molecules that are there again with nothing of their own: no pose of theirs, in a mode where poses count."""
    posed, first, told = "receptor" in MODES[mode].needs, dict[str, Row](), []
    for row, ligand in ligands:
        if not isinstance(ligand, Molecule) or (posed and (row.in_its_pose or row.pose_of is not None)):
            continue
        if (known := first.setdefault(without_isotopes(ligand.mol), row)) is not row:
            what = f"{row.ligand} is the molecule of {known.ligand} (row {known.line}), and is computed again"
            told.append(Problem(where, what, row=row.line, field="ligand"))
    return told


def _alike(one: Molecule | str | None, other: Molecule | str | None) -> bool:
    """Whether two ligands are one molecule, as far as is known of both."""
    if isinstance(one, Molecule) and isinstance(other, Molecule):
        return one.smiles == other.smiles
    told = [constitution(ligand.mol) if isinstance(ligand, Molecule) else ligand for ligand in (one, other)]
    return None in told or told[0] == told[1]


def _rmsd_angstrom(one: Molecule, other: Molecule) -> float:
    """RMSD of heavy atoms where they are, by the mapping that is nearest."""
    with rdkit_messages():
        return float(rdMolAlign.CalcRMS(Chem.RemoveHs(one.mol), Chem.RemoveHs(other.mol)))
