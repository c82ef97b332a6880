"""MD of a potential in LAMMPS by segments: each is kept as it ends, and one that was killed is all that is run again.

A segment starts from what the one before has written, with random numbers of its own and the barostat at rest, so that
a run that was interrupted gives the same numbers as one that was not. Units are ``metal``: eV, Å, ps, bar.
"""

from __future__ import annotations

import io
import logging
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gibbsflow.engines.lammps import CRASHES, FRICTION_PS, Lammps, blown_up, timestep_ps
from gibbsflow.engines.lammps_frame import Frame, cell_of
from gibbsflow.errors import EngineError, NumericalError, StoppedEarly
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, inputs_hash
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
PHYSICS = 1
"""Raised by hand when the same inputs give another run."""
Observe = Callable[[Frame], Mapping[str, Floats]]
_BAROSTAT_PS = 1.0
_LOOKS_OF_SEGMENT, _LEAST_LOOKS = 40, 40
_ON_A_LINE = 100
_HOT, _LEAST_K = 5.0, 300.0


def too_hot(temperature_k: float, aim_k: float) -> bool:
    """Say whether MD has blown up: no thermostat lets a temperature so far away.

    Parameters
    ----------
    temperature_k
        Of the atoms now, K.
    aim_k
        Of the thermostat, K.

    Returns
    -------
    bool
        True from five times the aim on (of one below 300 K, from 1500 K on), and where it is no number.
    """
    return not temperature_k < _HOT * max(aim_k, _LEAST_K)


@dataclass(frozen=True)
class Conditions:
    """What a run holds constant.

    Attributes
    ----------
    ensemble
        ``npt`` and ``nvt`` with Langevin's thermostat (friction time 0.1 ps), ``nph`` without one. The pressure is
        zero, kept by `fix nph` with a time of 1 ps.
    temperature_k
        Of the thermostat; of an ``nph`` run that of the velocities it starts with, where it starts without any.
    couple
        Directions that the barostat moves: ``iso``, ``aniso``, or ``z``.
    moving
        Numbers of the atoms that move, from 1; None for all.
    """

    ensemble: Literal["npt", "nvt", "nph"]
    temperature_k: float
    couple: Literal["iso", "aniso", "z"] = "iso"
    moving: tuple[int, ...] | None = None

    def commands(self, seed: int, *, begins: bool) -> list[str]:
        """Give LAMMPS' commands of one segment.

        Parameters
        ----------
        seed
            Of its random numbers.
        begins
            Whether velocities are drawn.

        Returns
        -------
        list of str
            Velocities and fixes.
        """
        made: list[str] = []
        group = "all"
        if self.moving is not None:
            group = "moving"
            for first in range(0, len(self.moving), _ON_A_LINE):
                made.append("group moving id " + " ".join(map(str, self.moving[first : first + _ON_A_LINE])))
            made += ["group still subtract all moving", "velocity still set 0 0 0"]
        if begins:
            made.append(f"velocity {group} create {self.temperature_k:.6f} {seed} mom yes rot no dist gaussian")
        if self.ensemble == "nvt":
            made.append(f"fix move {group} nve")
        else:
            made.append(f"fix move {group} nph {self.couple} 0 0 {_BAROSTAT_PS}")
        if self.ensemble != "nph":
            heat = f"{self.temperature_k:.6f} {self.temperature_k:.6f} {FRICTION_PS} {seed}"
            made.append(f"fix heat {group} langevin {heat} zero yes")
        return made


@dataclass(frozen=True)
class Run:
    """What a run has seen, one row a look.

    Attributes
    ----------
    end
        Where it ended.
    temperature_k
        Shape (looks,).
    volume_angstrom3
        Shape (looks,).
    observed
        What was observed besides, each of shape (looks, ...).
    """

    end: Frame
    temperature_k: Floats
    volume_angstrom3: Floats
    observed: Mapping[str, Floats]

    def late(self, share: float = 0.75) -> slice:
        """Choose the looks that count: the last of them.

        Parameters
        ----------
        share
            How many of all.

        Returns
        -------
        slice
            Into arrays of looks.
        """
        return slice(round(len(self.temperature_k) * (1 - share)), None)


@dataclass
class MdRuns:
    """Runs MD of one potential.

    Attributes
    ----------
    potential
        Gives LAMMPS its pair style.
    key
        Hash of all that changes what the potential says.
    state
        Folder that keeps segments.
    stopper
        Says when to stop.
    look_steps
        Steps between two looks at most: a run has forty looks or more, so that blocks have an error.
    steps_run
        Steps that were run by this object, and not found.
    """

    potential: Potential
    key: str
    state: Path
    stopper: Stopper
    look_steps: int = 50
    steps_run: int = 0

    def run(
        self, name: str, start: Frame, conditions: Conditions, *, length_ps: float, step_fs: float, seed: int,
        observe: Observe = lambda frame: {},
    ) -> Run:  # fmt: skip
        """Run, or read what was run before.

        Parameters
        ----------
        name
            Names its folder; what is observed goes by it.
        start
            Where it starts; without velocities they are drawn.
        conditions
            What is held constant.
        length_ps, step_fs
            How long, and the time step.
        seed
            Of velocities and thermostat.
        observe
            Called at each look.

        Returns
        -------
        Run
            The whole run.

        Raises
        ------
        NumericalError
            Where the potential blows up.
        EngineError
            Where LAMMPS fails otherwise.
        StoppedEarly
            After a signal, or where time is up; segments that have ended are kept.
        """
        steps = max(_LEAST_LOOKS, round(length_ps * 1000 / step_fs))
        every = max(1, min(self.look_steps, steps // _LEAST_LOOKS))
        looks = steps // every
        told = {
            "cell": start.cell, "positions": start.positions, "velocities": start.velocities, "species": start.species,
            "types": start.types, "conditions": vars(conditions), "looks": looks, "look_steps": every,
            "step_fs": step_fs, "seed": seed, "key": self.key,
        }  # fmt: skip
        folder = self.state / f"{name}-{inputs_hash(files={}, settings=told, physics=PHYSICS)[:16]}"
        parts: list[dict[str, Any]] = []
        frame, timestep = start, f"timestep {timestep_ps(step_fs):.10g}"
        progress = Progress(f"MD {name}", looks * every, "steps")
        began = time.monotonic()
        while (done := sum(len(part["temperature_k"]) for part in parts)) < looks:
            path = folder / f"segment-{len(parts):05d}.npz"
            count = min(_LOOKS_OF_SEGMENT, looks - done)
            part = _read(path)
            if part is None:
                self.stopper.check()
                taken = (time.monotonic() - began) / max(1, len(parts))
                if reason := self.stopper.out_of_time(taken if parts else 0.0):
                    raise StoppedEarly(f"{reason}; MD {name}: {done} of {looks} looks done")
                own = int(np.random.SeedSequence([seed, len(parts)]).generate_state(1)[0] % 899_999_999) + 1
                commands = conditions.commands(own, begins=frame.velocities is None)
                part = self._segment(frame, [timestep, *commands], count, every, observe, conditions.temperature_k)
                with atomic_open(path) as file:
                    held = io.BytesIO()
                    np.savez_compressed(held, **part)
                    file.write(held.getvalue())
            parts.append(part)
            frame = replace(frame, cell=part["end_cell"], positions=part["end_positions"],
                            velocities=part["end_velocities"])  # fmt: skip
            progress.add(count * every, f"{part['temperature_k'][-1]:.0f} K")
        series = {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if not key.startswith("end_")}
        return Run(frame, series.pop("temperature_k"), series.pop("volume_angstrom3"), series)

    def _segment(
        self, frame: Frame, commands: list[str], looks: int, every: int, observe: Observe, aim_k: float
    ) -> dict[str, Any]:
        seen: list[dict[str, Any]] = []
        results = ["positions", "velocities", "box", "thermo:temp", "thermo:vol"]
        try:
            with Lammps(self.state / "lammps", check=self.stopper.check) as lammps:
                lammps.require(self.potential.lammps_style)
                lammps.run([
                    *lammps.load(frame), *self.potential.pair_commands(lammps.folder),
                    *commands, "thermo 1000000",
                    "thermo_modify lost error norm no", "run 0 post no",
                ])  # fmt: skip
                for _ in range(looks):
                    self.stopper.check()
                    got = lammps.run([f"run {every} pre no post no"], results)
                    temperature = float(got["thermo:temp"])
                    if not np.isfinite(got["positions"]).all() or too_hot(temperature, aim_k):
                        raise NumericalError(f"MD at {aim_k:.0f} K blows up: {temperature:.3g} K")
                    frame = replace(frame, cell=cell_of(got["box"]), positions=got["positions"] - got["box"][:3],
                                    velocities=got["velocities"])  # fmt: skip
                    seen.append({"temperature_k": temperature, "volume_angstrom3": float(got["thermo:vol"]),
                                 **observe(frame)})  # fmt: skip
                    self.steps_run += every
        except EngineError as error:
            if blown_up(error) or error.code in CRASHES:
                raise NumericalError(f"MD at {aim_k:.0f} K blows up: {error}") from error
            raise
        made: dict[str, Any] = {key: np.array([one[key] for one in seen]) for key in seen[0]}
        ends = {"end_cell": frame.cell, "end_positions": frame.positions, "end_velocities": frame.velocities}
        return made | ends


def _read(path: Path) -> dict[str, Any] | None:
    """A segment that is kept; None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s cannot be read (%s): run again", path, error)
        return None
