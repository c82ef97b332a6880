"""The grade in LAMMPS' own words."""

import re

import numpy as np
import pytest

from gibbsflow.config.potential_training import Exploration
from gibbsflow.potential.export.lammps_input import grade_input, largest, linear_forms, run_input
from gibbsflow.potential.train.shared.grade import Grader, active_set

_NUMBERS = {"abs": abs, "__builtins__": {}}


def _grader(elements=("Cu", "Au"), descriptors=17):
    rng = np.random.default_rng(5)
    sets = {s: active_set(rng.normal(k, 1 + k, (300, descriptors))) for k, s in enumerate(elements)}
    basis = {
        "species": elements, "rin_angstrom": 1.0, "rcut_angstrom": 5.0,
        "radial": (6, 4, 0, 0, 0, 0), "angular": (3, 0, 0, 0, 0),
    }  # fmt: skip
    return Grader(basis, sets, 2.0, 10.0, {})


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
def test_the_largest_of_several(count):
    values = np.random.default_rng(count).uniform(0, 9, count)
    assert eval(largest([repr(float(v)) for v in values]), _NUMBERS) == pytest.approx(values.max())  # noqa: S307


@pytest.mark.parametrize("rare", [(), ("Au",)])
def test_linear_forms_give_the_grade(rare):
    own = _grader().without(rare).sets["Au"]
    descriptors = np.random.default_rng(1).normal(0, 3, (20, 17))
    constants, slopes = linear_forms(own)
    found = np.abs(constants + descriptors @ slopes).max(axis=1)
    assert found == pytest.approx(own.grades(descriptors), rel=1e-9)


@pytest.mark.parametrize("rare", [(), ("Au",)])
def test_the_text_gives_the_grade_of_every_atom(rare):
    """The commands are read as LAMMPS reads them: lines joined at their ends, a fix holding what variables gave."""
    grader = _grader().without(rare)
    text = grade_input(grader, ["compute grade_b all"], lower=2.0, upper=10.0, interval=10)
    assert max(map(len, text.splitlines())) < 125
    commands = [line.split(maxsplit=3) for line in re.sub(r"&\n", "", text).splitlines() if line[:1] not in ("#", "")]
    symbols = ["Cu", "Au", "Au"]
    descriptors = np.random.default_rng(2).normal(0.5, 2, (3, 17))
    formulas = {words[1]: words[3] for words in commands if words[0] == "variable" and words[2] == "atom"}
    for atom, symbol in enumerate(symbols):
        number = grader.species.index(symbol) + 1
        kept = {"c_grade_b": descriptors[atom]}

        def value(formula, kept=kept):
            indexed = re.sub(r"\b([cf]_\w+)\[(\d+)\]", lambda m: repr(float(kept[m[1]][int(m[2]) - 1])), formula)
            return eval(indexed, _NUMBERS)  # noqa: S307

        for words in (words for words in commands if words[0] == "fix" and "ave/atom" in words[3]):
            own = words[2] == f"grade_{number}"
            names = [word[2:] for word in words[3].split() if word.startswith("v_")]
            kept[f"f_{words[1]}"] = [value(formulas[name]) if own else 0.0 for name in names]
        assert value(formulas["grade"]) == pytest.approx(
            grader.grades([symbol], descriptors[atom : atom + 1])[0], rel=1e-9
        )


def test_thresholds_stand_in_the_text():
    text = grade_input(_grader(), [], lower=2.5, upper=12.5, interval=20)
    assert "variable grade_collect index 2.5\n" in text
    assert "variable grade_stop index 12.5\n" in text
    assert "fix grade_halt all halt ${grade_every} v_grade_max >= ${grade_stop} error soft" in text


def test_a_run_in_the_units_of_metal():
    settings = Exploration(temperature_k=300, temperature_end_k=600, timestep_fs=2.0, steps=500)
    text = run_input(settings, species=("Cu",), seed=4)
    assert "timestep 0.002\n" in text
    assert "fix heat all langevin 300 600 0.1 4 zero yes\n" in text
    assert "fix move all nve\n" in text
    pressed = run_input(settings.model_copy(update={"ensemble": "npt", "pressure_bar": 1e4}), species=("Cu",), seed=4)
    assert "fix move all nph iso 10000 10000 1.0\n" in pressed
