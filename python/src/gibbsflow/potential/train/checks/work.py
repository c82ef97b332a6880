"""Whether energies differ between alike frames by the work of their forces and stresses: units, signs, stale labels.

No model is needed: between two frames of the same atoms with a small step Δx and strain ε between them,
ΔE = −½ Σ (F₁ + F₂) · Δx + ½ (V₁σ₁ + V₂σ₂) : ε, exactly so where the energy is quadratic (the trapezoidal rule).
Thresholds stand in docs/methods/training.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame, rows_in_words
from gibbsflow.units import DEVIATIONS_PER_MAD, Floats
from gibbsflow.workflow.account import Account

STEP_ANGSTROM, STRAIN = 0.6, 0.12
"""Frames whose atoms lie farther apart, or cells, are no pair."""
_PAIR_STRETCH = 0.2
"""Nor are two atoms in free space whose distance changes by more: a wall is not quadratic."""
FEWEST_PAIRS = 5
SMALLEST_EV_PER_ATOM = 5e-4
"""Differences of energies that are smaller, in the root mean square, say nothing."""
_LIMITS = {"forces": (1.7, 4.0), "stress": (3.0, 8.0)}
# energies differ by so many times more, or less, than forces or stresses have it: warned of, refused
_JUDGED_SHARE = 0.2
STRESS_SURE = 3.0
"""Within this factor stresses are those of the energies, whatever a simple model says."""
DISAGREES = 0.35
"""Share of the squared differences of energies below which forces and stresses account for too little."""
_FRAMES, _TRIES = 60, 6000
# of residuals: robust standard deviations, and eV an atom, from which a pair stands apart from the others
_APART, _APART_EV_PER_ATOM = 10.0, 0.02
# frames on another zero differ by more, and so are never linked
_LINKED_EV_PER_ATOM = 0.1
_RIGHT = {
    "forces": "total energies in eV, forces in eV/Å (minus the gradient), positions in Å, of one calculation each",
    "stress": "eV/Å^3, negative under compression (GPa / 160.2, kbar / 1602, bar / 1.602e6), unlike a virial",
}
_ENERGIES = {
    "energies in kcal/mol": 23.06, "energies in kJ/mol": 96.49, "energies in meV": 1000.0,
    "energies in Hartree": 1 / 27.21, "energies in Rydberg": 1 / 13.61,
}  # fmt: skip
_RATIOS = {
    "forces": {
        **_ENERGIES, "forces in Hartree/Bohr": 51.42, "forces in Rydberg/Bohr": 25.71,
        "energies and forces in atomic units": 1.89, "positions in Bohr": 1 / 1.89,
    },
    "stress": {
        **_ENERGIES, "stresses in GPa": 1 / 160.2, "stresses in kbar": 1 / 1602, "stresses in bar": 1 / 1.602e6,
        "stresses in Hartree/Bohr^3": 183.6,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """From one frame to a like one.

    Attributes
    ----------
    first, second
        Positions of the frames in their list.
    energy_ev, force_ev, stress_ev
        Difference of the energies, and work of forces and of stresses along the way, eV.
    atoms
        Number of atoms.
    size
        Mean square of the displacements, Å², with strains counted as displacements of atoms 3 Å apart.
    """

    first: int
    second: int
    energy_ev: float
    force_ev: float
    stress_ev: float
    atoms: int
    size: float


@dataclass(frozen=True)
class Agreement:
    """What labels say of each other without a model.

    Attributes
    ----------
    linked
        Rows of frames whose energies differ as their forces and stresses have it, in pairs.
    stress_is_right
        Whether energies change with strain as the stresses have it, in sign and size.
    """

    linked: list[tuple[int, int]] = field(default_factory=list)
    stress_is_right: bool = False


def judge_work(frames: Sequence[LabelledFrame], account: Account) -> Agreement:
    """Hold the energies of frames against the forces and stresses along the steps between them.

    Parameters
    ----------
    frames
        Of one file.
    account
        Of the file; gets doubts, and the fact ``work`` where there are enough pairs: their number, the share of the
        squared differences that is accounted for, and by how many times more energies differ than forces, and than
        stresses, say, each with its standard error.

    Returns
    -------
    Agreement
        What other checks need not doubt.
    """
    pairs = steps(frames)
    sizes = np.array([pair.atoms for pair in pairs], dtype=float)
    energies = np.array([pair.energy_ev for pair in pairs]) / sizes
    work = np.array([(pair.force_ev, pair.stress_ev) for pair in pairs]).reshape(-1, 2) / sizes[:, None]
    fits = np.abs(energies - work.sum(axis=1)) < _LINKED_EV_PER_ATOM
    linked = [(frames[p.first].row, frames[p.second].row) for p, own in zip(pairs, fits, strict=True) if own]
    kinds = [k for k in range(2) if len(pairs) and np.abs(work[:, k]).max() > 1e-9]
    if len(pairs) < FEWEST_PAIRS or not kinds:
        return Agreement(linked)
    work = work[:, kinds]
    sizes_ev = [float(np.sqrt(np.mean(own**2))) for own in (energies, work.sum(axis=1))]
    if max(sizes_ev) < SMALLEST_EV_PER_ATOM:
        return Agreement(linked)
    if sizes_ev[0] < SMALLEST_EV_PER_ATOM and sizes_ev[1] > 4 * SMALLEST_EV_PER_ATOM:
        what = f"energies hardly differ between {len(pairs)} pairs of like frames, and forces do work along the way"
        account.warn(what, "energies of the electrons (potential energies), of each frame", field="energy")
        return Agreement(linked)
    factors, left = _robust(work, energies)
    explained = 1 - float(np.sum(left**2) / np.sum(energies**2))
    spread = DEVIATIONS_PER_MAD * float(np.median(np.abs(left)))
    apart = np.abs(left) > max(_APART * spread, _APART_EV_PER_ATOM)
    errors = _standard_errors(work[~apart], left[~apart])
    names = [("forces", "stress")[k] for k in kinds]
    found = {name: (float(f), float(e)) for name, f, e in zip(names, factors, errors, strict=True)}
    account.facts["work"] = {"pairs": len(pairs), "explained": round(explained, 3)}
    for name, (factor, error) in found.items():
        account.facts["work"] |= {f"{name}_factor": float(f"{factor:.4g}"), f"{name}_error": float(f"{error:.2g}")}
    # what is a small part of the differences takes up what the larger part leaves, and is not judged
    shares = dict(zip(names, np.mean((work * factors) ** 2, axis=0) / np.mean(energies**2), strict=True))
    judged = {name: _weight(*found[name], *_LIMITS[name]) for name in names if shares[name] >= _JUDGED_SHARE}
    for name, weight in ((name, weight) for name, weight in judged.items() if weight and explained >= DISAGREES):
        factor = found[name][0]
        what = (
            f"energies differ by {factor:.3g} times what {name} along the way say, in {len(pairs)} pairs of like frames"
            + _reason(factor, sizes, name)
        )
        (account.refuse if weight == "refuse" else account.warn)(what, _RIGHT[name], field=name)
    if explained < DISAGREES:
        rows = _culprits(pairs, apart, frames)
        which = f"; the energies or forces of {rows_in_words(rows)} stand apart" if rows else ""
        what = (
            f"forces and stresses account for {max(explained, 0):.0%} of the differences of energies in {len(pairs)} "
            f"pairs of like frames{which}"
        )
        account.warn(what, _RIGHT["forces"], row=rows[0] if rows else None, field="energy")
    factor, error = found.get("stress", (0.0, np.inf))
    sure = 1 / STRESS_SURE < factor - 3 * error and factor + 3 * error < STRESS_SURE
    return Agreement(linked, sure and not any(judged.values()) and explained >= DISAGREES)


def steps(frames: Sequence[LabelledFrame]) -> list[Step]:
    """Pair each frame with the one that is nearest to it.

    Parameters
    ----------
    frames
        Of one file.

    Returns
    -------
    list of Step
        Each pair once; of each kind of frame (elements in order, periodicity) sixty at most, the largest kind first.
    """
    kinds: dict[tuple[bytes, bytes], list[int]] = {}
    for k, frame in enumerate(frames):
        if len(frame.atoms) > 1 and frame.weights.energy > 0 and frame.force_mask.all():
            kinds.setdefault((frame.atoms.numbers.tobytes(), frame.atoms.pbc.tobytes()), []).append(k)
    found: dict[tuple[int, int], Step] = {}
    tries = 0
    for members in sorted(kinds.values(), key=len, reverse=True):
        some = [members[i] for i in np.unique(np.linspace(0, len(members) - 1, _FRAMES).astype(int))]
        near: dict[int, Step] = {}
        for place, a in enumerate(some):
            for b in some[:place]:
                pair = step_between(frames, b, a)
                for own in (a, b) if pair is not None else ():
                    if pair is not None and (own not in near or pair.size < near[own].size):
                        near[own] = pair
        found |= {(pair.first, pair.second): pair for pair in near.values()}
        tries += len(some) * (len(some) - 1) // 2
        if tries >= _TRIES:
            break
    return list(found.values())


def step_between(frames: Sequence[LabelledFrame], first: int, second: int) -> Step | None:
    """Measure the step from one frame to another of the same atoms.

    Parameters
    ----------
    frames
        Of one kind: elements in order, periodicity.
    first, second
        Positions in them.

    Returns
    -------
    Step or None
        None where they are too far apart, are one structure, or a strain between them has no stress.
    """
    one, other = frames[first], frames[second]
    strain = np.zeros((3, 3))
    if one.atoms.pbc.any():
        cells = one.atoms.cell.complete()[:], other.atoms.cell.complete()[:]
        mean = (cells[0] + cells[1]) / 2
        change = np.linalg.solve(mean, cells[1] - cells[0]) if abs(np.linalg.det(mean)) > 1e-6 else np.full((3, 3), 9.0)
        if np.abs(change).max() > STRAIN:
            return None
        strain = (change + change.T) / 2
        moved = np.linalg.solve(cells[1].T, other.atoms.positions.T).T
        moved -= np.linalg.solve(cells[0].T, one.atoms.positions.T).T
        moved = (moved - np.where(one.atoms.pbc, np.round(moved), 0)) @ mean
    else:
        moved = other.atoms.positions - one.atoms.positions
        if len(moved) == 2 and _stretch(one, other) > _PAIR_STRETCH:
            return None
    moved = moved - moved.mean(axis=0)
    largest = float(np.linalg.norm(moved, axis=1).max())
    strained = bool(np.abs(strain).max() > 1e-5)
    tensions = one.stress_ev_per_angstrom3, other.stress_ev_per_angstrom3
    if largest > STEP_ANGSTROM or (largest < 1e-4 and not strained):
        return None
    stress_ev = 0.0
    if strained:
        if tensions[0] is None or tensions[1] is None:
            return None
        total = tensions[0] * one.atoms.get_volume() + tensions[1] * other.atoms.get_volume()
        stress_ev = 0.5 * float(np.sum(total[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3) * strain))
    forces = one.forces_ev_per_angstrom + other.forces_ev_per_angstrom
    size = float(np.mean(np.sum(moved**2, axis=1)) + 9 * np.sum(strain**2))
    work = -0.5 * float(np.sum(forces * moved))
    return Step(first, second, other.energy_ev - one.energy_ev, work, stress_ev, len(one.atoms), size)


def _stretch(one: LabelledFrame, other: LabelledFrame) -> float:
    """Relative change of the distance of two atoms."""
    near, far = sorted(float(np.linalg.norm(np.subtract(*frame.atoms.positions))) for frame in (one, other))
    return far / max(near, 1e-6) - 1


def _robust(work: Floats, energies: Floats) -> tuple[Floats, Floats]:
    """Factors of least absolute deviations, and what they leave."""
    weights: Floats = np.ones(len(energies))
    factors: Floats = np.zeros(work.shape[1])
    for _ in range(40):  # Schlossmacher, J. Am. Stat. Assoc. 1973, 68, 857
        factors = np.asarray(np.linalg.lstsq(work * weights[:, None], energies * weights, rcond=1e-10)[0])
        weights = np.asarray(1 / np.sqrt(np.maximum(np.abs(energies - work @ factors), 1e-5)))
    return factors, energies - work @ factors


def _standard_errors(work: Floats, left: Floats) -> Floats:
    """Of the factors, by least squares."""
    free = max(len(left) - work.shape[1], 1)
    inverse = np.diag(np.linalg.pinv(work.T @ work))
    return np.asarray(np.sqrt(np.maximum(inverse, 0.0) * np.sum(left**2) / free))


def _weight(factor: float, error: float, warned: float, refused: float) -> str:
    """Judge a factor by the end of its range, three standard errors to either side, that is nearer to 1."""
    low, high = factor - 3 * error, factor + 3 * error
    if high < 1 / refused or low > refused:
        return "refuse"
    return "warn" if high < 1 / warned or low > warned else ""


def _reason(factor: float, sizes: Floats, name: str) -> str:
    if factor <= 0:
        told = "forces were the gradient, not its negative" if name == "forces" else "stresses had the other sign"
        return f": as if {told}" if factor < -0.3 else ""
    if abs(np.log(factor * np.median(sizes))) < 0.3:
        return ": as if energies were those of an atom"
    known, size = min(_RATIOS[name].items(), key=lambda item: abs(np.log(factor / item[1])))
    return f": as if {known}" if abs(np.log(factor / size)) < 0.35 else ""


def _culprits(pairs: Sequence[Step], apart: npt.NDArray[np.bool_], frames: Sequence[LabelledFrame]) -> list[int]:
    """Rows that stand apart in most of their pairs, if they are the smaller part."""
    counts: dict[int, list[bool]] = {}
    for pair, own in zip(pairs, apart, strict=True):
        for k in (pair.first, pair.second):
            counts.setdefault(k, []).append(bool(own))
    rows = sorted(frames[k].row for k, own in counts.items() if all(own))
    return rows if 0 < len(rows) < len(counts) / 2 else []
