"""Unit, sign and order of stresses, held against a :class:`.SimpleModel` that was fitted to forces and energies.

A model that saw one volume alone knows no pressure, yet how stresses differ between frames: of the values and of their
differences from the mean, those count that have the more alike shape. Thresholds stand in docs/methods/training.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.checks.simple_model import Rows, SimpleModel
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

STRESS_WARNED, STRESS_REFUSED = 8.0, 30.0
"""Labelled stresses are so many times larger or smaller than those of the simple model, in the median."""
STRESS_EXPLAINED = 0.5
"""A simple model that accounts for less of the forces judges no stress."""
STRESS_FRAMES = 5
"""Of fewer frames, or than two an element and three more, only a stress that is too large is judged."""
STRESS_LARGEST_EV_PER_ANGSTROM3 = 6.0
"""About 1,000 GPa: a larger median is no stress of a solid."""
_OPPOSITE = -0.6
_STEADY = 0.7
# correlations of shear components with those of the simple model
_SHEAR_RIGHT, _SHEAR_WRONG = 0.7, 0.4
_UNITS = {"GPa": 160.2, "kbar": 1602.0, "bar": 1.602e6, "Pa": 1.602e11, "Hartree/Bohr^3": 1 / 183.6, "MPa": 1.602e5}
_RIGHT = "eV/Å^3, negative under compression (GPa / 160.2, kbar / 1602, bar / 1.602e6)"


def judge_stresses(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], species: tuple[int, ...], shares: Floats,
    use: npt.NDArray[np.bool_], account: Account, *, sure: bool,
) -> SimpleModel | None:  # fmt: skip
    """Hold the stresses of a training set against its forces and energies.

    Parameters
    ----------
    frames, rows
        In the same order.
    species
        Atomic numbers.
    shares
        Share of each element in each frame, shape (frames, elements).
    use
        Whether the energy of a frame is on the zero of most, shape (frames,).
    account
        Of the file; gets doubts, and the facts ``stress_ratio``, ``stress_model_explains``, ``stress_cosine`` and
        ``stress_judged``.
    sure
        Whether energies have confirmed the stresses without a model.

    Returns
    -------
    SimpleModel or None
        The model, where stresses agree with it.
    """
    have = [k for k, frame in enumerate(frames) if frame.stress_ev_per_angstrom3 is not None]
    if not have:
        return None
    kept = [k for k in range(len(frames)) if use[k]]
    sizes = np.array([len(frames[k].atoms) for k in kept], dtype=float)
    energies = np.array([frames[k].energy_ev for k in kept])
    atoms_ev = np.linalg.lstsq(shares[kept], energies / sizes, rcond=1e-8)[0]
    given = [frames[k] for k in kept], [rows[k] for k in kept], energies - sizes * (shares[kept] @ atoms_ev)
    model = SimpleModel(species)
    model.fit(given[0], given[1], energies=given[2])
    labels, found = _compared(model, [frames[k] for k in have], [rows[k] for k in have])
    ratio, cosine = _measure(labels, found)
    account.facts["stress_ratio"] = round(ratio, 4)
    account.facts["stress_model_explains"] = round(model.explained, 3)
    largest = float(np.median([np.abs(_stress(frames[k])).max() for k in have]))
    few = len(kept) < max(STRESS_FRAMES, 2 * len(species) + 3)
    if largest > STRESS_LARGEST_EV_PER_ANGSTROM3:
        what = f"a median of {largest:.3g} eV/Å^3 ({160.2 * largest:.3g} GPa) is no stress of a solid"
        account.refuse(what + _unit(ratio), _RIGHT, field="stress")
        return None
    account.facts["stress_judged"] = sure
    if not sure and (not len(labels) or model.explained < STRESS_EXPLAINED or (few and ratio < STRESS_REFUSED)):
        return None
    account.facts["stress_judged"] = True
    account.facts["stress_cosine"] = round(cosine, 3)
    apart = not 1 / STRESS_WARNED < ratio < STRESS_WARNED
    opposite = len(labels) >= 3 and cosine < _OPPOSITE
    if not sure and (apart or opposite):
        steady = _steady(*given, species, [rows[k] for k in have])
        account.facts["stress_judged"] = steady
        _say(ratio, opposite and not apart, len(labels), account, steady=steady)
        return None
    _judge_shear(labels, found, account)
    return model if model.explained >= STRESS_EXPLAINED and not few else None


def hold_stresses(model: SimpleModel, frames: Sequence[LabelledFrame], rows: Sequence[Rows], account: Account) -> None:
    """Hold the stresses of a test set against the model of a training set.

    Parameters
    ----------
    model
        That :func:`judge_stresses` gave.
    frames, rows
        Of the test set, in the same order.
    account
        Of its file; gets doubts.
    """
    have = [k for k, frame in enumerate(frames) if frame.stress_ev_per_angstrom3 is not None]
    labels, found = _compared(model, [frames[k] for k in have], [rows[k] for k in have])
    if len(labels) < 3:
        return
    ratio, cosine = _measure(labels, found)
    opposite = cosine < _OPPOSITE
    if not 1 / STRESS_WARNED < ratio < STRESS_WARNED or opposite:
        _say(ratio, opposite and 1 / STRESS_WARNED < ratio < STRESS_WARNED, len(labels), account, steady=True)


def _say(ratio: float, opposite: bool, count: int, account: Account, *, steady: bool) -> None:
    if opposite:
        if steady:
            what = f"stresses have the sign opposite to that of energies and forces, in {count} frames"
            account.refuse(what, _RIGHT + "; a virial has the other sign", field="stress")
        return
    what = f"{_times(ratio)} what energies and forces say, in the median of {count} frames{_unit(ratio)}"
    far = not 1 / STRESS_REFUSED < ratio < STRESS_REFUSED
    if far and steady:
        account.refuse("implausible: " + what, _RIGHT, field="stress")
    elif far or steady:
        account.warn("stress is " + what, _RIGHT, field="stress")


def _compared(model: SimpleModel, frames: Sequence[LabelledFrame], rows: Sequence[Rows]) -> tuple[Floats, Floats]:
    """Stresses as labelled and by the model, eV/Å^3, where neither is zero; shapes (frames, 6)."""
    labels = np.array([_stress(frame) for frame in frames]).reshape(-1, 6)
    found = [row.virial @ model.coefficients / f.atoms.get_volume() for row, f in zip(rows, frames, strict=True)]
    model_s = np.array(found).reshape(-1, 6)
    some = (np.abs(labels).max(axis=1, initial=0) > 1e-12) & (np.abs(model_s).max(axis=1, initial=0) > 1e-6)
    return labels[some], model_s[some]


def _measure(labels: Floats, found: Floats) -> tuple[float, float]:
    """Ratio of sizes, and cosine: of the values in the median, or of the differences from the mean over all frames.

    The comparison in which both have the more alike shape, whatever its sign, counts.
    """
    if not len(labels):
        return 1.0, 1.0
    ratio = float(np.median(np.linalg.norm(labels, axis=1) / np.linalg.norm(found, axis=1)))
    measures = [(ratio, float(np.median(_cosines(labels, found))))]
    own, other = (values - values.mean(axis=0) for values in (labels, found))
    if len(labels) >= 3 and np.linalg.norm(own) > 1e-9 and np.linalg.norm(other) > 1e-9:
        together = float(_cosines(own.reshape(1, -1), other.reshape(1, -1))[0])
        measures.append((float(np.linalg.norm(own) / np.linalg.norm(other)), together))
    return max(measures, key=lambda measure: abs(measure[1]))


def _cosines(one: Floats, other: Floats) -> Floats:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(norms, 1e-30))


def _steady(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], energies: Floats, species: tuple[int, ...],
    wanted: Sequence[Rows],
) -> bool:  # fmt: skip
    """Whether models of either half of the frames give the same virials: few frames of many elements tell nothing."""
    virials = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        if len(rows[half]) < 2:
            return False
        model = SimpleModel(species)
        model.fit(frames[half], rows[half], energies=energies[half])
        virials.append([row.virial @ model.coefficients for row in wanted])
    return _measure(*(np.array(half) for half in virials))[1] > _STEADY


def _judge_shear(labels: Floats, found: Floats, account: Account) -> None:
    """Refuse shear components in another order than yz xz xy, of which programs have several."""
    if len(labels) < STRESS_FRAMES or np.sqrt(np.mean(labels[:, 3:] ** 2)) < 1e-4:
        return
    names = np.array(["yz", "xz", "xy"])
    fit = {order: _alignment(labels[:, 3:][:, list(order)], found[:, 3:]) for order in permutations(range(3))}
    best = max(fit, key=lambda order: fit[order])
    if best != (0, 1, 2) and fit[best] > _SHEAR_RIGHT and fit[0, 1, 2] < _SHEAR_WRONG:
        order = " ".join(names[np.argsort(best)])
        account.refuse(
            f"shear components seem to stand as {order} in {len(labels)} frames",
            "six numbers as xx yy zz yz xz xy, or nine", field="stress",
        )  # fmt: skip


def _alignment(one: Floats, other: Floats) -> float:
    """Smallest correlation, about zero, of three columns."""
    norms = np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return float(np.min((one * other).sum(axis=0) / np.maximum(norms, 1e-30)))


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio >= 1 else f"1/{1 / ratio:.3g} of"


def _unit(ratio: float) -> str:
    name, size = min(_UNITS.items(), key=lambda item: abs(np.log(ratio / item[1])))
    return f": as if in {name}" if 0.3 < ratio / size < 3.3 else ""


def _stress(frame: LabelledFrame) -> Floats:
    assert frame.stress_ev_per_angstrom3 is not None  # noqa: S101 - asked before
    return frame.stress_ev_per_angstrom3
