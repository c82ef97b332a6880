"""Labelled frames as arrays: read from files, checked label by label, with an account of what was read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms

from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.formats.alone import alone, nearest_image_angstrom
from gibbsflow.potential.data.formats.extended_xyz import is_extended_xyz, read_extended_xyz
from gibbsflow.potential.data.formats.file_formats import is_of_atoms
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS, kept_mesh, mesh_fault
from gibbsflow.potential.data.formats.scf_convergence import refuse_unconverged
from gibbsflow.potential.data.frame_weights import FrameWeights, read_weights, refuse_other_weights
from gibbsflow.potential.data.frame_words import judge_words
from gibbsflow.potential.data.label_keys import LabelKeys, choose_keys, find, many_numbers, one_number, tensor
from gibbsflow.potential.data.labels import require_one_settings_hash
from gibbsflow.potential.data.structures import content_hash, read_frames, structure_id
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

log = logging.getLogger(__name__)
ISOLATED = ("isolated_atom", "isolatedatom")
SHOWN = 20
"""So many problems of one kind are listed; the others are counted."""
_TAGGED_ANGSTROM = 5.0
# of stress and virial of one frame
_AGREEMENT = 0.02


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
    weights
        Factors on the squared errors of its labels.
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
    weights: FrameWeights = FrameWeights()

    @property
    def tagged_isolated(self) -> bool:
        """Say whether its `config_type` calls it an isolated atom.

        Returns
        -------
        bool
            True for one atom with such a tag.
        """
        return len(self.atoms) == 1 and self.config_type.lower() in ISOLATED

    @property
    def isolated(self) -> bool:
        """Say whether it is a single atom that gives a reference energy.

        Returns
        -------
        bool
            True for one atom whose nearest periodic image, if any, is farther away than 6 Å and 2.5 bond lengths,
            or than 5 Å where it is tagged as one.
        """
        return alone(self.atoms) or (self.tagged_isolated and nearest_image_angstrom(self.atoms) >= _TAGGED_ANGSTROM)


def read_labelled(path: Path) -> list[LabelledFrame]:
    """Read a file of labelled frames and check each; see :func:`read_with_account`.

    Parameters
    ----------
    path
        Extended XYZ, or another format of ASE that holds labels.

    Returns
    -------
    list of LabelledFrame
        In the order of the file.

    Raises
    ------
    InputError
        With all problems at once.
    """
    frames, account = read_with_account(path)
    account.settle()
    return frames


def read_with_account(path: Path) -> tuple[list[LabelledFrame], Account]:
    """Read a file of labelled frames, whole or not at all, and say what was read.

    One family of labels is read (:func:`.choose_keys`). A frame that repeats an earlier one, label and all, counts
    once; a frame of weight 0 is left out; an isolated atom needs no forces, which are zero by symmetry.

    Parameters
    ----------
    path
        Extended XYZ, or another format of ASE that holds labels.

    Returns
    -------
    frames : list of LabelledFrame
        In the order of the file; those whose labels are all right.
    account : Account
        With refusals for missing, non-finite or unreadable labels, duplicate ids, one structure with two labels, mixed
        settings. Its facts: ``labels``, ``labels_not_used``, ``frames_read``, ``frames``, ``atoms``, ``elements``,
        ``with_stress``, ``isolated_atoms``, ``repeated``, ``weight_zero``.

    Raises
    ------
    InputError
        Where the file cannot be read at all.
    """
    account = Account(str(path))
    images = _that_count(Path(path), _images(Path(path)), account)
    keys = choose_keys(images, account)
    refuse_other_weights(images, account)
    problems: list[Problem] = []
    frames = []
    for row, atoms in enumerate(images, 1):
        frame = _frame(str(path), row, atoms, keys, problems)
        if frame is not None:
            frames.append(frame)
            if frame.tagged_isolated and not frame.isolated:
                what = f"tagged {frame.config_type}, and its image is {nearest_image_angstrom(atoms):.2f} Å away"
                problems.append(Problem(str(path), what, "an atom alone, or another tag", row=row, field="config_type"))
    left_out = [frame.row for frame in frames if frame.weights.nothing]
    if left_out:
        account.note(f"weight 0: {rows_in_words(left_out)} left out of the fit")
    counted = [frame for frame in frames if not frame.weights.nothing]
    if frames and not counted:
        account.refuse("all frames have weight 0", "a weight above 0", field="config_weight")
    judge_words(images, [frame.row - 1 for frame in counted], account)
    weighted = sum(frame.weights != FrameWeights() for frame in counted)
    if weighted:
        account.note(f"weights other than 1 in {weighted} frames: they multiply squared errors")
    unstressed = [f.row for f in counted if not f.atoms.pbc.all() and _has_stress(images[f.row - 1], keys)]
    if unstressed:
        account.note(f"not periodic in three directions: the stress of {rows_in_words(unstressed)} is not used")
    if astray := [row for row, atoms in enumerate(images, 1) if mesh_fault(atoms)]:
        account.note(f"{MESH_HEIGHTS} of {rows_in_words(astray)} cannot be that of its cell, and is not used")
    once = _once(str(path), counted, problems)
    enter(account, problems)
    try:
        require_one_settings_hash(images, where=str(path))
    except InputError as error:
        enter(account, error.problems)
    account.facts |= {
        "frames_read": len(images), **counts(once), "repeated": len(counted) - len(once),
        "weight_zero": len(left_out), "weighted": weighted,
    }  # fmt: skip
    if len(once) < len(counted):
        account.note(f"{len(counted) - len(once)} frames repeat earlier ones and count once")
    return once, account


def counts(frames: Sequence[LabelledFrame]) -> dict[str, Any]:
    """Count what is fitted or predicted.

    Parameters
    ----------
    frames
        Of one set.

    Returns
    -------
    dict
        ``frames``, ``atoms``, ``elements``, ``with_stress``, ``energy_alone`` (frames without forces or stress that
        count), ``isolated_atoms``.
    """
    return {
        "frames": len(frames),
        "atoms": sum(len(frame.atoms) for frame in frames),
        "elements": sorted({s for frame in frames for s in frame.atoms.get_chemical_symbols()}),
        "with_stress": sum(frame.stress_ev_per_angstrom3 is not None for frame in frames),
        "energy_alone": sum(not (f.force_mask.any() or f.stress_ev_per_angstrom3 is not None) for f in frames),
        "isolated_atoms": [f"{frame.atoms.symbols[0]} (frame {frame.row})" for frame in frames if frame.isolated],
    }


def enter(account: Account, problems: Sequence[Problem]) -> None:
    """Enter problems as refusals: what is the same in several rows once, of each field twenty, the others counted.

    Parameters
    ----------
    account
        Gets them.
    problems
        In the order in which they were found.
    """
    alike: dict[tuple[str, str | None, str, str], list[int]] = {}
    for problem in problems:
        alike.setdefault((problem.where, problem.field, problem.what, problem.right), []).append(problem.row or 0)
    counts: dict[tuple[str, str | None], int] = {}
    for (where, name, what, right), rows in alike.items():
        counts[where, name] = counts.get((where, name), 0) + 1
        if counts[where, name] <= SHOWN:
            several = f" ({rows_in_words(rows)})" if len(rows) > 1 else ""
            account.refuse(what + several, right, row=rows[0] or None, field=name)
    for (_, name), count in counts.items():
        if count > SHOWN:
            account.refuse(f"and {count - SHOWN} more like these", "", field=name)


def rows_in_words(rows: Sequence[int]) -> str:
    """Name frames by their numbers, at most ten of them.

    Parameters
    ----------
    rows
        Numbers from 1.

    Returns
    -------
    str
        Such as ``frame 3`` or ``12 frames (1, 2, 3, ...)``.
    """
    if len(rows) == 1:
        return f"frame {rows[0]}"
    return f"{len(rows)} frames ({', '.join(str(row) for row in rows[:10])}{', ...' if len(rows) > 10 else ''})"


def bare(atoms: Atoms) -> Atoms:
    """Copy a structure without tags and labels.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    Atoms
        Elements, cell, positions, periodicity, and the cell whose mesh of k points it keeps (`mesh_cells.py`).
    """
    made = Atoms(atoms.numbers, positions=atoms.get_positions(), cell=atoms.cell[:], pbc=atoms.pbc)
    if not mesh_fault(atoms):
        made.info |= kept_mesh(atoms)
    return made


def _images(path: Path) -> list[Atoms]:
    """All frames with whatever was written of them in ``info`` and ``arrays``."""
    if path.is_file() and path.stat().st_size and is_extended_xyz(path):
        images = read_extended_xyz(path)
        for atoms in images:
            atoms.info.setdefault("gibbsflow_id", content_hash(atoms))
        return images
    refuse_unconverged(path)
    images = read_frames(path)
    for atoms in images:
        results: Mapping[str, Any] = atoms.calc.results if atoms.calc is not None else {}
        for name, value in results.items():
            if is_of_atoms(name, value, atoms):
                atoms.arrays[name] = np.asarray(value)
            elif value is not None:
                atoms.info[name] = value
    return images


def _that_count(path: Path, images: list[Atoms], account: Account) -> list[Atoms]:
    """Of a database of ours, the rows whose label counts: what waits, has failed or is held has none."""
    own = path.suffix == ".db" and all({"gibbsflow_id", "generator", "generation"} <= f.info.keys() for f in images)
    counted = [frame for frame in images if frame.info.get("settings_hash")]
    if not own or not counted or len(counted) == len(images):
        return images
    account.note(f"{len(images) - len(counted)} structures without a label that counts are left out (see dft status)")
    return counted


def _has_stress(atoms: Atoms, keys: LabelKeys) -> bool:
    return find(atoms.info, (*keys.stress, *keys.virial)) is not None


def _frame(where: str, row: int, atoms: Atoms, keys: LabelKeys, problems: list[Problem]) -> LabelledFrame | None:
    before = len(problems)

    def _fault(field: str, what: str, right: str) -> None:
        problems.append(Problem(where, what, right, row=row, field=field))

    weights, faults = read_weights(atoms)
    for key, what in faults:
        _fault(key, what, "one number, 0 or more")
    if weights.nothing and not faults:  # whatever its labels are, they are not read
        none = np.zeros((len(atoms), 3))
        return _make(atoms, 0.0, none, None, np.zeros(len(atoms), dtype=bool), row, weights)
    energy = _energy(atoms, keys, _fault)
    forces = _forces(atoms, keys, weights, _fault)
    if not np.isfinite(atoms.get_positions()).all():
        _fault("pos", "not finite", "positions in Å")
    if np.any(atoms.pbc) and not np.abs(atoms.cell.lengths()[np.array(atoms.pbc)]).all():
        _fault("Lattice", "a periodic direction has no cell vector", "Lattice")
    elif not atoms.cell.any() and any(np.any(_numbers(atoms, key)) for key in (*keys.stress, *keys.virial)):
        _fault("Lattice", "missing, and the frame has a stress", "Lattice, nine numbers in Å")
    elif atoms.pbc.all() and not atoms.get_volume() > 0:
        _fault("Lattice", "a cell of 0 Å^3", "three vectors that span a volume")
    stress = _stress(atoms, keys, _fault) if len(problems) == before or atoms.pbc.all() else None
    if len(problems) > before or energy is None or forces is None:
        return None
    mask = np.ones(len(atoms), dtype=bool)
    said = np.asarray(atoms.arrays.get("force_mask", mask))
    if said.shape == mask.shape:
        mask = said.astype(bool)
    if weights.force == 0:
        mask = np.zeros(len(atoms), dtype=bool)
    if weights.stress == 0:
        stress = None
    return _make(atoms, energy, forces, stress, mask, row, weights)


def _make(
    atoms: Atoms, energy: float, forces: Floats, stress: Floats | None, mask: npt.NDArray[np.bool_], row: int,
    weights: FrameWeights,
) -> LabelledFrame:  # fmt: skip
    return LabelledFrame(
        bare(atoms), energy, forces, stress, mask,
        str(atoms.info.get("config_type", "default")), str(atoms.info.get("parent", "")),
        structure_id(atoms), str(atoms.info.get("settings_hash", "")), row, weights,
    )  # fmt: skip


def _energy(atoms: Atoms, keys: LabelKeys, fault: Any) -> float | None:
    found = find(atoms.info, keys.energy)
    if found is None:
        fault(
            "energy", f"missing; the frame has {_names(atoms.info)}", _right(keys.named[0], "REF_energy", "total, eV")
        )
        return None
    try:
        energy = one_number(found[1])
    except ValueError as error:
        fault(found[0], str(error), "one number of eV")
        return None
    if not np.isfinite(energy):
        fault(found[0], f"is {energy}", "a finite number of eV")
    return energy


def _forces(atoms: Atoms, keys: LabelKeys, weights: FrameWeights, fault: Any) -> Floats | None:
    found = find(atoms.arrays, keys.forces)
    if found is None:
        if alone(atoms) or weights.force == 0:
            return np.zeros((len(atoms), 3))
        right = f"{_right(keys.named[1], 'REF_forces', 'eV/Å')}; or forces_weight=0, to train to its energy alone"
        fault("forces", f"missing; the frame has {_names(atoms.arrays)}", right)
        return None
    name, forces = found
    if np.shape(forces) != (len(atoms), 3) or np.asarray(forces).dtype.kind not in "if":
        fault(name, f"shape {np.shape(forces)}", f"({len(atoms)}, 3) finite numbers")
        return None
    if not np.isfinite(forces).all():
        fault(name, "not finite", f"({len(atoms)}, 3) finite numbers")
    twins = [key for key in keys.forces if key != name.lower() and find(atoms.arrays, [key])]
    for key in twins:
        other = find(atoms.arrays, [key])
        if other is not None and not np.allclose(other[1], forces, atol=1e-4):
            fault(other[0], f"differs from {name}", "one array of forces")
    return np.array(forces, dtype=float)


def _stress(atoms: Atoms, keys: LabelKeys, fault: Any) -> Floats | None:
    values: dict[str, Floats] = {}
    for kind, own in (("stress", keys.stress), ("virial", keys.virial)):
        found = find(atoms.info, own)
        if found is None:
            continue
        unit = "eV/Å^3" if kind == "stress" else "eV"
        right = f"nine numbers of {unit}, symmetric" + (", or six" if found[0] not in ("stress", "virial") else "")
        try:
            read = tensor(*found)
        except ValueError as error:
            fault(found[0], str(error), right)
            continue
        if not np.isfinite(read).all():
            fault(found[0], "not finite", f"six finite numbers in {unit}")
        elif atoms.pbc.all():
            values[found[0]] = read if kind == "stress" else -read / atoms.get_volume()
    if len(values) == 2:
        (first, one), (second, other) = values.items()
        if np.abs(one - other).max() > _AGREEMENT * max(np.abs(one).max(), np.abs(other).max()) + 1e-5:
            fault(first, f"contradicts {second}", f"{second} = -volume × {first}, or one of both")
    return next(iter(values.values()), None)


def _numbers(atoms: Atoms, key: str) -> Floats:
    found = find(atoms.info, [key])
    try:
        return many_numbers(found[1]) if found is not None else np.zeros(1)
    except ValueError:
        return np.zeros(1)


def _right(own: str, other: str, unit: str) -> str:
    return f"{own if own == other else f'{own} or {other}'} ({unit})"


def _names(store: Mapping[str, Any]) -> str:
    return ", ".join(sorted(str(key) for key in store)) or "nothing"


def _once(where: str, frames: Sequence[LabelledFrame], problems: list[Problem]) -> list[LabelledFrame]:
    """Frames without repetitions; an id or a structure with two labels is a problem."""
    ids: dict[str, int] = {}
    kept: dict[str, LabelledFrame] = {}
    for frame in frames:
        content = content_hash(frame.atoms) + (frame.config_type if frame.isolated else "")
        if (first := kept.get(content)) is not None:
            if not _same_label(first, frame):
                what = f"the same structure as frame {first.row}, with another label"
                problems.append(Problem(where, what, "one label a structure", row=frame.row))
        elif (row := ids.get(frame.structure_id)) is not None:
            what = f"{frame.structure_id!r} is also the id of frame {row}"
            problems.append(Problem(where, what, "an id a structure", row=frame.row, field="gibbsflow_id"))
        kept.setdefault(content, frame)
        ids.setdefault(frame.structure_id, frame.row)
    return list(kept.values())


def _same_label(one: LabelledFrame, other: LabelledFrame) -> bool:
    forces = np.abs(one.forces_ev_per_angstrom - other.forces_ev_per_angstrom).max(initial=0.0)
    return abs(one.energy_ev - other.energy_ev) < 1e-4 * len(one.atoms) and bool(forces < 1e-2)
