"""Errors of edges: they hold the spread between repeats, on the mean and for each network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gibbsflow.binding.network.edge_errors import PUBLIC_RATIO, Prior, settle_errors
from gibbsflow.binding.network.edge_row import EdgeRow, Spread
from gibbsflow.binding.network.edge_table import edge_of_repeats
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


def repeated(rng: np.random.Generator, sigma: float, mbar: float | None, repeats: int = 3) -> EdgeRow:
    """An edge whose true ΔΔG is 0, and whose legs scatter by sigma/√2 each."""
    legs = [[(float(x), mbar) for x in rng.normal(0, sigma / np.sqrt(2), repeats)] for _ in range(2)]
    return edge_of_repeats("a", "b", *legs)


def settled(rows: list[EdgeRow]) -> tuple[np.ndarray, Prior]:
    rows, prior = settle_errors(rows, Account("x"))
    assert prior is not None
    return np.array([row.ddg_error_kcal_per_mol for row in rows]), prior


@pytest.mark.parametrize(("repeats", "inside"), [(2, 0.75), (3, 0.70), (5, 0.69)])
def test_coverage_where_edges_differ_in_their_noise(repeats: int, inside: float) -> None:
    """True spreads vary from edge to edge (scaled inverse χ²): z of the means is one, and 95 % lie within 1.96 of it.

    With two repeats their distribution is that of Student's t rather than normal: more than 68 % lie within 1.
    """
    rng = np.random.default_rng(repeats)
    sigmas = np.sqrt(0.09 * 5 / rng.chisquare(5, 1200))
    rows = [repeated(rng, s, 0.1 / np.sqrt(2), repeats) for s in sigmas]
    errors, prior = settled(rows)
    z = np.array([row.ddg_kcal_per_mol for row in rows]) / errors
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1, abs=0.08)
    assert (abs(z) < 1).mean() == pytest.approx(inside, abs=0.03)
    assert (abs(z) < 1.96).mean() == pytest.approx(0.95, abs=0.015)
    assert prior.of_mbar and np.sqrt(prior.scale) == pytest.approx(
        3, rel=0.35 if repeats == 2 else 0.1
    )  # spread over MBAR's error


def test_equal_edges_share_one_spread() -> None:
    rng = np.random.default_rng(1)
    errors, prior = settled([repeated(rng, 0.3, None) for _ in range(300)])
    assert prior.dof > 30 and not prior.of_mbar
    assert np.allclose(errors, 0.3 / np.sqrt(3), rtol=0.12)


def test_never_below_mbar_and_given_errors_stay() -> None:
    rng = np.random.default_rng(2)
    rows = [repeated(rng, 0.01, 0.2) for _ in range(5)] + [EdgeRow("a", "b", 1.0, 0.123)]
    errors, _ = settled(rows)
    assert errors[:5] == pytest.approx(0.2 * np.sqrt(2 / 3)) and errors[5] == 0.123


def test_one_repeat_takes_the_ratio_of_the_others_or_the_public_one() -> None:
    rng = np.random.default_rng(3)
    rows = [repeated(rng, 0.4, 0.1 / np.sqrt(2)) for _ in range(100)] + [repeated(rng, 0.4, 0.2 / np.sqrt(2), 1)]
    errors, _ = settled(rows)
    assert errors[-1] == pytest.approx(0.2 * 4, rel=0.15)
    account = Account("x")
    (alone,), prior = settle_errors([repeated(rng, 0.4, 0.2 / np.sqrt(2), 1)], account)
    assert alone.ddg_error_kcal_per_mol == pytest.approx(0.2 * PUBLIC_RATIO) and prior is not None
    assert "no edge has repeats: errors are 2.8 times" in account.of_weight("note")[0].what


def test_two_edges_say_too_little_of_others() -> None:
    spread = Spread(0.04, 2.0, 3.0, None)
    errors, prior = settled([EdgeRow("a", "b", 1.0, spread=spread), EdgeRow("b", "c", 1.0, spread=spread)])
    assert prior.dof == 0 and errors == pytest.approx(0.2)
    held = replace(spread, mbar_variance=0.01)
    errors, prior = settled([EdgeRow("a", "b", 1.0, spread=held)])
    assert prior.scale == PUBLIC_RATIO**2 and errors[0] > 0.2


def test_what_has_no_error_is_said() -> None:
    account = Account("x")
    rows, _ = settle_errors([EdgeRow("a", "b", 1.0, 0.1), EdgeRow("b", "c", 1.0), EdgeRow("c", "d")], account)
    assert [row.ddg_error_kcal_per_mol for row in rows] == [0.1, 0.1, None]
    assert "no error of b~c: taken as 0.100" in account.of_weight("warn")[0].what
    account = Account("x")
    settle_errors([EdgeRow("a", "b", 1.0)], account)
    with pytest.raises(InputError, match="no edge has an error"):
        account.settle()
    account = Account("x")
    alike = EdgeRow("a", "b", 1.0, spread=Spread(0.0, 2.0, 3.0, None))
    rows, _ = settle_errors([alike], account)
    assert rows[0].ddg_error_kcal_per_mol and "do not differ at all" in account.of_weight("warn")[0].what
