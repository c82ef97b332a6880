"""Structures as a potential sees them: descriptors, grade, rows of their forces, and a fate for what it cannot see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from gibbsflow.engines.lammps import CRASHES, blown_up
from gibbsflow.errors import EngineError, InputError, Problem, one_line
from gibbsflow.potential.data.formats.masks import FORCE_MASK, RIGHT_MASK, masked_atoms
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.units import Floats

# characters of what a program says that a reason repeats
_SAID = 160


@dataclass(frozen=True)
class Candidate:
    """A structure that might be labelled.

    Attributes
    ----------
    atoms
        The structure.
    source
        File and number of the frame, for the record.
    descriptors
        Of each atom in the grader's basis, shape (n, d).
    grade
        Its largest.
    fate
        One of `FATES` of ``selection.py``, empty while undecided.
    reason
        The same in words.
    rows
        Rows of its forces in a fit, shape (forces that count, columns), where the method asks for them.
    method
        By which it was decided with the others, empty while undecided: what ``auto`` was.
    because
        Why ``auto`` was that, where it is not what it is by itself.
    """

    atoms: Atoms
    source: str
    descriptors: Floats
    grade: float
    fate: str = ""
    reason: str = ""
    rows: Floats | None = None
    method: str = ""
    because: str = ""


def describe(
    frames: Iterable[tuple[str, Atoms]], calculator: PotentialCalculator, *, rows: bool = False
) -> list[Candidate]:
    """Candidates with descriptors and grade; those that the potential does not know, or fails on, come with a fate.

    Parameters
    ----------
    frames
        Source and structure.
    calculator
        Present potential, with its active set.
    rows
        Whether the rows of their forces in a fit are wanted too.

    Returns
    -------
    list of Candidate
        In the same order.

    Raises
    ------
    InputError
        Where the potential has no active set, or for whatever is no structure, all at once and before any is looked at.
    """
    frames = list(frames)
    _refuse_unsound(frames)
    return [_described(source, atoms, calculator, rows=rows) for source, atoms in frames]


def _described(source: str, atoms: Atoms, calculator: PotentialCalculator, *, rows: bool) -> Candidate:
    def _lost(fate: str, reason: str) -> Candidate:
        return Candidate(atoms, source, np.zeros((0, 0)), np.inf, fate, reason)

    if alien := sorted(set(atoms.get_chemical_symbols()) - set(calculator.potential.species)):
        return _lost("unknown_element", f"holds {', '.join(alien)}")
    try:
        descriptors, grades = calculator.describe(atoms)
        own = _counting(calculator.force_rows(atoms), atoms) if rows else None
    except EngineError as error:
        _require_fault_of_structure(error, calculator)
        return _lost("force", f"the potential fails on it: {one_line(str(error), _SAID)}")
    return Candidate(atoms, source, descriptors, float(grades.max()), rows=own)


def _refuse_unsound(frames: Sequence[tuple[str, Atoms]]) -> None:
    problems = []
    for source, atoms in frames:
        periodic = atoms.cell.array[atoms.pbc]
        if not len(atoms):
            problems.append(Problem(source, "holds no atom", "at least one"))
        elif not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
            problems.append(Problem(source, "positions or cell are not finite", "numbers"))
        elif len(periodic) and np.linalg.matrix_rank(periodic) < len(periodic):
            what, right = "its periodic directions span no cell", "cell vectors in Å, or pbc that is F along them"
            problems.append(Problem(source, what, right, field="Lattice"))
        if masked_atoms(atoms) is None:
            problems.append(Problem(source, "is not 0 or 1 for each atom", RIGHT_MASK, field=FORCE_MASK))
    if problems:
        raise InputError(problems)


def _counting(rows: Floats, atoms: Atoms) -> Floats:
    """Rows of the forces that count: in a box that was cut out, those of its core."""
    mask = atoms.arrays.get(FORCE_MASK)
    return rows if mask is None else rows[np.repeat(np.asarray(mask) > 0, 3)]


def surrogate_force(calculator: PotentialCalculator) -> Callable[[Atoms], float]:
    """Make a function that gives the largest force of the potential on an atom of a structure.

    Parameters
    ----------
    calculator
        Present potential.

    Returns
    -------
    Callable
        From a structure to the largest force in eV/Å; infinite where the potential fails.
    """

    def _largest(atoms: Atoms) -> float:
        copy = atoms.copy()
        copy.calc = calculator
        try:
            forces = copy.get_forces()
        except EngineError as error:
            _require_fault_of_structure(error, calculator)
            return float("inf")
        return float(np.linalg.norm(forces, axis=1).max()) if np.isfinite(forces).all() else float("inf")

    return _largest


def _require_fault_of_structure(error: EngineError, calculator: PotentialCalculator) -> None:
    """End the process that failed, and raise where the potential's files or the program are at fault."""
    calculator.close()
    if not blown_up(error) and error.code not in CRASHES:
        raise error
