"""Stages of an equilibration, and how they are cut into segments."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gibbsflow.config.binding import Equil, Md

START_K = 10.0
HOLD_KCAL_PER_MOL_ANGSTROM2 = 5.0
MOST_FRAMES = {False: 1000, True: 100}
"""Of a whole equilibration, by whether the solvent is explicit: thousands of waters make frames large."""


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
    """

    name: str
    length_ps: float
    from_k: float | None = None
    hold_kcal_per_mol_angstrom2: float = 0.0
    constant_pressure: bool = False


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
        return ((frame - first) * self.steps_per_frame + steps) / (total * self.steps_per_frame)


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


def plan_equilibration(md: Md, equil: Equil) -> Plan:
    """Cut an equilibration into segments; frames each ps, or farther apart for more than `MOST_FRAMES`.

    Parameters
    ----------
    md
        Time step, solvent.
    equil
        Lengths.

    Returns
    -------
    Plan
        At least as long as asked for.
    """
    stages = default_stages(md, equil)
    lengths = [stage.length_ps for stage in stages]
    frame_ps = max(min(1.0, equil.equil_segment_ps, *lengths), sum(lengths) / MOST_FRAMES[md.explicit])
    steps = max(1, round(frame_ps * 1000 / md.timestep_fs))
    frame_ps = steps * md.timestep_fs / 1000
    per_segment = max(1, round(equil.equil_segment_ps / frame_ps))
    cut = [(stage, _cut(stage.length_ps / frame_ps, per_segment)) for stage in stages]
    frames = tuple(count for _, counts in cut for count in counts)
    return Plan(steps, frames, tuple(stage for stage, counts in cut for _ in counts))


def _cut(frames: float, per_segment: int) -> list[int]:
    total = math.ceil(frames - 1e-6)
    return [min(per_segment, total - first) for first in range(0, total, per_segment)]
