from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import InputError
from gibbsflow.potential.validate.subjects import find_subject
from gibbsflow.workflow.account import Account

CONFIG = PotentialConfig.of_verb(None)
COPPER = PotentialConfig.from_mapping({"elements": ["Cu"], "structure": "fcc", "engine": "tblite"}, where="here")


def labelled(atoms: Atoms, energy: float, kind: str = "bulk") -> Atoms:
    made = atoms.copy()
    made.info["config_type"] = kind
    made.calc = SinglePointCalculator(made, energy=energy, forces=0.01 * made.positions)
    return made


def test_ground_state_of_labelled_data(tmp_path: Path) -> None:
    path = tmp_path / "train.extxyz"
    hot = bulk("Cu", cubic=True)
    hot.rattle(0.1, seed=1)
    frames = [labelled(hot, -14.0, "md"), labelled(bulk("Cu", cubic=True, a=3.61), -14.8), labelled(bulk("Cu"), -3.6)]
    write(path, frames)
    found = find_subject(CONFIG, Account("x"), species=["Cu"], data=path)
    assert found.kind == "crystal" and found.name == "Cu, Fm-3m" and "frame 2 of train.extxyz" in found.source
    assert found.crystal is not None and found.crystal.conventional.cell[0, 0] == pytest.approx(3.61)
    assert found.labelled is not None and len(found.labelled) == 4
    # as labels have four atoms, volumes and strains have too
    assert found.crystal.whole and len(found.atoms) == 4
    write(tmp_path / "small.extxyz", frames[2:])
    small = find_subject(CONFIG, Account("x"), species=["Cu"], data=tmp_path / "small.extxyz")
    assert small.crystal is not None and not small.crystal.whole
    assert find_subject(CONFIG, Account("x"), species=["Cu"], structure=path).labelled is None
    # a conventional cell that is the primitive one is no other choice
    write(tmp_path / "simple.extxyz", labelled(bulk("Cu", "sc", a=2.4).repeat(2), -9.0))
    account = Account("x")
    simple = find_subject(CONFIG, account, species=["Cu"], data=tmp_path / "simple.extxyz")
    assert simple.crystal is not None and not simple.crystal.whole and len(simple.atoms) == 1
    assert not any("conventional" in note for note in account.as_dict()["notes"])


def test_several_compositions(tmp_path: Path) -> None:
    path = tmp_path / "alloy.extxyz"
    one, other = (
        bulk("CuAu", "rocksalt", a=5.0),
        Atoms(
            "CuAu3", cell=[4] * 3, pbc=True, scaled_positions=[[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
        ),
    )
    frames = [labelled(bulk("Cu"), -9.0), labelled(one, -6.0), labelled(other, -30.0)]
    write(path, frames)
    with pytest.raises(InputError, match=r"no composition is the most frequent.*--structure"):
        find_subject(CONFIG, Account("x"), species=["Cu", "Au"], data=path)
    account = Account("x")
    larger = one.copy()
    larger.set_cell(one.cell * 1.01, scale_atoms=True)
    write(path, [*frames, labelled(larger, -6.2)])
    assert find_subject(CONFIG, account, species=["Cu", "Au"], data=path).name.startswith("AuCu")
    assert "of 2 compositions" in account.as_figures()["notes"][0]


def test_of_compositions_that_are_as_frequent_that_of_the_target_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "alloy.extxyz"
    frames = []
    for count in (2, 4, 6):  # a loop begins with quasirandom structures on both sides of its target
        for energy, stretch in ((-40.0, 1.0), (-40.5, 1.01)):
            atoms = bulk("Si", cubic=True, a=5.5 * stretch)
            atoms.symbols[:count] = "Ge"
            frames.append(labelled(atoms, energy))
    write(path, frames)
    for share, name in ((0.5, "SiGe"), (0.7, "SiGe3"), (0.25, "Si3Ge")):
        given = {
            "elements": ["Si", "Ge"], "structure": "diamond", "engine": "tblite",
            "composition": {"Ge": share, "Si": 1 - share}, "generator": {"supercell": [1, 1, 1]},
        }  # fmt: skip
        account = Account("x")
        found = find_subject(
            PotentialConfig.from_mapping(given, where="here"), account, species=["Si", "Ge"], data=path
        )
        assert found.name.split(",")[0] == Atoms(name).get_chemical_formula(empirical=True)
        assert "nearest to the target" in account.as_figures()["notes"][0]
        assert found.crystal is not None and found.atoms.get_volume() / len(found.atoms) == pytest.approx(5.555**3 / 8)
    # a structure file as target names no composition of its own: the first of them, and no end of a loop
    write(tmp_path / "start.extxyz", frames)
    given = {"elements": ["Si", "Ge"], "structure": str(tmp_path / "start.extxyz"), "engine": "tblite"}
    config = PotentialConfig.from_mapping(given, where=str(tmp_path / "si.yaml"))
    first = find_subject(config, Account("x"), species=["Si", "Ge"], data=path)
    assert first.atoms.symbols.count("Si") == 3 * first.atoms.symbols.count("Ge")


def test_target_of_the_settings_and_a_file(tmp_path: Path) -> None:
    assert find_subject(COPPER, Account("x"), species=["Cu"]).name == "Cu, Fm-3m"
    write(tmp_path / "w.xyz", molecule("H2O"))
    found = find_subject(CONFIG, Account("x"), species=["H", "O"], structure=tmp_path / "w.xyz")
    assert found.kind == "molecule" and found.name == "H2O" and len(found.atoms) == 3


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no structure is named.*--structure FILE, --data FILE"):
        find_subject(CONFIG, Account("x"), species=["Cu"])
    with pytest.raises(InputError, match="holds Cu, which the potential does not know"):
        find_subject(COPPER, Account("x"), species=["Si"])
    path = tmp_path / "s.extxyz"
    for atoms, told in (
        (fcc111("Cu", (1, 1, 3), vacuum=5), "periodic in 2 of three"), (Atoms("Cu"), "single atom"),
        (Atoms("Cu2", [[0, 0, 0], [0, 0, 0.2]], cell=[4] * 3, pbc=True), "apart"),
    ):  # fmt: skip
        write(path, atoms)
        with pytest.raises(InputError, match=told):
            find_subject(CONFIG, Account("x"), species=["Cu"], structure=path)
    with pytest.raises(InputError, match="has 1 frames"):
        find_subject(CONFIG, Account("x"), species=["Cu"], structure=path, frame=1)


def test_no_symmetry_is_a_doubt(tmp_path: Path) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    write(tmp_path / "s.extxyz", atoms)
    account = Account("x")
    find_subject(CONFIG, account, species=["Cu"], structure=tmp_path / "s.extxyz")
    assert "no symmetry is found" in account.as_figures()["warnings"][0]


def test_the_targets_crystal_in_place_of_labelled_data(tmp_path: Path) -> None:
    path = tmp_path / "train.extxyz"
    squeezed = bulk("Cu", cubic=True)
    squeezed.set_cell(squeezed.cell.array @ np.diag([1, 1, 1.05]), scale_atoms=True)
    write(path, [labelled(squeezed, -14.9, "strain"), labelled(bulk("Cu", cubic=True), -14.8)])
    assert find_subject(COPPER, Account("x"), species=["Cu"], data=path).name == "Cu, I4/mmm"
    of_target = COPPER.model_copy(update={"validation": Validation(subject="target")})
    found = find_subject(of_target, Account("x"), species=["Cu"], data=path)
    assert (found.name, found.source) == ("Cu, Fm-3m", "target of the settings")


def alloy(elements: list[str], structure: str, **target: object) -> PotentialConfig:
    given = {
        "elements": elements, "structure": structure, "engine": "tblite", "target": target,
        "validation": {"subject": "target"},
    }  # fmt: skip
    return PotentialConfig.from_mapping(given, where="here")


@pytest.mark.parametrize(
    ("elements", "structure", "name", "atoms"),
    [
        (["Si", "Ge"], "diamond", "F-43m", 2),
        (["Ni", "Al"], "bcc", "Pm-3m", 2),
        (["Cu", "Ni"], "fcc", "P4/mmm", 2),
    ],
)
def test_an_alloy_in_equal_parts_is_measured_ordered(
    elements: list[str], structure: str, name: str, atoms: int
) -> None:
    found = find_subject(alloy(elements, structure), Account("x"), species=elements)
    assert found.crystal is not None
    smallest = found.crystal.primitive
    assert found.name.endswith(name) and len(smallest) == atoms
    assert sorted(smallest.get_chemical_symbols()) == sorted(elements)
    assert "ordered" in found.source


def test_an_alloy_in_other_parts_is_measured_as_it_is() -> None:
    uneven = alloy(["Si", "Ge"], "diamond", composition={"Si": 0.75, "Ge": 0.25})
    assert find_subject(uneven, Account("x"), species=["Si", "Ge"]).source == "target of the settings"
