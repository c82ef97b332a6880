"""A sample of labels is made again at tighter settings: what do they differ by, and is that within the stated error?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential import Audit, Dft
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem, ScienceError
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.potential.label.engines import LabelEngine, make_engine
from gibbsflow.potential.validate.labels.audited import Audited
from gibbsflow.potential.validate.labels.label_audit import RELABEL, LabelAudit
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3
from gibbsflow.workflow.state.segments import Stopper

KINDS = ("energy_mev_per_atom", "force_ev_per_angstrom", "stress_gpa")
"""What is compared, each with its unit; section ``audit`` has a stated error for each, as ``relabel_...``."""
_ALONE = 5.0  # times the median difference, from which on a label and not the settings is off
_TIGHTER_SCF, _LEAST_SCF_RY = 100.0, 1e-12


def tighter(dft: Dft, engine: LabelEngine, factor: float) -> Dft:
    """Tighten the settings of labels: the same physics with a larger basis, a denser mesh and a smaller threshold.

    Parameters
    ----------
    dft
        Settings of the labels.
    engine
        That they make; it knows the cutoffs that its pseudopotentials have set.
    factor
        On cutoffs, and on the density of k points.

    Returns
    -------
    Dft
        Settings of labels to hold them against.

    Raises
    ------
    InputError
        For an engine without such settings.
    """
    spacing = max(dft.kspacing_per_angstrom / factor, 0.0201)
    if dft.engine == "quantum_espresso":
        wfc, rho = (getattr(engine, name) for name in ("ecutwfc_ry", "ecutrho_ry"))
        higher = float(math.ceil(wfc * factor))
        changes: dict[str, Any] = {
            "ecutwfc_ry": higher, "ecutrho_ry": max(float(math.ceil(rho * factor)), 4 * higher),
            "conv_thr_ry": max(dft.conv_thr_ry / _TIGHTER_SCF, _LEAST_SCF_RY),
        }  # fmt: skip
    elif dft.engine == "gpaw":
        changes = {"gpaw_cutoff_ev": float(math.ceil(dft.gpaw_cutoff_ev * factor))}
    else:
        right = "labels of quantum_espresso or gpaw"
        raise InputError(Problem("--relabel", f"{dft.engine} has neither cutoff nor k points to tighten", right))
    return Dft.model_validate({**dft.model_dump(), **changes, "kspacing_per_angstrom": spacing})


def sample(found: LabelAudit, count: int, seed: int) -> list[Audited]:
    """Draw labels that count, from all kinds of structures alike.

    Parameters
    ----------
    found
        The audit so far.
    count
        How many at most.
    seed
        Of the draw; it and the ids decide.

    Returns
    -------
    list of Audited
        Dealt out in turn over the config types.
    """
    rng = np.random.default_rng(seed)
    kinds: dict[str, list[Audited]] = {}
    standing = [label for label in found.labels if not label.standing.keys() - {RELABEL} and label.frame is not None]
    for label in sorted(standing, key=lambda own: own.name):
        kinds.setdefault(str(label.known.atoms.info.get("config_type", "")), []).append(label)
    for own in kinds.values():
        rng.shuffle(own)  # type: ignore[arg-type]
    longest = max(map(len, kinds.values()), default=0)
    return [own[k] for k in range(longest) for _, own in sorted(kinds.items()) if k < len(own)][:count]


def require_settings(
    labels: Sequence[KnownLabel], config: PotentialConfig, *, where: str = "settings"
) -> tuple[LabelEngine, Dft]:
    """Hold settings against labels that are to be made again, before anything is done to these.

    Parameters
    ----------
    labels
        Of a database.
    config
        Settings that they should have been made with.
    where
        File of the settings, for messages.

    Returns
    -------
    engine : LabelEngine
        That the settings make.
    tight : Dft
        As :func:`tighter`.

    Raises
    ------
    InputError
        Where no label was made with the settings, or there is nothing to tighten.
    MissingProgramError
        Where the program is not installed.
    """
    used = make_engine(config.target.elements or _elements(labels), config.dft, config.labels)
    made = Counter(label.settings_hash for label in labels)
    if made and used.settings_hash not in made:
        raise _others(where, used, made.most_common(1)[0][0])
    return used, tighter(config.dft, used, config.audit.tighter)


def _others(where: str, used: LabelEngine, made: str) -> InputError:
    what = f"give labels of {used.settings_hash}, and those of the database are of {made}"
    return InputError(Problem(where, what, "the settings that the labels were made with", field="dft"))


def relabel(
    found: LabelAudit, config: PotentialConfig, count: int, seed: int, state: Path, *, workers: int | None = None,
    where: str = "settings", stopper: Stopper | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make labels again at tighter settings, compare, and enter the reason ``relabel`` for those that stand alone.

    Parameters
    ----------
    found
        The audit so far; its labels get figures and reasons.
    config
        Settings that the labels were made with.
    count, seed
        Size and seed of the sample.
    state
        Where finished labels are kept: the same call goes on.
    workers
        Labels at a time; default: the settings'.
    where
        File of the settings, for messages.
    stopper
        Says when to stop.

    Returns
    -------
    dict
        ``labels`` compared, ``failed`` (cause by id), ``seed``, ``settings`` (what was tightened), ``settings_hash``,
        ``offset_ev`` (by element, what the energies differ by in common), and by each of :data:`KINDS` ``rms``,
        ``largest``, ``stated`` error and whether it is ``within``.

    Raises
    ------
    InputError
        Where the settings are not those of the labels, or have nothing to tighten.
    MissingProgramError
        Where the program is not installed.
    ScienceError
        Where none could be made again.
    StoppedEarly
        After a signal; what is finished is kept.
    """
    drawn = sample(found, count, seed)
    if not drawn:
        raise ScienceError("no label is left to be made again", what_to_do="See what holds them in audit.csv.")
    known = [label.known for label in found.labels]
    used, tight = require_settings(known, config, where=where)
    if (made := drawn[0].known.settings_hash) != used.settings_hash:
        raise _others(where, used, made)
    engine = make_engine(config.target.elements or _elements(known), tight, config.labels)
    batch = Batch([label.known.atoms for label in drawn])
    label_batch(
        batch, engine, config.labels, store=LabelStore(state, engine.settings_hash),
        workers=workers or config.labels.workers, stopper=stopper,
    )  # fmt: skip
    pairs = [(own, batch.results[own.name]) for own in drawn]
    failed = {own.name: result.cause for own, result in pairs if result.status != "labelled"}
    told = compare([(own, result) for own, result in pairs if result.status == "labelled"], config.audit)
    before, after = config.dft.model_dump(), tight.model_dump()
    if config.dft.engine == "quantum_espresso":
        before |= {name: getattr(used, name) for name in ("ecutwfc_ry", "ecutrho_ry")}
    settings = {key: [before[key], value] for key, value in after.items() if value != before[key]}
    return {**told, "failed": failed, "seed": seed, "settings": settings, "settings_hash": engine.settings_hash}


def compare(pairs: Sequence[tuple[Audited, LabelResult]], settings: Audit) -> dict[str, Any]:
    """Hold labels against those made again; enter ``relabel`` where one is off by more than all others.

    Parameters
    ----------
    pairs
        Label, and what tighter settings gave.
    settings
        Section ``audit``.

    Returns
    -------
    dict
        As :func:`relabel`.
    """
    offset = _offset_ev(pairs)
    told: dict[str, Any] = {"labels": len(pairs), "offset_ev": offset}
    for own, result in pairs:
        own.reasons.pop(RELABEL, None)
        own.figures |= {f"relabel_{kind}": value for kind, value in _differences(own, result, offset).items()}
    for kind in KINDS:
        values = [(own, float(own.figures[f"relabel_{kind}"])) for own, _ in pairs if f"relabel_{kind}" in own.figures]
        stated = float(getattr(settings, f"relabel_{kind}"))
        sizes = np.abs([value for _, value in values])
        if not len(sizes):
            continue
        told[kind] = {
            "rms": float(np.sqrt(np.mean(sizes**2))), "largest": float(sizes.max()), "stated": stated,
            "within": bool(sizes.max() <= stated),
        }  # fmt: skip
        usual = float(np.median(sizes))
        for own, value in values:
            if abs(value) > max(stated, _ALONE * usual):
                name, unit = kind.partition("_")[::2]
                what = f"its {name} differs from tighter settings by {abs(value):.3g} {_UNITS[unit]}"
                own.reasons[RELABEL] = f"{what}, others by {usual:.2g}; {stated:g} is the stated error"
    return told


_UNITS: Mapping[str, str] = {"mev_per_atom": "meV/atom", "ev_per_angstrom": "eV/Å", "gpa": "GPa"}


def _differences(own: Audited, result: LabelResult, offset: Mapping[str, float]) -> dict[str, float]:
    """Energy without what is common to an element; largest difference of a force, and of a stress component."""
    frame = own.frame
    assert frame is not None and result.energy_ev is not None  # noqa: S101 - drawn and labelled
    common = sum(offset[symbol] for symbol in frame.atoms.get_chemical_symbols())
    forces = np.asarray(result.forces_ev_per_angstrom) - frame.forces_ev_per_angstrom
    told = {
        "energy_mev_per_atom": 1e3 * (frame.energy_ev - result.energy_ev + common) / len(frame.atoms),
        "force_ev_per_angstrom": float(np.linalg.norm(forces, axis=1).max()),
    }
    if frame.stress_ev_per_angstrom3 is not None and result.stress_ev_per_angstrom3 is not None:
        apart = np.abs(np.asarray(result.stress_ev_per_angstrom3) - frame.stress_ev_per_angstrom3)
        told["stress_gpa"] = float(apart.max()) * GPA_PER_EV_PER_ANGSTROM3
    return told


def _offset_ev(pairs: Sequence[tuple[Audited, LabelResult]]) -> dict[str, float]:
    """What energies fall by in common, by element: no potential sees a constant for each atom."""
    frames = [own.frame for own, _ in pairs if own.frame is not None]
    species = sorted({symbol for frame in frames for symbol in frame.atoms.get_chemical_symbols()})
    fallen = np.array(
        [(result.energy_ev or 0.0) - frame.energy_ev for frame, (_, result) in zip(frames, pairs, strict=True)]
    )
    counts = np.array([[frame.atoms.get_chemical_symbols().count(s) for s in species] for frame in frames], dtype=float)
    if not len(frames):
        return {}
    if len(species) == 1:  # one label that is off must not move the others
        return {species[0]: float(np.median(fallen / counts[:, 0]))}
    sizes = counts.sum(axis=1)
    solved = np.linalg.lstsq(counts / sizes[:, None], fallen / sizes, rcond=None)[0]
    return dict(zip(species, map(float, solved), strict=True))


def _elements(labels: Sequence[KnownLabel]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbol for label in labels for symbol in label.atoms.get_chemical_symbols()))
