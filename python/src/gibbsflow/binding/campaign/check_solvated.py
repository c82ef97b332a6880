"""Rows of a samplesheet whose systems come solvated, checked before the first task."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from gibbsflow.binding.alchemy.protocols import cycle_doubts, protocol_of
from gibbsflow.binding.campaign.check_restraints import setting_problems, solvated_problems
from gibbsflow.binding.campaign.foreseen.row_contents import RowContents
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import names_in
from gibbsflow.binding.forcefield.given.box_settings import (
    cutoff_problems,
    medium_problems,
    solvent_of,
    width_angstrom,
)
from gibbsflow.binding.forcefield.given.given_topologies import boxes_kept, far_problems
from gibbsflow.binding.forcefield.given.rebuilt.longer_box import longer_box
from gibbsflow.binding.forcefield.given.smiles import constitution_of
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles, SolvatedBox
from gibbsflow.binding.forcefield.given.solvated_system import read_boxes
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.seeds import derive_seed

MOST_BYTES = 60_000_000
"""Of the topologies that are read before the first task, some seconds; those of later rows are left to their tasks."""
CONVERTED = (".top", ".xml")
"""Topologies that ParmEd has to convert, which takes seconds each: left to the first task."""


def box_files(row: Row) -> list[BoxFiles]:
    """Files of a row's boxes.

    Parameters
    ----------
    row
        One whose system comes solvated.

    Returns
    -------
    list of BoxFiles
        Of the complex, of the ligand alone, or of both.
    """
    return [
        BoxFiles(role, Path(topology), Path(coordinates), tuple(map(Path, includes)))
        for role, topology, coordinates, includes in (
            ("complex", row.complex_topology, row.complex_coordinates, row.complex_includes),
            ("solvent", row.solvent_topology, row.solvent_coordinates, row.solvent_includes),
        )
        if topology is not None and coordinates is not None
    ]


def check_solvated(row: Row, settings: BindingConfig, where: str, read: int = 0) -> tuple[list[Problem], list[Problem]]:
    """Check a row whose system comes solvated.

    Parameters
    ----------
    row
        One that has nothing wrong at table level.
    settings
        Mode, cutoff and solvent count.
    where
        What messages call the samplesheet.
    read
        Bytes of topologies that were read for earlier rows.

    Returns
    -------
    problems
        Empty where the row is usable.
    notes
        What is in doubt.
    """
    _, problems, notes = read_solvated(row, settings, where, read)
    return problems, notes


def read_solvated(
    row: Row, settings: BindingConfig, where: str, read: int = 0
) -> tuple[RowContents, list[Problem], list[Problem]]:
    """Read and check a row whose system comes solvated.

    Parameters
    ----------
    row, settings, where, read
        As for :func:`check_solvated`.

    Returns
    -------
    contents
        What was found in it; nothing where it was not read, which is left to the first task.
    problems, notes
        What :func:`check_solvated` says.
    """
    files = box_files(row)
    problems = [
        Problem(where, f"{row.ligand}: missing", right, row.line, field) for field, right in _missing(row, settings)
    ]
    if problems or read > MOST_BYTES or any(box.topology.suffix.lower() in CONVERTED for box in files):
        return RowContents(), problems, []
    try:
        with tempfile.TemporaryDirectory(prefix="gibbsflow-check-") as scratch:
            boxes, account = read_boxes(files, row.ligand_residue, Path(scratch), row.ligand)
            if "complex" in boxes:
                boxes["complex"].facts(settings.system.site)
            problems = [
                *_settings_problems(boxes, row, settings, where),
                *_held_problems(row, boxes, settings, Path(scratch)),
            ]
            found = _contents(boxes, row, settings) if not problems else RowContents()
    except InputError as error:
        return RowContents(), [_in_row(problem, row, where) for problem in error.problems], []
    notes = [Problem(where, f"{row.ligand}: {p.what}", p.right, row.line) for p in account.of_weight("warn")]
    return found, [_in_row(problem, row, where) for problem in problems], notes


def _contents(boxes: dict[str, SolvatedBox], row: Row, settings: BindingConfig) -> RowContents:
    """Charges, molecule and sizes of what was read; the box of sdr is made, as its task will make it."""
    main, bound = boxes.get("solvent") or boxes["complex"], boxes.get("complex")
    sizes = {role: len(boxes[role].terms.elements) for role in boxes_kept(boxes, settings.fe)}
    if bound and settings.fe.abfe_protocol == "sdr":
        seed = derive_seed(settings.run.seed, row.ligand, "complex")
        sizes["complex"] = len(longer_box(bound.parts, settings.md, seed, where=row.ligand).parts.elements)
    return RowContents(
        ligand_e=_charge(main, main.components.ligand),
        receptor_e=_charge(bound, bound.components.receptor) if bound else None,
        boxes=sizes | {"ligand": len(main.components.ligand)},
        molecule=constitution_of(main.terms, main.components.ligand),
    )


def _charge(box: SolvatedBox, atoms: Sequence[int]) -> int:
    return round(float(box.terms.charges_e[list(atoms)].sum()))


def topology_bytes(row: Row) -> int:
    """Size of a row's topologies.

    Parameters
    ----------
    row
        The row.

    Returns
    -------
    int
        Bytes; 0 where there are none.
    """
    return sum(box.topology.stat().st_size for box in box_files(row))


def _missing(row: Row, settings: BindingConfig) -> list[tuple[str, str]]:
    """What the mode needs and the row does not have, by column."""
    needs = {"abfe": ("complex", "solvent"), "asfe": ("solvent",), "md": ("complex",)}.get(settings.run.mode, ())
    if settings.run.mode == "abfe" and settings.fe.abfe_protocol == "sdr":
        needs = ("complex",)
    texts = {"complex": "the complex in its box", "solvent": "the ligand alone in a box of its own"}
    has = {"complex": row.complex_topology, "solvent": row.solvent_topology}
    missing = [(f"{role}_topology", f"{texts[role]}, in mode {settings.run.mode}") for role in needs if not has[role]]
    return missing


def _settings_problems(boxes: dict[str, SolvatedBox], row: Row, settings: BindingConfig, where: str) -> list[Problem]:
    """What the settings ask for that these boxes cannot have."""
    md = solvent_of({role: box.water_model for role, box in boxes.items()}, settings.md, where=where)
    widths = {role: width_angstrom(box.coordinates.box_angstrom) for role, box in boxes.items()}
    parts = next(iter(boxes.values()))
    charge = _charge(parts, parts.components.ligand)
    problems = cutoff_problems(widths, md, where=where)
    if settings.run.mode == "asfe" and settings.fe.abfe_protocol == "sdr":
        problems.append(Problem(where, "sdr in mode asfe, which binds nothing", "none", field="abfe_protocol"))
    if MODES[settings.run.mode].free_energies and not problems:
        protocol = protocol_of(settings.run.mode, explicit=True, fe=settings.fe)
        problems += cycle_doubts(protocol, md, charge, where=where, fe=settings.fe).of_weight("refuse")
    if MODES[settings.run.mode].free_energies and not problems:
        given = {role: box.parts for role, box in boxes.items()}
        problems += medium_problems(given, charge, md, settings.fe, where=where)
        problems += far_problems(given, charge, md, settings.fe, where=row.ligand, seed=settings.run.seed)
    return problems


def _held_problems(row: Row, boxes: dict[str, SolvatedBox], settings: BindingConfig, scratch: Path) -> list[Problem]:
    """What is wrong with the restraint that is asked for, in the complex's box."""
    if setting_problems(settings) or not MODES[settings.run.mode].free_energies:
        return []
    main, named = boxes.get("complex") or boxes["solvent"], None
    parts, terms = main.components, main.terms
    protein = parts.receptor_kind == "protein"
    if "complex" in boxes and settings.fe.boresch_atoms is not None:
        topology = load_topology(scratch / "complex.prmtop").topology
        named = names_in(topology, parts.receptor, parts.ligand, protein=protein)
    heavy = int((terms.elements[list(parts.ligand)] > 1).sum())
    return solvated_problems(row, named, heavy, settings, host=not protein)


def _in_row(problem: Problem, row: Row, where: str) -> Problem:
    """Say where in the samplesheet a problem is, and in which file."""
    place = "" if problem.where in (where, row.ligand) else f"{Path(problem.where).name}: "
    return Problem(where, f"{row.ligand}: {place}{problem.what}", problem.right, row.line, problem.field)
