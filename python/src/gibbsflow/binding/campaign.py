"""A campaign's input as a whole: all its problems at once, and the preparation of one of its systems."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding import samplesheet
from gibbsflow.binding.alchemical_legs import sampling
from gibbsflow.binding.ligands import centre_angstrom, check_pose, pose_ligand, read_ligand
from gibbsflow.binding.molecules import MoleculeError, rdkit_messages, write_sdf
from gibbsflow.binding.placement import buriedness
from gibbsflow.binding.receptors import RECEPTOR_RIGHT, Receptor, read_receptor
from gibbsflow.binding.samplesheet import Row
from gibbsflow.binding.schedules import leg_schedules
from gibbsflow.config.run import RunConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.system import SimSystem

log = logging.getLogger(__name__)
PHYSICS = 1
"""Raised by hand when poses or protonation change for the same input."""


@dataclass(frozen=True)
class Check:
    """What a check of a campaign's input found.

    Parameters
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


def check_campaign(sheet: Path, receptor_path: Path, config: Path | None, outdir: Path | None) -> Check:
    """Check samplesheet, chemistry, receptor, settings and output folder, all at once.

    Parameters
    ----------
    sheet, receptor_path, config
        The files, as the user named them.
    outdir
        Folder of the results, which need not exist yet.
    """
    problems: list[Problem] = []
    settings = RunConfig()
    if config is not None:
        try:
            settings = RunConfig.read(config)
        except InputError as error:
            problems += error.problems
    for check in (lambda: leg_schedules(settings.fe), lambda: sampling(settings.md, settings.fe)):
        try:
            check()
        except InputError as error:
            problems += error.problems
    rows, table_problems = samplesheet.check_samplesheet(sheet)
    receptor = None
    warnings = []
    try:
        receptor = read_receptor(receptor_path, settings.system, complete=False)
        warnings += [Problem(str(receptor_path), note) for note in receptor.notes]
    except InputError as error:
        problems += error.problems
    good = []
    for row in rows:
        found, notes = check_row(row, receptor, settings, str(sheet))
        table_problems += found
        warnings += notes
        if not found:
            good.append(row)
    problems += sorted(table_problems, key=lambda problem: problem.row or 0)
    if outdir is not None:
        problems += outdir_problems(outdir)
    return Check(tuple(good), problems, warnings)


def check_row(
    row: Row, receptor: Receptor | None, settings: RunConfig, where: str
) -> tuple[list[Problem], list[Problem]]:
    """Check the chemistry of one row; returns problems and warnings."""
    try:
        ligand = read_ligand(row)
        faults = check_pose(row, ligand, receptor, settings.system) if receptor is not None else []
        source = "smiles" if row.smiles else "structure"
        notes = [Problem(where, f"{row.ligand}: {note}", row=row.line, field=source) for note in ligand.notes]
    except MoleculeError as error:
        faults, notes = error.faults, []
    return [Problem(where, f"{row.ligand}: {f.what}", f.right, row.line, f.field) for f in faults], notes


def outdir_problems(outdir: Path) -> list[Problem]:
    """Say whether a folder could be made and written, by trying in the nearest folder that is there already."""
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


def single_row(name: str, structure: Path | None, smiles: str | None, charge: int | None, pose: str | None) -> Row:
    """Make a row from options, under the rules of the samplesheet.

    Raises
    ------
    InputError
        With all problems, naming the options.
    """
    given: dict[str, Any] = {"ligand": name, "structure": structure, "smiles": smiles, "charge": charge, "pose": pose}
    cells = {key: str(value) for key, value in given.items() if value is not None}
    row, problems = samplesheet.parse_row("command line", Path.cwd(), None, cells)
    if row is None:
        raise InputError(problems)
    return row


def preparation_hash(row: Row, receptor: Path, settings: RunConfig) -> str:
    """Hash of all that decides the prepared system.

    Raises
    ------
    InputError
        Where the receptor is missing.
    """
    if not receptor.is_file():
        raise InputError(Problem(str(receptor), "no such file", RECEPTOR_RIGHT, field="receptor"))
    files = {"receptor": receptor}
    if row.structure:
        files["structure"] = Path(row.structure)
    pose = row.pose
    if pose not in ("given", "place"):
        files["pose"], pose = Path(pose), "file"
    content = {"smiles": row.smiles, "charge": row.charge, "pose": pose, "seed": settings.run.seed}
    return inputs_hash(files=files, settings=content | settings.system.model_dump(), physics=PHYSICS)


def prepare_system(row: Row, receptor_path: Path, settings: RunConfig, out: Path) -> tuple[SimSystem, dict[str, Any]]:
    """Read receptor and ligand, complete them, find the pose, and write both into a folder.

    Returns
    -------
    system
        Not yet written; artifacts and meta of phase system_prep (docs/contracts.md).
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        With all that is wrong with either.
    """
    out = Path(out)
    receptor = read_receptor(receptor_path, settings.system)
    try:
        with rdkit_messages():
            ligand = pose_ligand(row, read_ligand(row), receptor, settings.system, seed=settings.run.seed)
    except MoleculeError as error:
        raise InputError([Problem(row.ligand, f.what, f.right, field=f.field) for f in error.faults]) from error
    for note in (*receptor.notes, *ligand.notes):
        log.info("%s", note)
    receptor_file = receptor.write(out)
    ligand_file = write_sdf(ligand, out / "ligand.sdf", row.ligand)
    centre = centre_angstrom(ligand)
    facts = {
        "notes": [*receptor.notes, *ligand.notes],
        "pose": row.pose if row.pose in ("given", "place") else "file",
        "ligand_centre_offset_angstrom": round(float(np.linalg.norm(centre - receptor.heavy_angstrom.mean(axis=0))), 3),
        "ligand_buried_share": round(float(buriedness(centre[None], receptor.heavy_angstrom)[0]), 3),
    }
    system = SimSystem(row.ligand, out).with_artifacts(receptor=receptor_file.name, ligand=ligand_file.name)
    return (
        system.with_meta(
            receptor_kind=receptor.kind,
            receptor_charge=receptor.charge,
            receptor_name=receptor.name,
            ligand_charge=ligand.charge,
            ligand_smiles=ligand.smiles,
            site=receptor.site,
        ),
        facts,
    )
