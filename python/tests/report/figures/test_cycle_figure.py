"""The cycle: its four steps close, and each stands where its leg does."""

import re

import pytest

from gibbsflow.report.figures.cycle_figure import draw_cycle

RECORD = {
    "transformation": "b2",
    "dg_kcal_per_mol": -13.25,
    "dg_error_kcal_per_mol": 0.25,
    "standard_state": {"numeric_kcal_per_mol": -5.25},
    "leg_summary": {
        "solvent": {
            "dg_kcal_per_mol": 60.0, "sd_kcal_per_mol": 0.3, "replicates": 4, "mbar_error_kcal_per_mol": 0.05,
        },
        "complex": {
            "dg_kcal_per_mol": 78.5, "sd_kcal_per_mol": None, "replicates": 1, "mbar_error_kcal_per_mol": 0.2,
        },
    },
}  # fmt: skip


def test_the_cycle_closes(campaign):
    _, out, _ = campaign
    svg = (out / "figures" / "first" / "cycle.svg").read_text()
    signed = [float(v.replace("−", "-")) for v in re.findall(r">([+−][0-9.]+)(?: ± [0-9.]+)?<", svg)]
    result, solvent, restrain, complex_ = signed
    assert result == pytest.approx(solvent + restrain + complex_, abs=0.021)


def test_signs_and_errors_of_the_steps():
    svg = draw_cycle(RECORD)
    assert re.findall(r">([+−][0-9.]+(?: ± [0-9.]+)?)<", svg) == [
        "−13.25 ± 0.25",
        "+60.00 ± 0.15",  # the spread's standard error, 0.3/√4, is above MBAR's own
        "+5.25",
        "−78.50 ± 0.20",  # one replicate has no spread
    ]
    assert "Thermodynamic cycle of b2" in svg
