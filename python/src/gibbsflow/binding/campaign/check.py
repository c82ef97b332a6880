"""A campaign's input as a whole: samplesheet, chemistry, receptor, settings and output folder, all problems at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.alchemical_leg import sampling
from gibbsflow.binding.alchemy.protocols import cycle_doubts, protocol_of
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.prepare import samplesheet
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import check_pose, given_pose, hypervalent, pose_ligand, read_ligand
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError, rdkit_messages
from gibbsflow.binding.prepare.protein.cofactors import warn_of_near
from gibbsflow.binding.prepare.receptor_file import RECEPTOR_RIGHT, read_receptor
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.prepare.solute import solute_faults
from gibbsflow.config.binding import MODES, BindingConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account

MOST_PLACED = 4
"""Ligands that are placed for a trial, the largest first: some 0.5 s each that fits, 2 s each that does not."""


@dataclass(frozen=True)
class CampaignCheck:
    """What a check of a campaign's input found.

    Attributes
    ----------
    rows
        Rows without a problem.
    problems
        All that is wrong.
    warnings
        What is worth knowing and not wrong.
    """

    rows: tuple[Row, ...]
    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)


def check_campaign(
    sheet: Path,
    receptor_path: Path | None,
    config: Path | None,
    outdir: Path | None,
    chosen: Mapping[str, Any] | None = None,
) -> CampaignCheck:
    """Check samplesheet, chemistry, receptor, settings and output folder, all at once.

    Parameters
    ----------
    sheet, receptor_path, config
        The files, as the user named them; without `config` the defaults count. Modes without a receptor take none.
    outdir
        Folder of the results, which need not exist yet; None for no such check.
    chosen
        Settings of section ``system`` that go before those of `config`; None for none.

    Returns
    -------
    CampaignCheck
        Usable rows, problems in the order of the files and rows, and warnings.
    """
    problems: list[Problem] = []
    settings = BindingConfig()
    if config is not None:
        try:
            settings = BindingConfig.read(config)
        except InputError as error:
            problems += error.problems
    settings = settings.with_system(chosen or {})
    for check in (
        lambda: leg_schedules(settings.fe, protocol_of(settings.run.mode, explicit=settings.md.explicit)),
        lambda: sampling(settings.md, settings.fe),
    ):
        try:
            check()
        except InputError as error:
            problems += error.problems
    rows, table_problems = samplesheet.check_samplesheet(sheet)
    receptor = None
    warnings = []
    alone = "receptor" not in MODES[settings.run.mode].needs
    try:
        if (receptor_path is None) != alone:
            right = f"none in mode {settings.run.mode}" if alone else RECEPTOR_RIGHT
            problems.append(Problem("io", str(receptor_path or "missing"), right, field="receptor"))
        elif receptor_path is not None:
            receptor = read_receptor(receptor_path, settings.system, complete=False)
            warnings += [Problem(str(receptor_path), note) for note in receptor.notes]
    except InputError as error:
        problems += error.problems
    usable: list[tuple[Row, Molecule]] = []
    for row in rows:
        ligand, found, notes = _read_row(row, receptor, settings, str(sheet))
        table_problems += found
        warnings += notes
        if ligand is not None and not found:
            usable.append((row, ligand))
    misfits = {} if receptor is None else misplaced(usable, receptor, settings, str(sheet))
    good = [row for row, _ in usable if row.line not in misfits]
    table_problems += misfits.values()
    problems += sorted(table_problems, key=lambda problem: problem.row or 0)
    if outdir is not None:
        problems += outdir_problems(outdir)
    return CampaignCheck(tuple(good), problems, warnings)


def check_row(
    row: Row, receptor: Receptor | None, settings: BindingConfig, where: str
) -> tuple[list[Problem], list[Problem]]:
    """Check the chemistry of one row.

    Parameters
    ----------
    row
        One that has nothing wrong at table level.
    receptor
        Receptor that its pose is checked against; None where it could not be read.
    settings
        Section ``system`` counts.
    where
        What messages call the samplesheet.

    Returns
    -------
    problems
        Empty where the row is usable.
    warnings
        What was done to the ligand or assumed of it.
    """
    _, problems, warnings = _read_row(row, receptor, settings, where)
    return problems, warnings


def _read_row(
    row: Row, receptor: Receptor | None, settings: BindingConfig, where: str
) -> tuple[Molecule | None, list[Problem], list[Problem]]:
    """Read and check the ligand of a row, with what :func:`check_row` says of it; None where it cannot be read."""
    ligand = None
    try:
        with rdkit_messages():
            ligand = read_ligand(row)
            if "receptor" not in MODES[settings.run.mode].needs:
                faults = solute_faults(row, ligand)
            else:
                faults = check_pose(row, ligand, receptor, settings.system) if receptor is not None else []
            if not faults and row.pose == "place":
                embed(ligand, count=1, seed=settings.run.seed)  # is there a geometry of this isomer at all?
            elif not faults:
                ligand = given_pose(row, ligand)
        protocol = protocol_of(settings.run.mode, explicit=settings.md.explicit)
        doubts = cycle_doubts(protocol, settings.md, ligand.charge, where=where)
        faults = faults + [Fault(p.field or "solvent", p.what, p.right) for p in doubts.of_weight("refuse")]
        source = "smiles" if row.smiles else "structure"
        said = (*ligand.notes, *ligand.warnings, *hypervalent(ligand.mol))
        notes = [Problem(where, f"{row.ligand}: {note}", row=row.line, field=source) for note in said]
        if receptor is not None and receptor.left_out and not faults:
            near = Account(where)
            warn_of_near(receptor.left_out, ligand.heavy_angstrom, near)
            notes += [Problem(where, f"{row.ligand}: {p.what}", p.right, row.line) for p in near.of_weight("warn")]
    except MoleculeError as error:
        faults, notes = error.faults, []
    return ligand, [Problem(where, f"{row.ligand}: {f.what}", f.right, row.line, f.field) for f in faults], notes


def misplaced(
    ligands: Sequence[tuple[Row, Molecule]], receptor: Receptor, settings: BindingConfig, where: str
) -> dict[int | None, Problem]:
    """Try whether the largest of the ligands that are to be placed fit into the host's cavity.

    Parameters
    ----------
    ligands
        Usable rows, each with its ligand as it was read.
    receptor
        Host, or a protein, in which nothing is placed.
    settings
        With the seed that they will be placed with.
    where
        What messages call the samplesheet.

    Returns
    -------
    dict
        By line of the samplesheet what does not fit, with the nearest distance.
    """
    placed = [(row, ligand) for row, ligand in ligands if row.pose == "place"]
    placed.sort(key=lambda pair: -len(pair[1].heavy_atoms))
    misfits: dict[int | None, Problem] = {}
    for row, ligand in placed[:MOST_PLACED]:
        try:
            pose_ligand(row, ligand, receptor, settings.system, seed=settings.run.seed)
        except MoleculeError as error:
            misfits[row.line] = Problem(
                where,
                "; ".join(f"{row.ligand}: {f.what}" for f in error.faults),
                error.faults[0].right,
                row.line,
                error.faults[0].field,
            )
    return misfits


def outdir_problems(outdir: Path) -> list[Problem]:
    """Say whether a folder could be made and written, by trying in the nearest folder that is there already.

    Parameters
    ----------
    outdir
        Folder of the results, which need not exist yet.

    Returns
    -------
    list of Problem
        At most one; empty where it could.
    """
    nearest = next(p for p in (outdir.absolute(), *outdir.absolute().parents) if p.exists())
    right = "a folder you may write to"
    if not nearest.is_dir():
        return [Problem(str(outdir), f"{nearest} is a file", right, field="outdir")]
    try:
        with tempfile.TemporaryFile(dir=nearest) as probe:
            probe.write(b"x")
    except OSError as error:
        return [Problem(str(outdir), f"not writable: {error.strerror} ({nearest})", right, field="outdir")]
    return []
