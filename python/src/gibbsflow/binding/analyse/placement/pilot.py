"""A pilot: a leg is sampled for a short while with the states that it has, and gets states at even distances."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME as LEG
from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.schedules import PLACEMENT
from gibbsflow.binding.analyse.placement.even_states import unless_as_good
from gibbsflow.binding.analyse.placement.placement_files import (
    LEAST_SAMPLES,
    clear_placement,
    place_from_runs,
    write_placement,
)
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import Fe
from gibbsflow.errors import InputError, Problem, UnconvergedError
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.seeds import derive_seed
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)

DISCARDED = 0.2
"""Share of a pilot that is not measured."""
_SAMPLES = "pilot"


def place_by_pilot(leg: AlchemicalLeg, state: Path, out: Path, stopper: Stopper, result: Result) -> AlchemicalLeg:
    """Run a leg's pilot, or go on with it, and write the leg with the states that it leads to.

    Parameters
    ----------
    leg
        With the schedule to begin with.
    state
        State folder of the pilot, kept; it is not that of any replicate.
    out
        Folder of the leg that is returned; beside it ``schedule.yaml``, ``distances.csv``, ``placement.json``, and the
        pilot's energies in ``pilot/``.
    stopper
        Decides when to stop.
    result
        Filled with hash, seed and figures.

    Returns
    -------
    AlchemicalLeg
        In `out`. It has the states that it had where others would not clearly be better, which a note says, and where
        the pilot's energies cannot be measured, which a warning says.

    Raises
    ------
    StoppedEarly
        With state saved.
    NumericalError
        Where MD fails; it would in the run that follows.
    InputError
        For a pilot that is too short, and for an `out` that is the leg's own folder or lies in it.
    """
    if out.resolve().is_relative_to(leg.folder.resolve()):
        raise InputError(Problem(str(out), f"lies in the leg {leg.folder}", "a folder of its own", field="--out"))
    shutil.rmtree(out / _SAMPLES, ignore_errors=True)  # an earlier pilot may have had more windows
    sample_leg(pilot_of(leg), 0, None, state, out / _SAMPLES, stopper, result)
    settings = leg.fe
    (out / LEG).unlink(missing_ok=True)  # written last: killed in between, this is no leg that could be sampled
    clear_placement(out)
    shutil.copytree(leg.folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(LEG))
    about = f"{leg.transformation} {leg.leg}, a pilot of {settings.fe_pilot_ps:g} ps a window"
    try:
        placed = unless_as_good(
            place_from_runs([out / _SAMPLES], by=settings.schedule_by, spacing=settings.schedule_spacing)
        )
    except UnconvergedError as error:
        what = f"the pilot of {leg.leg} could not be measured, and its windows stay as they were: {error}"
        log.warning("%s", what)
        write_json(out / PLACEMENT, {"account": {"warnings": [what], "notes": []}})
        result.figures["placement"] = {"windows": len(leg.states), "warnings": [what]}
        states = leg.states
    else:
        told = placed.account.as_dict()
        doubts = {"warnings": told["warnings"], "notes": told["notes"]}
        result.figures["placement"] = write_placement(placed, out, about) | doubts
        states = placed.states
    log.info("%s %s: %d windows, of %d", leg.transformation, leg.leg, len(states), len(leg.states))
    made = replace(leg, folder=out, states=states)
    made.write()
    return made


def pilot_of(leg: AlchemicalLeg) -> AlchemicalLeg:
    """Make the leg that a pilot samples: shorter, without frames, and with random numbers of its own.

    Parameters
    ----------
    leg
        With setting ``fe_pilot_ps``.

    Returns
    -------
    AlchemicalLeg
        In the same folder; not written.

    Raises
    ------
    InputError
        For a pilot that is too short.
    """
    if problems := pilot_problems(leg.fe, where=f"{leg.transformation} {leg.leg}"):
        raise InputError(problems)
    return replace(
        leg,
        fe=leg.fe.model_copy(update=pilot_lengths(leg.fe)),
        md=leg.md.model_copy(update={"trajectory": "none"}),
        seed=derive_seed(leg.seed, "pilot"),
    )


def pilot_lengths(fe: Fe) -> dict[str, float]:
    """Give the lengths of a pilot's windows.

    Parameters
    ----------
    fe
        Settings of the leg.

    Returns
    -------
    dict
        In ps, by setting of section ``fe``.
    """
    equil_ps = DISCARDED * fe.fe_pilot_ps
    return {"window_ps": fe.fe_pilot_ps - equil_ps, "window_equil_ps": equil_ps}


def pilot_problems(fe: Fe, *, where: str) -> list[Problem]:
    """Say what is wrong with a pilot.

    Parameters
    ----------
    fe
        Settings of the leg.
    where
        What messages call them.

    Returns
    -------
    list of Problem
        Empty where nothing is, or where there is no pilot.
    """
    samples = int(pilot_lengths(fe)["window_ps"] / fe.sample_ps + 1e-9)
    if fe.schedule != "auto" or samples >= LEAST_SAMPLES:
        return []
    least = LEAST_SAMPLES * fe.sample_ps / (1 - DISCARDED)
    what = f"a pilot of {fe.fe_pilot_ps:g} ps leaves {samples} samples a window"
    return [Problem(where, what, f"{least:g} ps or more, or a shorter sample_ps", field="fe_pilot_ps")]


def hand_on(leg: Path, out: Path) -> None:
    """Put what a leg is beside its energies.

    Parameters
    ----------
    leg
        Folder of the leg.
    out
        Folder of its run.
    """
    if leg.resolve() == out.resolve():
        return
    shutil.copyfile(leg / LEG, out / LEG)
    if (leg / PLACEMENT).exists():
        shutil.copyfile(leg / PLACEMENT, out / PLACEMENT)
    else:
        (out / PLACEMENT).unlink(missing_ok=True)  # of an earlier run with a pilot
