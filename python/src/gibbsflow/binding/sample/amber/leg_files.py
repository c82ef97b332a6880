"""A leg's folder for pmemd.cuda: topology, λ schedule, restraints, inputs of each window, and scripts that run them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.amber_states import AmberPath, amber_path
from gibbsflow.binding.forcefield.given.coordinate_files import lengths_and_angles
from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.sample.amber.restraint_files import apart_text, disang_text
from gibbsflow.binding.sample.amber.window_input import WindowInput, mask, segments, total_steps
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, inputs_hash, write_json

RECORD = "amber.json"
TOPOLOGY, SCHEDULE = "topology.prmtop", "lambda.sch"
_MOST_SEGMENTS = 999
"""Files have three digits."""
_ALWAYS = ("prepare-window.bash", "run-local.bash", "run-slurm.bash")


def write_leg_files(leg: AlchemicalLeg, replicate: int, out: Path) -> dict[str, Any]:
    """Write all that pmemd.cuda needs to run a leg.

    Parameters
    ----------
    leg
        The leg.
    replicate
        Number of the independent repeat, from 0: it has starts and seeds of its own.
    out
        Folder to be filled; without files of another leg.

    Returns
    -------
    dict
        Content of ``amber.json``: λ and weights of each window, and what is not as in the leg.

    Raises
    ------
    InputError
        For what pmemd.cuda cannot do, a replicate that there is not, more segments than files have numbers for, and a
        folder in which something else lies.
    """
    if not 0 <= replicate < leg.replicates:
        what, right = f"replicate {replicate}", f"0 to {leg.replicates - 1}, as fe prepare was told"
        raise InputError(Problem(str(leg.folder), what, right, field="--replicate"))
    if (count := segments(leg.sampling)) > _MOST_SEGMENTS:
        what, right = f"{count} segments of a window", f"{_MOST_SEGMENTS} at most: a longer segment_ps"
        raise InputError(Problem(str(leg.folder), what, right, field="segment_ps"))
    path = amber_path(leg)
    record = _record(leg, path, replicate)
    _check_place(out, record)
    write_json(out / RECORD, record)  # first: what a killed run leaves is known by it, and nothing runs without scripts
    _write(out / TOPOLOGY, _with_masses(leg))
    if leg.restraint is not None:
        _write(out / "disang.rest", disang_text(leg.restraint))
    if leg.apart:
        _write(out / "cv.in", apart_text(leg.apart))
    starts, boxes = leg.starts_nm(replicate), leg.starts_boxes_nm(replicate)
    windows = [WindowInput(leg, path, window, replicate) for window in range(len(leg.states))]
    for inputs in windows:
        _write_window(out / inputs.name, inputs, starts[inputs.window], boxes[inputs.window])
    exchange = leg.fe.sampler == "exchange"
    if exchange:
        _write(out / SCHEDULE, path.schedule_text)
        for segment in range(1, count + 1):
            _write(out / f"groupfile-{segment:03d}", _group([inputs.name for inputs in windows], segment))
    for name in (*_ALWAYS, "run-exchange.bash" if exchange else "run-window.bash"):
        _write(out / name, (resources.files(__package__) / name).read_text())
    return record


def _group(windows: Sequence[str], segment: int) -> str:
    """A group file: a line of pmemd's options for each window."""
    lines = []
    for name in windows:
        this, before = f"{name}/md-{segment:03d}", f"{name}/md-{segment - 1:03d}"
        files = f"-i {this}.in -p {TOPOLOGY} -c {before}.rst7 -o {this}.out -r {this}.rst7 -x {this}.nc"
        lines.append(f"-O {files} -inf {name}/mdinfo\n")
    return "".join(lines)


def _write_window(folder: Path, inputs: WindowInput, start_nm: Floats, box_nm: Floats) -> None:
    write_inpcrd(_made(folder) / "start.inpcrd", start_nm * 10, lengths_and_angles(box_nm * 10))
    # pmemd looks for it where it runs
    _write(folder / SCHEDULE, inputs.path.schedule_text)
    _write(folder / "minimise.in", inputs.minimise())
    _write(folder / "warm.in", inputs.warm())
    _write(folder / "relax.in", inputs.relax())
    for segment in range(segments(inputs.leg.sampling)):
        _write(folder / f"md-{segment + 1:03d}.in", inputs.segment(segment))


def _record(leg: AlchemicalLeg, path: AmberPath, replicate: int) -> dict[str, Any]:
    plan = leg.sampling
    return {
        "leg": leg.leg,
        "transformation": leg.transformation,
        "replicate": replicate,
        "seed": leg.seed,
        "timask1": mask(leg.ligand_atoms),
        "timask2": mask(leg.copy_atoms),
        "clambda": list(path.clambdas),
        "states": [state.as_dict() for state in path.states],
        "asked_for": [state.as_dict() for state in leg.states],
        "total_steps": total_steps(plan),
        "segments": segments(plan),
        "inputs_hash": inputs_hash(
            files=leg.files(), settings=leg.hashed_settings(replicate, None), physics=leg.physics
        ),
        "notes": list(path.notes),
    }


def _check_place(out: Path, record: dict[str, Any]) -> None:
    known = out / RECORD
    if known.exists():
        other = known.read_text() != json.dumps(record, indent=2) + "\n"
    else:
        other = (out / TOPOLOGY).exists() or any(out.glob("window_*"))
    if other:
        what = "holds the windows of another leg, or of other settings"
        raise InputError(Problem(str(out), what, "a folder of its own for each leg and replicate", field="--out"))


def _with_masses(leg: AlchemicalLeg) -> str:
    """The topology with the masses that the settings give its hydrogens."""
    system = create_system(leg.folder / leg.topology, leg.md)
    masses = [system.getParticleMass(atom)._value for atom in range(system.getNumParticles())]
    found = prmtop_text.split((leg.folder / leg.topology).read_text())
    # virtual sites have none in the file either
    return prmtop_text.joined(found | {"MASS": prmtop_text.section("E", masses)})


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    with atomic_open(path, "w") as file:
        file.write(text)
