"""What a fit leaves beside its potential: figures, and the card of its data."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.potential.train.training_card import pareto_table, training_card
from gibbsflow.report.figures.learning import learning_figures
from gibbsflow.report.figures.learning.uncertainty_figures import grade_error_plot
from gibbsflow.workflow.files import atomic_open

_CARD, _PARITY, _GRADES, _ERRORS, _PARETO = "dataset_card.md", "parity", "grades", "grade_error", "pareto"
_DRAWN = (f"{stem}{suffix}" for stem in (_PARITY, _GRADES, _ERRORS, _PARETO) for suffix in (".svg", ".png"))
FIT_FILES = (_CARD, f"{_PARETO}.csv", *_DRAWN)
"""Names of all that may be written."""


def write_fit_files(made: Fit, inputs: Inputs, out: Path) -> None:
    """Draw what a trainer found, and write the card.

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
    grade = made.figures.get("grade", {})
    if made.test_grades is not None:
        learning_figures.grade_histogram({"test": made.test_grades}, grade["lower"], grade["upper"], out / _GRADES)
    if made.atom_errors is not None:
        grade_error_plot(made.atom_errors, grade.get("curve"), grade["lower"], grade["upper"], out / _ERRORS)
    with atomic_open(out / _CARD, "w") as file:
        file.write(training_card(inputs, made.figures))
    if made.figures.get("pareto"):
        learning_figures.pareto_plot(made.figures["search"], made.figures["pareto"], out / _PARETO)
        with atomic_open(out / f"{_PARETO}.csv", "w") as file:
            file.write(pareto_table(made.figures))
