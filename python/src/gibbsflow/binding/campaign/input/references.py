"""Rows without a pose of their own, and the rows whose poses they are laid on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gibbsflow.binding.network.design.difficulty import FEWEST_COMMON, common_difficulty
from gibbsflow.binding.prepare.molecules import Fault, Molecule, rdkit_messages
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.errors import Problem, shown

Ligands = list[tuple[Row, Molecule]]


def asked_for(row: Row, settings: BindingConfig) -> Row:
    """Ask for the pose of another ligand where the settings say so and the row has none.

    Parameters
    ----------
    row
        As the samplesheet has it.
    settings
        Sections ``run`` (mode) and ``system`` count.

    Returns
    -------
    Row
        With pose ``align`` in place of ``place``.
    """
    wanted = settings.system.align_poses and "receptor" in MODES[settings.run.mode].needs
    return replace(row, pose="align") if wanted and row.pose == "place" else row


def elsewhere(row: Row, faults: Sequence[Fault], settings: BindingConfig) -> bool:
    """Say whether a structure is of use for its molecule alone, as it does not lie in the receptor.

    Parameters
    ----------
    row
        The row.
    faults
        What is wrong with it.
    settings
        Section ``system`` counts.

    Returns
    -------
    bool
        Where poses are to be aligned, and the place of the structure is all that is wrong.
    """
    of_its_place = bool(faults) and all(fault.field == "pose" for fault in faults)
    return settings.system.align_poses and row.pose == "given" and of_its_place


def with_references(
    ligands: Ligands, where: str, others: Collection[str] = ()
) -> tuple[Ligands, list[tuple[Row, Problem]]]:
    """Find what each row is laid on that asks for it.

    Parameters
    ----------
    ligands
        Usable rows, each with its ligand.
    where
        What messages call the samplesheet.
    others
        Ligands of rows that cannot be used.

    Returns
    -------
    ligands
        The same in their order; rows that are laid on others with the file of that pose and the other's name.
    problems
        With the row that each is about: nobody to be laid on, or nothing in common.
    """
    posed = {row.ligand: (row, ligand) for row, ligand in ligands if row.in_its_pose and not row.solvated}
    every = {row.ligand for row, _ in ligands}
    found: Ligands = []
    problems = []
    for row, ligand in ligands:
        if row.pose != "align":
            found.append((row, ligand))
            continue
        named = row.aligned_to
        right = "align:NAME of a row that has its pose, align, or a pose of its own"
        if named is not None and named not in posed:
            what = f"has no pose in {where} either" if named in every else "is none of the ligands"
            what = "cannot be used" if named in others else what
            problems.append((row, Problem(where, f"{row.ligand}: {shown(named)} {what}", right, row.line, "pose")))
            continue
        among = posed.values() if named is None else [posed[named]]
        with rdkit_messages():
            common = {
                other.ligand: difficulty
                for other, known in among
                if (difficulty := common_difficulty(ligand.mol, known.mol)) is not None
            }
        if not common:
            whom = named or f"any of the {len(posed)} ligands that have a pose"
            what = f"{row.ligand}: fewer than {FEWEST_COMMON} heavy atoms are in common with {whom}"
            what = what if posed else f"{row.ligand}: no ligand has a pose that it could be laid on"
            problems.append((row, Problem(where, what, right, row.line, "pose")))
            continue
        reference = min(common, key=lambda name: (common[name], name))
        other, _ = posed[reference]
        pose = other.structure if other.pose == "given" else other.pose
        found.append((replace(row, pose=str(pose), aligned_to=reference), ligand))
    return found, problems
