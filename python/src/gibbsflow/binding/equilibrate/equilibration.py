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
import openmm
from openmm import app, unit

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.retries import MOST_ATTEMPTS, safer_equil, safer_md, used_in_equil
from gibbsflow.binding.sample.contexts import STEPS_PER_TICK
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md
from gibbsflow.config.section import read_section
from gibbsflow.engines.openmm_systems import (
    create_system,
    load_topology,
    minimise,
    new_context,
    numerical,
    positions_nm,
    velocities_nm_per_ps,
)
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

    Parameters
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
        """Frames written after so many segments."""
        return sum(self.frames[:segments])


def plan_equilibration(md: Md, equil: Equil) -> Plan:
    """Cut heating and equilibration into segments; frames each ps, or farther apart for more than a thousand."""
    shortest = min(1.0, equil.equil_segment_ps, equil.equil_ps, equil.heat_ps or equil.equil_ps)
    frame_ps = max(shortest, (equil.heat_ps + equil.equil_ps) / MOST_FRAMES)
    steps = max(1, round(frame_ps * 1000 / md.timestep_fs))
    frame_ps = steps * md.timestep_fs / 1000
    per_segment = max(1, round(equil.equil_segment_ps / frame_ps))

    def cut(length_ps: float) -> list[int]:
        total = math.ceil(length_ps / frame_ps - 1e-6)
        return [min(per_segment, total - first) for first in range(0, total, per_segment)]

    heat = cut(equil.heat_ps)
    return Plan(steps, tuple(heat + cut(equil.equil_ps)), len(heat))


def equilibrate(system: SimSystem, state: Path, out: Path, stopper: Stopper, result: Result) -> SimSystem:
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

    Raises
    ------
    StoppedEarly
        With state saved.
    NumericalError
        For an energy that stays high after minimisation, or NaN.
    """
    md = read_section(Md, system.meta["md"], where=f"{system.root}/system.json, md")
    equil = read_section(Equil, system.meta["equil"], where=f"{system.root}/system.json, equil")
    seed = int(system.meta["run"]["seed"])
    files = {role: system.path(role) for role in ("complex_prmtop", "complex_inpcrd")}
    settings = {k: v for k, v in (md.model_dump() | equil.model_dump()).items() if k not in _INDIFFERENT}
    run = ResumableRun(
        state, files=files, settings=settings | {"seed": seed, "name": system.name}, physics=PHYSICS,
        settings_of_attempt=partial(used_in_equil, md, equil), most_attempts=MOST_ATTEMPTS, stopper=stopper,
    )  # fmt: skip
    result.inputs_hash, result.seed = run.inputs_hash, seed
    with run:
        md, equil = safer_md(md, run.attempt), safer_equil(equil, run.attempt)
        plan = plan_equilibration(md, equil)
        result.figures |= run.facts()
        parts = _Equilibration(system, md, equil, plan, run, seed, stopper)
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
    carried = _write(system.carry(out), data, last, parts.frame_ps)
    anew = {"equil_begun_anew": run.facts()} if run.attempt > 1 else {}
    return carried.with_meta(equil_steps=plan.frames_after(len(plan.frames)) * plan.steps_per_frame, **anew)


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
        parent = create_system(self.system.path("complex_prmtop"), self.md)
        context = new_context(parent, self.md, self.derived("start"))
        start = app.AmberInpcrdFile(str(self.system.path("complex_inpcrd")))
        context.setPositions(start.positions)
        energy = minimise(context, self.equil.minimise_steps, self.stopper.check) / KJ_PER_KCAL
        gate = ENERGY_GATE_KCAL_PER_MOL_PER_ATOM * parent.getNumParticles()
        if energy > gate:
            raise NumericalError(
                f"potential energy after minimisation is {energy:.0f} kcal/mol, above the gate of {gate:.0f}: "
                "atoms clash in the starting structure"
            )
        context.setVelocitiesToTemperature(START_K if self.plan.heating else self.md.temperature_k, self.derived("v"))
        positions = positions_nm(context)
        return {
            "positions_nm": positions,
            "velocities_nm_per_ps": velocities_nm_per_ps(context),
            "reference_nm": positions,
        }

    def segment(self, number: int, arrays: Arrays) -> tuple[Arrays, Arrays]:
        """Run one segment; a frame at the end of each interval."""
        if self.progress is None:
            done = self.plan.frames_after(number) * self.frame_ps
            self.progress = Progress(f"{self.system.name} equil", sum(self.plan.frames) * self.frame_ps, "ps", done)
        heating = number < self.plan.heating
        parent = create_system(self.system.path("complex_prmtop"), self.md)
        degrees_of_freedom = 3 * parent.getNumParticles() - parent.getNumConstraints()
        if heating:
            heavy = heavy_atoms(self.system.path("complex_prmtop"))
            parent.addForce(_hold(arrays["reference_nm"], heavy))
        context = new_context(parent, self.md, self.derived(number))
        context.setPositions(arrays["positions_nm"])
        context.setVelocities(arrays["velocities_nm_per_ps"])
        rows: dict[str, list[Any]] = {"positions_nm": [], "potential_kcal_per_mol": [], "temperature_k": []}
        for frame in range(self.plan.frames[number]):
            index = self.plan.frames_after(number) + frame
            with numerical(f"equilibration at {index * self.frame_ps:g} ps"):
                self._run_interval(context, index if heating else None)
                state = context.getState(getPositions=True, getEnergy=True)
            potential = state.getPotentialEnergy()._value / KJ_PER_KCAL
            if not math.isfinite(potential):
                raise NumericalError(f"potential energy at {index * self.frame_ps:g} ps is {potential}")
            rows["positions_nm"].append(state.getPositions(asNumpy=True)._value.astype(np.float32))
            rows["potential_kcal_per_mol"].append(potential)
            twice_kinetic = 2 * state.getKineticEnergy()._value
            rows["temperature_k"].append(twice_kinetic / (degrees_of_freedom * unit.MOLAR_GAS_CONSTANT_R._value / 1000))
            self.progress.add(self.frame_ps, f"{rows['temperature_k'][-1]:.0f} K {potential:.0f} kcal/mol")
        last = {
            "positions_nm": positions_nm(context),
            "velocities_nm_per_ps": velocities_nm_per_ps(context),
            "reference_nm": arrays["reference_nm"],
        }
        outputs = {name: np.array(values) for name, values in rows.items()}
        return last, outputs | {"heating": np.full(self.plan.frames[number], heating)}

    def _run_interval(self, context: openmm.Context, heating_frame: int | None) -> None:
        """Run to the next frame, at the ramp's temperature while heating."""
        integrator = context.getIntegrator()
        chunk = max(1, round(RAMP_PS * 1000 / self.md.timestep_fs))
        heat_steps = self.plan.frames_after(self.plan.heating) * self.plan.steps_per_frame
        done = 0
        while done < self.plan.steps_per_frame:
            steps = min(chunk, self.plan.steps_per_frame - done)
            if heating_frame is not None:
                share = (heating_frame * self.plan.steps_per_frame + done + steps) / heat_steps
                integrator.setTemperature((START_K + share * (self.md.temperature_k - START_K)) * unit.kelvin)
            for first in range(0, steps, STEPS_PER_TICK):
                self.stopper.check()
                integrator.step(min(STEPS_PER_TICK, steps - first))
            done += steps


def heavy_atoms(prmtop: Path) -> list[int]:
    """Indices of the atoms other than hydrogen."""
    atoms = load_topology(prmtop).topology.atoms()
    return [a.index for a in atoms if a.element is None or a.element.symbol != "H"]


def _hold(reference_nm: npt.NDArray[Any], atoms: list[int]) -> openmm.CustomExternalForce:
    force = openmm.CustomExternalForce("0.5*k*((x-x0)^2+(y-y0)^2+(z-z0)^2)")
    force.addGlobalParameter("k", HOLD_KCAL_PER_MOL_ANGSTROM2 * KJ_PER_KCAL * 100)
    for name in ("x0", "y0", "z0"):
        force.addPerParticleParameter(name)
    for atom in atoms:
        force.addParticle(atom, reference_nm[atom].tolist())
    return force


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
