"""Sample a leg: systems of its states, segments with saved state, and the energies of its windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg
from gibbsflow.binding.alchemy.sampling_plan import Sampling
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.alchemy.state_makers import PERIODIC_MAKERS, STATE_MAKERS
from gibbsflow.binding.forcefield.membrane.lipids import is_membrane
from gibbsflow.binding.forcefield.topology_file import molecules
from gibbsflow.binding.retries import MOST_ATTEMPTS, safer_md, used_in_leg
from gibbsflow.binding.sample.amber.pmemd_windows import PmemdWindows
from gibbsflow.binding.sample.energies import write_window
from gibbsflow.binding.sample.exchange import ExchangeSampler
from gibbsflow.binding.sample.gradient.point_contexts import PointContexts
from gibbsflow.binding.sample.gromacs.other_time_step import without_checkpoints
from gibbsflow.binding.sample.gromacs_windows import GromacsSampler
from gibbsflow.binding.sample.independent import IndependentSampler
from gibbsflow.binding.sample.kept_frames import KeptFrames
from gibbsflow.binding.sample.sampler import Sampler, Samples
from gibbsflow.binding.sample.walkers import WalkerSampler
from gibbsflow.binding.workload import held
from gibbsflow.config.binding import Md
from gibbsflow.engines.gpu.mps import Mps, shared_card
from gibbsflow.engines.md_engine import EngineSystem, MdEngine
from gibbsflow.engines.md_engines import EQUILIBRATES, WHOLE_RUNS, engine_for
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.seeds import derive_seed
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.resumable import Arrays, ResumableRun
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.state_folder import window_folder


@dataclass(frozen=True)
class SamplerKind:
    """One choice of setting ``sampler``.

    Attributes
    ----------
    words
        What it is called in a message.
    together
        Whether one run samples all windows, in one state folder; else each window has a run and a folder of its own.
    make
        Makes it, of the systems of all states, settings, the window where it takes one at a time, the engine, and what
        gives energies beside the states.
    """

    words: str
    together: bool
    make: Callable[[Sequence[EngineSystem], Md, int | None, MdEngine, PointContexts], Sampler]


EXTENSION = "extension"
"""Folder below the state of finished windows: what goes on from where they ended."""
CONTEXTS_WITHOUT_MPS = 2
"""Contexts that walkers share on a card without MPS: with more nothing is gained, and with one the card waits while the
host hands walkers over (docs/decisions/0011)."""
NO_GRADIENTS = "segments from before dU/dλ was recorded"

SAMPLERS: Mapping[str, SamplerKind] = {
    "exchange": SamplerKind("replica exchange", True, lambda s, md, _, *others: ExchangeSampler(s, md, *others)),
    "independent": SamplerKind("independent windows", False, IndependentSampler),
}
"""By the name in section ``fe``."""


def window_file(window: int) -> str:
    """Name the file of a window's energies.

    Parameters
    ----------
    window
        Index of its state.

    Returns
    -------
    str
        Without folder.
    """
    return f"window_{window:02d}.parquet"


def check_request(leg: AlchemicalLeg, replicate: int, windows: Sequence[int] | None) -> None:
    """Check that a replicate and windows can be asked of a leg.

    Parameters
    ----------
    leg
        The leg.
    replicate
        Number of the repeat, from 0.
    windows
        Windows asked for; None or none for all.

    Raises
    ------
    InputError
        For windows that the leg has not, or any asked of a sampler that takes all at once.
    """
    where, kind = str(leg.folder), SAMPLERS[leg.fe.sampler]
    problems = []
    if not 0 <= replicate < leg.replicates:
        problems.append(
            Problem(where, f"has no replicate {replicate}", f"0 to {leg.replicates - 1}", field="--replicate")
        )
    if windows and kind.together:
        right = f"no --window: {leg.fe.sampler} samples all windows together; or sampler: independent"
        problems.append(Problem(where, f"is sampled by {kind.words}", right, field="--window"))
    elif absent := [str(window) for window in windows or () if not 0 <= window < len(leg.states)]:
        what = f"has no window {', '.join(absent)}"
        problems.append(Problem(where, what, f"0 to {len(leg.states) - 1}", field="--window"))
    if problems:
        raise InputError(problems)


def leg_systems(
    leg: AlchemicalLeg, engine: MdEngine, states: Sequence[LambdaState] | None = None
) -> list[EngineSystem]:
    """Make the systems of a leg's states.

    Parameters
    ----------
    leg
        The leg.
    engine
        What runs the MD.
    states
        Others of the same λ components, in place of the leg's own.

    Returns
    -------
    list of EngineSystem
        One a state, in the engine's form.
    """
    states = leg.states if states is None else tuple(states)
    if isinstance(leg, HybridLeg):
        return replace(leg, states=states).systems(engine)
    parent, make = engine.system(leg.folder / leg.topology, leg.md), STATE_MAKERS[engine.name]()
    return [make(parent, leg.ligand_atoms, state, leg.restraint) for state in states]


Maker = Callable[[Md, int | None, Path], Sampler]
"""Makes a sampler of an attempt's settings, a window where it takes one at a time, and the folder of its state."""


def _simulations(leg: AlchemicalLeg, engine: MdEngine, kind: SamplerKind) -> Maker:
    """What makes a sampler of a system for each state."""
    systems, states = leg_systems(leg, engine), [state.as_dict() for state in leg.states]

    def at(points: Sequence[Mapping[str, float]]) -> list[EngineSystem]:
        return leg_systems(leg, engine, [replace(leg.states[0], **point) for point in points]) if points else []

    return lambda md, window, _: kind.make(systems, md, window, engine, PointContexts(states, at, md, engine, window))


def _walkers(leg: AlchemicalLeg, engine: MdEngine, mps: Mps | None) -> Maker:
    """What makes a sampler of one system for all states."""
    if isinstance(leg, HybridLeg):
        system, parts = leg.hybrid(engine).system, leg.molecules
    else:
        prmtop = leg.folder / leg.topology
        parent, make = engine.system(prmtop, leg.md, apart=leg.apart), PERIODIC_MAKERS[engine.name]()
        system = make(
            parent, leg.ligand_atoms, leg.restraint, soft_core=leg.fe.soft_core,
            copy_atoms=leg.copy_atoms, ion_atoms=leg.ion_atoms,
        )  # fmt: skip
        parts = molecules(prmtop)
    states = [state.as_dict() for state in leg.states]
    contexts = CONTEXTS_WITHOUT_MPS if mps is not None and not mps.on else None
    membrane = is_membrane(leg.folder / leg.topology)
    return lambda md, window, _: WalkerSampler(
        system, states, md, engine, parts, _alone(window), contexts, membrane=membrane
    )


def _gromacs(leg: AlchemicalLeg, kind: SamplerKind, stopper: Stopper) -> Maker:
    """What makes a sampler whose windows GROMACS runs."""
    return lambda md, window, folder: GromacsSampler(
        leg, md, folder / "gromacs", _alone(window), exchange=kind.together, left_s=lambda: stopper.left_s
    )


def _alone(window: int | None) -> tuple[int] | None:
    return None if window is None else (window,)


def runs_gromacs(leg: AlchemicalLeg) -> bool:
    """Say whether GROMACS runs the windows of a leg.

    Parameters
    ----------
    leg
        The leg.

    Returns
    -------
    bool
        Where it was chosen and the leg has a box; what has none is OpenMM's.
    """
    return leg.md.engine == WHOLE_RUNS and leg.periodic


def sample_leg(
    leg: AlchemicalLeg,
    replicate: int,
    windows: Sequence[int] | None,
    state: Path,
    out: Path,
    stopper: Stopper,
    result: Result,
    engine: MdEngine | None = None,
    window_ps: float | None = None,
) -> None:
    """Sample a leg's windows, or go on with them, and write their energies.

    Parameters
    ----------
    leg
        The leg.
    replicate
        Number of the repeat, from 0.
    windows
        Windows to sample one after the other, for a sampler that takes them so; None for all.
    state
        State folder of this leg and replicate. Such a sampler keeps a folder a window in it, so that it does not
        matter which windows share a task.
    out
        Folder for ``window_KK.parquet``.
    stopper
        Decides when to stop.
    result
        Filled with hash, seed and figures, also where it stops early.
    engine
        What runs the MD; default: that of the leg's settings.
    window_ps
        Sampling a window, ps, where it is to be longer than the leg says: what was sampled is gone on with by whole
        segments from where it ended, in the folder ``extension`` of its state. None for the leg's own length.

    Raises
    ------
    StoppedEarly
        With state saved.
    NumericalError
        For NaN; windows after that one are not begun.
    InputError
        For a window or replicate that the leg has not, a length that is not longer than the leg's, or checkpoints that
        were given up.
    """
    check_request(leg, replicate, windows)
    if window_ps is not None:
        if leg.md.engine == EQUILIBRATES and leg.periodic:
            what, right = "amber: windows that pmemd has run are not gone on with", "a longer window_ps from the start"
            raise InputError(Problem(str(leg.folder), what, right, field="engine"))
        leg.sampling.extension(window_ps, where=str(leg.folder))  # or it is refused before anything is sampled
    engine = engine or engine_for(leg.md)
    result.seed = leg.seed
    result.figures |= {
        "transformation": leg.transformation,
        "leg": leg.leg,
        "replicate": replicate,
        "sampler": leg.fe.sampler,
        "engine": engine.name,
        "platform": leg.md.platform,
        "threads": leg.md.threads,
    }
    kind = SAMPLERS[leg.fe.sampler]
    if leg.md.engine == EQUILIBRATES and leg.periodic:
        _sample_by_pmemd(leg, replicate, windows or range(len(leg.states)), state, out, stopper, result)
        return
    if runs_gromacs(leg):
        result.figures |= {"engine": WHOLE_RUNS, "platform": "CPU"}
        make = _gromacs(leg, kind, stopper)
    else:
        mps = None
        if leg.md.platform == "CUDA":
            mps = shared_card(several=leg.periodic and kind.together)
            result.figures["mps"] = str(mps)
        make = _walkers(leg, engine, mps) if leg.periodic else _simulations(leg, engine, kind)
    tasks: list[tuple[int | None, Path]] = [(None, state)]
    if not kind.together:
        tasks = [(k, state / window_folder(k)) for k in windows or range(len(leg.states))]
    totals = {"sampled_ns": 0.0, "engine_s": 0.0, "own_sampled_ns": 0.0, "own_engine_s": 0.0}
    for number, folder in tasks:
        run = ResumableRun(
            folder, files=leg.files(), settings=leg.hashed_settings(replicate, number), physics=leg.physics,
            settings_of_attempt=partial(used_in_leg, leg.md), most_attempts=MOST_ATTEMPTS, stopper=stopper,
            held=held(leg.md, leg=True),
        )  # fmt: skip
        # all windows of one task share what decides their samples, so the first one's hash names the task
        result.inputs_hash = result.inputs_hash or run.inputs_hash
        with run:
            safer = replace(leg, md=safer_md(leg.md, run.attempt))
            sampler = make(safer.md, number, run.folder)
            frames = KeptFrames(safer, folder, sampler.windows)
            _note_attempt(result, run, number)
            try:
                _advance(safer, replicate, sampler, run, stopper, safer.sampling, frames)
            finally:
                plan = safer.sampling
                done_ps = plan.samples_after(run.segments_done) * plan.sample_ps
                for of in ("", "own_"):  # the leg's own length, and what there is in all
                    totals[f"{of}sampled_ns"] += done_ps * len(sampler.windows) / 1000
                    totals[f"{of}engine_s"] += run.engine_s
                if isinstance(sampler, WalkerSampler):
                    result.figures["contexts"] = sampler.contexts
                _note_speed(result, totals)
            plan, data = safer.sampling, run.outputs()
            result.figures["trajectory_frames"] = frames.write(out, run.segments_done)
        if window_ps is not None:  # what it goes on from is closed: a failure from here on leaves it finished
            longer, more = _extend(safer, replicate, number, window_ps, run, sampler, make, stopper, result, totals)
            plan = replace(plan, samples=plan.samples + longer.samples)
            data = {key: np.concatenate([data[key], more[key]]) for key in data.keys() & more.keys()}
        _write(safer, replicate, sampler, plan, data, out, result)


def _sample_by_pmemd(
    leg: AlchemicalLeg, replicate: int, windows: Sequence[int], state: Path, out: Path, stopper: Stopper, result: Result
) -> None:
    """Have pmemd.cuda run windows one after the other, whose states between the ends are its own."""
    pmemd = PmemdWindows(leg, replicate, state, windows)
    plan = leg.sampling
    result.inputs_hash = pmemd.record["inputs_hash"]
    result.figures |= {"engine": EQUILIBRATES, "platform": "CUDA", "notes": pmemd.record["notes"]}
    meta = _meta(leg, replicate, pmemd.record["states"])
    time_ps = np.arange(1, plan.samples - plan.discarded + 1) * plan.sample_ps
    attempts, began = [1], time.monotonic()
    for done, window in enumerate(windows, start=1):
        u = pmemd.run(window, stopper)
        write_window(out / window_file(window), time_ps, window, window, u, meta)
        attempts.append(pmemd.attempt(window))
        result.figures |= {
            "attempt": max(attempts),
            "windows": done,
            "samples_per_window": len(time_ps),
            "ps_per_window": round(len(time_ps) * plan.sample_ps, 6),
            "sampled_ns": round(done * plan.samples * plan.sample_ps / 1000, 6),
        }
        result.timings["engine_s"] = round(time.monotonic() - began, 3)


def _extend(
    leg: AlchemicalLeg,
    replicate: int,
    window: int | None,
    window_ps: float,
    done: ResumableRun,
    sampler: Sampler,
    make: Maker,
    stopper: Stopper,
    result: Result,
    totals: dict[str, float],
) -> tuple[Sampling, Arrays]:
    """Go on from where windows have ended, in a state folder of its own that grows from call to call."""
    if done.segments_done != leg.sampling.segments:
        raise StateError(f"{done.folder}: has finished, and its last checkpoint cannot be read: nothing to go on from")
    settings = {**leg.hashed_settings(replicate, window), "goes_on_from": done.inputs_hash}
    run = ResumableRun(
        done.folder / EXTENSION, files=leg.files(), settings=settings, physics=leg.physics,
        settings_of_attempt=lambda attempt: {"timestep_fs": safer_md(leg.md, attempt).timestep_fs},
        most_attempts=MOST_ATTEMPTS, stopper=stopper, held=held(leg.md, leg=True),
    )  # fmt: skip
    with folder_lock(done.folder), run:  # GROMACS works in the folder of what it goes on from
        safer = replace(leg, md=safer_md(leg.md, run.attempt))
        plan = safer.sampling.extension(window_ps, where=str(leg.folder))
        sampler = sampler if run.attempt == 1 else make(safer.md, window, run.folder)
        _note_attempt(result, run, window)
        try:
            _advance(safer, replicate, sampler, run, stopper, plan, after=done)
        finally:
            used = min(run.segments_done, plan.segments)  # an earlier call may have gone farther
            totals["sampled_ns"] += plan.samples_after(used) * plan.sample_ps * len(sampler.windows) / 1000
            totals["engine_s"] += run.engine_s * used / max(1, run.segments_done)
            _note_speed(result, totals)
        return plan, run.outputs(plan.segments)


def _advance(
    leg: AlchemicalLeg,
    replicate: int,
    sampler: Sampler,
    run: ResumableRun,
    stopper: Stopper,
    plan: Sampling,
    frames: KeptFrames | None = None,
    after: ResumableRun | None = None,
) -> None:
    """Run the segments of a plan, from the leg's starts, or after those of another run with the numbers that follow."""
    before = 0 if after is None else after.segments_done
    window = sampler.windows[0] if len(sampler.windows) == 1 else "all"
    ps_per_step = leg.md.timestep_fs / 1000

    def seed(segment: int | str) -> int:
        attempt = (f"attempt {run.attempt}",) if run.attempt > 1 else ()
        return derive_seed(leg.seed, leg.transformation, leg.leg, replicate, window, segment, *attempt)

    text = f"{leg.transformation} {leg.leg} replicate {replicate}" + (f" window {window}" if window != "all" else "")
    progress: list[Progress] = []
    note = ""

    def tick(steps: int) -> None:
        stopper.check()
        progress[0].add(steps * ps_per_step, note)

    def start() -> Arrays:
        if after is not None:
            ended = after.arrays_to_go_on_from()
            return ended if run.attempt == 1 else without_checkpoints(ended)
        starts_nm = leg.starts_nm(replicate)
        boxes_nm = leg.starts_boxes_nm(replicate) if leg.periodic else None
        relax = run.attempt > 1 or not leg.thermal_starts
        return sampler.start(starts_nm, relax, seed("start"), stopper.check, boxes_nm).as_arrays()

    def segment(number: int, arrays: Arrays) -> tuple[Arrays, Arrays]:
        nonlocal note
        if not progress:
            progress.append(_progress(text, plan, len(sampler.windows), number))
        walkers, samples = sampler.segment(
            sampler.walkers(arrays), plan.samples_in(number), plan.steps_per_sample, seed(before + number), tick
        )
        if rates := sampler.mixing(samples).get("exchange_acceptance"):
            note = f"exchange acceptance {min(rates):.2f}..{max(rates):.2f}"
        if frames is not None:
            frames.keep(number, walkers)
        return walkers.as_arrays(), samples.as_arrays()

    run.advance(plan.segments, start, segment, stopper, steps=_steps(plan, len(sampler.windows)))


def _steps(plan: Sampling, windows: int) -> Callable[[int], int]:
    return lambda segments: plan.samples_after(segments) * plan.steps_per_sample * windows


def _progress(text: str, plan: Sampling, windows: int, segment: int) -> Progress:
    done = plan.samples_after(segment) * plan.sample_ps * windows
    return Progress(text, plan.samples * plan.sample_ps * windows, "ps", done)


def _note_attempt(result: Result, run: ResumableRun, window: int | None) -> None:
    """Say which attempt this is, with which settings; of several windows, those of the highest, and each by name."""
    facts = run.facts()
    if facts["attempt"] >= result.figures.get("attempt", 1):
        result.figures |= {key: facts[key] for key in ("attempt", "settings_used")}
    if facts["attempt"] > 1 or "set_aside" in facts:
        result.figures.setdefault("begun_anew", []).append({"window": window, **facts})


def _note_speed(result: Result, totals: dict[str, float]) -> None:
    result.timings["engine_s"] = round(totals["engine_s"], 3)
    result.timings["cpu_s"] = round(time.process_time(), 3)  # of this process: a busy machine does not change it
    result.figures["sampled_ns"] = round(totals["sampled_ns"], 6)
    if totals["own_sampled_ns"] > 0:  # the same in every round, however far an extension has gone since
        result.timings["engine_s_per_ns"] = round(totals["own_engine_s"] / totals["own_sampled_ns"], 3)
    if totals["engine_s"] > 0:
        result.figures["ns_per_day"] = round(totals["sampled_ns"] / totals["engine_s"] * 86400, 1)


def _write(
    leg: AlchemicalLeg, replicate: int, sampler: Sampler, plan: Sampling, data: Arrays, out: Path, result: Result
) -> None:
    meta = _meta(leg, replicate, [state.as_dict() for state in leg.states])
    gradients = data.get("gradients")
    if gradients is None:
        meta["no_ti"] = NO_GRADIENTS
    time_ps = np.arange(1, plan.samples - plan.discarded + 1) * plan.sample_ps
    for window in sampler.windows:
        rows = np.flatnonzero(data["window"] == window)[plan.discarded :]
        along = None if gradients is None else gradients[rows]
        write_window(out / window_file(window), time_ps, window, data["replica"][rows], data["u"][rows], meta, along)
    result.figures["windows"] = result.figures.get("windows", 0) + len(sampler.windows)
    result.figures["samples_per_window"] = len(time_ps)
    result.figures["ps_per_window"] = round(len(time_ps) * plan.sample_ps, 6)
    kept = slice(plan.discarded * len(sampler.windows), None)
    result.figures |= sampler.mixing(Samples(data["window"][kept], data["replica"][kept], data["u"][kept]))


def _meta(leg: AlchemicalLeg, replicate: int, states: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What a window's file says of its leg."""
    return {
        "temperature_k": leg.md.temperature_k,
        "leg": leg.leg,
        "transformation": leg.transformation,
        "replicate": replicate,
        "states": list(states),
        "seed": leg.seed,
        "sampler": leg.fe.sampler,
    }
