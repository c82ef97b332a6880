"""Stages of an equilibration, and how they are cut into segments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gibbsflow.config.binding import Equil, Md
from gibbsflow.config.equil_stages import HOLDS, StageSettings
from gibbsflow.errors import InputError, Problem

START_K = 10.0
HOLD_KCAL_PER_MOL_ANGSTROM2 = 5.0
MOST_FRAMES = {False: 1000, True: 100}
"""Of a whole equilibration, by whether the solvent is explicit: thousands of waters make frames large."""


FITS = 1e-6
MOST_LIGHT_FS, LEAST_HEAVY_AMU = 2.0, 1.5
"""Longest time step with hydrogens of their own mass, and what counts as repartitioned (OpenMM's guide takes 1.5 amu at
4 fs)."""


@dataclass(frozen=True)
class Stage:
    """One stretch under the same conditions.

    Attributes
    ----------
    name
        In logs and messages.
    length_ps
        At least so long, ps.
    from_k
        Temperature at its start, raised evenly to that of the settings; None for that of the settings throughout.
    hold_kcal_per_mol_angstrom2
        Force constant that holds the solute's heavy atoms where minimisation left them; 0 for none.
    constant_pressure
        Whether the volume changes.
    to_k
        Temperature at its end; None for that of the settings.
    holds
        Force constants by group of `config.equil_stages.HOLDS`, kcal/mol/Å², beside that of all heavy atoms.
    timestep_share
        Its time step, in those of the settings.
    minimise_steps
        Steps of minimisation before it; None for those of the settings before the first, and none before others.
    """

    name: str
    length_ps: float
    from_k: float | None = None
    hold_kcal_per_mol_angstrom2: float = 0.0
    constant_pressure: bool = False
    to_k: float | None = None
    holds: tuple[tuple[str, float], ...] = ()
    timestep_share: float = 1.0
    minimise_steps: int | None = None

    def starts_at_k(self, md: Md) -> float:
        """Temperature at its start.

        Parameters
        ----------
        md
            The settings.

        Returns
        -------
        float
            K.
        """
        return self.from_k if self.from_k is not None else self.ends_at_k(md)

    def ends_at_k(self, md: Md) -> float:
        """Temperature at its end.

        Parameters
        ----------
        md
            The settings.

        Returns
        -------
        float
            K.
        """
        return self.to_k if self.to_k is not None else md.temperature_k


@dataclass(frozen=True)
class Plan:
    """Segments of an equilibration, in whole numbers.

    Attributes
    ----------
    steps_per_frame
        MD steps between frames.
    frames
        Frames of each segment.
    stages
        Stage of each segment.
    """

    steps_per_frame: int
    frames: tuple[int, ...]
    stages: tuple[Stage, ...]

    @property
    def heating(self) -> int:
        """How many of the segments prepare what comes after them, and are not looked at.

        Returns
        -------
        int
            All before the last stage.
        """
        return sum(stage != self.stages[-1] for stage in self.stages)

    def length_ps(self, timestep_fs: float) -> float:
        """Tell how long all of it is.

        Parameters
        ----------
        timestep_fs
            Of the settings, fs.

        Returns
        -------
        float
            ps.
        """
        return sum(self.frames) * self.steps_per_frame * timestep_fs / 1000

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

    def steps_in_frame(self, segment: int) -> int:
        """Count the MD steps between frames of a segment.

        Parameters
        ----------
        segment
            Its number, from 0.

        Returns
        -------
        int
            `steps_per_frame`, but for a stage with a time step of its own.
        """
        return round(self.steps_per_frame / self.stages[segment].timestep_share)

    def steps_after(self, segments: int) -> int:
        """Count the MD steps done after so many segments.

        Parameters
        ----------
        segments
            Segments done.

        Returns
        -------
        int
            Steps.
        """
        return sum(self.frames[k] * self.steps_in_frame(k) for k in range(segments))

    def begins_stage(self, segment: int) -> bool:
        """Whether a segment is the first one of its stage.

        Parameters
        ----------
        segment
            Its number, from 0.

        Returns
        -------
        bool
            False where the stage has begun already.
        """
        return segment == 0 or self.stages[segment] != self.stages[segment - 1]

    def share_of_stage(self, segment: int, frame: int, steps: int) -> float:
        """Say how far into its stage a step is.

        Parameters
        ----------
        segment
            Its number, from 0.
        frame
            Frame of the whole equilibration that the step leads to, from 0.
        steps
            Steps done towards this frame.

        Returns
        -------
        float
            0 at the stage's start, 1 at its end.
        """
        same = [k for k, stage in enumerate(self.stages) if stage == self.stages[segment]]
        first, total = self.frames_after(same[0]), sum(self.frames[k] for k in same)
        each = self.steps_in_frame(segment)
        return ((frame - first) * each + steps) / (total * each)


def default_stages(md: Md, equil: Equil) -> tuple[Stage, ...]:
    """Give the stages where none are chosen: heat with the solute held, let the box find its size, then let go.

    Parameters
    ----------
    md
        Whether the solvent is explicit.
    equil
        Lengths.

    Returns
    -------
    tuple of Stage
        In their order; without those of no length.
    """
    held = HOLD_KCAL_PER_MOL_ANGSTROM2
    stages = [Stage("heating", equil.heat_ps, from_k=START_K, hold_kcal_per_mol_angstrom2=held)]
    if md.explicit:
        stages.append(Stage("density", equil.density_ps, hold_kcal_per_mol_angstrom2=held, constant_pressure=True))
    stages.append(Stage("free", equil.equil_ps, constant_pressure=md.explicit))
    return tuple(stage for stage in stages if stage.length_ps > 0)


def chosen_stages(given: Sequence[StageSettings], md: Md, *, where: str) -> tuple[Stage, ...]:
    """Make stages of those that a user gives.

    Parameters
    ----------
    given
        As the file has them.
    md
        Time step and solvent.
    where
        What messages call the file.

    Returns
    -------
    tuple of Stage
        In their order.

    Raises
    ------
    InputError
        For constant pressure without a box.
    """
    if not md.explicit and (npt := [stage.name for stage in given if stage.ensemble == "NPT"]):
        what = f"constant pressure in stage {npt[0]!r}, and the solvent {md.solvent} has no box"
        raise InputError(Problem(where, what, "ensemble NVT", field="ensemble"))
    return tuple(
        Stage(
            stage.name,
            stage.length_ps,
            from_k=stage.from_k,
            constant_pressure=stage.ensemble == "NPT",
            to_k=stage.to_k,
            holds=tuple((group, k) for group in HOLDS if (k := getattr(stage.hold, group))),
            timestep_share=1.0 if stage.timestep_fs is None else stage.timestep_fs / md.timestep_fs,
            minimise_steps=stage.minimise_steps,
        )
        for stage in given
    )


def stage_problems(md: Md, given: Sequence[StageSettings] = (), *, built: bool = True, where: str) -> list[Problem]:
    """Say what of time steps and stages cannot be, before anything is computed.

    Parameters
    ----------
    md
        Time step, mass of hydrogen, solvent.
    given
        The stages that a user gives; none for those of the settings.
    built
        Whether the box is built here: its waters are packed loosely.
    where
        What messages call the stages' file.

    Returns
    -------
    list of Problem
        Empty where they can be.
    """
    found = []
    for timestep_fs, place, row in (
        (md.timestep_fs, "md", None),
        *((stage.timestep_fs, where, number) for number, stage in enumerate(given, start=1)),
    ):
        if timestep_fs is not None and timestep_fs > MOST_LIGHT_FS and md.hydrogen_mass_amu < LEAST_HEAVY_AMU:
            what = f"{timestep_fs:g} fs with hydrogens of {md.hydrogen_mass_amu:g} amu"
            right = (
                f"{MOST_LIGHT_FS:g} fs at the most, or hydrogen_mass_amu of {LEAST_HEAVY_AMU:g} or more, which "
                "repartitions masses: 3 is usual at 4 fs"
            )
            found.append(Problem(place, what, right, row, "timestep_fs"))
    if given and built and md.explicit and all(stage.ensemble == "NVT" for stage in given):
        what = "no stage is at constant pressure, and a box that is built here has not its density yet"
        found.append(Problem(where, what, "ensemble NPT in one of the stages", field="ensemble"))
    return found


def plan_equilibration(md: Md, equil: Equil, chosen: Sequence[Stage] = ()) -> Plan:
    """Cut an equilibration into segments; frames each ps, or farther apart for more than `MOST_FRAMES`.

    Parameters
    ----------
    md
        Time step, solvent.
    equil
        Lengths.
    chosen
        The stages; those of :func:`default_stages` where there are none.

    Returns
    -------
    Plan
        At least as long as asked for.

    Raises
    ------
    InputError
        For a time step that does not fit between two frames.
    """
    stages = tuple(chosen) or default_stages(md, equil)
    lengths = [stage.length_ps for stage in stages]
    frame_ps = max(min(1.0, equil.equil_segment_ps, *lengths), sum(lengths) / MOST_FRAMES[md.explicit])
    steps = max(1, round(frame_ps * 1000 / md.timestep_fs))
    frame_ps = steps * md.timestep_fs / 1000
    for stage in stages:
        if abs(steps / stage.timestep_share - round(steps / stage.timestep_share)) > FITS * steps:
            what = f"a time step of {md.timestep_fs * stage.timestep_share:g} fs in stage {stage.name!r}"
            right = f"one that fits a whole number of times into {frame_ps:g} ps, such as {md.timestep_fs / 2:g} fs"
            raise InputError(Problem("equil_stages", what, right, field="timestep_fs"))
    per_segment = max(1, round(equil.equil_segment_ps / frame_ps))
    cut = [(stage, _cut(stage.length_ps / frame_ps, per_segment)) for stage in stages]
    frames = tuple(count for _, counts in cut for count in counts)
    return Plan(steps, frames, tuple(stage for stage, counts in cut for _ in counts))


def _cut(frames: float, per_segment: int) -> list[int]:
    total = math.ceil(frames - 1e-6)
    return [min(per_segment, total - first) for first in range(0, total, per_segment)]
