"""Structures graded: every atom's grade and expected force error, and the regions that a potential does not know."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential_training import Exploration
from gibbsflow.potential.explore.calculator import PotentialCalculator, read_graded
from gibbsflow.potential.explore.md import limits
from gibbsflow.potential.explore.unknown.committee import Committee
from gibbsflow.potential.explore.unknown.regions import unknown_regions
from gibbsflow.potential.train.uncertainty.error_curve import ErrorCurve

if TYPE_CHECKING:
    from ase import Atoms


def grade_frames(
    frames: Sequence[tuple[str, Atoms]], potential: Path, settings: Exploration
) -> tuple[list[Atoms], dict[str, Any]]:
    """Grade every atom of structures, and say which regions are unknown.

    Parameters
    ----------
    frames
        Structures, each with its source.
    potential
        Folder of a potential with a grade.
    settings
        Section ``exploration``: by what, and from where on, an atom is unknown; its thresholds win over the
        calibrated ones.

    Returns
    -------
    graded : list of Atoms
        Copies with the arrays ``atom_grade``, ``unknown`` and, where they are known, ``expected_error_ev_per_angstrom``
        and ``force_spread_ev_per_angstrom``; ``grade`` in ``info`` is the largest.
    figures : dict
        For ``result.json``: thresholds, counts, and the regions of each structure.

    Raises
    ------
    InputError
        For a folder without grade or committee, or an element that the potential does not know.
    """
    _, grader = read_graded(potential)
    curve = ErrorCurve.read(potential)
    graded: list[Atoms] = []
    told: list[dict[str, Any]] = []
    with ExitStack() as stack:
        committee = stack.enter_context(Committee.read(potential)) if settings.uncertainty == "committee" else None
        calculator = PotentialCalculator(potential)
        stack.callback(calculator.close)
        lower, upper = limits(settings, grader, committee)
        if committee is None:
            calculator.grader = grader.with_lower(lower)
        for source, atoms in frames:
            made = atoms.copy()
            grades = values = calculator.grades(atoms)
            made.arrays["atom_grade"] = grades
            made.info["grade"] = float(grades.max())
            if curve is not None:
                made.arrays["expected_error_ev_per_angstrom"] = curve.expected(grades)
            if committee is not None:
                values = made.arrays["force_spread_ev_per_angstrom"] = committee.spreads(atoms)
                made.info["force_spread"] = float(values.max())
            made.arrays["unknown"] = (values >= lower).astype(int)
            graded.append(made)
            largest = float(values.max())
            told.append({
                "source": source, "atoms": len(atoms), "largest": largest if np.isfinite(largest) else None,
                "unknown_atoms": int((values >= lower).sum()), "outside": bool(largest >= upper),
                "regions": unknown_regions(atoms, values, lower),
            })  # fmt: skip
    figures = {
        "by": settings.uncertainty, "unit": "eV/Å" if settings.uncertainty == "committee" else "",
        "lower": lower, "upper": upper, "unknown_elements": list(grader.unknown_elements), "frames": len(told),
        "frames_unknown": sum(own["unknown_atoms"] > 0 for own in told),
        "frames_outside": sum(own["outside"] for own in told),
        "structures": told,
    }  # fmt: skip
    return graded, figures
