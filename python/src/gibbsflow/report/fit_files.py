"""What a fit leaves beside its potential: figures, and the card of its data."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.potential.train.training_card import pareto_table, training_card
from gibbsflow.report.figures.learning import learning_figures
from gibbsflow.report.figures.learning.uncertainty_figures import grade_error_plot
from gibbsflow.workflow.files import atomic_open

_CARD, _PARITY, _GRADES, _ERRORS, _PARETO = "dataset_card.md", "parity", "grades", "grade_error", "pareto"
_DRAWN = (f"{stem}{suffix}" for stem in (_PARITY, _GRADES, _ERRORS, _PARETO) for suffix in (".svg", ".png"))
_DATA = tuple(f"{stem}.csv" for stem in (_PARITY, _GRADES, _ERRORS, _PARETO))
FIT_FILES = (_CARD, *_DATA, *_DRAWN)
"""Names of all that may be written."""


def write_fit_files(made: Fit, inputs: Inputs, out: Path) -> None:
    """Draw what a trainer found, write what is drawn as CSV, and the card.

    Parameters
    ----------
    made
        What the trainer gave back.
    inputs
        Frames of the fit.
    out
        Folder to write into.
    """
    learning_figures.parity_plot(made.parity, out / _PARITY)
    pairs = (
        (name, kind, unit, label, predicted)
        for name, values in made.parity.items()
        for kind, unit in (("energy", "eV/atom"), ("force", "eV/Å"))
        for label, predicted in values[kind].T.tolist()
    )
    _write_csv(out / _PARITY, ("set", "kind", "unit", "label", "prediction"), pairs)
    grade = made.figures.get("grade", {})
    if made.test_grades is not None:
        learning_figures.grade_histogram({"test": made.test_grades}, grade["lower"], grade["upper"], out / _GRADES)
        _write_csv(out / _GRADES, ("set", "largest_grade"), (("test", value) for value in made.test_grades.tolist()))
    if made.atom_errors is not None:
        grade_error_plot(made.atom_errors, grade.get("curve"), grade["lower"], grade["upper"], out / _ERRORS)
        _write_csv(out / _ERRORS, ("grade", "force_error_ev_per_angstrom"), made.atom_errors.T.tolist())
    with atomic_open(out / _CARD, "w") as file:
        file.write(training_card(inputs, made.figures))
    if made.figures.get("pareto"):
        learning_figures.pareto_plot(made.figures["search"], made.figures["pareto"], out / _PARETO)
        with atomic_open(out / f"{_PARETO}.csv", "w") as file:
            file.write(pareto_table(made.figures))


def _write_csv(stem: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with atomic_open(stem.with_suffix(".csv"), "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
