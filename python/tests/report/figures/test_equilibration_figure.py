"""The plot of an equilibration: the same bytes for the same data, and the verdict in its title."""

import numpy as np
import pytest

from gibbsflow.binding.alchemy.restraint.holding import Motion
from gibbsflow.binding.equilibrate.bound_state import BoundAnalysis
from gibbsflow.binding.equilibrate.equil_analysis import EquilibrationAnalysis
from gibbsflow.binding.system import SimSystem
from gibbsflow.report.figures.equilibration_figure import plot_equilibration, plot_restraint


def analysis(bound):
    series = np.linspace(1.0, 2.0, 4)
    outcome = BoundAnalysis(bound, "for the test", series, series / 4, series, (2, 3), 2 if bound else None)
    log = np.array(
        [(t, -100.0 - t, 300.0 + t) for t in range(1, 6)],
        dtype=[("time_ps", float), ("potential_kcal_per_mol", float), ("temperature_k", float)],
    )
    return EquilibrationAnalysis(SimSystem("b2", "."), outcome, np.arange(2.0, 6.0), log)


@pytest.mark.parametrize(("bound", "word"), [(True, "bound"), (False, "unbound")])
def test_same_data_same_bytes(tmp_path, bound, word):
    for name in ("a.svg", "b.svg"):
        plot_equilibration(tmp_path / name, analysis(bound))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert f"<!-- b2: {word} -->" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("count", [1, 6])
def test_what_a_restraint_holds(tmp_path, count):
    """One panel a coordinate, and the same bytes for the same data."""
    time = np.arange(4.0)
    motion = Motion(time, {f"x{k} (Å)": (time + k, float(k)) for k in range(count)})
    for name in ("a.svg", "b.svg"):
        plot_restraint(tmp_path / name, motion, "b2")
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert all(f"<!-- x{k} (Å) -->" in text for k in range(count))
