from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from silicon import overlapping, si8

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.label import tblite
from gibbsflow.potential.label.engines import make_engine

pytest.importorskip("tblite")
ENGINE = make_engine(["Si"], Dft(engine="tblite"), Labels())


def energy(atoms) -> float:
    result = ENGINE.label(atoms)
    assert result.status == "labelled", result.message
    return result.energy_ev


def test_forces_and_stress_of_a_crystal_are_derivatives_of_its_energy() -> None:
    atoms, step = si8(), 2e-3
    label = ENGINE.label(atoms)
    sides = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[2, 1] += sign * step
        sides.append(energy(moved))
    assert label.forces_ev_per_angstrom[2][1] == pytest.approx(-(sides[0] - sides[1]) / (2 * step), abs=2e-3)
    sides = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * step * np.diag([1, 0, 0])), scale_atoms=True)
        sides.append(energy(strained))
    numeric = (sides[0] - sides[1]) / (2 * step) / atoms.get_volume()
    assert label.stress_ev_per_angstrom3[0] == pytest.approx(numeric, abs=1e-4)


def test_molecules_have_no_stress_and_bad_ones_a_cause() -> None:
    water = ENGINE.label(tag(molecule("H2O"), "molecule", generator="test", seed=0))
    assert (water.status, water.stress_ev_per_angstrom3) == ("labelled", None)
    assert ENGINE.label(overlapping()).cause == "BAD_STRUCTURE"
    slab = si8()
    slab.pbc = (True, True, False)
    assert ENGINE.label(slab).cause == "BAD_STRUCTURE"


def ammonium(**info: object) -> Atoms:
    atoms = Atoms("NH4", 0.589 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))
    atoms.info.update(info)
    return atoms


def test_a_charge_is_computed_however_it_is_said() -> None:
    engine = make_engine(["N", "H"], Dft(engine="tblite", tblite_method="GFN2-xTB"), Labels())
    by_atom = ammonium()
    by_atom.set_initial_charges([1.0, 0, 0, 0, 0])
    for atoms in (ammonium(charge=1), by_atom):
        made = engine.label(atoms)
        # ammonium's energy by GFN2-xTB (xtb 6.7.1: -4.4945 hartree)
        assert (made.charge_e, made.energy_ev) == (1, pytest.approx(-122.304, abs=0.01))
    neutral = engine.label(ammonium())
    assert neutral.energy_ev == pytest.approx(-126.224, abs=0.01)
    assert engine.key(ammonium(charge=1)) and not engine.key(ammonium())


def test_a_multiplicity_is_computed() -> None:
    engine = make_engine(["O"], Dft(engine="tblite"), Labels())
    singlet, triplet = (Atoms("O2", [[0, 0, 0], [0, 0, 1.21]], info={"multiplicity": m}) for m in (1, 3))
    ferro = Atoms("O2", [[0, 0, 0], [0, 0, 1.21]], magmoms=[1.0, 1.0])
    energies = [engine.label(atoms).energy_ev for atoms in (singlet, triplet, ferro)]
    assert energies[1] == energies[2]
    assert energies[1] != energies[0]
    assert engine.label(triplet).total_moment_ub == 2.0


def test_what_it_cannot_compute_is_refused() -> None:
    antiferro = si8()
    antiferro.set_initial_magnetic_moments([1.0, -1.0] * 4)
    for atoms, words in (
        (antiferro, "moments of both signs"),
        (ammonium(charge=1, multiplicity=2), "multiplicity 2, with 10 electrons"),
        (ammonium(charge=9), "charge \\+9, with 9 valence electrons"),
        (ammonium(charge=12), "charge \\+12, with 11 electrons"),
    ):
        with pytest.raises(ValueError, match=words):
            ENGINE.electrons(atoms)
        assert ENGINE.label(atoms).cause == "BAD_STRUCTURE"
    with pytest.raises(InputError, match="tblite takes no moments by element"):
        make_engine(["Si"], Dft(engine="tblite", moments_ub={"Si": 2.0}), Labels())


def test_atoms_alone_have_their_ground_state() -> None:
    atom = Atoms("Si", cell=[12, 12, 12])
    assert ENGINE.electrons(atom).multiplicity == 3
    assert ENGINE.label(atom).total_moment_ub == 2.0
    plain = make_engine(["Si"], Dft(engine="tblite", magnetism="none"), Labels())
    assert plain.electrons(atom).multiplicity is None


def test_more_iterations_are_in_the_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tblite, "_ITERATIONS", (2, 250))
    label = ENGINE.label(si8())
    assert (label.status, label.attempts, label.corrections) == ("labelled", 2, ["up to 250 iterations"])
    (entry,) = label.audit
    assert (entry["error"], entry["handler"], entry["changes"]) == ("UNCONVERGED", "more_steps", {"steps": [2, 250]})
    monkeypatch.setattr(tblite, "_ITERATIONS", (2, 3))
    lost = ENGINE.label(si8())
    assert (lost.cause, lost.error, lost.end, lost.attempts) == ("UNCONVERGED", "UNCONVERGED", "EXHAUSTED", 2)
