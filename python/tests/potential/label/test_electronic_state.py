from __future__ import annotations

from dataclasses import replace

import pytest
from ase import Atoms
from ase.build import bulk, molecule

from gibbsflow.config.potential import Dft
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.label.electronic_state import (
    by_elements,
    key_of,
    starting_moments_ub,
    without_its_spin,
)

MOMENTS = {"Fe": 3.0, "O": 0.0}


def test_the_structure_comes_first_then_the_atom_then_the_elements() -> None:
    iron = Atoms("Fe2", [[0, 0, 0], [1.4, 1.4, 1.4]], cell=[2.8] * 3, pbc=True)
    assert by_elements(iron, Dft(), MOMENTS) == Electrons(moments_ub=(3.0, 3.0))
    assert by_elements(bulk("Si"), Dft(), {}) == Electrons()
    iron.set_initial_magnetic_moments([2.0, -2.0])
    assert by_elements(iron, Dft(), MOMENTS) == Electrons(moments_ub=(2.0, -2.0))
    atom = Atoms("Fe")
    assert by_elements(atom, Dft(), MOMENTS) == Electrons(multiplicity=5)
    assert by_elements(atom, Dft(moments_ub={"Fe": 3.0}), MOMENTS) == Electrons(moments_ub=(3.0,))
    assert by_elements(atom, Dft(magnetism="none"), {}) == Electrons()
    # in a periodic box as well
    assert by_elements(Atoms("O", cell=[12, 12, 12], pbc=True), Dft(), MOMENTS) == Electrons(multiplicity=3)


@pytest.mark.parametrize(
    ("atoms", "info", "words"),
    [
        (molecule("CO"), {}, ""),
        (molecule("H2O"), {}, ""),
        (Atoms("O2", [[0, 0, 0], [0, 0, 1.2]]), {}, "O2, a triplet"),
        (Atoms("O2", [[0, 0, 0], [0, 0, 1.2]]), {"multiplicity": 1}, ""),
        (Atoms("O2", [[0, 0, 0], [0, 0, 1.2]], magmoms=[0, 0]), {}, ""),
        (Atoms("O2", [[0, 0, 0], [0, 0, 1.2]]), {"config_type": "dimer"}, ""),
        (Atoms("O2", [[0, 0, 0], [0, 0, 1.2]]), {"charge": -2}, ""),
        (Atoms("NO", [[0, 0, 0], [0, 0, 1.15]]), {}, "molecules with an odd number of electrons"),
        (Atoms("NO", [[0, 0, 0], [0, 0, 1.15]]), {"charge": 1}, ""),
        (Atoms("N"), {}, ""),
        (bulk("U", "fcc", a=4.9), {}, "solids of actinides"),
        (bulk("Al"), {}, ""),
    ],
)
def test_what_should_have_a_spin_is_named(atoms: Atoms, info: dict[str, object], words: str) -> None:
    atoms.info.update(info)
    assert without_its_spin(atoms, replace(Electrons.of(atoms), moments_ub=None)) == words
    assert without_its_spin(atoms, Electrons(multiplicity=3)) == ""


def test_unpaired_electrons_are_spread_by_the_valence() -> None:
    assert starting_moments_ub(Electrons(multiplicity=3), [6.0, 2.0]) == (1.5, 0.5)
    assert starting_moments_ub(Electrons(moments_ub=(1.0, -1.0)), [6.0, 2.0]) == (1.0, -1.0)
    assert starting_moments_ub(Electrons(), [6.0, 2.0]) == (0.0, 0.0)
    with pytest.raises(ValueError, match="atom 1: a moment of 3 μB, with 2 valence electrons"):
        starting_moments_ub(Electrons(moments_ub=(1.0, 3.0)), [6.0, 2.0])


def test_what_was_always_computed_has_no_key() -> None:
    assert key_of(Electrons()) == key_of(Electrons(multiplicity=1)) == key_of(Electrons(moments_ub=(0.0, 0.0))) == ""
    others = [Electrons(1), Electrons(0, 3), Electrons(moments_ub=(1.0, -1.0)), Electrons(moments_ub=(-1.0, 1.0))]
    keys = [key_of(one, changed=wide) for one in others for wide in (False, True)]
    assert all(keys) and len(set(keys)) == 8


def test_the_mesh_of_another_cell_is_part_of_the_key() -> None:
    keys = [key_of(Electrons(), mesh=mesh) for mesh in (None, (4, 4, 4), (5, 5, 5))]
    assert keys[0] == "" and len(set(keys)) == 3
    assert key_of(Electrons(charge=1), mesh=(4, 4, 4)) not in (keys[1], key_of(Electrons(charge=1)))
