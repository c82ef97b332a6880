"""The path of a schedule through its λ: straight from state to state, in components that each change the same λ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gibbsflow.binding.alchemy.schedules import OF_COPY, LambdaState

State = Mapping[str, float]
_CHARGED = {
    "lambda_electrostatics": "lambda_sterics",
    "lambda_electrostatics_new": "lambda_sterics_new",
}
"""λ of charges, which are there only where the λ of the same atoms' sterics is 1."""


@dataclass(frozen=True)
class Component:
    """Neighbouring intervals in which the same λ change.

    Attributes
    ----------
    names
        Those λ.
    first, last
        Its states, both ends included; the last is the first of the component after it.
    """

    names: tuple[str, ...]
    first: int
    last: int

    @property
    def title(self) -> str:
        """What it is called.

        Returns
        -------
        str
            Such as ``restraints`` or ``electrostatics + sterics_new``.
        """
        return " + ".join(name.removeprefix("lambda_") for name in self.names)


def as_mappings(states: Sequence[LambdaState]) -> list[dict[str, float]]:
    """Give states as the mappings that a path is made of.

    Parameters
    ----------
    states
        Of a schedule.

    Returns
    -------
    list of dict
        λ by name.
    """
    return [state.as_dict() for state in states]


def components(states: Sequence[State]) -> list[Component]:
    """Cut a schedule into its components.

    Parameters
    ----------
    states
        From the coupled to the decoupled end.

    Returns
    -------
    list of Component
        In their order.
    """
    found: list[Component] = []
    for place, (a, b) in enumerate(zip(states, states[1:], strict=False)):
        held = _held(a, b)
        names = tuple(name for name in a if a[name] != b[name] and name not in held)
        if found and found[-1].names == names:
            found[-1] = Component(names, found[-1].first, place + 1)
        else:
            found.append(Component(names, place, place + 1))
    return found


def between(a: State, b: State, share: float) -> dict[str, float]:
    """Give a state on the way from one to the next.

    Sterics that leap where charges end do so at the very end, as they have to: bare charges would collapse.

    Parameters
    ----------
    a, b
        The states.
    share
        Of the way, from 0 to 1.

    Returns
    -------
    dict
        λ by name, rounded to four digits.
    """
    if share in (0.0, 1.0):
        return dict(b if share else a)
    held = _held(a, b)
    return {name: held.get(name, round(a[name] + share * (b[name] - a[name]), 4)) for name in a}


def way(a: State, b: State, names: Sequence[str]) -> float:
    """Measure how much λ change from one state to the next.

    Parameters
    ----------
    a, b
        The states.
    names
        λ that count.

    Returns
    -------
    float
        Sum of the changes.
    """
    return sum(abs(b[name] - a[name]) for name in names)


def _held(a: State, b: State) -> dict[str, float]:
    """λ that cannot change together with the charges, and their values on the way."""
    held: dict[str, float] = {}
    for charge, sterics in _CHARGED.items():
        if charge in a and max(a[charge], b[charge]) > 0 and min(a[sterics], b[sterics]) < 1:
            held[sterics] = 1.0
    if OF_COPY in a and min(a[OF_COPY], b[OF_COPY]) < 1 and min(a[_FIRST], b[_FIRST]) < 1:
        held[OF_COPY] = 1.0
    return held


_FIRST = "lambda_electrostatics"
