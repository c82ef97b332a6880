"""Equilibrate a complex: minimise, heat from 10 K with positions held, then let go; in segments with saved state."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from openmm import app, unit

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.facts import EquilibratedFacts, SettingsFacts
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.retries import MOST_ATTEMPTS, safer_equil, safer_md, used_in_equil
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md, hashed
from gibbsflow.engines.md_engine import Hold, MdEngine, Simulation, during
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.engines.openmm_systems import load_topology, read_positions_nm
from gibbsflow.errors import NumericalError
from gibbsflow.units import KJ_PER_KCAL
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.seeds import derive_seed
from gibbsflow.workflow.state.resumable import Arrays, ResumableRun
from gibbsflow.workflow.state.segments import Stopper

START_K = 10.0
RAMP_PS = 0.2
HOLD_KCAL_PER_MOL_ANGSTROM2 = 5.0
ENERGY_GATE_KCAL_PER_MOL_PER_ATOM = 10.0
MOST_FRAMES = 1000
_INDIFFERENT = ("threads", "platform", "unbound_threshold_angstrom")


@dataclass(frozen=True)
class Plan:
    """Segments of an equilibration, in whole numbers.

    Attributes
    ----------
    steps_per_frame
        MD steps between frames.
    frames
        Frames of each segment.
    heating
        How many of the segments heat.
    """

    steps_per_frame: int
    frames: tuple[int, ...]
    heating: int

    def frames_after(self, segments: int) -> int:
        """Count the frames written after so many segments.

        Parameters
        ----------
        segments
            Segments done.

        Returns
        -------
        int
            Frames.
        """
        return sum(self.frames[:segments])


def plan_equilibration(md: Md, equil: Equil) -> Plan:
    """Cut heating and equilibration into segments; frames each ps, or farther apart for more than a thousand.

    Parameters
    ----------
    md
        Time step.
    equil
        Lengths.

    Returns
    -------
    Plan
        At least as long as asked for.
    """
    shortest = min(1.0, equil.equil_segment_ps, equil.equil_ps, equil.heat_ps or equil.equil_ps)
    frame_ps = max(shortest, (equil.heat_ps + equil.equil_ps) / MOST_FRAMES)
    steps = max(1, round(frame_ps * 1000 / md.timestep_fs))
    frame_ps = steps * md.timestep_fs / 1000
    per_segment = max(1, round(equil.equil_segment_ps / frame_ps))
    heat, free = (_cut(length_ps / frame_ps, per_segment) for length_ps in (equil.heat_ps, equil.equil_ps))
    return Plan(steps, (*heat, *free), len(heat))


def _cut(frames: float, per_segment: int) -> list[int]:
    total = math.ceil(frames - 1e-6)
    return [min(per_segment, total - first) for first in range(0, total, per_segment)]


def equilibrate(
    system: SimSystem, state: Path, out: Path, stopper: Stopper, result: Result, engine: MdEngine | None = None
) -> SimSystem:
    """Equilibrate a complex, or go on with it, and write trajectory, log and last state.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    state
        State folder.
    out
        Folder of the system that is returned.
    stopper
        Decides when to stop.
    result
        Filled with hash, seed and figures.
    engine
        What runs the MD; default: that of the settings.

    Returns
    -------
    SimSystem
        In `out`, with ``equil_trajectory``, ``equil_frames``, ``equil_state``, ``equil_log``; not yet written.

    Raises
    ------
    StoppedEarly
        With state saved.
    NumericalError
        For an energy that stays high after minimisation, or NaN.
    """
    given = system.facts(SettingsFacts)
    md, equil, seed = given.md, given.equil, given.run.seed
    files = {role: system.path(role) for role in ("complex_prmtop", "complex_inpcrd")}
    settings = {k: v for k, v in (hashed(md) | hashed(equil)).items() if k not in _INDIFFERENT}
    run = ResumableRun(
        state, files=files, settings=settings | {"seed": seed, "name": system.name}, physics=PHYSICS,
        settings_of_attempt=partial(used_in_equil, md, equil), most_attempts=MOST_ATTEMPTS, stopper=stopper,
    )  # fmt: skip
    result.inputs_hash, result.seed = run.inputs_hash, seed
    with run:
        md, equil = safer_md(md, run.attempt), safer_equil(equil, run.attempt)
        plan = plan_equilibration(md, equil)
        result.figures |= run.facts()
        parts = _Equilibration(system, md, equil, plan, run, seed, stopper, engine or engine_for(md))
        try:
            run.advance(len(plan.frames), parts.start, parts.segment, stopper, steps=parts.steps_after)
        finally:
            ps = plan.frames_after(run.segments_done) * plan.steps_per_frame * md.timestep_fs / 1000
            result.timings["engine_s"] = round(run.engine_s, 3)
            result.timings["cpu_s"] = round(time.process_time(), 3)  # of this process
            result.figures |= {"sampled_ns": ps / 1000, "platform": md.platform, "threads": md.threads}
            if run.engine_s > 0:
                result.figures["ns_per_day"] = round(ps / 1000 / run.engine_s * 86400, 1)
        data, last = run.outputs(), run.last_arrays()
    result.figures["final_potential_kcal_per_mol"] = float(data["potential_kcal_per_mol"][-1])
    result.figures["mean_temperature_k"] = float(data["temperature_k"][~data["heating"]].mean())
    carried = _write(system.copy_to(out), data, last, parts.frame_ps)
    steps = plan.frames_after(len(plan.frames)) * plan.steps_per_frame
    anew = run.facts() if run.attempt > 1 else None
    return carried.with_facts(EquilibratedFacts(equil_steps=steps, equil_begun_anew=anew))


@dataclass
class _Equilibration:
    """The two callbacks of the run, and what they share."""

    system: SimSystem
    md: Md
    equil: Equil
    plan: Plan
    run: ResumableRun
    seed: int
    stopper: Stopper
    engine: MdEngine
    progress: Progress | None = None

    @property
    def frame_ps(self) -> float:
        return self.plan.steps_per_frame * self.md.timestep_fs / 1000

    def steps_after(self, segments: int) -> int:
        return self.plan.frames_after(segments) * self.plan.steps_per_frame

    def derived(self, part: str | int) -> int:
        attempt = (f"attempt {self.run.attempt}",) if self.run.attempt > 1 else ()
        return derive_seed(self.seed, self.system.name, "equil", part, *attempt)

    def start(self) -> Arrays:
        """Minimise; positions after it are where heating holds heavy atoms."""
        parent = self.engine.system(self.system.path("complex_prmtop"), self.md)
        simulation = self.engine.simulation(parent, self.md, self.derived("start"))
        simulation.place(read_positions_nm(self.system.path("complex_inpcrd")))
        energy = simulation.minimise(self.equil.minimise_steps, self.stopper.check) / KJ_PER_KCAL
        gate = ENERGY_GATE_KCAL_PER_MOL_PER_ATOM * simulation.atoms
        if energy > gate:
            raise NumericalError(
                f"potential energy after minimisation is {energy:.0f} kcal/mol, above the gate of {gate:.0f}: "
                "atoms clash in the starting structure"
            )
        simulation.draw_velocities(START_K if self.plan.heating else self.md.temperature_k, self.derived("v"))
        positions = simulation.positions_nm()
        return {
            "positions_nm": positions,
            "velocities_nm_per_ps": simulation.velocities_nm_per_ps(),
            "reference_nm": positions,
        }

    def segment(self, number: int, arrays: Arrays) -> tuple[Arrays, Arrays]:
        """Run one segment; a frame at the end of each interval."""
        if self.progress is None:
            done = self.plan.frames_after(number) * self.frame_ps
            self.progress = Progress(f"{self.system.name} equil", sum(self.plan.frames) * self.frame_ps, "ps", done)
        heating = number < self.plan.heating
        prmtop, hold = self.system.path("complex_prmtop"), None
        if heating:
            hold = Hold(tuple(heavy_atoms(prmtop)), arrays["reference_nm"], HOLD_KCAL_PER_MOL_ANGSTROM2)
        parent = self.engine.system(prmtop, self.md, hold)
        simulation = self.engine.simulation(parent, self.md, self.derived(number))
        simulation.place(arrays["positions_nm"], arrays["velocities_nm_per_ps"])
        rows: dict[str, list[Any]] = {"positions_nm": [], "potential_kcal_per_mol": [], "temperature_k": []}
        for index in range(self.plan.frames_after(number), self.plan.frames_after(number + 1)):
            with during(f"equilibration at {index * self.frame_ps:g} ps"):
                self._run_interval(simulation, index if heating else None)
                frame = simulation.frame()
            potential = frame.potential_kj_per_mol / KJ_PER_KCAL
            if not math.isfinite(potential):
                raise NumericalError(f"potential energy at {index * self.frame_ps:g} ps is {potential}")
            rows["positions_nm"].append(frame.positions_nm.astype(np.float32))
            rows["potential_kcal_per_mol"].append(potential)
            rows["temperature_k"].append(frame.temperature_k)
            self.progress.add(self.frame_ps, f"{frame.temperature_k:.0f} K {potential:.0f} kcal/mol")
        last = {
            "positions_nm": simulation.positions_nm(),
            "velocities_nm_per_ps": simulation.velocities_nm_per_ps(),
            "reference_nm": arrays["reference_nm"],
        }
        outputs = {name: np.array(values) for name, values in rows.items()}
        return last, outputs | {"heating": np.full(self.plan.frames[number], heating)}

    def _run_interval(self, simulation: Simulation, heating_frame: int | None) -> None:
        """Run to the next frame, at the ramp's temperature while heating."""
        chunk = max(1, round(RAMP_PS * 1000 / self.md.timestep_fs))
        heat_steps = self.plan.frames_after(self.plan.heating) * self.plan.steps_per_frame
        for done in range(0, self.plan.steps_per_frame, chunk):
            steps = min(chunk, self.plan.steps_per_frame - done)
            if heating_frame is not None:
                share = (heating_frame * self.plan.steps_per_frame + done + steps) / heat_steps
                simulation.set_temperature(START_K + share * (self.md.temperature_k - START_K))
            simulation.run(steps, lambda _: self.stopper.check())


def _write(system: SimSystem, data: dict[str, npt.NDArray[Any]], last: Arrays, frame_ps: float) -> SimSystem:
    """Write trajectory, log and last state into the system's folder."""
    root = system.root
    topology = load_topology(system.path("complex_prmtop")).topology
    time_ps = np.arange(1, len(data["positions_nm"]) + 1) * frame_ps
    with atomic_open(root / "equil.dcd") as file:
        trajectory = app.DCDFile(file, topology, frame_ps * unit.picosecond)
        for frame in data["positions_nm"]:
            trajectory.writeModel(frame.astype(float) * unit.nanometer)
    with atomic_open(root / "equil_frames.npz") as file:
        np.savez(file, positions_nm=data["positions_nm"], time_ps=time_ps, heating=data["heating"])
    with atomic_open(root / "equil_state.npz") as file:
        np.savez(file, positions_nm=last["positions_nm"], velocities_nm_per_ps=last["velocities_nm_per_ps"])
    with atomic_open(root / "equil_log.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time_ps", "potential_kcal_per_mol", "temperature_k"])
        for row in zip(time_ps, data["potential_kcal_per_mol"], data["temperature_k"], strict=True):
            writer.writerow([f"{row[0]:.3f}", f"{row[1]:.4f}", f"{row[2]:.2f}"])
    return system.with_artifacts(
        equil_trajectory="equil.dcd",
        equil_frames="equil_frames.npz",
        equil_state="equil_state.npz",
        equil_log="equil_log.csv",
    )
