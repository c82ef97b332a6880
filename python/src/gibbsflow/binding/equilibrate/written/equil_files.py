"""An equilibration for AMBER's programs: topology, an input for each segment of its stages, and scripts that run them.

Stages, lengths, restraints and random numbers' campaign are those of ``equil run``; what sander is told is that of
`engines.amber`. A ramp of temperature is one here, by ``nmropt``, where ``equil run`` makes steps of 0.2 ps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.equilibrate.equilibration import BOXES, held_in, planned, start_of
from gibbsflow.binding.equilibrate.periodic_box import kept_apart
from gibbsflow.binding.equilibrate.stages import Plan
from gibbsflow.binding.facts import SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.given.coordinate_files import lengths_and_angles
from gibbsflow.binding.forcefield.membrane.lipids import is_membrane
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.forcefield.topology_file import is_periodic
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md, hashed
from gibbsflow.engines.amber import mdin
from gibbsflow.engines.amber.amber_engine import AMBER, write_topology
from gibbsflow.engines.amber.sander import SANDER
from gibbsflow.engines.amber.scripts.run_scripts import (
    START,
    STEPS,
    Step,
    begin_folder,
    steps_text,
    write_run_scripts,
    write_text,
)
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.units import Floats
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.seeds import derive_seed

TOPOLOGY, MINIMISED = "topology.prmtop", "minimise"
SHRINKS_TO = 0.95
"""Of the edges of a box that is packed loosely: the list of neighbours is to fit into what it becomes."""
_SEEDS = 999_999


def write_equil_files(system: SimSystem, out: Path) -> dict[str, Any]:
    """Write all that sander needs to equilibrate a system.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    out
        Folder to be filled; with a folder for each box.

    Returns
    -------
    dict
        Content of ``amber.json``: stages and steps.

    Raises
    ------
    InputError
        For a membrane, a copy of the ligand that is kept apart, and a folder in which something else lies.
    """
    given = system.facts(SettingsFacts)
    names = [name for name, (topology, _) in BOXES.items() if f"{topology}_prmtop" in system.artifacts]
    boxes = [_Box(system, name, given.md, given.equil, given.run.seed) for name in names]
    for box in boxes:
        box.check()
    roles = [f"{BOXES[name][0]}_{kind}" for name in names for kind in ("prmtop", "inpcrd")]
    plan = planned(system, given.md, given.equil)
    record = {
        "system": system.name,
        "seed": given.run.seed,
        "boxes": names,
        "stages": list(dict.fromkeys(stage.name for stage in plan.stages)),
        "total_steps": plan.steps_after(len(plan.frames)),
        "segments": len(plan.frames),
        "inputs_hash": inputs_hash(
            files={role: system.path(role) for role in roles},
            settings=hashed(given.md) | hashed(given.equil) | {"seed": given.run.seed},
            physics=PHYSICS,
        ),
    }
    begin_folder(out, record)
    for box in boxes:
        box.write(out / box.name)
    write_run_scripts(out, SANDER, names)
    return record


@dataclass(frozen=True)
class _Box:
    """Writes the folder of one box."""

    system: SimSystem
    name: str
    md: Md
    equil: Equil
    seed: int

    @property
    def prmtop(self) -> Path:
        return self.system.path(f"{BOXES[self.name][0]}_prmtop")

    def check(self) -> None:
        """Refuse what the engine refuses."""
        apart = kept_apart(self.system.facts(TopologyFacts).far_from(f"{BOXES[self.name][1]}_frames"))
        membrane = is_periodic(self.prmtop) and is_membrane(self.prmtop)
        AMBER.system(self.prmtop, self.md, membrane=membrane, apart=apart)

    def write(self, folder: Path) -> None:
        """Write topology, start, inputs, and the list of runs."""
        positions_nm, box_nm = start_of(self.system, self.name)
        folder.mkdir(parents=True, exist_ok=True)
        masses = create_system(self.prmtop, self.md)
        count = masses.getNumParticles()
        amu = np.array([masses.getParticleMass(atom)._value for atom in range(count)])
        write_topology(self.prmtop, amu, folder / TOPOLOGY)
        write_inpcrd(folder / START, positions_nm * 10, () if box_nm is None else lengths_and_angles(box_nm * 10))
        plan = planned(self.system, self.md, self.equil)
        steps = [self._minimise(folder, MINIMISED, self._first_minimisation(plan), box_nm)]
        for number, stage in enumerate(plan.stages):
            name = self._name(plan, number)
            fresh = number == 0
            if number and stage.minimise_steps and plan.begins_stage(number):
                steps.append(self._minimise(folder, f"{name}-minimise", stage.minimise_steps, box_nm))
                fresh = True
            steps.append(self._segment(folder, name, plan, number, box_nm, fresh=fresh))
        write_text(folder / STEPS, steps_text(steps))

    def _first_minimisation(self, plan: Plan) -> int:
        asked = plan.stages[0].minimise_steps
        return max(1, self.equil.minimise_steps if asked is None else asked)

    def _name(self, plan: Plan, number: int) -> str:
        """Such as ``2-density-001``: stage, and segment within it."""
        stage = plan.stages[number]
        order = list(dict.fromkeys(plan.stages)).index(stage) + 1
        within = sum(one == stage for one in plan.stages[: number + 1])
        return f"{order}-{re.sub('[^A-Za-z0-9]+', '_', stage.name)}-{within:03d}"

    def _minimise(self, folder: Path, name: str, steps: int, box_nm: Floats | None) -> Step:
        words = mdin.minimisation_words(steps) | mdin.solvent_words(self.md, periodic=box_nm is not None)
        write_text(folder / f"{name}.in", mdin.mdin(name, words, None, self._ewald(box_nm)))
        return Step(name, 0, f"-p {TOPOLOGY}")

    def _segment(self, folder: Path, name: str, plan: Plan, number: int, box_nm: Floats | None, *, fresh: bool) -> Step:
        stage, every = plan.stages[number], plan.steps_in_frame(number)
        md = self.md.model_copy(update={"timestep_fs": self.md.timestep_fs * stage.timestep_share})
        steps, end_k, ramp = plan.frames[number] * every, stage.ends_at_k(self.md), None
        if stage.from_k is not None:
            first, last = plan.frames_after(number), plan.frames_after(number + 1)
            begun, ended = (plan.share_of_stage(number, frame, 0) for frame in (first, last))
            height_k = end_k - stage.from_k
            ramp = stage.from_k + begun * height_k, stage.from_k + ended * height_k
            end_k = ramp[1]
        seed = derive_seed(self.seed, self.system.name, "amber", self.name, number) % _SEEDS + 1
        words = mdin.dynamics_words(md, steps, end_k, seed)
        words |= {"ntpr": str(every), "ntwx": str(every), "ioutfm": "1"}
        if fresh:
            words |= {"irest": "0", "ntx": "1", "tempi": f"{stage.starts_at_k(self.md):.6g}"}
        words |= mdin.solvent_words(md, periodic=box_nm is not None, constant_pressure=stage.constant_pressure)
        # of the reference file alone atoms' places are taken, which are those after minimisation
        hold = held_in(self.system, self.name, stage, np.zeros((0, 3)))
        total = sum(frames * plan.steps_in_frame(k) for k, frames in enumerate(plan.frames) if plan.stages[k] == stage)
        text = mdin.mdin(mdin.headed(name, total), words, hold, self._ewald(box_nm), ramp)
        write_text(folder / f"{name}.in", text)
        return Step(name, steps, f"-p {TOPOLOGY}" + ("" if hold is None else f" -ref {MINIMISED}.rst7"))

    def _ewald(self, box_nm: Floats | None) -> dict[str, str]:
        if box_nm is None:
            return {}
        return {"skinnb": f"{mdin.skin_angstrom(self.md, box_nm * SHRINKS_TO):.4g}"}
