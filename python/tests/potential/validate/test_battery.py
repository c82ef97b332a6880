from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from ase.calculators.emt import EMT
from liquids import calcite, water_box
from pair_crystals import DEPTH, SMALL, fcc, touching

from gibbsflow.errors import EngineError, ScienceError, StoppedEarly
from gibbsflow.potential.validate.battery import PROPERTIES, Battery, Model
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import by_calculator
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.workflow.state.segments import Stopper


class Counted:
    """Answers as touching atoms do, counts, and raises at a number."""

    def __init__(self, stop_at: int = 10**9, error: Exception | None = None, calculator=None) -> None:
        self.asked, self.stop_at, self.error = 0, stop_at, error
        self.evaluate = by_calculator(calculator) if calculator else touching

    def __call__(self, frames):
        self.asked += len(frames)
        if self.asked >= self.stop_at and self.error is not None:
            raise self.error
        return self.evaluate(frames)


def battery(state: Path, **changes) -> Battery:
    return Battery(Subject(fcc(), None, "here"), ("Cu",), SMALL.model_copy(update=changes), state, Stopper())


def test_what_is_measured_is_kept_property_by_property(tmp_path: Path) -> None:
    names = ["cell", "vacancy"]
    first = Counted(4, StoppedEarly("stopped by SIGTERM"))
    with pytest.raises(StoppedEarly):
        battery(tmp_path).measure(Model("potential", "k" * 64, first), names)
    second, after = Counted(), battery(tmp_path)
    found = after.measure(Model("potential", "k" * 64, second), names)
    assert after.reused >= 1 and found["vacancy"].values["vacancy_energy"] == pytest.approx(6 * DEPTH, abs=1e-3)
    third, again = Counted(), battery(tmp_path)
    assert again.measure(Model("potential", "k" * 64, third), names) == found and third.asked == 0
    assert again.asked == after.asked  # also the counts, for the cost
    # another tolerance measures nothing anew, another setting does, and so does another potential
    judged = battery(tmp_path, modulus_floor_gpa=1.0)
    judged.measure(Model("potential", "k" * 64, third), names)
    assert third.asked == 0
    battery(tmp_path, eos_volumes=6).measure(Model("potential", "k" * 64, third), ["cell"])
    assert third.asked > 0
    other = Counted()
    battery(tmp_path).measure(Model("potential", "j" * 64, other), ["cell"])
    assert other.asked > 0


def test_state_that_cannot_be_read_is_measured_again(tmp_path: Path) -> None:
    model = Model("potential", "k" * 64, touching)
    before = battery(tmp_path).measure(model, ["cell"])
    (path,) = tmp_path.glob("potential-*/cell.json")
    path.write_text("{")
    assert battery(tmp_path).measure(model, ["cell"]) == before and json.loads(path.read_text())


def test_a_signal_stops_between_structures(tmp_path: Path) -> None:
    with Stopper() as stopper:
        under_way = battery(tmp_path)
        under_way.stopper = stopper
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedEarly):
            under_way.measure(Model("potential", "k" * 64, touching), ["cell"])


def test_what_a_model_cannot_give_is_lost_and_said(tmp_path: Path) -> None:
    model = Model("potential", "k" * 64, Counted(3, ScienceError("the program died")))
    found = battery(tmp_path).measure(model, ["cell", "vacancy"])
    lost = found["vacancy"]
    assert lost.lost == "the program died"


def test_a_program_killed_from_outside_is_no_finding(tmp_path: Path) -> None:
    killed = Counted(3, EngineError("LAMMPS ended with code -9", code=-signal.SIGKILL))
    with pytest.raises(EngineError):
        battery(tmp_path).measure(Model("potential", "k" * 64, killed), ["cell", "vacancy"])
    found = battery(tmp_path).measure(Model("potential", "k" * 64, touching), ["cell", "vacancy"])
    assert found["vacancy"].values and not found["vacancy"].lost


def test_settings_of_long_md_measure_nothing_else_anew(tmp_path: Path) -> None:
    battery(tmp_path).measure(Model("potential", "k" * 64, touching), ["cell"])
    again = battery(tmp_path, melting_ps=9.0, sample_ps=1.0, rdf_engine_steps=60, expansion_span_k=20.0)
    again.measure(Model("potential", "k" * 64, Counted(1, ScienceError("asked"))), ["cell"])
    assert again.reused == 1


def test_what_needs_md_is_lost_where_there_is_none(tmp_path: Path) -> None:
    found = battery(tmp_path, sample_ps=1.0).measure(Model("potential", "k" * 64, touching), ["cell", "npt_expansion"])
    assert "only what LAMMPS runs" in found["npt_expansion"].lost


def test_only_what_applies() -> None:
    assert {kind for kinds, _ in PROPERTIES.values() for kind in kinds} == {"crystal", "liquid", "molecule"}
    here = battery(Path("nowhere"))
    assert here.applicable(("modes", "md", "cell")) == ["cell", "md"]


def test_a_liquid_is_looked_at_as_it_is(tmp_path: Path) -> None:
    subject = Subject(Crystal.of(water_box(), 0.01), None, "here")
    liquid = Battery(subject, ("H", "O"), SMALL, tmp_path, Stopper())
    assert subject.kind == "liquid" and subject.ions == ("H2O",)
    names = ("cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "thermal_expansion", "md")
    assert liquid.applicable(names) == ["cell", "md"]
    asked = Counted(calculator=EMT())
    found = liquid.measure(Model("potential", "k" * 64, asked), ["cell"])["cell"]
    assert asked.asked == 1 and not found.lost
    stress = EMT()
    atoms = subject.atoms.copy()
    atoms.calc = stress
    assert found.values == {"pressure": pytest.approx(-atoms.get_stress()[:3].mean() * 160.21766, rel=1e-6)}
    assert found.curves["positions_angstrom"] == pytest.approx(subject.atoms.positions)


def test_crystals_of_molecules_have_rest_and_no_broken_ones() -> None:
    subject = Subject(Crystal.of(calcite(), 0.01), None, "here")
    here = Battery(subject, ("C", "Ca", "O"), SMALL, Path("nowhere"), Stopper())
    assert subject.kind == "crystal" and subject.ions == ("CO3",)
    assert here.applicable(("cell", "eos", "vacancy", "interstitial", "elastic")) == ["cell", "eos", "elastic"]
    assert Subject(fcc(), None, "here").ions == ()
