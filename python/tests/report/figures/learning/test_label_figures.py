from __future__ import annotations

from pathlib import Path
from typing import Any

from gibbsflow.report.figures.learning.label_figures import audit_plot, convergence_plot


def row(status: str, energy: object, **more: Any) -> dict[str, Any]:
    differences = {f"relabel_{kind}": "" for kind in ("energy_mev_per_atom", "force_ev_per_angstrom", "stress_gpa")}
    return {"formula": "Si8", "status": status, "energy_ev_per_atom": energy, "largest_force_ev_per_angstrom": 1.0,
            **differences, **more}  # fmt: skip


def test_labels_are_drawn_by_what_became_of_them(tmp_path: Path) -> None:
    rows = [row("labelled", -5.0), row("labelled", -4.8), row("held", -3.0), row("held", "")]
    made = audit_plot(rows, {}, tmp_path / "audit")
    assert made == [tmp_path / "audit.svg", tmp_path / "audit.png"]
    text = made[0].read_text()
    assert "labelled (2)" in text and "held (1)" in text and "stated errors" not in text


def test_differences_from_tighter_settings_are_drawn_in_stated_errors(tmp_path: Path) -> None:
    rows = [row("labelled", -5.0, relabel_stress_gpa=0.2), row("labelled", -4.8)]
    text = audit_plot(rows, {"stress_gpa": 0.5}, tmp_path / "audit")[0].read_text()
    assert "0.5 GPa" in text and "in stated errors" in text
    again = audit_plot(rows, {"stress_gpa": 0.5}, tmp_path / "audit")[0].read_text()
    assert again == text  # no date in it, and no names drawn at random


def test_each_ladder_has_its_panel_and_its_choice(tmp_path: Path) -> None:
    stated = {"energy_mev_per_atom": 1.0, "force_ev_per_angstrom": 0.01, "stress_gpa": 0.1}
    rows: list[dict[str, Any]] = [
        {"ladder": ladder, "ecutwfc_ry": "", "kspacing_per_angstrom": "", name: value, "chosen": number == 1,
         **{kind: 10.0 ** (1 - number) * limit for kind, limit in stated.items()}}
        for ladder, name in (("cutoff", "ecutwfc_ry"), ("k points", "kspacing_per_angstrom"))
        for number, value in enumerate((20.0, 24.0, 29.0, 35.0))
    ]  # fmt: skip
    text = convergence_plot(rows, stated, tmp_path / "convergence")[0].read_text()
    assert "ecutwfc_ry" in text and "kspacing_per_angstrom" in text and "stress, in 0.1 GPa" in text
