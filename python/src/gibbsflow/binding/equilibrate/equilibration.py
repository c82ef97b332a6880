"""Equilibrate a complex, and in explicit solvent the ligand alone: minimise, heat held, let go; in segments."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openmm
from openmm import app, unit

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.equilibrate.departure import Departure
from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3, kept_apart, laid_out
from gibbsflow.binding.equilibrate.stage_checks import StageChecks, least_freedom
from gibbsflow.binding.equilibrate.stages import Plan, Stage, chosen_stages, plan_equilibration
from gibbsflow.binding.facts import EquilibratedFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.membrane.lipids import is_membrane, lipids_of
from gibbsflow.binding.forcefield.topology_file import bonded_pairs, heavy_atoms, is_periodic, masses_amu, molecules
from gibbsflow.binding.retries import MOST_ATTEMPTS, safer_equil, safer_md, used_in_equil
from gibbsflow.binding.solvated_facts import StageFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.binding.workload import held
from gibbsflow.config.binding import Equil, Md, hashed
from gibbsflow.config.binding_parts import INDIFFERENT_MD
from gibbsflow.engines.choice.engine_choice import equilibrating_engine
from gibbsflow.engines.md_engine import Hold, MdEngine, Simulation
from gibbsflow.engines.md_engines import EQUILIBRATES
from gibbsflow.engines.openmm_systems import box_vectors_nm, load_topology, read_positions_nm
from gibbsflow.errors import NumericalError, during
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import atomic_open, read_json
from gibbsflow.workflow.hours.pace import Held
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.seeds import derive_seed
from gibbsflow.workflow.state.resumable import Arrays, ResumableRun
from gibbsflow.workflow.state.segments import Stopper

RAMP_PS = 0.2
BACKBONE = ("N", "CA", "C", "O")
ENERGY_GATE_KCAL_PER_MOL_PER_ATOM = 10.0
BOXES: Mapping[str, tuple[str, str]] = {"complex": ("complex", "equil"), "solvent": ("solvent", "solvent_equil")}
"""What is equilibrated, by name: begin of the roles of its topology, and of its frames."""
RUN_ELSEWHERE = "run_elsewhere.json"
"""In a state that was read: which program ran it, and where its files were."""
_INDIFFERENT = frozenset({*INDIFFERENT_MD, "engine", "unbound_threshold_angstrom", "equil_stages"})


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
    IsomerError
        Where minimisation or MD made another stereoisomer.
    """
    given = system.facts(SettingsFacts)
    result.seed = given.run.seed
    carried, begun_anew, steps = system.copy_to(out), None, 0
    engine = engine or equilibrating_engine(given.md)
    for name in (name for name, (topology, _) in BOXES.items() if f"{topology}_prmtop" in system.artifacts):
        part = Result()
        try:
            found = _equilibrate_box(system, name, state, carried.root, stopper, part, engine)
        finally:
            _take(result, name, part)
        carried = carried.with_artifacts(**found.files).with_account(found.account)
        begun_anew, steps = begun_anew or found.begun_anew, steps + found.steps
    return carried.with_facts(EquilibratedFacts(equil_steps=steps, equil_begun_anew=begun_anew))


def planned(system: SimSystem, md: Md, equil: Equil) -> Plan:
    """Plan the equilibration of a system, in the stages that were chosen or the usual ones.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    md, equil
        Settings.

    Returns
    -------
    Plan
        Its segments.
    """
    chosen = system.find(StageFacts)
    return plan_equilibration(
        md, equil, () if chosen is None else chosen_stages(chosen.stages, md, where=str(equil.equil_stages))
    )


def start_of(system: SimSystem, name: str) -> tuple[Floats, Floats | None]:
    """Give the positions that an equilibration begins with.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    name
        Of `BOXES`.

    Returns
    -------
    positions_nm
        Shape (N, 3), nm; in a box with the solute at the origin: a barostat that moves molecules about it leaves the
        solute where it is held.
    box_nm
        Vectors as rows, shape (3, 3), nm; None without a box.
    """
    inpcrd = system.path(f"{BOXES[name][0]}_inpcrd")
    positions = read_positions_nm(inpcrd)
    if not is_periodic(system.path(f"{BOXES[name][0]}_prmtop")):
        return positions, None
    return positions - positions[_solute(system, name)].mean(axis=0), box_vectors_nm(inpcrd)


def held_in(system: SimSystem, name: str, stage: Stage, reference_nm: Floats) -> Hold | None:
    """Say what a stage holds in place.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    name
        Of `BOXES`.
    stage
        The stage.
    reference_nm
        Where, shape (N, 3), nm.

    Returns
    -------
    Hold or None
        Heavy atoms of the solute; None for nothing.
    """
    prmtop = system.path(f"{BOXES[name][0]}_prmtop")
    heavy = set(heavy_atoms(prmtop)) & set(_solute(system, name))
    if stage.hold_kcal_per_mol_angstrom2:
        return Hold(tuple(sorted(heavy)), reference_nm, stage.hold_kcal_per_mol_angstrom2)
    parts = _parts(system, name)
    groups: dict[str, Iterable[int]] = {"receptor_heavy": parts["receptor"], "ligand": parts["ligand"]}
    constants: dict[int, float] = {}
    for group, k in stage.holds:
        if group == "backbone":
            atoms = list(load_topology(prmtop).topology.atoms())
            members = {atom for atom in parts["receptor"] if atoms[atom].name in BACKBONE}
        else:
            members = set(groups.get(group, heavy))
        for atom in heavy & members:
            constants[atom] = max(k, constants.get(atom, 0.0))
    if not constants:
        return None
    held, most = tuple(sorted(constants)), max(constants.values())
    return Hold(held, reference_nm, most, tuple(constants[atom] / most for atom in held))


def _parts(system: SimSystem, name: str) -> Mapping[str, Sequence[int]]:
    return system.facts(TopologyFacts).parts(f"{BOXES[name][1]}_frames", 0)


def _solute(system: SimSystem, name: str) -> list[int]:
    parts = _parts(system, name)
    return sorted({*parts["receptor"], *parts["ligand"], *parts["copy"]})


@dataclass(frozen=True)
class _Found:
    """What the equilibration of one box left."""

    files: dict[str, str]
    account: Account
    begun_anew: Mapping[str, Any] | None
    steps: int


def _take(result: Result, name: str, part: Result) -> None:
    """Enter the figures of one box: those of the first one as they are, of another under its name."""
    if result.inputs_hash:
        result.figures[name] = part.figures | part.timings
    else:
        result.inputs_hash = part.inputs_hash
        result.figures |= part.figures
        result.timings |= part.timings


def _equilibrate_box(
    system: SimSystem, name: str, state: Path, root: Path, stopper: Stopper, result: Result, engine: MdEngine
) -> _Found:
    given = system.facts(SettingsFacts)
    md, equil, seed = given.md, given.equil, given.run.seed
    topology, prefix = BOXES[name]
    files = {role: system.path(role) for role in (f"{topology}_prmtop", f"{topology}_inpcrd")}
    chosen = system.find(StageFacts)
    stages = () if chosen is None else chosen_stages(chosen.stages, md, where=str(equil.equil_stages))
    settings = {k: v for k, v in (hashed(md) | hashed(equil)).items() if k not in _INDIFFERENT}
    if engine.name == EQUILIBRATES:
        settings["engine"] = engine.name  # its frames are not mixed with those of another one
    if chosen is not None:
        settings["stages"] = [stage.model_dump(mode="json") for stage in chosen.stages]
    if is_periodic(files[f"{topology}_prmtop"]) and is_membrane(files[f"{topology}_prmtop"]):
        settings["barostat"] = "of a membrane"
    run = ResumableRun(
        state if name == "complex" else state / name,
        files=files, settings=settings | {"seed": seed, "name": system.name}, physics=PHYSICS,
        settings_of_attempt=partial(used_in_equil, md, equil), most_attempts=MOST_ATTEMPTS, stopper=stopper,
        held=Held() if engine.name == EQUILIBRATES else held(md, leg=False),
    )  # fmt: skip
    result.inputs_hash = run.inputs_hash
    with run:
        md, equil = safer_md(md, run.attempt), safer_equil(equil, run.attempt)
        plan = plan_equilibration(md, equil, stages)
        result.figures |= run.facts()
        parts = _Equilibration(system, name, md, equil, plan, run, seed, stopper, engine)
        try:
            run.advance(len(plan.frames), parts.start, parts.segment, stopper, steps=parts.steps_after)
        finally:
            ps = plan.frames_after(run.segments_done) * plan.steps_per_frame * md.timestep_fs / 1000
            result.timings["engine_s"] = round(run.engine_s, 3)
            result.timings["cpu_s"] = round(time.process_time(), 3)  # of this process
            on_cpu = {"platform": "CPU", "threads": 1} if engine.name == EQUILIBRATES else {}
            where = {"engine": engine.name, "platform": md.platform, "threads": md.threads} | on_cpu
            result.figures |= {"sampled_ns": ps / 1000, **where}
            elsewhere = run.folder / RUN_ELSEWHERE
            if elsewhere.exists():  # seconds are those of reading
                result.figures |= read_json(elsewhere)
            elif run.engine_s > 0:
                result.figures["ns_per_day"] = round(ps / 1000 / run.engine_s * 86400, 1)
        data, last = run.outputs(), run.last_arrays()
    free = ~data["heating"]
    result.figures["final_potential_kcal_per_mol"] = float(data["potential_kcal_per_mol"][-1])
    result.figures["mean_temperature_k"] = float(data["temperature_k"][free].mean())
    if "box_nm" in data:
        result.figures["mean_density_g_per_ml"] = round(float(parts.density_g_per_ml(data["box_nm"][free]).mean()), 4)
    account, figures = parts.departure.account_of_minimised(last["reference_nm"] * 10)
    if "box_nm" in data:
        seen = parts.checks.account(data)
        account.take(seen)
        account.facts |= seen.facts
    else:
        parts.checks.doubt_end(account, data["temperature_k"])
    if name != "complex":
        account.facts = {name: account.facts}
    account.settle()
    result.figures |= figures | {"warnings": account.as_dict()["warnings"]}
    return _Found(
        _write(root, system.path(f"{topology}_prmtop"), prefix, data, last, parts),
        account,
        run.facts() if run.attempt > 1 else None,
        plan.steps_after(len(plan.frames)),
    )


@dataclass
class _Equilibration:
    """The two callbacks of the run, and what they share."""

    system: SimSystem
    name: str
    md: Md
    equil: Equil
    plan: Plan
    run: ResumableRun
    seed: int
    stopper: Stopper
    engine: MdEngine
    progress: Progress | None = None

    def __post_init__(self) -> None:
        self.departure = Departure(self.system, self.name)
        self.prmtop = self.system.path(f"{BOXES[self.name][0]}_prmtop")
        self.periodic = is_periodic(self.prmtop)
        self.lipids = lipids_of(self.prmtop) if self.periodic else None
        self.membrane = self.lipids is not None and self.lipids.are_a_membrane
        atoms = self.system.facts(TopologyFacts)
        frames = f"{BOXES[self.name][1]}_frames"
        remote, parts = atoms.far_from(frames), atoms.parts(frames, 0)
        self.checks = StageChecks(
            self.system.name if self.name == "complex" else f"{self.system.name}, {self.name}",
            self.md,
            self.plan,
            float(masses_amu(self.prmtop).sum()),
            bonded_pairs(self.prmtop),
            self.departure.heavy["ligand"],
            self.departure.heavy["receptor"],
            membrane=self.membrane,
            freedom=least_freedom(self.prmtop),
        )
        self.first = min(parts["receptor"] or parts["ligand"])
        self.complex = [*parts["receptor"], *parts["ligand"]]
        self.apart = kept_apart(remote)

    @property
    def frame_ps(self) -> float:
        return self.plan.steps_per_frame * self.md.timestep_fs / 1000

    def steps_after(self, segments: int) -> int:
        return self.plan.steps_after(segments)

    def derived(self, part: str | int) -> int:
        attempt = (f"attempt {self.run.attempt}",) if self.run.attempt > 1 else ()
        what = "equil" if self.name == "complex" else f"equil {self.name}"
        return derive_seed(self.seed, self.system.name, what, part, *attempt)

    def density_g_per_ml(self, boxes_nm: Floats) -> Floats:
        """Density of each box, shape (F,)."""
        return masses_amu(self.prmtop).sum() * GRAM_PER_ML_OF_AMU_PER_NM3 / np.linalg.det(boxes_nm)

    def start(self) -> Arrays:
        """Minimise; positions after it are where heavy atoms of the solute are held."""
        parent = self.engine.system(self.prmtop, self.md, apart=self.apart)
        simulation = self.engine.simulation(parent, self.md, self.derived("start"))
        positions, box = start_of(self.system, self.name)
        if box is None:
            simulation.place(positions)
        else:
            simulation.place(positions, None, box)
        first = self.plan.stages[0]
        steps = self.equil.minimise_steps if first.minimise_steps is None else first.minimise_steps
        energy = simulation.minimise(steps, self.stopper.check) / KJ_PER_KCAL
        gate = ENERGY_GATE_KCAL_PER_MOL_PER_ATOM * simulation.atoms
        if energy > gate:
            raise NumericalError(
                f"potential energy after minimisation is {energy:.0f} kcal/mol, above the gate of {gate:.0f}: "
                "atoms clash in the starting structure"
            )
        positions = simulation.positions_nm()
        self.departure.require_same_isomers(positions * 10, "after minimisation")
        self.checks.require_no_pierced_ring(positions * 10, "after minimisation")
        simulation.draw_velocities(first.starts_at_k(self.md), self.derived("v"))
        return {
            "positions_nm": positions,
            "velocities_nm_per_ps": simulation.velocities_nm_per_ps(),
            "reference_nm": positions,
            **({} if box is None else {"box_nm": box}),
        }

    def segment(self, number: int, arrays: Arrays) -> tuple[Arrays, Arrays]:
        """Run one segment; a frame at the end of each interval."""
        if self.progress is None:
            done = self.plan.frames_after(number) * self.frame_ps
            text = f"{self.system.name} equil" + ("" if self.name == "complex" else f" {self.name}")
            self.progress = Progress(text, sum(self.plan.frames) * self.frame_ps, "ps", done)
        simulation = self._simulation(number, arrays)
        stage = self.plan.stages[number]
        if number and stage.minimise_steps and self.plan.begins_stage(number):
            simulation.minimise(stage.minimise_steps, self.stopper.check)
            simulation.draw_velocities(stage.starts_at_k(self.md), self.derived(f"v {number}"))
        rows: dict[str, list[Any]] = {"positions_nm": [], "potential_kcal_per_mol": [], "temperature_k": []}
        if self.periodic:
            rows["box_nm"] = []
        for index in range(self.plan.frames_after(number), self.plan.frames_after(number + 1)):
            with during(f"equilibration at {index * self.frame_ps:g} ps"):
                self._run_interval(simulation, number, index)
                frame = simulation.frame()
            potential = frame.potential_kj_per_mol / KJ_PER_KCAL
            if not math.isfinite(potential):
                raise NumericalError(f"potential energy at {index * self.frame_ps:g} ps is {potential}")
            positions = frame.positions_nm
            if frame.box_nm is not None:
                rows["box_nm"].append(frame.box_nm)
                of_molecule = molecules(self.prmtop, self.first)
                positions = laid_out(positions, frame.box_nm, of_molecule, self.complex, self._slab())
            rows["positions_nm"].append(positions.astype(np.float32))
            rows["potential_kcal_per_mol"].append(potential)
            rows["temperature_k"].append(frame.temperature_k)
            self.progress.add(self.frame_ps, f"{frame.temperature_k:.0f} K {potential:.0f} kcal/mol")
        last = {
            "positions_nm": simulation.positions_nm(),
            "velocities_nm_per_ps": simulation.velocities_nm_per_ps(),
            "reference_nm": arrays["reference_nm"],
            **({"box_nm": rows["box_nm"][-1]} if self.periodic else {}),
        }
        self.departure.require_same_isomers(last["positions_nm"] * 10, f"after {(index + 1) * self.frame_ps:g} ps")
        if self.periodic:
            told = {name: rows[name][-1] for name in ("box_nm", "temperature_k")}
            self.checks.require(number, arrays["box_nm"], rows["positions_nm"][-1].astype(float) * 10, told)
        outputs = {name: np.array(values) for name, values in rows.items()}
        return last, outputs | {"heating": np.full(self.plan.frames[number], number < self.plan.heating)}

    def _simulation(self, number: int, arrays: Arrays) -> Simulation:
        """Make a simulation under the conditions of a segment, where the one before ended."""
        stage, hold = (
            self.plan.stages[number],
            held_in(self.system, self.name, self.plan.stages[number], arrays["reference_nm"]),
        )
        md = self.md
        if stage.timestep_share != 1 or stage.to_k is not None:
            changed = {"timestep_fs": md.timestep_fs * stage.timestep_share, "temperature_k": stage.ends_at_k(md)}
            md = md.model_copy(update=changed)
        kept = (arrays["positions_nm"], arrays["velocities_nm_per_ps"])
        if not self.periodic:
            simulation = self.engine.simulation(self.engine.system(self.prmtop, md, hold), md, self.derived(number))
            simulation.place(*kept)
            return simulation
        parent = self.engine.system(
            self.prmtop, md, hold, constant_pressure=stage.constant_pressure, membrane=self.membrane, apart=self.apart
        )
        simulation = self.engine.simulation(parent, md, self.derived(number))
        simulation.place(*kept, arrays["box_nm"])
        return simulation

    def _slab(self) -> Ints | None:
        """Atoms of the membrane; None where there is none."""
        return self.lipids.atoms if self.membrane and self.lipids is not None else None

    def _run_interval(self, simulation: Simulation, segment: int, frame: int) -> None:
        """Run to the next frame, at the ramp's temperature while heating."""
        chunk = max(1, round(RAMP_PS * 1000 / self.md.timestep_fs))
        stage, every = self.plan.stages[segment], self.plan.steps_in_frame(segment)
        chunk = max(1, round(chunk / stage.timestep_share)) if stage.from_k is not None else every
        for done in range(0, every, chunk):
            steps = min(chunk, every - done)
            if stage.from_k is not None:
                share = self.plan.share_of_stage(segment, frame, done + steps)
                simulation.set_temperature(stage.from_k + share * (stage.ends_at_k(self.md) - stage.from_k))
            simulation.run(steps, lambda _: self.stopper.check())


def _write(
    root: Path,
    prmtop: Path,
    prefix: str,
    data: dict[str, npt.NDArray[Any]],
    last: Arrays,
    parts: _Equilibration,
) -> dict[str, str]:
    """Write trajectory, log and last state into a folder; the files by their roles."""
    topology, frame_ps = load_topology(prmtop).topology, parts.frame_ps
    time_ps = np.arange(1, len(data["positions_nm"]) + 1) * frame_ps
    boxes = {"box_nm": data["box_nm"]} if "box_nm" in data else {}
    with atomic_open(root / f"{prefix}.dcd") as file:
        trajectory = app.DCDFile(file, topology, frame_ps * unit.picosecond)
        for number, frame in enumerate(data["positions_nm"]):
            box = [openmm.Vec3(*row) for row in boxes["box_nm"][number]] * unit.nanometer if boxes else None
            trajectory.writeModel(frame.astype(float) * unit.nanometer, periodicBoxVectors=box)
    with atomic_open(root / f"{prefix}_frames.npz") as file:
        np.savez(file, positions_nm=data["positions_nm"], time_ps=time_ps, heating=data["heating"], **boxes)  # type: ignore[arg-type]
    with atomic_open(root / f"{prefix}_state.npz") as file:
        kept = {name: last[name] for name in ("positions_nm", "velocities_nm_per_ps", "box_nm") if name in last}
        np.savez(file, **kept)  # type: ignore[arg-type]
    columns = {"time_ps": time_ps, "potential_kcal_per_mol": data["potential_kcal_per_mol"]}
    columns["temperature_k"] = data["temperature_k"]
    digits = [3, 4, 2]
    if boxes:
        columns["density_g_per_ml"] = parts.density_g_per_ml(data["box_nm"])
        digits.append(4)
    with atomic_open(root / f"{prefix}_log.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f"{value:.{places}f}" for value, places in zip(row, digits, strict=True)])
    kinds = {"trajectory": "dcd", "frames": "npz", "state": "npz", "log": "csv"}
    return {
        f"{prefix}_{kind}": f"{prefix}.dcd" if kind == "trajectory" else f"{prefix}_{kind}.{suffix}"
        for kind, suffix in kinds.items()
    }
