"""Derivatives of a state's energy along λ, from energies alone: no force, and so no step of MD, is changed for them.

Of each state those along the λ components that change in an interval beside it are taken. A restraint's energy is
linear in its λ and that of charges quadratic, the reciprocal space of PME and the generalised-Born energy included, so
that the polynomial through energies in states of the leg, which are known anyway, has the exact derivative. Elsewhere,
as of soft cores, it is a difference of second order over a small step: central, or from the state inwards where λ ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gibbsflow.units import Floats

DEGREES: Mapping[str, int] = {
    "lambda_restraints": 1,
    "lambda_electrostatics": 2,
    "lambda_electrostatics_new": 2,
}
"""Degree of the energy as a polynomial in a λ, of those where it is one."""
EXACT_STEP = 0.1
"""Step where a polynomial is to be followed and the leg has too few states for it: its length costs no accuracy."""
STEPS: Mapping[str, float] = {"lambda_core": 0.02}
"""Steps of other λ by name. Charges go with λ_core, and with them the rounding of PME; its energies bend little."""
STEP = 0.002
"""Step of the rest, soft cores: their error of truncation and that of rounding are both small against kT."""


@dataclass(frozen=True)
class Stencil:
    """A derivative as a weighted sum of energies.

    Attributes
    ----------
    at_states
        Weight of each state of the leg that counts, by its index.
    at_points
        Weight of each further point.
    points
        All λ of these.
    """

    at_states: Mapping[int, float]
    at_points: tuple[float, ...] = ()
    points: tuple[Mapping[str, float], ...] = ()


class LambdaGradients:
    """Which derivatives belong to each state of a leg, and how they follow from energies.

    Parameters
    ----------
    states
        λ by name, of each of the K states.

    Attributes
    ----------
    names
        The λ components, in the order of a state.
    """

    def __init__(self, states: Sequence[Mapping[str, float]]) -> None:
        self.names = tuple(states[0])
        self._stencils = [
            {name: _stencil(states, window, name) for name in changing(states, window)} for window in range(len(states))
        ]

    def of_window(self, window: int) -> tuple[str, ...]:
        """Name the components of a window.

        Parameters
        ----------
        window
            Index of its state.

        Returns
        -------
        tuple of str
            Those that change in an interval beside it.
        """
        return tuple(self._stencils[window])

    def points(self, window: int) -> list[Mapping[str, float]]:
        """Give the points at which a sample of a window needs energies beside those of the states.

        Parameters
        ----------
        window
            Index of its state.

        Returns
        -------
        list of dict
            All λ of each; two a component, and none of those whose derivative the states tell.
        """
        return [point for stencil in self._stencils[window].values() for point in stencil.points]

    def of_sample(self, window: int, u: Floats, at_points: Floats) -> Floats:
        """Put derivatives together.

        Parameters
        ----------
        window
            Index of the state that the sample is from.
        u
            Its energy in each state, shape (K,), in any unit.
        at_points
            Its energy at each of :meth:`points`, in the same unit.

        Returns
        -------
        ndarray
            Derivative along each of `names`, shape (L,); NaN for those that do not belong to the window.
        """
        found, first = np.full(len(self.names), np.nan), 0
        for name, stencil in self._stencils[window].items():
            after = first + len(stencil.points)
            value = sum(weight * u[state] for state, weight in stencil.at_states.items())
            found[self.names.index(name)] = value + np.dot(stencil.at_points, at_points[first:after])
            first = after
        return found


def changing(states: Sequence[Mapping[str, float]], window: int) -> list[str]:
    """Name the λ components that change beside a state.

    Parameters
    ----------
    states
        λ by name, of each state.
    window
        Index of one.

    Returns
    -------
    list of str
        Those that the state before or the one after has otherwise.
    """
    beside = states[max(0, window - 1) : window + 2]
    return [name for name, value in states[window].items() if any(other[name] != value for other in beside)]


def _stencil(states: Sequence[Mapping[str, float]], window: int, name: str) -> Stencil:
    own, degree = states[window], DEGREES.get(name)
    if degree is not None:
        along = {}  # states that differ in this λ alone
        for number, state in enumerate(states):
            if all(state[other] == own[other] for other in own if other != name) and state[name] != own[name]:
                along[state[name]] = number
        if len(along) >= degree:
            return _polynomial(own[name], along, window, degree)
    step = STEPS.get(name, STEP) if degree is None else EXACT_STEP
    if step <= own[name] <= 1 - step:
        offsets, weights, of_own = (-step, step), (-0.5 / step, 0.5 / step), 0.0
    else:
        inwards = step if own[name] < step else -step
        offsets, weights, of_own = (inwards, 2 * inwards), (2 / inwards, -0.5 / inwards), -1.5 / inwards
    points = tuple({**own, name: own[name] + offset} for offset in offsets)
    return Stencil({window: of_own} if of_own else {}, weights, points)


def _polynomial(own: float, along: Mapping[float, int], window: int, degree: int) -> Stencil:
    """Derivative of the polynomial through a state and others on its line; those in which rounding counts least."""
    found = []
    for others in combinations(along, degree):
        nodes = [own, *others]
        slopes = [0.0] * len(nodes)
        for j, x in enumerate(nodes[1:], start=1):
            rest = [node for k, node in enumerate(nodes) if k not in (0, j)]
            slopes[j] = 1 / (x - own) * float(np.prod([(own - node) / (x - node) for node in rest]))
        slopes[0] = -sum(slopes)
        found.append((sum(map(abs, slopes)), others, slopes))
    _, others, slopes = min(found)
    return Stencil(dict(zip([window, *(along[x] for x in others)], slopes, strict=True)))
