"""What hangs together: molecules, molecular ions, and what does not end."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.spacegroup import crystal

from gibbsflow.config.molecules import molecular_ions, of_molecules, parts


def calcite() -> Atoms:
    """CaCO3, R-3c (Graf, Am. Mineral. 1961, 46, 1283)."""
    basis = [(0, 0, 0), (0, 0, 0.25), (0.2568, 0, 0.25)]
    return crystal(["Ca", "C", "O"], basis, spacegroup=167, cellpar=[4.99, 4.99, 17.06, 90, 90, 120])


def brucite() -> Atoms:
    """Mg(OH)2, P-3m1 (Zigan, Rothbauer, Neues Jahrb. Mineral. 1967, 137)."""
    basis = [(0, 0, 0), (1 / 3, 2 / 3, 0.22), (1 / 3, 2 / 3, 0.43)]
    return crystal(["Mg", "O", "H"], basis, spacegroup=164, cellpar=[3.142, 3.142, 4.766, 90, 90, 120])


def salammoniac() -> Atoms:
    """NH4Cl in the cell of CsCl."""
    ion = Atoms("NH4", [[0, 0, 0], *(0.6 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))])
    return Atoms(ion + Atoms("Cl", [[1.94, 1.94, 1.94]]), cell=[3.88] * 3, pbc=True)


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
