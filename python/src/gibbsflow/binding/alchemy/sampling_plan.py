"""Lengths of a window's run in whole numbers of steps, samples and segments, and how it is gone on with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, Problem

MOST_PS = 10_000_000.0
"""Longest that a window may be, as in the settings."""


@dataclass(frozen=True)
class Sampling:
    """Lengths of a window's run in whole numbers.

    Attributes
    ----------
    steps_per_sample
        MD steps between samples.
    samples
        Samples of a window, those discarded at the start included.
    discarded
        Samples discarded at the start.
    samples_per_segment
        Samples between two checkpoints.
    sample_ps
        Time between samples, ps.
    """

    steps_per_sample: int
    samples: int
    discarded: int
    samples_per_segment: int
    sample_ps: float

    @property
    def segments(self) -> int:
        """Number of segments; the last may be shorter.

        Returns
        -------
        int
            At least one.
        """
        return math.ceil(self.samples / self.samples_per_segment)

    def samples_in(self, segment: int) -> int:
        """Count the samples of a segment.

        Parameters
        ----------
        segment
            Its number, from 0.

        Returns
        -------
        int
            Samples of a window.
        """
        return min(self.samples_per_segment, self.samples - segment * self.samples_per_segment)

    def samples_after(self, segments: int) -> int:
        """Count the samples done after so many segments.

        Parameters
        ----------
        segments
            Segments done.

        Returns
        -------
        int
            Samples of a window.
        """
        return min(self.samples, segments * self.samples_per_segment)

    def extension(self, window_ps: float, *, where: str) -> Sampling:
        """Plan what is sampled beyond this, by whole segments, so that it can be gone on with again.

        Parameters
        ----------
        window_ps
            Sampling a window in all that is not exceeded, what is discarded not counted, ps.
        where
            What messages call the leg.

        Returns
        -------
        Sampling
            Of the extension alone.

        Raises
        ------
        InputError
            Where there is no room for a segment, and for more than `MOST_PS`.
        """
        known_ps = window_ps if window_ps <= MOST_PS else 0.0  # NaN is no length either
        wanted = math.floor(known_ps / self.sample_ps + 1e-9) - (self.samples - self.discarded)
        segments = wanted // self.samples_per_segment
        if segments < 1:
            least_ps = (self.samples - self.discarded + self.samples_per_segment) * self.sample_ps
            right = f"{least_ps:g} ps or more, a segment beyond the length of the leg, up to {MOST_PS:.0f}"
            raise InputError(Problem(where, f"{window_ps:g} ps is no extension", right, field="window_ps"))
        return replace(self, samples=segments * self.samples_per_segment, discarded=0)


def sampling(md: Md, fe: Fe) -> Sampling:
    """Turn the settings' lengths into whole numbers of steps and samples.

    Parameters
    ----------
    md
        Time step.
    fe
        Lengths and intervals.

    Returns
    -------
    Sampling
        At least as long as asked for.

    Raises
    ------
    InputError
        Where the sample interval is no whole number of time steps, or longer than a window.
    """
    steps = fe.sample_ps * 1000 / md.timestep_fs
    if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
        right = f"a multiple of the time step of {md.timestep_fs:g} fs"
        raise InputError(Problem("fe", f"{fe.sample_ps:g} ps is not usable", right, field="sample_ps"))
    if fe.sample_ps > fe.window_ps:
        what, right = f"a sample each {fe.sample_ps:g} ps, of windows of {fe.window_ps:g} ps", "less than window_ps"
        raise InputError(Problem("fe", what, right, field="sample_ps"))
    discarded = math.ceil(fe.window_equil_ps / fe.sample_ps - 1e-9)
    kept = math.ceil(fe.window_ps / fe.sample_ps - 1e-9)
    return Sampling(
        steps_per_sample=round(steps),
        samples=discarded + kept,
        discarded=discarded,
        samples_per_segment=max(1, round(fe.segment_ps / fe.sample_ps)),
        sample_ps=fe.sample_ps,
    )
