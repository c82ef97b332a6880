"""Labelled frames as arrays, read from extxyz and checked before anything expensive starts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms

from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.labels import require_one_settings_hash
from gibbsflow.potential.data.structures import content_hash, read_frames, structure_id
from gibbsflow.units import Floats

log = logging.getLogger(__name__)
ISOLATED = ("isolated_atom", "isolatedatom")
# in lower case, the likeliest first
_ENERGY_KEYS = ("ref_energy", "dft_energy", "energy", "energy_dft", "energy_ref", "total_energy", "free_energy")
_FORCE_KEYS = ("ref_forces", "dft_forces", "forces", "force", "ref_force", "dft_force", "forces_dft", "forces_ref")
_STRESS_KEYS = ("ref_stress", "dft_stress", "stress", "stress_dft", "stress_ref")
_VIRIAL_KEYS = ("virial", "virials", "ref_virial", "ref_virials", "dft_virial", "dft_virials", "virial_dft")
# of the test set: more in common with training is taken for a mistake in the files
_COMMON_SHARE = 0.1


@dataclass(frozen=True)
class LabelledFrame:
    """One structure with its reference energy, forces and, perhaps, stress.

    Attributes
    ----------
    atoms
        Structure, without a calculator.
    energy_ev
        Total energy in eV.
    forces_ev_per_angstrom
        Forces in eV/Å, shape (n, 3).
    stress_ev_per_angstrom3
        Stress in eV/Å³: Voigt xx yy zz yz xz xy, tension positive (ASE's sign), shape (6,); None where not given.
    force_mask
        False for atoms whose forces must not count (buffer of a cut-out); shape (n,).
    config_type
        Group for errors.
    parent
        Structure it descends from; empty where not given.
    structure_id
        Its ``gibbsflow_id``.
    settings_hash
        Of the calculation that labelled it; empty where not given.
    row
        Number of the frame in its file, from 1.
    """

    atoms: Atoms
    energy_ev: float
    forces_ev_per_angstrom: Floats
    stress_ev_per_angstrom3: Floats | None
    force_mask: npt.NDArray[np.bool_]
    config_type: str
    parent: str
    structure_id: str
    settings_hash: str
    row: int

    @property
    def isolated(self) -> bool:
        """Say whether it is a single atom that gives a reference energy.

        Returns
        -------
        bool
            True for one atom whose `config_type` is that of an isolated atom.
        """
        return len(self.atoms) == 1 and self.config_type.lower() in ISOLATED


def read_labelled(path: Path) -> list[LabelledFrame]:
    """Read a file of labelled frames and check each.

    Accepts ``energy``, ``forces``, ``stress`` as ASE stores them, ``REF_energy``, ``dft_energy`` and so on in any case,
    and ``virial`` (eV). A frame that repeats an earlier one, label and all, counts once.

    Parameters
    ----------
    path
        Extxyz, or another format of ASE that holds labels.

    Returns
    -------
    list of LabelledFrame
        In the order of the file.

    Raises
    ------
    InputError
        With all problems at once: unreadable, empty, missing or non-finite labels, duplicate ids, one structure with
        two labels, mixed settings.
    """
    images = read_frames(Path(path))
    problems: list[Problem] = []
    frames = []
    for row, atoms in enumerate(images, 1):
        frame = _frame(str(path), row, atoms, problems)
        if frame is not None:
            frames.append(frame)
    frames = _once(str(path), frames, problems)
    if problems:
        raise InputError(problems)
    require_one_settings_hash(images, where=str(path))
    return frames


def check_pair(train: Sequence[LabelledFrame], test: Sequence[LabelledFrame], *, where: str) -> list[LabelledFrame]:
    """Check that a test set can be predicted from a training set, and is none of it.

    Parameters
    ----------
    train, test
        Frames of the two sets, as `read_labelled` gives them.
    where
        File of the test set, for messages.

    Returns
    -------
    list of LabelledFrame
        The training frames, without the few that the test set has too.

    Raises
    ------
    InputError
        For elements that training lacks, a test set that is largely training's, or labels of different settings.
    """
    known = {s for frame in train for s in frame.atoms.get_chemical_symbols()}
    problems = []
    trained, tested = ([content_hash(frame.atoms) for frame in frames] for frames in (train, test))
    rows = {content: frame.row for content, frame in zip(trained, train, strict=True)}
    settings = {frame.settings_hash for frame in train}
    common = {content for content, frame in zip(tested, test, strict=True) if not frame.isolated} & rows.keys()
    few = len(common) <= _COMMON_SHARE * len(test)
    for frame, content in zip(test, tested, strict=True):
        alien = sorted(set(frame.atoms.get_chemical_symbols()) - known)
        if alien:
            right = f"only {', '.join(sorted(known))}, which the training set has"
            problems.append(Problem(where, f"holds {', '.join(alien)}", right, row=frame.row, field="species"))
        if not few and (same := rows.get(content)) is not None:
            problems.append(Problem(where, f"is frame {same} of the training set", "frames of its own", row=frame.row))
        if frame.settings_hash and settings != {frame.settings_hash} and "" not in settings:
            what = f"{frame.settings_hash[:12]!r}, training {', '.join(sorted(s[:12] for s in settings))!r}"
            problems.append(Problem(where, what, "labels of one setting", row=frame.row, field="settings_hash"))
    if problems:
        raise InputError(problems[:20])
    if common:
        log.warning("%d frames are in %s too: left out of training", len(common), where)
    return [frame for frame, content in zip(train, trained, strict=True) if frame.isolated or content not in common]


def _frame(where: str, row: int, atoms: Atoms, problems: list[Problem]) -> LabelledFrame | None:
    results = dict(atoms.calc.results) if atoms.calc is not None else {}
    energy = _first(results.get("energy", results.get("free_energy")), atoms.info, _ENERGY_KEYS)
    forces = _first(results.get("forces"), atoms.arrays, _FORCE_KEYS)
    before = len(problems)
    if energy is None:
        keys = "energy or REF_energy (total, eV)"
        problems.append(Problem(where, f"missing; the frame has {_names(atoms.info)}", keys, row=row, field="energy"))
    elif not np.isfinite(float(energy)):
        problems.append(Problem(where, f"is {float(energy)}", "a finite number of eV", row=row, field="energy"))
    if forces is None:
        keys = "forces or REF_forces (eV/Å)"
        problems.append(Problem(where, f"missing; the frame has {_names(atoms.arrays)}", keys, row=row, field="forces"))
    elif np.shape(forces) != (len(atoms), 3) or not np.isfinite(forces).all():
        what = f"shape {np.shape(forces)}" if np.shape(forces) != (len(atoms), 3) else "not finite"
        problems.append(Problem(where, what, f"({len(atoms)}, 3) finite numbers", row=row, field="forces"))
    if not np.isfinite(atoms.get_positions()).all():
        problems.append(Problem(where, "not finite", "positions in Å", row=row, field="pos"))
    if np.any(atoms.pbc) and not np.abs(atoms.cell.lengths()[np.array(atoms.pbc)]).all():
        problems.append(Problem(where, "a periodic direction has no cell vector", "Lattice", row=row, field="Lattice"))
    stress = _stress(results.get("stress"), atoms)
    if stress is not None and not np.isfinite(stress).all():
        problems.append(Problem(where, "not finite", "six finite numbers in eV/Å^3", row=row, field="stress"))
    if len(problems) > before or energy is None or forces is None:
        return None
    mask = np.asarray(atoms.arrays.get("force_mask", np.ones(len(atoms))), dtype=bool)
    return LabelledFrame(
        bare(atoms), float(energy), np.array(forces, dtype=float), stress, mask,
        str(atoms.info.get("config_type", "default")), str(atoms.info.get("parent", "")),
        structure_id(atoms), str(atoms.info.get("settings_hash", "")), row,
    )  # fmt: skip


def bare(atoms: Atoms) -> Atoms:
    """Copy a structure without tags and labels.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    Atoms
        Elements, cell, positions and periodicity, and nothing else.
    """
    return Atoms(atoms.numbers, positions=atoms.get_positions(), cell=atoms.cell[:], pbc=atoms.pbc)


def _first(value: Any, store: dict, keys: Sequence[str]) -> Any:  # type: ignore[type-arg]
    return value if value is not None else _lookup(store, keys)


def _lookup(store: dict, keys: Sequence[str]) -> Any:  # type: ignore[type-arg]
    """Value of the first key that is there in any case."""
    known = {str(key).lower(): key for key in store}
    return next((store[known[key]] for key in keys if key in known), None)


def _names(store: dict) -> str:  # type: ignore[type-arg]
    return ", ".join(sorted(str(key) for key in store)) or "nothing"


def _stress(value: Any, atoms: Atoms) -> Floats | None:
    if not np.all(atoms.pbc):
        return None
    if value is None:
        value = _lookup(atoms.info, _STRESS_KEYS)
    if value is None:
        virial = _lookup(atoms.info, _VIRIAL_KEYS)
        value = None if virial is None else -np.asarray(virial, dtype=float) / atoms.get_volume()
    if value is None:
        return None
    tensor = np.asarray(value, dtype=float)
    if tensor.size == 9:
        tensor = tensor.reshape(3, 3)
        tensor = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return tensor.reshape(6)


def _once(where: str, frames: Sequence[LabelledFrame], problems: list[Problem]) -> list[LabelledFrame]:
    """Frames without repetitions; an id or a structure with two labels is a problem."""
    found = []
    ids: dict[str, int] = {}
    kept: dict[str, LabelledFrame] = {}
    for frame in frames:
        content = content_hash(frame.atoms) + (frame.config_type if frame.isolated else "")
        if (first := kept.get(content)) is not None:
            if not _same_label(first, frame):
                what = f"the same structure as frame {first.row}, with another label"
                found.append(Problem(where, what, "one label a structure", row=frame.row))
        elif (row := ids.get(frame.structure_id)) is not None:
            what = f"{frame.structure_id!r} is also the id of frame {row}"
            found.append(Problem(where, what, "an id a structure", row=frame.row, field="gibbsflow_id"))
        kept.setdefault(content, frame)
        ids.setdefault(frame.structure_id, frame.row)
    problems += found[:20]
    if len(kept) < len(frames) and not found:
        log.warning("%s: %d frames repeat earlier ones and count once", where, len(frames) - len(kept))
    return list(kept.values())


def _same_label(one: LabelledFrame, other: LabelledFrame) -> bool:
    forces = np.abs(one.forces_ev_per_angstrom - other.forces_ev_per_angstrom).max(initial=0.0)
    return abs(one.energy_ev - other.energy_ev) < 1e-4 * len(one.atoms) and bool(forces < 1e-2)
