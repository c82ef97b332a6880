"""A leg's folder for pmemd.cuda: topology, λ schedule, restraints, inputs of each window, and scripts that run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.forcefield.given.coordinate_files import lengths_and_angles
from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.sample.amber.amber_states import AmberPath, amber_path
from gibbsflow.binding.sample.amber.restraint_files import apart_text, disang_text
from gibbsflow.binding.sample.amber.window_input import (
    RELAXED,
    WindowInput,
    mask,
    segment_name,
    segments,
    steps_of,
    total_steps,
)
from gibbsflow.engines.amber.choice import PMEMD
from gibbsflow.engines.amber.scripts.run_scripts import (
    START,
    STEPS,
    begin_folder,
    group_steps_text,
    steps_text,
    write_run_scripts,
    write_text,
)
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.files import inputs_hash

TOPOLOGY, SCHEDULE = "topology.prmtop", "lambda.sch"
_MOST_SEGMENTS = 999
"""Files have three digits."""


def write_leg_files(leg: AlchemicalLeg, replicate: int, out: Path, *, anew: bool = False) -> dict[str, Any]:
    """Write all that pmemd.cuda needs to run a leg.

    Parameters
    ----------
    leg
        The leg.
    replicate
        Number of the independent repeat, from 0: it has starts and seeds of its own.
    out
        Folder to be filled; without files of another leg.
    anew
        Whether inputs of other settings that lie there are replaced.

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
    begin_folder(out, record, anew=anew)
    write_text(out / TOPOLOGY, _with_masses(leg))
    if leg.restraint is not None:
        write_text(out / "disang.rest", disang_text(leg.restraint))
    if leg.apart:
        write_text(out / "cv.in", apart_text(leg.apart))
    starts, boxes = leg.starts_nm(replicate), leg.starts_boxes_nm(replicate)
    windows = [WindowInput(leg, path, window, replicate) for window in range(len(leg.states))]
    for inputs in windows:
        _write_window(out / inputs.name, inputs, starts[inputs.window], boxes[inputs.window])
    exchange = leg.fe.sampler == "exchange"
    if exchange:
        write_text(out / SCHEDULE, path.schedule_text)
        write_text(out / STEPS, group_steps_text([steps_of(leg.sampling, number) for number in range(count)]))
        for number in range(count):
            write_text(out / f"groupfile-{number + 1:03d}", _group([inputs.name for inputs in windows], number))
    write_run_scripts(out, PMEMD, [inputs.name for inputs in windows], exchange=exchange)
    return record


def _group(windows: Sequence[str], number: int) -> str:
    """A group file: a line of pmemd's options for each window."""
    lines, start = [], segment_name(number - 1) if number else RELAXED
    for name in windows:
        this = f"{name}/{segment_name(number)}"
        files = f"-i {this}.in -p {TOPOLOGY} -c {name}/{start}.rst7 -o {this}.out -r {this}.rst7 -x {this}.nc"
        lines.append(f"-O {files} -inf {name}/mdinfo\n")
    return "".join(lines)


def _write_window(folder: Path, inputs: WindowInput, start_nm: Floats, box_nm: Floats) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_inpcrd(folder / START, start_nm * 10, lengths_and_angles(box_nm * 10))
    # pmemd looks for it where it runs
    write_text(folder / SCHEDULE, inputs.path.schedule_text)
    texts = inputs.preparation() | inputs.segments()
    for name, text in texts.items():
        write_text(folder / f"{name}.in", text)
    write_text(folder / STEPS, steps_text(inputs.steps(f"-p ../{TOPOLOGY}")))


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


def _with_masses(leg: AlchemicalLeg) -> str:
    """The topology with the masses that the settings give its hydrogens."""
    system = create_system(leg.folder / leg.topology, leg.md)
    masses = [system.getParticleMass(atom)._value for atom in range(system.getNumParticles())]
    found = prmtop_text.split((leg.folder / leg.topology).read_text())
    # virtual sites have none in the file either
    return prmtop_text.joined(found | {"MASS": prmtop_text.section("E", masses)})
