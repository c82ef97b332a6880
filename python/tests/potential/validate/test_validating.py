from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from pair_crystals import SMALL, TOUCHING, Pairs, fcc, touching

from gibbsflow.config.potential import Dft
from gibbsflow.config.potential_validation import ReferenceValue
from gibbsflow.errors import InputError
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.battery import Battery, Model
from gibbsflow.potential.validate.comparisons import Judged, Row
from gibbsflow.potential.validate.label_cells import cells_to_compare
from gibbsflow.potential.validate.properties.plans import Measured, by_calculator
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.potential.validate.validating import _about_the_cell, _beside_harmonic, engine_cost, validate
from gibbsflow.workflow.state.segments import Stopper


def battery(state: Path, **changes) -> Battery:
    return Battery(Subject(fcc(), None, "here"), ("Cu",), SMALL.model_copy(update=changes), state, Stopper())


def test_a_sane_potential_without_references(tmp_path: Path) -> None:
    names = ("cell", "repulsion")
    found = validate(battery(tmp_path, properties=names), Model("potential", "k" * 64, touching))
    assert found.verdict == "PASS" and "compared with nothing" in found.notes[-1]
    figures = found.figures()
    assert figures["properties"] == dict.fromkeys(names, "PASS") and figures["space_group"] == 225
    assert {"property", "quantity", "potential", "reference", "verdict"} <= set(figures["quantities"][0])


def test_a_potential_with_a_hole_fails(tmp_path: Path) -> None:
    model = Model("potential", "h" * 64, by_calculator(Pairs(hole=1.9)))
    found = validate(battery(tmp_path, properties=("repulsion",)), model)
    assert found.verdict == "FAIL" and found.reasons[0].startswith("repulsion: pair Cu-Cu: the energy falls")


def test_cost_is_counted_with_the_potential(tmp_path: Path) -> None:
    class Engine:
        class engine:  # noqa: N801
            name, periodic = "dft", True

        def seconds(self, atoms):
            return float(sum(count**2 for count in atoms))

    told = engine_cost(
        battery(tmp_path, properties=("vacancy", "md")),
        Model("potential", "k" * 64, touching),
        Engine(),  # type: ignore[arg-type]
    )
    rows = {row["property"]: row for row in told["of"]}
    assert set(rows) == {"cell", "vacancy"} and rows["cell"]["labels"] == 1 and rows["vacancy"]["atoms_most"] == 32
    assert told["labels"] == sum(row["labels"] for row in rows.values()) and told["core_hours"] > 0


def test_references_of_the_settings_are_checked_before_anything_runs(tmp_path: Path) -> None:
    wrong = ReferenceValue(property="c11", value=1, unit="eV", source="x")
    with pytest.raises(InputError, match="no unit of c11"):
        validate(battery(tmp_path, references=(wrong,)), Model("potential", "k" * 64, touching))
    assert not list(tmp_path.iterdir())


def test_expansion_of_md_stands_beside_the_harmonic_one_without_a_verdict() -> None:
    md, harmonic = Measured({"npt_expansion": 3.0}, errors={"npt_expansion": 0.5}), Measured({"thermal_expansion": 9.0})
    judged = _beside_harmonic(
        Judged("npt_expansion", "PASS", (), (), (Row("a", "npt_expansion", "", 3.0),), md), harmonic
    )
    assert (judged.rows[-1].reference, judged.rows[-1].verdict, judged.verdict) == (9.0, None, "PASS")
    assert _beside_harmonic(judged, None) is judged


def test_references_of_another_cell_are_doubted(tmp_path: Path) -> None:
    primitive = ReferenceValue(property="lattice_a", value=TOUCHING, unit="Å", source="a primitive cell")
    found = validate(
        battery(tmp_path, properties=("cell",), references=(primitive,)), Model("potential", "k", touching)
    )
    assert found.verdict == "FAIL"
    assert any("a primitive cell is -29% off: another phase" in note for note in found.notes)


class InTwoCells:
    """An engine whose energy an atom goes by the cell, as on meshes that are too coarse."""

    class engine:  # noqa: N801
        name, settings_hash, periodic = "dft", "dft-1", True

    def __init__(self, step_ev_per_atom: float) -> None:
        self.dft, self.step = Dft(kspacing_per_angstrom=0.5), step_ev_per_atom
        self.asked: list[int] = []

    def __call__(self, frames: list[Atoms]) -> list[Prediction]:
        self.asked += [len(frame) for frame in frames]
        found = touching(frames)
        steps = [self.step * len(frame) * (len(frame) > 1) for frame in frames]
        return [
            replace(one, energy_ev=one.energy_ev + step, stress_ev_per_angstrom3=one.stress_ev_per_angstrom3 - step)
            for one, step in zip(found, steps, strict=True)
        ]

    def take_doubts(self) -> tuple[str, ...]:
        return ()

    def seconds(self, _atoms: object) -> None:
        return None


@pytest.mark.parametrize("step_mev", [0.5, 12.0])
def test_an_engine_that_differs_from_itself_in_the_cell_of_labels_is_told(tmp_path: Path, step_mev: float) -> None:
    here = replace(battery(tmp_path).subject, labelled=bulk("Cu", "fcc", a=TOUCHING * 2**0.5, cubic=True))
    own = replace(battery(tmp_path, properties=("cell",)), subject=here)
    engine = InTwoCells(step_mev / 1000)
    found = validate(own, Model("potential", "k" * 64, touching), engine=engine)  # type: ignore[arg-type]
    (said,) = [text for text in (*found.reasons, *found.notes) if "differs from itself" in text]
    assert f"dft{':' * (step_mev > 1)} differs from itself by {-step_mev:+.2f} meV/atom" in said
    assert f"a pressure of {-4 * step_mev * 0.16021766:+.2f} GPa" in said
    assert "this validation's cell of 1 (7×7×7 k points) and the labels' cell of 4 atoms (4×4×4)" in said
    assert (found.verdict, bool(found.reasons)) == (("WARN", True) if step_mev > 1 else ("PASS", False))
    assert engine.asked.count(4) == 1
    told = engine_cost(own, Model("potential", "k" * 64, touching), engine)  # type: ignore[arg-type]
    assert told["of"][-1] == {"property": "the cell of labels", "labels": 1, "atoms_least": 4, "atoms_most": 4}
    same = replace(own, subject=replace(here, labelled=here.atoms))
    assert not cells_to_compare(same.subject, engine)  # type: ignore[arg-type]


def test_an_expansion_about_a_cell_that_is_off_is_no_pass() -> None:
    row = Row("cell", "volume", "Å^3/atom", 11.0, 10.0, "dft", 0.3, 0.9, "WARN")
    nothing = Measured({})
    off, good = (Judged("cell", "WARN", (), (), rows, nothing) for rows in ((row,), ()))
    for name in ("npt_expansion", "rdf", "thermal_expansion"):
        judged = Judged(name, "PASS", (), (), (), nothing)
        told = _about_the_cell(judged, off)
        assert (told.verdict, told.reasons) == (
            "WARN",
            ("measured about a cell that is off (volume +10.0% beside dft)",),
        )
        assert _about_the_cell(judged, good) is judged
    failed = Judged("rdf", "FAIL", ("far",), (), (), nothing)
    assert _about_the_cell(failed, off).verdict == "FAIL"
    moved = replace(good, potential=Measured({}, warnings=("a volume +30% off",)))
    assert _about_the_cell(Judged("rdf", "PASS", (), (), (), nothing), moved).verdict == "WARN"
    elastic = Judged("elastic", "PASS", (), (), (), nothing)
    assert _about_the_cell(elastic, off) is elastic
