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
from gibbsflow.engines.lammps_frame import Frame, to_frame
from gibbsflow.errors import EngineError, InputError, Problem, StoppedEarly
from gibbsflow.potential.data.structures import read_frames, structure_id, tag, write_frames
from gibbsflow.potential.train.shared.grade import Grader
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.units import Floats
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper, run_segments

log = logging.getLogger(__name__)
Reason = Literal["steps", "grade", "unstable"]
PHYSICS = 1
"""Raised by hand when the same inputs give another trajectory."""
_FRICTION_PS = 0.1
_BAROSTAT_PS = 1.0
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
    trail
        What it has seen so far; read from its checkpoint.
    crashed
        Segments in which LAMMPS has died.
    """

    potential: Potential
    grader: Grader
    atoms: Atoms
    settings: Exploration
    seed: int
    generation: int
    state: Path
    inputs_hash: str
    trail: Trail = field(default_factory=Trail)
    crashed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        given = self.settings
        self.lower = given.lower_grade if given.lower_grade is not None else self.grader.lower
        self.upper = given.upper_grade if given.upper_grade is not None else max(self.grader.upper, self.lower)
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
        self.trail = Trail(**saved.meta["trail"])
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
                    _cell(got["box"]), got["positions"] - got["box"][:3], np.eye(3), frame.types, frame.species,
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
        self.trail = trail
        done = number if cut else number + 1
        self.checkpoints.save(Checkpoint(self.inputs_hash, done, arrays, {"trail": asdict(trail)}))
        if cut:
            raise StoppedEarly(f"{cut}; {trail.steps} of {self.settings.steps} steps done")
        return frame

    def _crashed_first(self, error: EngineError, number: int) -> bool:
        """Whether LAMMPS died of a signal, not yet a second time in this segment: what blows up does so again."""
        first = error.code in CRASHES and number not in self.crashed
        self.crashed.add(number)
        return first

    def _begin(self, lammps: Lammps, number: int, steps: int, frame: Frame, inside: int) -> None:
        """Load a frame and evaluate it; what LAMMPS does not take of the very start is the user's to mend."""
        try:
            lammps.run([*lammps.load(frame), *self._setup(lammps, number, steps, inside)])
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
        aim = max(self.settings.temperature_k, self.settings.temperature_end_k or 0.0)
        trail = replace(trail, steps=trail.steps + chunk, looks=trail.looks + 1)
        if not (np.isfinite(got["positions"]).all() and math.isfinite(largest) and math.isfinite(temperature)):
            return _ended(trail, "unstable", "positions or descriptors are not finite"), None
        over, beyond = largest >= self.lower, largest >= self.upper
        keep = over and (beyond or trail.collected < self.settings.max_frames)
        trail = replace(
            trail, above_lower=trail.above_lower + over, above_upper=trail.above_upper + beyond,
            max_grade=max(trail.max_grade, largest), collected=trail.collected + keep,
        )  # fmt: skip
        if beyond:
            trail = _ended(trail, "grade", f"grade {largest:.3g} at step {trail.steps}, threshold {self.upper:.3g}")
        elif temperature > _HOT * aim:
            trail = _ended(
                trail, "unstable", f"{temperature:.0f} K at step {trail.steps}, the thermostat aims at {aim:.0f} K"
            )
        return trail, self._tagged(got, grades, trail.steps, temperature) if keep else None

    def _tagged(self, got: dict[str, Any], grades: Floats, step: int, temperature_k: float) -> Atoms:
        cell, positions = _cell(got["box"]), got["positions"] - got["box"][:3]
        atoms = Atoms(self.symbols, positions=positions, cell=cell, pbc=True)
        if self.atoms.pbc.any():
            atoms.wrap()
        else:  # a molecule, which the box may have cut in two
            atoms.positions = positions[0] + find_mic(positions - positions[0], cell)[0]
            atoms.pbc = False
        made = tag(
            atoms, "md", generator="exploration", seed=self.seed, parent=self.parent, generation=self.generation,
            grade=float(grades.max()), step=step, temperature_k=round(temperature_k, 2),
        )  # fmt: skip
        made.arrays["atom_grade"] = grades
        return made


def _before(path: Path, steps: int) -> list[Atoms]:
    """Frames that a segment had collected when it was cut short."""
    found = read_frames(path) if path.exists() and path.stat().st_size else []
    return [frame for frame in found if frame.info["step"] <= steps]


def dynamics(settings: Exploration, segment: int, steps: int, seed: int, *, inside: int = 0) -> list[str]:
    """Time step, thermostat, barostat and, in the first segment, velocities.

    The thermostat is Langevin's (Schneider and Stoll, Phys. Rev. B 1978, 17, 1302), with a friction time of 0.1 ps.

    Parameters
    ----------
    settings
        Section ``exploration``.
    segment
        Number of the segment; a ramp goes on from where the one before ended.
    steps
        Steps of this segment that are to be run.
    seed
        Seed of the trajectory.
    inside
        Steps of this segment that were run before, where a time budget cut it short.

    Returns
    -------
    list of str
        LAMMPS commands in metal units: ps, K, bar.
    """
    begin = segment * settings.segment_steps + inside
    start_k, end_k = _ramp(settings.temperature_k, settings.temperature_end_k, begin, steps, settings.steps)
    # LAMMPS takes seeds from 1 to 900 million
    own = (
        int(np.random.SeedSequence([seed, segment, *([inside] if inside else [])]).generate_state(1)[0] % 899_999_999)
        + 1
    )
    commands = [f"timestep {timestep_ps(settings.timestep_fs):.10g}"]
    if begin == 0:
        commands.append(f"velocity all create {start_k:.6f} {own} mom yes rot no dist gaussian")
    if settings.ensemble == "npt":
        low, high = _ramp(settings.pressure_bar, settings.pressure_end_bar, begin, steps, settings.steps)
        commands.append(f"fix move all nph iso {low:.6f} {high:.6f} {_BAROSTAT_PS}")
    else:
        commands.append("fix move all nve")
    return [*commands, f"fix heat all langevin {start_k:.6f} {end_k:.6f} {_FRICTION_PS} {own} zero yes"]


def _ramp(start: float, end: float | None, begin: int, steps: int, total: int) -> tuple[float, float]:
    change = (end if end is not None else start) - start
    return start + change * begin / total, start + change * (begin + steps) / total


def _cell(box: Floats) -> Floats:
    (xlo, ylo, zlo), (xhi, yhi, zhi), (xy, xz, yz) = box.reshape(3, 3)
    return np.array([[xhi - xlo, 0.0, 0.0], [xy, yhi - ylo, 0.0], [xz, yz, zhi - zlo]])


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
        "lower_grade": trajectory.lower,
        "upper_grade": trajectory.upper,
        "looks": trail.looks,
        "fraction_above_lower": trail.above_lower / looks,
        "fraction_above_upper": trail.above_upper / looks,
        "frames": trail.collected,
        "atoms": len(trajectory.symbols),
        "ensemble": settings.ensemble,
    }


def pace_script(
    potential: str, active_set: str, species: tuple[str, ...], settings: Exploration, upper_grade: float
) -> str:
    """LAMMPS commands that watch the grade of an ACE potential, for a LAMMPS that has ML-PACE.

    Parameters
    ----------
    potential, active_set
        ``.yaml`` B-basis and its ``.asi``.
    species
        Symbols in the order of LAMMPS' types.
    settings
        Section ``exploration``.
    upper_grade
        MD stops above it: a soft halt, which is a normal outcome.

    Returns
    -------
    str
        An input for LAMMPS, without the atoms.
    """
    return "\n".join([
        "units metal",
        "pair_style pace/extrapolation",
        f"pair_coeff * * {potential} {active_set} {' '.join(species)}",
        f"fix grade all pair {settings.grade_interval} pace/extrapolation gamma 1",
        "compute grade_max all reduce max f_grade",
        "variable grade equal c_grade_max",
        f"fix watch all halt {settings.grade_interval} v_grade > {upper_grade:g} error soft",
        *dynamics(settings, 0, settings.steps, 1),
        f"run {settings.steps}",
    ]) + "\n"  # fmt: skip


def halted_at(log_text: str) -> tuple[int, float] | None:
    """Step and value at which ``fix halt`` ended a run.

    Parameters
    ----------
    log_text
        LAMMPS' log.

    Returns
    -------
    tuple or None
        Step and grade; None where the run was not halted.
    """
    match = re.search(r"Fix halt condition for fix-id \S+ met on step (\d+) with value (\S+)", log_text)
    return (int(match[1]), float(match[2])) if match else None
