"""Figures of training: what they say, and that the same numbers give the same picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gibbsflow.report.figures.learning.learning_figures import grade_histogram, learning_curve, pareto_plot, parity_plot


def _texts(path: Path) -> str:
    """Texts of an SVG, which matplotlib writes as comments beside their outlines."""
    return path.read_text()


def _pairs(error: float) -> dict[str, dict[str, np.ndarray]]:
    energy, force = np.linspace(-5, -4, 20), np.linspace(-2, 2, 60)
    pairs = {"energy": np.stack([energy, energy + error]), "force": np.stack([force, force - 2 * error])}
    return {"train": pairs, "test": pairs}


def test_parity_tells_the_errors_in_their_units(tmp_path: Path) -> None:
    made = parity_plot(_pairs(0.012), tmp_path / "parity")
    assert made == [tmp_path / "parity.svg", tmp_path / "parity.png"]
    text = _texts(made[0])
    assert "train: MAE 12 meV/atom" in text and "test: MAE 0.024 eV/Å" in text
    assert made[1].read_bytes().startswith(b"\x89PNG")


def test_the_same_numbers_give_the_same_picture(tmp_path: Path) -> None:
    first, second = (parity_plot(_pairs(0.01), tmp_path / name)[1].read_bytes() for name in ("a", "b"))
    assert first == second
    assert parity_plot(_pairs(0.02), tmp_path / "c")[1].read_bytes() != first


def test_a_large_set_is_thinned_and_its_error_is_of_all(tmp_path: Path) -> None:
    force = np.zeros((2, 20_000))
    force[1, ::2] = 0.5
    pairs = {"test": {"energy": np.zeros((2, 1)), "force": force}}
    text = _texts(parity_plot(pairs, tmp_path / "parity")[0])
    assert "test: MAE 0.25 eV/Å" in text


@pytest.mark.filterwarnings("error")
def test_a_set_without_forces_is_drawn_by_its_energies(tmp_path: Path) -> None:
    pairs = {"test": {"energy": np.ones((2, 3)), "force": np.zeros((2, 0))}}
    text = _texts(parity_plot(pairs, tmp_path / "parity")[0])
    assert "test: MAE 0 meV/atom" in text and "eV/Å -->" in text and "MAE nan" not in text


def test_grades_that_are_infinite_are_left_out_and_thresholds_shown(tmp_path: Path) -> None:
    text = _texts(grade_histogram({"test": np.array([1.0, 3.0, np.inf])}, 2.0, 10.0, tmp_path / "grades")[0])
    assert "test (2 frames)" in text
    assert "label 2" in text and "stop 10" in text


def test_the_curve_has_a_panel_for_each_criterion(tmp_path: Path) -> None:
    record = {"labels": 10, "force_mae_ev_per_angstrom": 0.2, "energy_mae_mev_per_atom": 5.0, "largest_grade": 3.0}
    better = {**record, "labels": 20, "force_mae_ev_per_angstrom": 0.1}
    text = _texts(learning_curve([record, better], tmp_path / "curve")[0])
    for words in ("hold-out force MAE, eV/Å", "hold-out energy MAE, meV/atom", "largest grade", "labels"):
        assert words in text


def test_the_front_is_drawn_with_the_sizes_of_its_bases(tmp_path: Path) -> None:
    def _record(cost: float, error: float, coefficients: int) -> dict[str, float]:
        errors = {f"validation_{key}": error for key in ("force_rmse_ev_per_angstrom", "energy_rmse_mev_per_atom")}
        return {"md_us_per_atom_step": cost, "coefficients": coefficients, **errors}

    quick, slow, beaten = _record(10.0, 2.0, 67), _record(40.0, 1.0, 261), _record(50.0, 3.0, 999)
    made = pareto_plot([quick, slow, beaten, {"purpose": "cutoff"}], [quick, slow], tmp_path / "pareto")
    assert [path.suffix for path in made] == [".svg", ".png"]
    text = _texts(made[0])
    assert all(f"<!--  {count} -->" in text for count in (67, 261)) and "<!--  999 -->" not in text
    assert "MD on one core, µs an atom and step" in text
