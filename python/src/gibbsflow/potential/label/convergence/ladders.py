"""Ladders of one setting: rungs from coarse to fine, and the first of them that is converged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

BEYOND = 2
"""So many finer rungs must agree with one before it counts as converged."""


@dataclass(frozen=True)
class Errors:
    """How far labels are from those of finer settings, or how far they may be.

    Attributes
    ----------
    energy_mev_per_atom, force_ev_per_angstrom, stress_gpa
        Largest difference of any structure, force (as a vector) and component of a stress.
    """

    energy_mev_per_atom: float
    force_ev_per_angstrom: float
    stress_gpa: float

    def within(self, stated: Errors) -> bool:
        """Say whether none is larger than stated.

        Parameters
        ----------
        stated
            Errors that are allowed.

        Returns
        -------
        bool
            True where all three are within.
        """
        return all(own <= asdict(stated)[name] for name, own in asdict(self).items())


@dataclass(frozen=True)
class Rung:
    """One value of a setting, with the labels that it gives.

    Attributes
    ----------
    values
        Settings by name.
    labels
        In the order of the structures.
    """

    values: dict[str, float]
    labels: Sequence[LabelResult]

    @property
    def seconds(self) -> float:
        """Time of its labels.

        Returns
        -------
        float
            In s.
        """
        return sum(label.wall_s for label in self.labels)

    def against(self, finer: Rung) -> Errors:
        """Hold it against a finer rung.

        Parameters
        ----------
        finer
            Of the same structures.

        Returns
        -------
        Errors
            Largest differences.
        """
        energy, force, stress = [0.0], [0.0], [0.0]
        for own, other in zip(self.labels, finer.labels, strict=True):
            forces = np.asarray(own.forces_ev_per_angstrom) - np.asarray(other.forces_ev_per_angstrom)
            energy.append(abs((own.energy_ev or 0.0) - (other.energy_ev or 0.0)) / len(forces))
            force.append(float(np.linalg.norm(forces, axis=1).max()))
            if own.stress_ev_per_angstrom3 is not None and other.stress_ev_per_angstrom3 is not None:
                apart = np.subtract(own.stress_ev_per_angstrom3, other.stress_ev_per_angstrom3)
                stress.append(float(np.abs(apart).max()))
        return Errors(1e3 * max(energy), max(force), max(stress) * GPA_PER_EV_PER_ANGSTROM3)


@dataclass(frozen=True)
class Climbed:
    """A ladder that was climbed until one of its rungs was converged.

    Attributes
    ----------
    name
        What was changed.
    rungs
        From coarse to fine, as far as was climbed.
    errors
        Of each rung against the finest of them.
    chosen
        Position of the first converged rung.
    """

    name: str
    rungs: Sequence[Rung]
    errors: Sequence[Errors]
    chosen: int

    @property
    def values(self) -> dict[str, float]:
        """Settings of the converged rung.

        Returns
        -------
        dict
            By name.
        """
        return self.rungs[self.chosen].values


def climb(
    name: str, steps: Sequence[dict[str, float]], label: Callable[[dict[str, float]], Sequence[LabelResult]],
    stated: Errors, seen: Callable[[Rung], object] = lambda rung: None,
) -> Climbed:  # fmt: skip
    """Climb a ladder until a rung differs from all finer ones, two at least, by no more than the stated error.

    Parameters
    ----------
    name
        What is changed, in words.
    steps
        Settings of its rungs, from coarse to fine.
    label
        Labels all structures with such settings.
    stated
        Errors that are allowed.
    seen
        Called with each rung as it is there.

    Returns
    -------
    Climbed
        With the first rung that is converged.

    Raises
    ------
    ScienceError
        Where no rung of the ladder is.
    """
    rungs: list[Rung] = []
    for values in steps:
        rungs.append(Rung(values, label(values)))
        seen(rungs[-1])
        if (chosen := converged(rungs, stated)) is not None:
            return Climbed(name, rungs, [rung.against(rungs[-1]) for rung in rungs], chosen)
    last = rungs[-BEYOND - 1 :]
    apart = last[0].against(rungs[-1])
    said = ", ".join(f"{key} {value:g}" for key, value in rungs[-1].values.items())
    raise ScienceError(
        f"{name}: not converged up to {said}: still {apart.energy_mev_per_atom:.3g} meV/atom, "
        f"{apart.force_ev_per_angstrom:.3g} eV/Å and {apart.stress_gpa:.3g} GPa over the last {len(last) - 1} rungs",
        what_to_do="Allow larger errors, or start from finer settings.",
    )


def converged(rungs: Sequence[Rung], stated: Errors) -> int | None:
    """Find the first rung from which on all agree with the finest within the stated error.

    Parameters
    ----------
    rungs
        From coarse to fine.
    stated
        Errors that are allowed.

    Returns
    -------
    int or None
        Its position; None where fewer than two finer ones agree with it.
    """
    good = [rung.against(rungs[-1]).within(stated) for rung in rungs]
    first = len(good) - next((k for k, own in enumerate(reversed(good)) if not own), len(good))
    return first if first + BEYOND < len(rungs) else None
