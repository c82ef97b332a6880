"""Options of a system that comes solvated, and what `system_prep system` does with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gibbsflow.workflow.result import Result

_TOPOLOGY = "prmtop, parm7, prm7 (AMBER), top (GROMACS) or xml (OpenMM's System)"
ComplexTopology = Annotated[
    Path | None, typer.Option("--complex_topology", help=f"The complex taken solvated as it is: {_TOPOLOGY}.")
]
ComplexCoordinates = Annotated[
    Path | None, typer.Option("--complex_coordinates", help="Its coordinates with their box: rst7, inpcrd, gro or pdb.")
]
ComplexIncludes = Annotated[
    list[Path] | None, typer.Option("--complex_includes", help="What its top includes and is not beside it; again.")
]
SolventTopology = Annotated[
    Path | None, typer.Option("--solvent_topology", help=f"The ligand in a box of its own, as it is: {_TOPOLOGY}.")
]
SolventCoordinates = Annotated[
    Path | None, typer.Option("--solvent_coordinates", help="Its coordinates with their box.")
]
SolventIncludes = Annotated[
    list[Path] | None, typer.Option("--solvent_includes", help="What its top includes and is not beside it; again.")
]


def given_boxes(
    complex_box: tuple[Path | None, Path | None, list[Path] | None],
    solvent_box: tuple[Path | None, Path | None, list[Path] | None],
    others: dict[str, Any],
) -> list[Any]:
    """Sort the options of a system that comes solvated into its boxes.

    Parameters
    ----------
    complex_box, solvent_box
        Topology, coordinates and includes of each.
    others
        Options that have no place beside them, by name.

    Returns
    -------
    list of BoxFiles
        Empty where nothing of them is given.

    Raises
    ------
    InputError
        For half a box, and for options that contradict.
    """
    from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
    from gibbsflow.errors import InputError, Problem

    boxes, problems = [], []
    for role, (topology, coordinates, includes) in (("complex", complex_box), ("solvent", solvent_box)):
        if topology is not None and coordinates is not None:
            boxes.append(BoxFiles(role, topology, coordinates, tuple(includes or ())))
        elif topology is not None or coordinates is not None or includes:
            what = f"--{role}_topology and --{role}_coordinates go together"
            problems.append(Problem("command line", what, "both", field=f"{role}_topology"))
    if boxes:
        idle = [name for name, value in others.items() if value]
        problems += [
            Problem("command line", "given with topologies, which hold it already", "nothing", field=name)
            for name in idle
        ]
    for box in boxes:
        named = {"topology": [box.topology], "coordinates": [box.coordinates], "includes": box.includes}
        problems += [
            Problem(str(path), "no such file", "a file", field=f"{box.role}_{what}")
            for what, paths in named.items()
            for path in paths
            if not path.exists()
        ]
    if problems:
        raise InputError(problems)
    return boxes


def prepare_solvated(
    ligand: str,
    boxes: list[Any],
    residue: str | None,
    settings: Any,
    out: Path,
    result: Result,
    symmetry_number: int | None = None,
) -> None:
    """Take a system as it comes: files checked, parts found, topologies in AMBER's form.

    Parameters
    ----------
    ligand
        Name of the ligand.
    boxes
        Its files.
    residue
        Name of the ligand's residue.
    settings
        Section ``system`` counts.
    out
        Folder of the system.
    result
        Filled with hash, seed and figures.
    symmetry_number
        Equivalent poses of which a Boresch restraint holds one; None for that of the settings.
    """
    from gibbsflow.binding.facts import PreparedFacts
    from gibbsflow.binding.forcefield.given.solvated_system import solvated_hash, take_solvated

    site = settings.system.site
    result.inputs_hash, result.seed = solvated_hash(boxes, residue, site), settings.run.seed
    prepared, facts = take_solvated(ligand, boxes, residue, site, out)
    if symmetry_number is not None:
        known = prepared.facts(PreparedFacts)
        prepared = prepared.with_facts(known.model_copy(update={"symmetry_number": symmetry_number}))
    prepared.write()
    result.figures.update(facts)
