from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.potential.label.quantum_espresso_recovery import Outcome, ScfSettings, diagnose, next_settings


def outcome(accuracies: tuple[float, ...], *, density: bool = True) -> Outcome:
    return Outcome("unconverged", "", 2, accuracies, density=density)


def test_the_ladder_goes_on_where_it_converges_and_mixes_less_where_not() -> None:
    falling = tuple(10.0 ** (-n / 4) for n in range(20))
    stuck = (1e-2,) * 20
    scf = ScfSettings(20, 0.7)
    assert outcome(falling).slope == pytest.approx(-np.log(10) / 4)
    longer, _ = next_settings(scf, outcome(falling)) or pytest.fail()
    assert (longer.steps, longer.beta, longer.from_density) == (30, 0.7, True)
    seen = []
    step = next_settings(scf, outcome(stuck))
    while step is not None:
        scf, what = step
        seen.append(what)
        step = next_settings(scf, outcome(stuck))
    assert [what.split(" from")[0] for what in seen] == [
        "mixing_beta 0.4", "mixing_beta 0.2", "mixing_beta 0.1", "mixing_mode local-TF, mixing_ndim 12",
        "mixing_beta 0.2", "mixing_beta 0.1",
    ]  # fmt: skip
    grown, what = next_settings(ScfSettings(20, 0.7), outcome((1e-3,) * 10 + (1e-1,) * 10)) or pytest.fail()
    assert not grown.from_density and "from scratch" in what


@pytest.mark.parametrize(
    ("text", "code", "kind", "cause"),
    [
        ("convergence NOT achieved after 2 iterations: stopping\n JOB DONE.", 2, "unconverged", "UNCONVERGED"),
        ("Error in routine setup (1):\n too few bands", 1, "bands", "CRASH(1)"),
        ("Error in routine cdiaghg (3):\n S matrix not positive definite", 3, "diagonalization", "UNCONVERGED"),
        ("", None, "resource", "RESOURCE"),
        ("", -9, "resource", "RESOURCE"),
        ("Error in routine readpp (2):\n file x not readable", 2, "pseudo", "MISSING_PSEUDO"),
        ("convergence has been achieved in 5 iterations", 0, "crash", "CRASH(0)"),
        ("JOB DONE.", 0, "crash", "CRASH(0)"),
        ("convergence has been achieved in 5 iterations\n JOB DONE.", 0, "converged", "CRASH(0)"),
    ],
)
def test_outputs_are_told_apart(text: str, code: int | None, kind: str, cause: str) -> None:
    found = diagnose(text, code)
    assert found.kind == kind
    if kind != "converged":
        assert found.cause == cause


def test_figures_are_read_from_the_output() -> None:
    text = """
     number of electrons       =        32.00
     number of Kohn-Sham states=           20
     estimated scf accuracy    <       0.25000000 Ry
     estimated scf accuracy    <       1.5D-03 Ry
    """
    found = diagnose(text, 1, density=True)
    assert (found.electrons, found.bands, found.density) == (32.0, 20, True)
    assert found.accuracies_ry == (0.25, 1.5e-3)
    assert not found.grew and found.slope == 0.0  # two steps make no slope


def test_a_failed_diagonalisation_goes_through_the_methods_that_are_left() -> None:
    failed = Outcome("diagonalization", "", 1, density=True)
    first, what = next_settings(ScfSettings(80, 0.7), failed) or pytest.fail()
    assert (first.diagonalization, first.from_density, what) == ("paro", True, "diagonalization paro")
    second, _ = next_settings(first, failed) or pytest.fail()
    assert second.diagonalization == "cg"
    assert next_settings(second, failed) is None


def test_too_few_bands_become_the_programs_own_number() -> None:
    few = Outcome("bands", "too few bands", 1)
    mended, _ = next_settings(ScfSettings(80, 0.7, bands=3), few) or pytest.fail()
    assert mended == ScfSettings(80, 0.7)
    assert next_settings(mended, few) is None


@pytest.mark.parametrize("kind", ["structure", "pseudo", "resource", "crash"])
def test_nothing_mends_what_is_not_of_the_scf(kind: str) -> None:
    assert next_settings(ScfSettings(80, 0.7), Outcome(kind, "", 1)) is None
