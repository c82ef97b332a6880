"""Labels: one structure's energy, forces and stress, or the cause why it has none; and which of them count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import TypeAdapter

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.formats.masks import FORCE_MASK
from gibbsflow.workflow.files import as_written, atomic_open
from gibbsflow.workflow.input_files import DATA_BYTES, read_text

if TYPE_CHECKING:
    from ase import Atoms

UNCONVERGED = "UNCONVERGED"
BAD_STRUCTURE = "BAD_STRUCTURE"
MISSING_PSEUDO = "MISSING_PSEUDO"
RESOURCE = "RESOURCE"
BAD_OUTPUT = "BAD_OUTPUT"
_CAP = "largest force"
_CLOSE = "the least allowed is"
BOUND = "all that labels.label_memory_gb allows"
_LONGEST_ANGSTROM = 1e4
_MOST_OBLIQUE = 20.0
"""Times as many k points, and more, as shorter vectors of the same lattice would take."""
TRANSIENT = (RESOURCE, "CRASH(worker)")
"""Causes for which the same run may succeed on another day."""
DOUBTS = {
    "negative_density_e": "labelled with a density that is negative somewhere, by 0.05 % of the electrons or more: "
    "a larger dft.ecutrho_ry has less of it",
    "unconverged_eigenvalues": "labelled though eigenvalues had not converged in the last SCF step",
}
"""What a program may warn of in a run that counts, in words."""


def crash(code: int | str | None) -> str:
    """Name the cause of a program that ended with a code that no other cause explains.

    Parameters
    ----------
    code
        Exit code, or the name of what ended.

    Returns
    -------
    str
        ``CRASH(code)``.
    """
    return f"CRASH({code})"


@dataclass(frozen=True)
class LabelResult:
    """Fate of one structure.

    Attributes
    ----------
    gibbsflow_id
        Which structure.
    status
        ``labelled`` or ``failed``.
    cause, message
        Why it failed: a class, and words.
    energy_ev
        Total energy in eV; of a failure there are figures only where a threshold refuses them.
    forces_ev_per_angstrom
        Forces in eV/Å, shape (atoms, 3).
    stress_ev_per_angstrom3
        Stress in eV/Å³: Voigt xx yy zz yz xz xy in ASE's sign, shape (6,); None where nothing is periodic.
    settings_hash, engine, program
        What made it: hash of the settings that count, engine, program with its version.
    corrections
        What was changed on the way, in order.
    audit
        The same with all that is known of each: ``run``, ``error``, ``message``, ``handler``, ``action``, ``changes``,
        ``kept``, ``changes_physics``, ``count`` (`label/recovery/supervision.py`).
    started_from
        Settings of the first run that an earlier label of the batch had needed, by name.
    shortages
        How often the machine had no memory for it so far; counted where labels are stored.
    error, end
        Of a failure: name of the last run's error, and why nothing more was tried: ``NO_CORRECTION``, ``EXHAUSTED`` or
        ``LIMIT``; empty where the engine names none.
    physics_changed
        Whether a correction changed what is computed; such a label is never accepted.
    charge_e
        Total charge in e that was computed.
    k_mesh
        k points along each reciprocal vector; None where the engine has none.
    total_moment_ub, absolute_moment_ub
        Integral of the spin density, and of its absolute value, in μB at the end; None where up and down were not
        computed apart, or the program does not say.
    doubts
        What the program warned of in a run that counts, by the names of `DOUBTS`, with its size.
    attempts, scf_steps, wall_s
        Runs of the program, SCF steps in all of them, and their time in s.
    """

    gibbsflow_id: str
    status: Literal["labelled", "failed"]
    cause: str = ""
    message: str = ""
    energy_ev: float | None = None
    forces_ev_per_angstrom: list[list[float]] | None = None
    stress_ev_per_angstrom3: list[float] | None = None
    settings_hash: str = ""
    engine: str = ""
    program: str = ""
    corrections: list[str] = field(default_factory=list)
    audit: list[dict[str, Any]] = field(default_factory=list)
    started_from: dict[str, Any] = field(default_factory=dict)
    shortages: int = 0
    error: str = ""
    end: str = ""
    physics_changed: bool = False
    charge_e: int = 0
    k_mesh: list[int] | None = None
    total_moment_ub: float | None = None
    absolute_moment_ub: float | None = None
    doubts: dict[str, float] = field(default_factory=dict)
    attempts: int = 1
    scf_steps: int = 0
    wall_s: float = 0.0

    def failed(self, cause: str, message: str) -> LabelResult:
        """Return this result as a failure, without its figures.

        Parameters
        ----------
        cause
            Class of the failure, one of those above.
        message
            What happened, in words.

        Returns
        -------
        LabelResult
            The failure; what else is known of the run stays.
        """
        return replace(
            self, status="failed", cause=cause, message=message,
            energy_ev=None, forces_ev_per_angstrom=None, stress_ev_per_angstrom3=None,
            total_moment_ub=None, absolute_moment_ub=None,
        )  # fmt: skip

    def refused(self, message: str) -> LabelResult:
        """Return this result as one that a threshold refuses; its figures stay, for another threshold may let it in.

        Parameters
        ----------
        message
            Which threshold, in words.

        Returns
        -------
        LabelResult
            The failure.
        """
        return replace(self, status="failed", cause=BAD_STRUCTURE, message=message)

    @property
    def short_of_memory(self) -> bool:
        """Say whether the machine had no memory for it, so that a task with more may do it.

        Returns
        -------
        bool
            True where the program got none beyond what the settings allow it, or was killed as the kernel does it.
        """
        refused = self.error == "OUT_OF_MEMORY" and BOUND not in self.message
        killed = self.error == "KILLED" and self.message.endswith(("-9)", "137)"))
        return self.status == "failed" and (refused or killed)

    @property
    def by_threshold(self) -> bool:
        """Say whether it failed by a threshold of the settings, which another run may have set elsewhere.

        Returns
        -------
        bool
            True for the cap of forces and the least distance.
        """
        said = self.message.startswith(_CAP) or _CLOSE in self.message
        return self.status == "failed" and self.cause == BAD_STRUCTURE and said


def hash_settings(engine: str, settings: Mapping[str, Any]) -> str:
    """Hash the settings that change a label.

    Parameters
    ----------
    engine
        Name of the engine.
    settings
        All that changes a label, and nothing else; JSON must hold it.

    Returns
    -------
    str
        The engine's name, a hyphen and 16 hexadecimal digits; the order of the settings does not count.
    """
    text = json.dumps({"engine": engine, **settings}, sort_keys=True)
    return f"{engine}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def bad_structure(atoms: Atoms, closest_ratio: float) -> str:
    """Say why no program should be started for a structure; empty where nothing speaks against it.

    Parameters
    ----------
    atoms
        The structure.
    closest_ratio
        Least distance, in sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832, as in ASE).

    Returns
    -------
    str
        The fault, with atoms and distances in Å.
    """
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    if len(atoms) == 0:
        return "no atoms"
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        return "positions or cell are not finite"
    if min(atoms.numbers) < 1:
        return "an atom of no element"
    longest = float(np.linalg.norm(atoms.cell.array, axis=1).max())
    if longest > _LONGEST_ANGSTROM:
        return f"a cell vector of {longest:.3g} Å, the longest allowed is {_LONGEST_ANGSTROM:g} Å"
    if atoms.pbc.any():
        # of directions that are not periodic, the vector may be missing; a missing one gets 1 Å along the normal
        if not all(atoms.cell.array[atoms.pbc].any(axis=1)):
            return "periodic in a direction without a cell vector"
        independent = np.linalg.matrix_rank(atoms.cell.array[atoms.pbc]) == atoms.pbc.sum()
        if (volume := abs(atoms.cell.complete().volume) if independent else 0.0) < 1.0:
            return f"periodic, with a cell of {volume:.3g} Å^3"
        if (skew := _obliqueness(atoms)) > _MOST_OBLIQUE:
            what = f"cell vectors so oblique that their product is {skew:.3g} volumes, at most {_MOST_OBLIQUE:g}"
            return f"{what}: reduce them (the shortest vectors of a lattice have at most 2)"
    radii = covalent_radii[atoms.numbers]
    reach = closest_ratio * 2 * float(radii.max())
    first, second, distance = neighbor_list("ijd", atoms, max(reach, 1e-3))
    limit = closest_ratio * (radii[first] + radii[second])
    if len(distance) and (worst := int(np.argmin(distance - limit))) is not None and distance[worst] < limit[worst]:
        pair = f"{atoms[first[worst]].symbol}{first[worst]} and {atoms[second[worst]].symbol}{second[worst]}"
        return f"atoms {pair} are {distance[worst]:.2f} Å apart, {_CLOSE} {limit[worst]:.2f} Å"
    return ""


def _obliqueness(atoms: Atoms) -> float:
    """Lengths of the periodic vectors multiplied, over the length, area or volume that they span: Hadamard's ratio."""
    vectors = atoms.cell.array[atoms.pbc]
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    # of singular values, none of which is negative: the determinant of vectors that all but coincide may be
    spanned = float(np.prod(np.linalg.svd(directions, compute_uv=False)))
    return 1 / max(spanned, float(np.finfo(float).tiny))


def check_label(result: LabelResult, atoms: Atoms, labels: Labels) -> LabelResult:
    """Let a label through only if its figures can be used; turn it into a failure otherwise.

    It is called whenever a label is read, since the state folder keeps the figures as they were computed. A label
    counts with finite energy, forces for every atom, stress where all is periodic, no correction that changed the
    physics, no force above the cap and no atoms that are too close. Convergence and exit code are checked by the
    engines themselves.

    Parameters
    ----------
    result
        What an engine made; a failure is returned as it is.
    atoms
        The structure.
    labels
        Settings: the cap of forces.

    Returns
    -------
    LabelResult
        The label, or the failure that it is.
    """
    if result.status != "labelled":
        return result
    forces = np.array(result.forces_ev_per_angstrom if result.forces_ev_per_angstrom is not None else [])
    if result.energy_ev is None or not np.isfinite(result.energy_ev):
        return result.failed(UNCONVERGED, "no finite energy")
    if forces.shape != (len(atoms), 3) or not np.isfinite(forces).all():
        return result.failed(UNCONVERGED, "no finite force for every atom")
    if atoms.pbc.all() and (
        result.stress_ev_per_angstrom3 is None or not np.isfinite(result.stress_ev_per_angstrom3).all()
    ):
        return result.failed(UNCONVERGED, "no finite stress")
    if result.physics_changed:
        return result.failed(UNCONVERGED, f"converged only with changed physics: {', '.join(result.corrections)}")
    fault = over_threshold(atoms, forces, labels)
    return result.refused(fault) if fault else result


def over_threshold(atoms: Atoms, forces_ev_per_angstrom: Any, labels: Labels) -> str:
    """Say which threshold of the settings a label that was computed does not pass; empty where it passes.

    Parameters
    ----------
    atoms
        The structure.
    forces_ev_per_angstrom
        Its forces in eV/Å, shape (atoms, 3); those that do not count (``force_mask``) have no cap.
    labels
        Settings: the cap of forces and the least distance.

    Returns
    -------
    str
        The fault in words.
    """
    if fault := bad_structure(atoms, labels.closest_ratio):
        return fault
    counted = np.asarray(atoms.arrays.get(FORCE_MASK, np.ones(len(atoms)))).astype(bool)
    forces = np.asarray(forces_ev_per_angstrom, dtype=float)[counted]
    largest = float(np.linalg.norm(forces, axis=1).max(initial=0.0))
    cap = labels.force_cap_ev_per_angstrom
    return f"{_CAP} {largest:.1f} eV/Å, the cap is {cap:g} eV/Å" if largest > cap else ""


def labelled_frame(atoms: Atoms, result: LabelResult) -> Atoms:
    """Return a copy of a structure that carries its label.

    Parameters
    ----------
    atoms
        The structure.
    result
        Its label.

    Returns
    -------
    Atoms
        Copy with energy, forces and, where there is one, stress in its calculator, `settings_hash`, `engine` and, where
        it has them, the final moments in `info`.

    Raises
    ------
    StateError
        Where the result is a failure.
    """
    if result.status != "labelled":
        raise StateError(f"{result.gibbsflow_id}: no label ({result.cause}: {result.message})")
    return with_figures(atoms, result)


def with_figures(atoms: Atoms, result: LabelResult) -> Atoms:
    """Return the same copy of whatever has figures, a label or what a threshold refuses.

    Parameters
    ----------
    atoms
        The structure.
    result
        Energy, forces and perhaps stress.

    Returns
    -------
    Atoms
        As :func:`labelled_frame`.
    """
    from ase.calculators.singlepoint import SinglePointCalculator

    frame = atoms.copy()
    figures: dict[str, Any] = {"energy": result.energy_ev, "forces": np.array(result.forces_ev_per_angstrom)}
    if result.stress_ev_per_angstrom3 is not None:
        figures["stress"] = np.array(result.stress_ev_per_angstrom3)
    frame.calc = SinglePointCalculator(frame, **figures)
    frame.info.update(settings_hash=result.settings_hash, engine=result.engine)
    moments = {"total_moment_ub": result.total_moment_ub, "absolute_moment_ub": result.absolute_moment_ub}
    frame.info.update({key: value for key, value in moments.items() if value is not None})
    return frame


def require_one_settings_hash(frames: Iterable[Atoms], *, where: str = "data set") -> str | None:
    """Return the settings hash that all frames share.

    Parameters
    ----------
    frames
        Labelled frames.
    where
        What they are, for messages.

    Returns
    -------
    str or None
        The hash; None where none carries one (foreign data).

    Raises
    ------
    InputError
        For labels of several settings, or some with and some without, naming one frame of each.
    """
    first: dict[str | None, str] = {}
    counts: dict[str | None, int] = {}
    for number, frame in enumerate(frames):
        key = frame.info.get("settings_hash")
        first.setdefault(key, str(frame.info.get("gibbsflow_id", f"frame {number}")))
        counts[key] = counts.get(key, 0) + 1
    if len(counts) > 1:
        each = "; ".join(f"{key or 'none'}: {counts[key]} frames, first {first[key]}" for key in counts)
        right = "labels made with one set of DFT settings"
        raise InputError(Problem(where, f"mixes labels of different settings ({each})", right, field="settings_hash"))
    return next(iter(counts), None)


def write_labels(path: Path, results: Sequence[LabelResult]) -> None:
    """Write results as JSON lines, atomically.

    Parameters
    ----------
    path
        The file; replaced where it is there.
    results
        One line each, in their order.
    """
    with atomic_open(path, "w") as file:
        for result in results:
            file.write(json.dumps(asdict(result), allow_nan=False) + "\n")


def read_labels(path: Path) -> list[LabelResult]:
    """Read what `write_labels` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of LabelResult
        In the order of the file.

    Raises
    ------
    StateError
        Where it is missing or damaged.
    """
    try:
        found = [json.loads(line) for line in read_text(path, "labels", DATA_BYTES).splitlines()]
        for content in found:
            LabelResult(**content)  # refuses what is missing and what is not known
    except (InputError, OSError, ValueError, RecursionError, TypeError) as error:
        raise StateError(f"{path}: not readable as labels ({error})") from error
    with as_written(path, "`dft label`"):
        return TypeAdapter(list[LabelResult]).validate_python(found)
