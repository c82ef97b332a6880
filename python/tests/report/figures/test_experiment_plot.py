"""Against experiment: statistics that were worked out by hand, and a plot."""

import math

import pytest

from gibbsflow.report.figures.experiment_plot import Comparison, compare, draw_comparison


def row(name, computed, experiment, error=0.3, verdict="PASS"):
    return Comparison(name, computed, experiment, error, verdict)


ROWS = [row("a", -10.0, -9.0), row("b", -8.0, -8.5), row("c", -6.0, -6.0)]


def test_statistics_by_hand():
    found = compare(ROWS)
    assert found.count == 3
    assert found.mean_signed_error == pytest.approx((-1.0 + 0.5 + 0.0) / 3)
    assert found.mean_unsigned_error == pytest.approx(0.5)
    assert found.root_mean_square_error == pytest.approx(math.sqrt(1.25 / 3))
    assert found.kendall_tau == pytest.approx(1.0)


def test_rank_correlation():
    # five concordant pairs of six, one discordant: tau = (5 - 1)/6
    found = compare(
        [row(name, dg, ex) for name, dg, ex in (("a", -4, -4), ("b", -3, -2), ("c", -2, -3), ("d", -1, -1))]
    )
    assert found.kendall_tau == pytest.approx(4 / 6)
    assert compare(ROWS[:2]).kendall_tau is None  # two points always agree or not
    assert compare([row(name, -5.0, ex) for name, ex in (("a", -1.0), ("b", -2.0), ("c", -3.0))]).kendall_tau is None


def test_without_experiment_there_is_neither_number_nor_plot():
    assert compare([]) is None and draw_comparison([]) is None


def test_the_plot_has_a_point_for_each_and_hollow_ones_for_doubtful():
    svg = draw_comparison([*ROWS, row("<f>", -9.0, -7.0, verdict="WARN")])
    assert svg.count('<circle class="dot"') == 4 and svg.count("fill:var(--panel)") == 1
    assert "a: −10 ± 0.30, experiment −9 kcal/mol" in svg and "&lt;f&gt;" in svg and "<f>" not in svg


def test_of_many_the_names_are_left_out():
    many = [row(f"ligand{n}", -5.0 - n / 10, -5.0) for n in range(25)]
    assert ">ligand3</text>" not in draw_comparison(many) and ">ligand3</text>" in draw_comparison(many[:24])
