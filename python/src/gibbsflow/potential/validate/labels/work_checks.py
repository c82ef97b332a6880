"""Energies against forces and stresses, label by label: the work along the way to structures that are nearly the same.

Between two structures of the same atoms ΔE = −½ Σ (F₁ + F₂)·Δx + ½ (V₁σ₁ + V₂σ₂):ε, but for terms of third order
(:mod:`gibbsflow.potential.train.checks.work`). Strained siblings hold the stress against finite differences of the
energy that way, displaced ones the forces. A label stands alone where *every* like structure contradicts it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.config.potential import Audit
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.checks.work import step_between
from gibbsflow.potential.validate.labels.audited import Audited
from gibbsflow.units import DEVIATIONS_PER_MAD, GPA_PER_EV_PER_ANGSTROM3, Floats

_PARTNERS = 5
_FEWEST_PARTNERS, _FEWEST_PAIRS, _FEWEST_VOLUMES = 2, 6, 5
_LEAST_EV_PER_ANGSTROM3 = 0.3
# strains count as displacements of atoms so far apart, as in the steps
_ARM_ANGSTROM = 3.0
# of a pair: mean square displacement to the power of its error, and what is left of the energies themselves
_NEAR_ANGSTROM3 = 1e-3
_SAME_VOLUME, _STILL_SHARE = 1e-3, 0.05
# of the energies and the work: up to this share, a trapezoid may miss a steep wall
_MISSED_SHARE = 0.6
_LINKED_EV_PER_ATOM, _LINKED_SHARE = 0.005, 0.3


@dataclass(frozen=True)
class _Pair:
    first: int
    second: int
    left_ev_per_atom: float
    larger_ev_per_atom: float
    size: float
    volume_angstrom3_per_atom: float
    strained_alone: bool


def check_work(labels: Sequence[Audited], settings: Audit) -> dict[str, Any]:
    """Enter the reason ``work`` where an energy differs from those of all like structures otherwise than forces say.

    Labels that agree with one at least are marked as linked.

    Parameters
    ----------
    labels
        Whole labels.
    settings
        Section ``audit``.

    Returns
    -------
    dict
        ``pairs`` of like structures; ``left_mev_per_atom``, what is left of their energies in the median; where
        volumes alone differ in enough of them, ``stress_off_gpa``: by how much all stresses are off what the energies
        say, as they are by Pulay's stress of a basis that goes with the cell; no label is held for that.
    """
    groups: dict[Hashable, list[int]] = {}
    frames: list[LabelledFrame] = []
    owners: list[Audited] = []
    for label in labels:
        if label.frame is not None and len(label.frame.atoms) > 1:
            atoms = label.frame.atoms
            kind = atoms.numbers.tobytes(), atoms.pbc.tobytes(), label.electrons
            groups.setdefault(kind, []).append(len(frames))
            frames.append(label.frame)
            owners.append(label)
    pairs = [pair for members in groups.values() for pair in _pairs(frames, members)]
    if len(pairs) < _FEWEST_PAIRS:
        return {"pairs": len(pairs)}
    left = np.array([pair.left_ev_per_atom for pair in pairs])
    volumes = np.array([pair.volume_angstrom3_per_atom for pair in pairs])
    told: dict[str, Any] = {"pairs": len(pairs)}
    changed = np.array([pair.strained_alone and abs(pair.volume_angstrom3_per_atom) > _SAME_VOLUME for pair in pairs])
    if changed.sum() >= _FEWEST_VOLUMES:
        off = float(np.median(left[changed] / volumes[changed]))
        told["stress_off_gpa"] = off * GPA_PER_EV_PER_ANGSTROM3
        left = left - off * volumes
    told["left_mev_per_atom"] = 1e3 * float(np.median(np.abs(left)))
    scores = np.abs(left) / (np.array([pair.size for pair in pairs]) ** 1.5 + _NEAR_ANGSTROM3)
    usual = max(DEVIATIONS_PER_MAD * float(np.median(scores)), _LEAST_EV_PER_ANGSTROM3)
    larger = np.array([pair.larger_ev_per_atom for pair in pairs])
    for pair in (pair for pair, own, most in zip(pairs, np.abs(left), larger, strict=True) if _agree(own, most)):
        owners[pair.first].linked = owners[pair.second].linked = True
    _judge(owners, pairs, np.abs(left), np.where(np.abs(left) < _MISSED_SHARE * larger, 0.0, scores / usual), settings)
    return told


def _agree(left_ev_per_atom: float, larger_ev_per_atom: float) -> bool:
    return left_ev_per_atom <= max(_LINKED_EV_PER_ATOM, _LINKED_SHARE * larger_ev_per_atom)


def _judge(owners: Sequence[Audited], pairs: Sequence[_Pair], left: Floats, scores: Floats, settings: Audit) -> None:
    mine: dict[int, list[int]] = {}
    for number, pair in enumerate(pairs):
        mine.setdefault(pair.first, []).append(number)
        mine.setdefault(pair.second, []).append(number)
    for k, numbers in mine.items():
        best = min(numbers, key=lambda number: scores[number])
        owners[k].figures |= {"work_z": float(scores[best]), "work_mev_per_atom": 1e3 * float(left[best])}
        apart = 1e3 * float(left[numbers].min())
        if len(numbers) < _FEWEST_PARTNERS or scores[best] < settings.outlier_factor:
            continue
        if apart > settings.work_mev_per_atom:
            owners[k].reasons["work"] = (
                f"its energy differs by {apart:.3g} meV/atom or more from what forces and stress say on the way to "
                f"each of {len(numbers)} like structures"
            )


def _pairs(frames: Sequence[LabelledFrame], members: Sequence[int]) -> list[_Pair]:
    """Each label with the nearest of its kind, each pair once."""
    if len(members) < 2:
        return []
    features = np.array([_feature(frames[members[0]], frames[k]) for k in members])
    _, near = cKDTree(features).query(features, k=min(_PARTNERS + 1, len(members)))
    chosen = sorted({(min(i, int(j)), max(i, int(j))) for i, row in enumerate(near) for j in row if i != j})
    found = []
    for i, j in chosen:
        first, second = members[i], members[j]
        if (step := step_between(frames, first, second)) is not None:
            periodic = frames[first].atoms.pbc.all()
            volumes = [frames[k].atoms.get_volume() if periodic else 0.0 for k in (first, second)]
            left = (step.energy_ev - step.force_ev - step.stress_ev) / step.atoms
            larger = max(abs(step.energy_ev), abs(step.force_ev + step.stress_ev)) / step.atoms
            strained = abs(step.force_ev) < _STILL_SHARE * abs(step.stress_ev)
            grown = (volumes[1] - volumes[0]) / step.atoms
            found.append(_Pair(first, second, left, larger, step.size, grown, strained))
    return found


def _feature(origin: LabelledFrame, frame: LabelledFrame) -> Floats:
    """Displacements from one structure of the kind and strain of the cell, in Å, so that near ones are near."""
    if not frame.atoms.pbc.any():
        moved = frame.atoms.positions - origin.atoms.positions
        return np.asarray((moved - moved.mean(axis=0)).ravel() / np.sqrt(len(moved)))
    cells = origin.atoms.cell.complete()[:], frame.atoms.cell.complete()[:]
    moved = np.linalg.solve(cells[1].T, frame.atoms.positions.T).T
    moved -= np.linalg.solve(cells[0].T, origin.atoms.positions.T).T
    moved = (moved - np.where(frame.atoms.pbc, np.round(moved), 0)) @ cells[0]
    moved -= moved.mean(axis=0)
    strain = np.linalg.solve(cells[0], cells[1] - cells[0])
    return np.concatenate([moved.ravel() / np.sqrt(len(moved)), _ARM_ANGSTROM * (strain + strain.T).ravel() / 2])
