"""A campaign's input as a whole: samplesheet, chemistry, receptor, settings and output folder, all problems at once."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from gibbsflow.binding.alchemy.alchemical_leg import sampling
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.prepare import samplesheet
from gibbsflow.binding.prepare.ligands import check_pose, read_ligand
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError, Problem


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


def check_campaign(sheet: Path, receptor_path: Path, config: Path | None, outdir: Path | None) -> CampaignCheck:
    """Check samplesheet, chemistry, receptor, settings and output folder, all at once.

    Parameters
    ----------
    sheet, receptor_path, config
        The files, as the user named them; without `config` the defaults count.
    outdir
        Folder of the results, which need not exist yet; None for no such check.

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
    for check in (
        lambda: leg_schedules(settings.fe, protocol_of(settings.run.mode)),
        lambda: sampling(settings.md, settings.fe),
    ):
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
    try:
        ligand = read_ligand(row)
        faults = check_pose(row, ligand, receptor, settings.system) if receptor is not None else []
        source = "smiles" if row.smiles else "structure"
        notes = [Problem(where, f"{row.ligand}: {note}", row=row.line, field=source) for note in ligand.notes]
    except MoleculeError as error:
        faults, notes = error.faults, []
    return [Problem(where, f"{row.ligand}: {f.what}", f.right, row.line, f.field) for f in faults], notes


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
