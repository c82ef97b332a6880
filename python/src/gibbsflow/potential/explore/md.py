"""MD with LAMMPS that watches the extrapolation grade, in segments that can be killed and go on.

NVT is Langevin dynamics, NPT adds an isotropic barostat (``fix nph``). Each segment starts from the checkpoint
of the one before, with random numbers that depend on seed and segment alone and with the barostat at rest, so that an
interrupted run samples the same states as one that was not; a segment that the time budget cuts short goes on with
random numbers of its own. Units are ``metal``: ps, bar, eV, Å.
"""

from __future__ import annotations

import logging
import math
import re
import signal
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from gibbsflow.config.potential_training import Exploration
from gibbsflow.engines.lammps import CRASHES, Lammps, LammpsError, blown_up, timestep_ps
from gibbsflow.engines.lammps_frame import Frame, cell_of, lists_with_images, to_frame
from gibbsflow.errors import EngineError, InputError, Problem, StoppedEarly
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import read_frames, structure_id, tag, write_frames
from gibbsflow.potential.explore.lammps_dynamics import dynamics
from gibbsflow.potential.explore.unknown.committee import Committee
from gibbsflow.potential.train.shared.grade import Grader
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.units import Floats
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.hours.pace import PROGRESS, Held, Pace
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper, run_segments

log = logging.getLogger(__name__)
Reason = Literal["steps", "grade", "unstable"]
PHYSICS = 1
"""Raised by hand when the same inputs give another trajectory."""
# hotter than this times the thermostat's aim, atoms have fallen into a hole of the potential
_HOT = 10.0
_LIVES = 3
# what may also end a run that has begun well, and says nothing of the potential; memory does: a box has collapsed
_AMISS = re.compile(r"cannot open|cannot read|no space|unknown|illegal \w+ command", re.I)


@dataclass(frozen=True)
class Trail:
    """What a trajectory has seen so far.

    Attributes
    ----------
    steps
        MD steps done.
    looks
        Times the grade was computed.
    above_lower, above_upper
        How many of them were at or over each threshold.
    max_grade
        Largest finite grade.
    max_spread
        Largest expected error by a committee, eV/Å; 0 where none is asked.
    collected
        Frames kept.
    stopped
        Why MD ended, empty while it goes on.
    detail
        The same in words.
    """

    steps: int = 0
    looks: int = 0
    above_lower: int = 0
    above_upper: int = 0
    max_grade: float = 0.0
    collected: int = 0
    stopped: str = ""
    detail: str = ""
    max_spread: float = 0.0


@dataclass
class Trajectory:
    """One trajectory with what it needs.

    Attributes
    ----------
    potential, grader
        The potential, as it lies in its folder, and its grade.
    atoms
        Where it starts, before `settings.supercell` repeats it.
    settings
        Section ``exploration``.
    seed
        Of velocities and thermostat.
    generation
        Written into its frames.
    state
        State folder: checkpoints and the frames of each segment.
    inputs_hash
        Hash that its checkpoints carry.
    committee
        Its committee, which decides in place of the grade; None where the grade does.
    trail
        What it has seen so far; read from its checkpoint.
    crashed
        Segments in which LAMMPS has died.
    pace
        Time that LAMMPS and the looks at its frames took, on one core.
    """

    potential: Potential
    grader: Grader
    atoms: Atoms
    settings: Exploration
    seed: int
    generation: int
    state: Path
    inputs_hash: str
    committee: Committee | None = None
    trail: Trail = field(default_factory=Trail)
    crashed: set[int] = field(default_factory=set)
    pace: Pace = field(default_factory=lambda: Pace(Held()))

    def __post_init__(self) -> None:
        given = self.settings
        self.lower, self.upper = limits(given, self.grader, self.committee)
        if self.committee is None:
            self.grader = self.grader.with_lower(self.lower)
        self.segments = math.ceil(given.steps / given.segment_steps)
        repeated = self.atoms.repeat(given.supercell) if self.atoms.pbc.any() else self.atoms
        self.start = to_frame(repeated, self.potential.species, self.potential.cutoff_angstrom)
        self.symbols = repeated.get_chemical_symbols()
        self.parent = structure_id(self.atoms)
        self.checkpoints = RollingCheckpoints(self.state)

    def run(self, stopper: Stopper) -> Trail:
        """Run, or go on, to the end.

        Parameters
        ----------
        stopper
            Its time budget, number of segments and signals.

        Returns
        -------
        Trail
            With the reason why it ended.

        Raises
        ------
        StoppedEarly
            By time, number of segments or signal; state is saved.
        """
        again = Retrying(
            retry=retry_if_exception(_killed),
            stop=stop_after_attempt(_LIVES),
            before_sleep=lambda call: log.warning(
                "%s: killed from outside, the segment runs again", call.outcome and call.outcome.exception()
            ),
            reraise=True,
        )
        return again(self._live, stopper)

    def _live(self, stopper: Stopper) -> Trail:
        """Go on from the checkpoint with a LAMMPS of its own."""
        done, frame = self._resume()
        self._write_progress(done)
        progress = Progress("MD", self.settings.steps, "steps", done=self.trail.steps)
        with Lammps(self.state / "lammps", check=stopper.check) as lammps:
            lammps.require(self.potential.lammps_style)
            while done < self.segments and not self.trail.stopped:

                def segment(number: int) -> None:
                    nonlocal frame
                    before = self.trail.steps
                    frame = self._segment(lammps, number, frame, stopper)
                    progress.add(self.trail.steps - before, f"largest grade {self.trail.max_grade:.3g}")

                run_segments(done, done + 1, segment, stopper)
                done += 1
        return self.trail

    def frames(self) -> list[Atoms]:
        """Read the frames that were collected so far.

        Returns
        -------
        list of Atoms
            In order of time, with ``grade``, ``step`` and ``temperature_k``, and the array ``atom_grade``.
        """
        paths = sorted(self.state.glob("frames_*.extxyz"))
        return [frame for path in paths if path.stat().st_size for frame in read_frames(path)]

    def _resume(self) -> tuple[int, Frame]:
        saved = self.checkpoints.load(self.inputs_hash)
        if saved is None:
            for stale in self.state.glob("frames_*.extxyz"):
                stale.unlink()
            self.trail = Trail()
            return 0, self.start
        self.trail, self.pace = Trail(**saved.meta["trail"]), Pace(self.pace.held, saved.meta)
        arrays = saved.arrays
        frame = Frame(
            arrays["cell_angstrom"], arrays["positions_angstrom"], np.eye(3), self.start.types, self.start.species,
            arrays["velocities_angstrom_per_ps"],
        )  # fmt: skip
        log.info("going on from segment %d of %d", saved.segment, self.segments)
        return saved.segment, frame

    def _segment(self, lammps: Lammps, number: int, frame: Frame, stopper: Stopper) -> Frame:
        """Run one segment, or what the time budget holds of it, and save its frames and then its checkpoint."""
        end = min((number + 1) * self.settings.segment_steps, self.settings.steps)
        trail, began, cut, looked = self.trail, self.trail.steps > 0, "", stopper.elapsed_s
        begin_s = looked
        path = self.state / f"frames_{number:06d}.extxyz"
        # a segment that was cut short goes on: what it had collected stays
        inside = trail.steps - number * self.settings.segment_steps
        kept = _before(path, trail.steps) if inside else []
        results = ["positions", "velocities", "box", "atoms:grade", "thermo:temp"]
        try:
            self._begin(lammps, number, end - trail.steps, frame, inside)
            began = True
            while trail.steps < end:
                stopper.check()
                taken, looked = stopper.elapsed_s - looked, stopper.elapsed_s
                if trail.steps > self.trail.steps and (cut := stopper.out_of_time(taken)):
                    break
                chunk = min(self.settings.grade_interval, end - trail.steps)
                got = lammps.run([f"run {chunk} pre no post no"], results)
                trail, atoms = self._look(trail, chunk, got)
                if atoms is not None:
                    kept.append(atoms)
                if trail.stopped:
                    break
                frame = Frame(
                    cell_of(got["box"]), got["positions"] - got["box"][:3], np.eye(3), frame.types, frame.species,
                    got["velocities"],
                )  # fmt: skip
        except EngineError as error:
            if self._crashed_first(error, number):
                raise
            by_dynamics = began and isinstance(error, LammpsError) and not _AMISS.search(str(error))
            if not by_dynamics and not blown_up(error) and error.code not in CRASHES:
                raise  # killed, too slow, a command or a file that is wrong: that says nothing of the potential
            # atoms lost or numbers not finite: the potential was wrong there, which is what exploration is to find out
            trail = _ended(trail, "unstable", str(error))
        write_frames(path, kept)
        arrays = {
            "cell_angstrom": frame.cell,
            "positions_angstrom": frame.positions,
            "velocities_angstrom_per_ps": frame.velocities
            if frame.velocities is not None
            else np.zeros_like(frame.positions),
        }
        if trail.steps >= self.settings.steps and not trail.stopped:
            trail = _ended(trail, "steps", "all steps done")
        self.pace.add(trail.steps - self.trail.steps, stopper.elapsed_s - begin_s)
        self.trail = trail
        done = number if cut else number + 1
        meta = {"trail": asdict(trail), **self.pace.saved()}
        self.checkpoints.save(Checkpoint(self.inputs_hash, done, arrays, meta))
        self._write_progress(done)
        if cut:
            raise StoppedEarly(f"{cut}; {trail.steps} of {self.settings.steps} steps done")
        return frame

    def _write_progress(self, segments_done: int) -> None:
        """Say how far it is; where something has ended it before its steps were done, there is no more to do."""
        steps, segments = self.trail.steps, segments_done
        if not self.trail.stopped:
            steps, segments = self.settings.steps, self.segments
        content = {
            "segments_done": segments_done, "segments": segments, "steps_done": self.trail.steps, "steps": steps,
            **self.pace.told(),
        }  # fmt: skip
        write_json(self.state / PROGRESS, content)

    def _crashed_first(self, error: EngineError, number: int) -> bool:
        """Whether LAMMPS died of a signal, not yet a second time in this segment: what blows up does so again."""
        first = error.code in CRASHES and number not in self.crashed
        self.crashed.add(number)
        return first

    def _begin(self, lammps: Lammps, number: int, steps: int, frame: Frame, inside: int) -> None:
        """Load a frame and evaluate it; what LAMMPS does not take of the very start is the user's to mend."""
        try:
            loaded = [*lammps.load(frame), *lists_with_images(frame, self.potential.cutoff_angstrom)]
            lammps.run([*loaded, *self._setup(lammps, number, steps, inside)])
        except EngineError as error:
            refused = isinstance(error, LammpsError) and not blown_up(error)
            if number or inside or not (refused or error.code in CRASHES):
                raise
            right = "a potential as `train fit` wrote it, and a structure that it can be used on"
            raise InputError(Problem("infer explore", str(error), right)) from error

    def _setup(self, lammps: Lammps, number: int, steps: int, inside: int) -> list[str]:
        """Commands between loading a frame and running, for what is left of one segment."""
        return [
            *self.potential.pair_commands(lammps.folder),
            *self.potential.descriptor_commands("grade", self.grader.basis, lammps.folder),
            *dynamics(self.settings, number, steps, self.seed, inside=inside),
            "thermo 1000000",
            "thermo_modify lost error norm no",
            "run 0 post no",
        ]

    def _look(self, trail: Trail, chunk: int, got: dict[str, Any]) -> tuple[Trail, Atoms | None]:
        """Grade the present frame and decide what becomes of it."""
        grades = self.grader.grades(self.symbols, got["atoms:grade"])
        largest, temperature = float(grades.max()), float(got["thermo:temp"])
        spreads = self._spreads(got) if self.committee is not None else None
        decisive = largest if spreads is None else float(spreads.max())
        aim = max(self.settings.temperature_k, self.settings.temperature_end_k or 0.0)
        trail = replace(trail, steps=trail.steps + chunk, looks=trail.looks + 1)
        if not (np.isfinite(got["positions"]).all() and math.isfinite(largest) and math.isfinite(temperature)):
            return _ended(trail, "unstable", "positions or descriptors are not finite"), None
        over, beyond = decisive >= self.lower, decisive >= self.upper
        keep = over and (beyond or trail.collected < self.settings.max_frames)
        trail = replace(
            trail, above_lower=trail.above_lower + over, above_upper=trail.above_upper + beyond,
            max_grade=max(trail.max_grade, largest), collected=trail.collected + keep,
        )  # fmt: skip
        if spreads is not None and math.isfinite(decisive):
            trail = replace(trail, max_spread=max(trail.max_spread, decisive))
        if beyond:
            what = "grade" if spreads is None else "expected force error in eV/Å"
            trail = _ended(trail, "grade", f"{what} {decisive:.3g} at step {trail.steps}, threshold {self.upper:.3g}")
        elif temperature > _HOT * aim:
            trail = _ended(
                trail, "unstable", f"{temperature:.0f} K at step {trail.steps}, the thermostat aims at {aim:.0f} K"
            )
        return trail, self._tagged(got, grades, spreads, trail.steps, temperature) if keep else None

    def _spreads(self, got: dict[str, Any]) -> Floats:
        """What the committee expects of the force error on each atom of the present frame."""
        assert self.committee is not None  # noqa: S101 - asked before
        cell, positions = cell_of(got["box"]), got["positions"] - got["box"][:3]
        return self.committee.spreads(Atoms(self.symbols, positions=positions, cell=cell, pbc=True))

    def _tagged(
        self, got: dict[str, Any], grades: Floats, spreads: Floats | None, step: int, temperature_k: float
    ) -> Atoms:
        cell, positions = cell_of(got["box"]), got["positions"] - got["box"][:3]
        atoms = Atoms(self.symbols, positions=positions, cell=cell, pbc=True)
        if self.atoms.pbc.any():
            atoms.wrap()
        else:  # a molecule, which the box may have cut in two
            atoms.positions = positions[0] + find_mic(positions - positions[0], cell)[0]
            atoms.pbc = False
        made = tag(
            atoms, "md", generator="exploration", seed=self.seed, parent=self.parent, generation=self.generation,
            grade=float(grades.max()), step=step, temperature_k=round(temperature_k, 2),
            **mesh_of(self.atoms, atoms, self.settings.supercell),
        )  # fmt: skip
        made.arrays["atom_grade"] = grades
        if spreads is not None:
            made.info["force_spread"] = float(spreads.max())
            made.arrays["force_spread_ev_per_angstrom"] = spreads
        return made


def limits(settings: Exploration, grader: Grader, committee: Committee | None) -> tuple[float, float]:
    """From where on frames are collected, and where MD stops: as the settings say, or else as calibrated.

    Parameters
    ----------
    settings
        Section ``exploration``.
    grader
        Grade with its thresholds.
    committee
        Committee with its own, in eV/Å, which then count; or None.

    Returns
    -------
    tuple
        Lower and upper threshold.
    """
    if committee is not None:
        low, high = settings.lower_error_ev_per_angstrom, settings.upper_error_ev_per_angstrom
        usual = committee.scale.lower_ev_per_angstrom, committee.scale.upper_ev_per_angstrom
    else:
        low, high, usual = settings.lower_grade, settings.upper_grade, (grader.lower, grader.upper)
    # one that is given moves the other: MD must not stop at a frame that is not collected
    lower = low if low is not None else min(usual[0], high if high is not None else math.inf)
    return lower, high if high is not None else max(usual[1], lower)


def _before(path: Path, steps: int) -> list[Atoms]:
    """Frames that a segment had collected when it was cut short."""
    found = read_frames(path) if path.exists() and path.stat().st_size else []
    return [frame for frame in found if frame.info["step"] <= steps]


def _killed(error: BaseException) -> bool:
    """Whether LAMMPS was killed, from outside as far as one can tell."""
    return isinstance(error, EngineError) and error.code in (-signal.SIGKILL, *CRASHES)


def _ended(trail: Trail, reason: Reason, detail: str) -> Trail:
    log.info("MD ends: %s (%s)", reason, detail)
    return replace(trail, stopped=reason, detail=detail)


def figures(trajectory: Trajectory) -> dict[str, Any]:
    """What ``result.json`` says of a trajectory that has ended.

    Parameters
    ----------
    trajectory
        After :meth:`Trajectory.run`.

    Returns
    -------
    dict
        Steps, simulated time in ps, grades and what ended it, JSON-serialisable.
    """
    trail, settings = trajectory.trail, trajectory.settings
    looks = max(trail.looks, 1)
    return {
        "steps": trail.steps,
        "simulated_ps": trail.steps * timestep_ps(settings.timestep_fs),
        "stopped_by": trail.stopped,
        "detail": trail.detail,
        "max_grade": trail.max_grade,
        **({"by": "committee", "max_spread_ev_per_angstrom": trail.max_spread} if trajectory.committee else {}),
        "lower_grade": trajectory.lower,
        "upper_grade": trajectory.upper,
        "looks": trail.looks,
        "fraction_above_lower": trail.above_lower / looks,
        "fraction_above_upper": trail.above_upper / looks,
        "frames": trail.collected,
        "atoms": len(trajectory.symbols),
        "ensemble": settings.ensemble,
    }
