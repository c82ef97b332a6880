"""What a fit must say of itself, whoever made it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from gibbsflow.errors import ScienceError
from gibbsflow.potential.train.shared.protocols import check_figures

FIT = json.loads(
    (Path(__file__).parents[5] / "tests/fixtures/state_487bc81/potential/generation_00/metrics.json").read_text()
)["fit"]


def test_a_fit_made_earlier_says_all_that_is_asked() -> None:
    check_figures(FIT, graded=True, where="fit")


@pytest.mark.parametrize(
    "path", ["split", "coefficients", "references.source", "train.frames", "test.by_config_type", "grade.test_largest"]
)
def test_what_is_missing_is_named(path: str) -> None:
    figures = deepcopy(FIT)
    *homes, last = path.split(".")
    home = figures
    for name in homes:
        home = home[name]
    del home[last]
    with pytest.raises(ScienceError, match=rf"^fit: the fit does not say {path}$"):
        check_figures(figures, graded=True, where="fit")


def test_only_a_graded_potential_must_have_a_grade() -> None:
    figures = {name: value for name, value in FIT.items() if name != "grade"}
    check_figures(figures, graded=False, where="fit")
    with pytest.raises(ScienceError, match=r"grade\.lower, grade\.upper, grade\.test_largest"):
        check_figures({**figures, "grade": None}, graded=True, where="fit")
