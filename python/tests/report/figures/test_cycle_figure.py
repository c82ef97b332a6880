"""The cycle: its four steps close, and each stands where its leg does."""

import re

import pytest
from solvation import MODE, SOLVATION

from gibbsflow.binding.alchemy.protocols import PROTOCOLS, LegSpec
from gibbsflow.report.figures.cycle_figure import draw_cycle

RECORD = {
    "transformation": "b2",
    "dg_kcal_per_mol": -13.25,
    "dg_error_kcal_per_mol": 0.25,
    "standard_state": {"numeric_kcal_per_mol": -5.25},
    "leg_summary": {
        "solvent": {"dg_kcal_per_mol": 60.0, "dg_error_kcal_per_mol": 0.15, "mbar_error_kcal_per_mol": 0.05},
        "complex": {"dg_kcal_per_mol": 78.5, "dg_error_kcal_per_mol": 0.20, "mbar_error_kcal_per_mol": 0.01},
    },
}


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
        "+60.00 ± 0.15",  # the leg's own error, not MBAR's
        "+5.25",
        "−78.50 ± 0.20",
    ]
    assert "Thermodynamic cycle of b2" in svg


def test_a_symmetry_number_is_said():
    choice = {"symmetry_number": 2, "symmetry_kcal_per_mol": -0.41}
    assert "with −0.41 for −kT ln 2 (symmetry)" in draw_cycle({**RECORD, "restraint_choice": choice})
    assert "symmetry" not in draw_cycle({**RECORD, "restraint_choice": {"symmetry_number": 1}})


def test_the_sum_of_another_protocol(monkeypatch):
    """Each term with the sign that it enters with; a release only where something is held."""
    held = LegSpec("site", "p", ("ligand",), ("ligand",), "solvent_schedule", True, -1)
    legs = RECORD["leg_summary"]
    for table, expected in (
        (SOLVATION, ["−60.00 ± 0.15", "+78.50 ± 0.20", "−13.25 ± 0.25"]),
        ((SOLVATION[1], held), ["+78.50 ± 0.20", "−60.00 ± 0.15", "+5.25", "−13.25 ± 0.25"]),
    ):
        monkeypatch.setitem(PROTOCOLS, MODE, table)
        summary = {"solvent": legs["solvent"], "site": legs["solvent"], "vacuum": legs["complex"]}
        svg = draw_cycle(RECORD | {"mode": MODE, "leg_summary": summary})
        assert re.findall(r">([+−][0-9.]+(?: ± [0-9.]+)?)<", svg) == expected


def test_a_leg_that_decouples_and_couples_at_once_is_a_term_of_a_sum():
    record = RECORD | {"mode": "abfe", "leg_summary": {"sdr": RECORD["leg_summary"]["solvent"]}}
    svg = draw_cycle(record)
    assert re.findall(r">([+−][0-9.]+(?: ± [0-9.]+)?)<", svg) == ["−60.00 ± 0.15", "+5.25", "−13.25 ± 0.25"]
    assert "couple in the site, decouple in bulk" in svg and "restrain, from 1 mol/L" in svg


def test_corrections_of_boxes_have_rows_of_their_own():
    sizes = {"complex": {"dg_kcal_per_mol": 2.5}, "solvent": {"dg_kcal_per_mol": -0.75}}
    svg = draw_cycle(RECORD | {"finite_size": sizes, "dg_kcal_per_mol": -16.5})
    terms = re.findall(r">([+−][0-9.]+)(?: ± [0-9.]+)?<", svg)
    *steps, result = [float(term.replace("−", "-")) for term in terms]
    assert {-2.5, -0.75} <= set(steps) and result == pytest.approx(sum(steps))
    assert "finite size of the complex&#x27;s box" in svg


def test_a_leg_of_an_earlier_version_says_no_error():
    earlier = {name: {"dg_kcal_per_mol": leg["dg_kcal_per_mol"]} for name, leg in RECORD["leg_summary"].items()}
    svg = draw_cycle(RECORD | {"leg_summary": earlier})
    assert re.findall(r" ± ([0-9.]+)<", svg) == ["0.25"]


def test_an_edge_leads_from_one_ligand_to_the_other():
    legs = {"solvent": RECORD["leg_summary"]["solvent"], "vacuum": RECORD["leg_summary"]["complex"]}
    svg = draw_cycle(RECORD | {"mode": "rsfe", "leg_summary": legs})
    assert "a to b in solvent" in svg and "b to a in vacuum" in svg and "ΔΔG, kcal/mol" in svg
    assert re.findall(r">([+−][0-9.]+(?: ± [0-9.]+)?)<", svg)[:2] == ["+60.00 ± 0.15", "−78.50 ± 0.20"]
