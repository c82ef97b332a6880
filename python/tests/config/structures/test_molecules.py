"""What hangs together: molecules, molecular ions, and what does not end."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from liquids import brucite, calcite, salammoniac

from gibbsflow.config.structures.molecules import molecular_ions, of_molecules, parts


@pytest.mark.parametrize(
    ("atoms", "formulas"), [(calcite(), {"CO3": 6}), (brucite(), {"HO": 2}), (salammoniac(), {"H4N": 1})]
)
@pytest.mark.parametrize("shift", [0.0, 1.7])
def test_molecular_ions_are_found_across_faces(atoms: Atoms, formulas: dict[str, int], shift: float) -> None:
    atoms.positions += shift
    atoms.wrap()
    found = molecular_ions(atoms)
    assert found is not None and found.finite.all()
    names = [atoms[ion].get_chemical_formula() for ion in found.several()]
    assert {name: names.count(name) for name in names} == formulas
    whole = atoms.positions + found.images @ atoms.cell.array
    for ion in found.several():
        # no ion here is wider than 2.3 Å
        assert max(np.linalg.norm(whole[i] - whole[j]) for i in ion for j in ion) < 2.4


@pytest.mark.parametrize(
    "network",
    [
        bulk("NaCl", "rocksalt", a=5.64),
        bulk("Si", cubic=True),
        bulk("C", cubic=True),
        bulk("BN", "zincblende", a=3.62),
        bulk("GaN", "zincblende", a=4.5),
        bulk("Al", cubic=True),
        molecule("H2O"),  # periodic nowhere
    ],
    ids=lambda atoms: str(atoms.symbols),
)
def test_networks_have_none(network: Atoms) -> None:
    assert molecular_ions(network) is None and not of_molecules(network)


@pytest.mark.parametrize(("pair", "angstrom"), [("H2", 0.751), ("F2", 1.42), ("O2", 1.24), ("I2", 2.72), ("HF", 0.93)])
def test_pairs_of_small_atoms_are_bonded_at_the_lengths_of_dft(pair: str, angstrom: float) -> None:
    atoms = Atoms(pair, [[0, 0, 0], [angstrom, 0, 0]])
    assert len(parts(atoms).finite) == 1
    atoms.positions[1] *= 1.4
    assert len(parts(atoms).finite) == 2


def test_a_way_round_the_cell_is_no_end() -> None:
    chain = Atoms("CH2", [[0, 0, 0], [0, 0.9, 0.6], [0, -0.9, 0.6]], cell=[1.5, 6, 6], pbc=True)
    assert parts(chain).finite.tolist() == [False] and parts(chain.repeat((3, 1, 1))).finite.tolist() == [False]
    both = chain.repeat((2, 1, 1))
    both.set_cell([3, 12, 6])
    both.extend(Atoms("OH", [[0.5, 6, 3], [0.5, 6.9, 3]]))
    found = molecular_ions(both)
    assert found is not None and found.finite.tolist() == [False, True]
    assert [both[ion].get_chemical_formula() for ion in found.several()] == ["HO"]


def test_cells_that_hold_nothing_are_nothing() -> None:
    water = molecule("H2O")
    water.pbc = True
    assert not of_molecules(water) and molecular_ions(water) is None
    water.set_cell([4, 4, 4])
    assert of_molecules(water)
    water.positions[0] = np.nan
    assert not of_molecules(water) and molecular_ions(water) is None
