from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pair_crystals import SMALL, TOUCHING, Pairs, fcc, touching

from gibbsflow.config.potential_validation import ReferenceValue
from gibbsflow.errors import InputError
from gibbsflow.potential.train.trainers.foundation.chgnet import ChgnetPotential
from gibbsflow.potential.validate.battery import ONLY_BY_LAMMPS, PROPERTIES, Battery, Model
from gibbsflow.potential.validate.comparisons import Judged, Row
from gibbsflow.potential.validate.properties.plans import Measured, by_calculator
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.potential.validate.validating import _about_the_cell, _beside_harmonic, engine_cost, md_of, validate
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


def test_md_of_what_lammps_does_not_run_is_refused_and_distributions_are_by_a_short_one(tmp_path: Path) -> None:
    tuned = ChgnetPotential(("Cu",), "0.3.0", {"Cu": 1.0}, {}, {}, tmp_path / "tuned.npz")
    with pytest.raises(InputError, match=r"fit/potential, validation\.properties: npt_expansion, melting: takes MD"):
        md_of(tuned, "k", tmp_path, Stopper(), ["cell", *ONLY_BY_LAMMPS, "rdf"], "fit/potential")
    assert md_of(tuned, "k", tmp_path, Stopper(), ["cell", "rdf"], "fit/potential") is None
    short = {"properties": ("rdf",), "rdf_engine_steps": 40, "md_atoms_min": 30}
    found = validate(battery(tmp_path, **short), Model("potential", "k" * 64, touching))
    assert any("40 steps of" in note for one in found.judged for note in one.potential.notes)
    assert found.figures()["properties"].keys() == {"cell", "rdf"}


def test_only_lammps_measures_what_has_no_plan(tmp_path: Path) -> None:
    names = ["cell", "repulsion", "npt_expansion", "rdf", "melting"]
    assert names == [n for n in ("cell", *PROPERTIES) if n in names]
    made = battery(tmp_path, rdf_engine_steps=40).measure(Model("potential", "k" * 64, touching), names)
    told = "only what LAMMPS runs can be asked for this"
    assert tuple(name for name, one in made.items() if one.lost == told) == ONLY_BY_LAMMPS
