"""What a sampler is: it takes walkers through a segment, and leaves samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gibbsflow.units import Floats, Ints


@dataclass(frozen=True)
class Walkers:
    """Configurations at the end of a segment, one for each sampled window, in the windows' order.

    Attributes
    ----------
    positions_nm, velocities_nm_per_ps
        Shape (W, N, 3).
    replica
        Which walker is in each window, shape (W,).
    """

    positions_nm: Floats
    velocities_nm_per_ps: Floats
    replica: Ints

    def in_windows(self) -> tuple[Floats, Floats | None]:
        """Give the configurations as they stand in the windows.

        Returns
        -------
        positions
            Shape (W, N, 3), nm, in the windows' order.
        boxes
            Periodic box of each, shape (W, 3, 3), nm; None without boxes.
        """
        return self.positions_nm, None

    def as_arrays(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int32]]:
        """Give the arrays, for a checkpoint.

        Returns
        -------
        dict
            By name.
        """
        return dict(vars(self))


@dataclass(frozen=True)
class Samples:
    """What a segment has drawn; rows in order of time, then window.

    Attributes
    ----------
    window, replica
        State drawn from, and walker, shape (n,).
    u
        Reduced potential in every state, shape (n, K), dimensionless.
    gradients
        Its derivatives along each λ of a state, shape (n, L), NaN along those that change on neither side of the
        window; None where the sampler has none.
    """

    window: Ints
    replica: Ints
    u: Floats
    gradients: Floats | None = None

    def as_arrays(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int32]]:
        """Give the arrays, for a file.

        Returns
        -------
        dict
            By name, those that there are.
        """
        return {name: values for name, values in vars(self).items() if values is not None}


class Sampler(Protocol):
    """Draws samples from some of the states of a leg, segment by segment.

    A segment depends on its walkers, its length and its seed, and on nothing that came before in the process: so an
    interrupted run and one in one go draw the same samples.

    Attributes
    ----------
    windows
        The states that it samples, in order.
    """

    windows: tuple[int, ...]

    def walkers(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Walkers:
        """Read walkers as a checkpoint holds them.

        Parameters
        ----------
        arrays
            From ``as_arrays``.

        Returns
        -------
        Walkers
            The same.
        """
        ...

    def start(
        self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None], boxes_nm: Floats | None = None
    ) -> Walkers:
        """Put each window's own start into it and draw velocities.

        Parameters
        ----------
        starts_nm
            A start for each state of the leg, shape (K, N, 3), nm.
        relax
            Whether to minimise it.
        seed
            Of the velocities.
        check
            Called often; may raise StoppedEarly.
        boxes_nm
            Periodic box of each start, shape (K, 3, 3), nm; None without boxes.

        Returns
        -------
        Walkers
            One in each window.
        """
        ...

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[Walkers, Samples]:
        """Draw a number of samples in each window.

        Parameters
        ----------
        walkers
            Where the segment before ended.
        samples
            To draw in each window.
        steps_per_sample
            MD steps before each.
        seed
            Of all random numbers in the segment.
        tick
            Called with the MD steps done since the last call, often; may raise StoppedEarly.

        Returns
        -------
        walkers
            Where this segment ends.
        samples
            What it has drawn.
        """
        ...

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows.

        Parameters
        ----------
        samples
            Of one segment or of several, whole.

        Returns
        -------
        dict
            Figures for ``result.json``; empty where walkers do not move.
        """
        ...
