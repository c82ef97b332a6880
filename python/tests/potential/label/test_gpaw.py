"""The adapter of GPAW with a package of that name that computes by effective medium theory."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import MissingProgramError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.label.gpaw import Gpaw

STANDS_IN = """
import json, os, sys
from pathlib import Path
from ase.calculators.emt import EMT

class KohnShamConvergenceError(Exception):
    pass

def PW(cutoff):
    return f"PW({cutoff:g})"

class GPAW(EMT):
    implemented_properties = [*EMT.implemented_properties, "magmom", "magmoms"]

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings
        with open(os.environ["GPAW_SEEN"], "a") as file:
            file.write(json.dumps(settings) + "\\n")

    def calculate(self, *arguments):
        if os.environ.get("GPAW_CODE"):
            sys.exit(int(os.environ["GPAW_CODE"]))
        if self.settings["mixer"]["beta"] > float(os.environ.get("GPAW_CONVERGES_FROM", "1")):
            raise KohnShamConvergenceError("did not converge")
        super().calculate(*arguments)
        self.results.update(magmom=0.5, magmoms=self.atoms.get_initial_magnetic_moments())
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File of the settings that GPAW was called with, one line a run."""
    packages = tmp_path / "packages"
    for name, text in (("gpaw", STANDS_IN), ("gpaw_data", "")):
        (packages / f"{name}-26.7.0.dist-info").mkdir(parents=True)
        (packages / f"{name}-26.7.0.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 26.7.0\n")
        (packages / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setenv("GPAW_SEEN", str(tmp_path / "seen.jsonl"))
    return tmp_path / "seen.jsonl"


def copper() -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=1)
    return tag(atoms, "rattle", generator="test", seed=1)


def engine(labels: Labels = Labels(), **changes: object) -> Gpaw:  # noqa: B008 - frozen
    return Gpaw(["Cu"], Dft.model_validate({"engine": "gpaw", "kspacing_per_angstrom": 0.9, **changes}), labels)


def calls(seen: Path) -> list[dict]:
    return [json.loads(line) for line in seen.read_text().splitlines()]


def test_a_label_is_what_the_program_computes(seen: Path) -> None:
    atoms = copper()
    label = engine().label(atoms)
    assert (label.status, label.corrections, label.program) == ("labelled", [], "gpaw 26.7.0")
    reference = atoms.copy()
    reference.calc = EMT()
    assert label.energy_ev == pytest.approx(reference.get_potential_energy())
    assert label.forces_ev_per_angstrom == pytest.approx(reference.get_forces())
    assert label.stress_ev_per_angstrom3 == pytest.approx(reference.get_stress())
    (used,) = calls(seen)
    assert (used["mode"], used["xc"], used["kpts"], used["spinpol"]) == ("PW(350)", "PBE", [2, 2, 2], False)
    assert used["occupations"] == {"name": "marzari-vanderbilt", "width": pytest.approx(0.1360569)}  # 0.01 Ry


def test_what_does_not_converge_is_mixed_less(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPAW_CONVERGES_FROM", "0.05")
    label = engine().label(copper())
    assert (label.status, label.attempts) == ("labelled", 2)
    assert label.corrections == ["mixing beta 0.05, history 8, up to 400 steps"]
    assert [used["mixer"]["beta"] for used in calls(seen)] == [0.1, 0.05]
    (entry,) = label.audit
    assert (entry["run"], entry["error"], entry["handler"], entry["kept"]) == (
        1, "UNCONVERGED", "mixing_ladder", "nothing",
    )  # fmt: skip
    assert entry["changes"] == {"steps": [200, 400], "beta": [0.1, 0.05], "history": [5, 8]}
    assert (label.error, label.end) == ("", "")


def test_a_failure_says_why_nothing_more_was_tried(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPAW_CONVERGES_FROM", "0")
    lost = engine().label(copper())
    assert (lost.error, lost.end, lost.attempts, len(lost.audit)) == ("UNCONVERGED", "EXHAUSTED", 3, 2)
    monkeypatch.setenv("GPAW_CODE", "7")
    lost = engine().label(copper())
    assert (lost.error, lost.end, lost.audit) == ("CRASH", "NO_CORRECTION", [])


def test_a_failure_has_its_cause_and_its_log(seen: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GPAW_CONVERGES_FROM", "0")
    failed = engine(Labels(corrections_max=0)).label(copper(), tmp_path / "kept")
    assert (failed.cause, failed.energy_ev) == ("UNCONVERGED", None)
    assert "not converged: did not converge" in (tmp_path / "kept" / "gpaw.log").read_text()
    monkeypatch.setenv("GPAW_CODE", "7")
    assert engine().label(copper()).cause == "CRASH(7)"
    assert engine(Labels(label_time_min=1e-4)).label(copper()).cause == "RESOURCE"


def test_molecules_get_a_cell_and_no_stress(seen: Path) -> None:
    water = tag(molecule("H2O"), "molecule", generator="test", seed=0)
    label = engine().label(water)
    assert (label.status, label.stress_ev_per_angstrom3) == ("labelled", None)
    assert calls(seen)[0]["kpts"] == [1, 1, 1]


def test_bad_structures_never_start_a_program(seen: Path) -> None:
    atoms = copper()
    atoms.positions[1] = atoms.positions[0] + 0.1
    assert engine().label(atoms).cause == "BAD_STRUCTURE"
    assert not seen.exists()


def test_what_counts_is_in_the_hash_and_nothing_else(seen: Path) -> None:
    base = engine().settings_hash
    assert base.startswith("gpaw-")
    assert engine(Labels(workers=4), mixing_beta=0.3, ecutwfc_ry=50.0).settings_hash == base
    for change in ({"gpaw_cutoff_ev": 400.0}, {"functional": "lda"}, {"degauss_ry": 0.02}):
        assert engine(**change).settings_hash != base


def test_it_describes_itself(seen: Path) -> None:
    said = engine().describe()
    assert (said["program"], said["version"], said["cutoff"]) == ("gpaw", "26.7.0", "350 eV")


def test_the_paw_data_sets_are_asked_for_too(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # without the stand-in's, and without those of an environment that has GPAW
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gpaw_data" else found(name))
    with pytest.raises(MissingProgramError, match="package gpaw_data not installed"):
        engine()


def test_charge_and_spin_reach_the_program(seen: Path) -> None:
    atoms = copper()
    atoms.info["charge"] = 1
    atoms.set_initial_magnetic_moments([1.0, -1.0, 0.0, 0.0])
    made = engine().label(atoms)
    assert (made.total_moment_ub, made.absolute_moment_ub) == (0.5, 2.0)
    assert (made.charge_e, calls(seen)[-1]["charge"], calls(seen)[-1]["spinpol"]) == (1, 1, True)
    assert "fixmagmom" not in calls(seen)[-1]["occupations"]
    engine().label(Atoms("Cu", cell=[12, 12, 12]))
    assert (calls(seen)[-1]["spinpol"], calls(seen)[-1]["occupations"]["fixmagmom"]) == (True, True)
    assert engine().key(atoms) and not engine().key(copper())
    iron = Gpaw(["Fe"], Dft(engine="gpaw"), Labels())
    assert not iron.key(Atoms("Fe", cell=[2.3] * 3, pbc=True))  # moments by element are in its settings
