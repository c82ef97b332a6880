"""A campaign's input as a whole: samplesheet, chemistry, receptor, settings and output folder, all problems at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.protocols import cycle_doubts, protocol_of
from gibbsflow.binding.campaign.check_edges import edge_problems
from gibbsflow.binding.campaign.check_restraints import row_problems, setting_problems
from gibbsflow.binding.campaign.check_solvated import read_solvated, topology_bytes
from gibbsflow.binding.campaign.foreseen.expected_box import expected_box
from gibbsflow.binding.campaign.foreseen.expected_doubts import expected_doubts
from gibbsflow.binding.campaign.foreseen.expected_ions import expected_ions
from gibbsflow.binding.campaign.foreseen.row_contents import RowContents, charge_lines
from gibbsflow.binding.campaign.input.references import asked_for, elsewhere, with_references
from gibbsflow.binding.campaign.input.setting_faults import setting_faults
from gibbsflow.binding.campaign.pose_rows import pose_problems
from gibbsflow.binding.campaign.unused import unused_settings
from gibbsflow.binding.forcefield.given.box_settings import AS_GIVEN
from gibbsflow.binding.forcefield.solvation import force_field_doubts
from gibbsflow.binding.prepare import samplesheet
from gibbsflow.binding.prepare.complex import solute_faults
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import (
    charge_faults,
    check_pose,
    given_pose,
    hypervalent,
    pose_ligand,
    read_ligand,
)
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError, rdkit_messages
from gibbsflow.binding.prepare.protein.cofactors import warn_of_near
from gibbsflow.binding.prepare.receptor_file import RECEPTOR_RIGHT, read_receptor
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.prepare.small_molecule.sdf_records import digest_of_record
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import INDIFFERENT_MD
from gibbsflow.config.launch.samplesheet_columns import SOLVATED, brings_receptors
from gibbsflow.config.modes import COMPARING, MODES
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import sha256_path
from gibbsflow.workflow.folders.places import RIGHT, folder_fault, place_problems
from gibbsflow.workflow.folders.published import MadeFrom, digest, file_given
from gibbsflow.workflow.state.sentinels import failed_sentinel

ALONE = "alone"
"""Stands for the receptor's name in the state of a campaign without one."""
FOLDER = "check"
"""Folder of a ligand's state that says why its row was left out."""
_HOW_IT_RUNS = {
    "run": ("on_failure", "clean_failures"),
    "param": ("param_memory_gb", "param_time_min"),
    "md": INDIFFERENT_MD,
}
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
    left_out
        By ligand what is wrong with its row, where the failure policy drops it for that.
    contents
        By ligand what was found in rows without a problem.
    """

    rows: tuple[Row, ...]
    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)
    left_out: dict[str, list[Problem]] = field(default_factory=dict)
    contents: dict[str, RowContents] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What is said of a campaign that goes on.

        Returns
        -------
        list of str
            The rows that are left out, then the warnings.
        """
        return self.losses + [str(note) for note in self.warnings]

    @property
    def losses(self) -> list[str]:
        """What is said of the rows that are left out.

        Returns
        -------
        list of str
            Each fault of each.
        """
        return [f"left out, the rest runs: {problem}" for row in self.left_out.values() for problem in row]

    @property
    def charges(self) -> list[str]:
        """What was found of net charges.

        Returns
        -------
        list of str
            A few lines, however many rows there are.
        """
        return charge_lines(self.contents)

    def record(self, state: Path) -> None:
        """Leave what is wrong with a row that is left out in its state, for status and table; forget what is mended.

        Parameters
        ----------
        state
            Folder of the receptor in the campaign's state, held by the caller.
        """
        for row in self.rows:
            (state / row.ligand / FOLDER / "FAILED").unlink(missing_ok=True)
        for ligand, faults in self.left_out.items():
            (state / ligand / FOLDER).mkdir(parents=True, exist_ok=True)
            failed_sentinel(InputError(faults), "").write(state / ligand / FOLDER)


def check_campaign(
    sheet: Path,
    receptor_path: Path | None,
    config: Path | None,
    outdir: Path | None,
    chosen: Mapping[str, Any] | None = None,
    *,
    on_failure: str = "raise",
    programs: bool = True,
    called: str | None = None,
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
    on_failure
        Failure policy: unless it is ``raise``, a molecule that cannot be used is left out as long as another can be.
    programs
        Whether what runs the MD must be on this machine; in containers it is in an image.
    called
        What messages call the settings, where `config` is no file that the user named.

    Returns
    -------
    CampaignCheck
        Usable rows, problems in the order of the files and rows, and warnings.
    """
    problems: list[Problem] = []
    settings, readable = BindingConfig(), True
    if config is not None:
        try:
            settings = BindingConfig.read(config)
        except InputError as error:
            problems, readable = [*error.problems], False
    settings = settings.with_system(chosen or {})
    rows, table_problems = samplesheet.check_samplesheet(sheet)
    boxed = all(row.solvated for row in rows) if rows else bool(table_problems) and brings_receptors(sheet)
    problems += setting_faults(settings, rows, boxed=boxed, programs=programs, where=called or str(config or "md"))
    problems += setting_problems(settings)
    warnings = [Problem("settings", note) for note in unused_settings(settings, boxed=boxed)]
    warnings += expected_doubts(settings)
    receptor = None
    if receptor_path is not None or readable:  # or whether there should be one is not known
        may_come_along = boxed or (bool(table_problems) and brings_receptors(sheet))
        receptor, wrong, told = _receptor(receptor_path, settings, boxed=boxed, may_come_along=may_come_along)
        problems += wrong
        warnings += told
    read = _read_rows(rows, receptor, settings, str(sheet))
    warnings += read.warnings
    if settings.run.mode in COMPARING:
        right = f"structure or smiles in mode {settings.run.mode}"
        problems += [
            Problem(str(sheet), f"{row.ligand} comes solvated", right, row.line, "ligand")
            for row in rows
            if row.solvated
        ]
        if read.usable:
            beside = {name: read.unfit.get(name) for name in read.left_out}
            wrong, told = edge_problems(read.usable, settings, str(sheet), beside)
            problems += wrong
            warnings += told
    misfits = {} if receptor is None else misplaced(read.usable, receptor, settings, str(sheet))
    boxes = {row.line: row for row in rows if row.solvated and row.ligand not in read.left_out}
    fitting = {row.line: row for row, _ in read.usable if row.line not in misfits} | boxes
    good = [fitting[row.line] for row in rows if row.line in fitting]
    left_out = read.left_out | {row.ligand: [misfits[row.line]] for row, _ in read.usable if row.line in misfits}
    unwritable = outdir_problems(outdir) if outdir is not None else []
    if on_failure == "raise" or not good or problems or table_problems or unwritable:  # refused: all at once
        table_problems += [problem for found in left_out.values() for problem in found]
        left_out = {}
    problems += [*sorted(table_problems, key=lambda problem: problem.row or 0), *unwritable]
    receptor_e = None if receptor is None else receptor.charge
    known = {row.ligand: RowContents(ligand.charge, receptor_e) for row, ligand in read.usable}
    known |= {row.ligand: inside for row, inside in read.boxes}
    contents = {row.ligand: known[row.ligand] for row in good}
    return CampaignCheck(tuple(good), problems, warnings, left_out, contents)


def _receptor(
    path: Path | None, settings: BindingConfig, *, boxed: bool, may_come_along: bool
) -> tuple[Receptor | None, list[Problem], list[Problem]]:
    """Read the receptor where there has to be one; what is wrong with it, and what is to be known of it."""
    alone = "receptor" not in MODES[settings.run.mode].needs
    if path is None:
        wanted = not alone and not may_come_along
        return None, [Problem("io", "missing", RECEPTOR_RIGHT, field="receptor")] if wanted else [], []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    if boxed:
        warnings.append(Problem(str(path), "given, and not used for systems that come in their boxes"))
    # state of this receptor lies in a folder of that name
    if fault := folder_fault(path.stem):
        problems.append(Problem(str(path), f"its name {fault}", f"a name of {RIGHT}", field="receptor"))
    if alone:
        problems.append(Problem("io", str(path), f"none in mode {settings.run.mode}", field="receptor"))
        return None, problems, warnings
    try:
        receptor = read_receptor(path, settings.system, complete=False, explicit=settings.md.explicit)
    except InputError as error:
        return None, problems + error.problems, warnings
    warnings += [Problem(str(path), note) for note in receptor.notes]
    beside = [str(called).split()[0] for called in receptor.account.facts.get("kept_beside", [])]
    force_field = settings.param.protein_ff if receptor.kind == "protein" else None
    doubts = force_field_doubts(force_field, beside, settings.md, where=str(path))
    return receptor, problems + doubts.of_weight("refuse"), warnings + doubts.of_weight("warn")


@dataclass
class _Rows:
    """Rows as they were read: those that can be used, what is wrong with the others by ligand, what is to be known.

    `unfit` are those of the others whose molecule is known.
    """

    usable: list[tuple[Row, Molecule]] = field(default_factory=list)
    boxes: list[tuple[Row, RowContents]] = field(default_factory=list)
    left_out: dict[str, list[Problem]] = field(default_factory=dict)
    unfit: dict[str, Molecule] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)


def _read_rows(rows: Sequence[Row], receptor: Receptor | None, settings: BindingConfig, where: str) -> _Rows:
    """Read and check the ligands of all rows, each by itself and then against the others."""
    read, topologies = _Rows(), 0
    for row in rows:
        if row.solvated:
            inside, found, notes = read_solvated(row, settings, where, topologies)
            topologies += topology_bytes(row)
            read.boxes += [] if found else [(row, inside)]
        else:
            asked, ligand, found, notes = _read_row(asked_for(row, settings), receptor, settings, where)
            read.usable += [] if found or ligand is None else [(asked, ligand)]
            read.unfit |= {row.ligand: ligand} if found and ligand is not None else {}
        read.warnings += notes
        if found:
            read.left_out[row.ligand] = found
    laid = read.usable
    read.usable, unlike = with_references(laid, where, list(read.left_out))
    boxes = [(row, inside.molecule) for row, inside in read.boxes]
    poses = sorted([*read.usable, *boxes], key=lambda pose: pose[0].line or 0)
    clashing, same = pose_problems(poses, settings.run.mode, where)
    read.warnings += same
    molecules = {row.ligand: ligand for row, ligand in (*read.usable, *laid)}
    for row, problem in (*unlike, *clashing):
        read.unfit |= {row.ligand: molecules[row.ligand]} if row.ligand in molecules else {}
        read.left_out.setdefault(row.ligand, []).append(problem)
    read.usable = [(row, ligand) for row, ligand in read.usable if row.ligand not in read.left_out]
    return read


def made_from(
    rows: Sequence[Row], sheet: Path, receptor: Path | None, settings: BindingConfig, campaign: str
) -> MadeFrom:
    """Tell what the results of a campaign are made from.

    Parameters
    ----------
    rows
        Rows of the samplesheet, without a problem.
    sheet, receptor
        The files; None where there is no receptor.
    settings
        All settings; what says only how it runs does not count.
    campaign
        Its name.

    Returns
    -------
    MadeFrom
        With all files as they are now.
    """
    chosen = settings.model_dump(mode="json")
    for section, keys in _HOW_IT_RUNS.items():
        for key in keys:
            del chosen[section][key]
    prices = chosen.pop("costs")
    schedules = [value for key, value in chosen["fe"].items() if key.endswith("_schedule") and Path(value).is_file()]
    named = [*schedules, settings.equil.equil_stages, settings.system.protonation]
    named += (settings.system.parameters or "").split(",")
    digests = [sha256_path(path) for name in named if name and (path := Path(str(name).strip())).is_file()]
    items = {}
    for row in rows:
        given = {key: value for key, value in row.as_dict().items() if key != "symmetry_number" or value is not None}
        for key in ("line", "experimental_dg_kcal_per_mol", "group", "pose_of"):
            del given[key]
        for key in ("complex_includes", "solvent_includes"):
            if key in given:
                given[key] = [sha256_path(Path(path)) for path in given[key]]
        for key in ("structure", "pose", *(name for name in SOLVATED if name in given)):
            if given[key] and (path := Path(given[key])).is_file():
                record = row.aligned_to if key == "pose" and row.aligned_to else row.ligand
                given[key] = digest_of_record(path, record)[0] or sha256_path(path)
        items[row.ligand] = digest(given)
    files = {"input": file_given(sheet)} | ({} if receptor is None else {"receptor": file_given(receptor)})
    return MadeFrom(
        campaign,
        files,
        digest([chosen, digests, files["receptor"][1] if receptor is not None else None]),
        items,
        digest([[_remarks(row) for row in rows], prices]),
    )


def _remarks(row: Row) -> list[Any]:
    """What the samplesheet says of a row that changes no result of its own."""
    said = [row.ligand, row.experimental_dg_kcal_per_mol, row.group]
    return [*said, row.pose_of] if row.pose_of else said


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
    _, _, problems, warnings = _read_row(row, receptor, settings, where)
    return problems, warnings


def _read_row(
    row: Row, receptor: Receptor | None, settings: BindingConfig, where: str
) -> tuple[Row, Molecule | None, list[Problem], list[Problem]]:
    """Read and check the ligand of a row, with what :func:`check_row` says of it; None where it cannot be read.

    The row that is returned asks for the pose of another ligand where its own is elsewhere and the settings say so.
    """
    ligand = None
    said: list[str] = []
    try:
        with rdkit_messages():
            ligand = read_ligand(row)
            if "receptor" not in MODES[settings.run.mode].needs:
                faults = solute_faults(row, ligand)
            else:
                faults = check_pose(row, ligand, receptor, settings.system) if receptor is not None else []
            if receptor is not None and elsewhere(row, faults, settings):
                said = [f"its place is not taken, as {faults[0].what}"]
                row, faults = replace(row, pose="align"), []
            geometry = None
            if not faults and not row.in_its_pose:
                # is there a geometry of this isomer at all?
                built = embed(ligand, count=1, seed=settings.run.seed)
                geometry = built if row.pose == "place" else None
            elif not faults:
                geometry = ligand = given_pose(row, ligand)
        if settings.param.charge_source == "sdf":
            faults = [*faults, *charge_faults(row, ligand)]
        if settings.md.solvent == AS_GIVEN:
            faults = [*faults, Fault("solvent", "given, and no topologies are", "tip3p, or another water model")]
        protocol = protocol_of(settings.run.mode, explicit=settings.md.explicit, fe=settings.fe)
        doubts = cycle_doubts(protocol, settings.md, ligand.charge, where=where, fe=settings.fe).of_weight("refuse")
        of_all = cycle_doubts(protocol, settings.md, 0, where=where, fe=settings.fe).of_weight("refuse")
        held = [] if setting_problems(settings) else row_problems(row, ligand, receptor, settings)
        told = [*(p for p in doubts if p not in of_all), *held]
        if MODES[settings.run.mode].free_energies:  # others have no cycle that could lack a term
            faults = faults + [Fault(p.field or "solvent", p.what, p.right) for p in told]
        likely: list[Problem] = []
        if settings.md.explicit and settings.md.solvent != AS_GIVEN:
            boxed, likely = expected_box(row, ligand, geometry, receptor, protocol, settings, where)
            no_room, tight = expected_ions(row, ligand, geometry, receptor, protocol, settings, where)
            faults = faults + [Fault(p.field or "", p.what, p.right) for p in boxed or no_room]
            likely = likely or tight
        source = "smiles" if row.smiles else "structure"
        said += [*ligand.notes, *ligand.warnings, *hypervalent(ligand.mol)]
        notes = [Problem(where, f"{row.ligand}: {note}", row=row.line, field=source) for note in said]
        notes += [Problem(where, f"{row.ligand}: {p.what}", p.right, row.line, p.field) for p in likely]
        if receptor is not None and receptor.left_out and row.in_its_pose and not faults:
            near = Account(where)
            warn_of_near(receptor.left_out, ligand.heavy_angstrom, near)
            notes += [Problem(where, f"{row.ligand}: {p.what}", p.right, row.line) for p in near.of_weight("warn")]
    except MoleculeError as error:
        faults, notes = error.faults, []
    return row, ligand, [Problem(where, f"{row.ligand}: {f.what}", f.right, row.line, f.field) for f in faults], notes


def misplaced(
    ligands: Sequence[tuple[Row, Molecule]], receptor: Receptor, settings: BindingConfig, where: str
) -> dict[int | None, Problem]:
    """Try whether the largest of the ligands that are to be placed, or laid on others, fit into the receptor.

    Parameters
    ----------
    ligands
        Usable rows, each with its ligand as it was read.
    receptor
        Host, or a protein.
    settings
        With the seed that they will be placed with.
    where
        What messages call the samplesheet.

    Returns
    -------
    dict
        By line of the samplesheet what does not fit, with the nearest distance.
    """
    placed = [(row, ligand) for row, ligand in ligands if not row.in_its_pose]
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
    if faults := place_problems(outdir):
        return faults
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
