from __future__ import annotations

import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from pair_crystals import DEPTH, SMALL, Pairs, caesium_chloride, fcc, touching

from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import answered, by_calculator
from gibbsflow.potential.validate.properties.point_defects import interstitial, vacancy


def test_a_vacancy_costs_six_bonds() -> None:
    # twelve bonds are broken, and the atom regains the half of twelve that it has in the crystal
    measured = answered(vacancy(fcc(), SMALL), touching)
    assert measured.values["vacancy_energy"] == pytest.approx(6 * DEPTH, abs=1e-3)
    assert measured.notes[0] == "in a cell of 32 atoms"


@pytest.mark.slow
def test_an_interstitial_is_the_best_of_holes_and_dumbbells() -> None:
    settings = SMALL.model_copy(
        update={"supercell_angstrom": 3.0, "relax_force_ev_per_angstrom": 0.02, "defects_max": 1}
    )
    measured = answered(interstitial(fcc(), settings), touching)
    tried = [note for note in measured.notes if note.startswith("Cu ")]
    assert len(tried) == 2 and "in hole 1 (0, 0, 0.5)" in tried[0] and "dumbbell along [100]" in tried[1]
    assert measured.values["interstitial_energy"] > 0


def test_a_compound_has_schottky_defects() -> None:
    # of a unit AB with e an atom: both vacancies and the unit back
    crystal, evaluate = Crystal.of(caesium_chloride(), 0.01), by_calculator(EMT())
    settings = SMALL.model_copy(update={"relax_force_ev_per_angstrom": 0.1})
    schottky = answered(vacancy(crystal, settings), evaluate)
    (cu, au) = (float(note.split()[-2]) for note in schottky.notes[1:])
    perfect = crystal.supercell(SMALL.supercell_angstrom)
    perfect.calc = EMT()
    unit = perfect.get_potential_energy() / len(perfect) * 2
    assert schottky.values["schottky_energy"] == pytest.approx(cu + au + unit, abs=2e-3)


@pytest.mark.slow
def test_a_compound_has_frenkel_pairs() -> None:
    changes = {"supercell_angstrom": 2.5, "relax_force_ev_per_angstrom": 0.05, "relax_steps": 400, "defects_max": 1}
    crystal, evaluate = Crystal.of(caesium_chloride(), 0.01), by_calculator(EMT())
    frenkel = answered(interstitial(crystal, SMALL.model_copy(update=changes)), evaluate)
    assert set(frenkel.values) == {"frenkel_energy_au", "frenkel_energy_cu"}


def test_a_crystal_that_falls_apart_fails() -> None:
    def upside_down(frames):
        found = touching(frames)
        return [type(p)(-p.energy_ev, p.forces_ev_per_angstrom, p.stress_ev_per_angstrom3) for p in found]

    assert "vacancy_energy -1.80 eV" in answered(vacancy(fcc(), SMALL), upside_down).failures[0]


def test_what_does_not_relax_is_said() -> None:
    far = Crystal.of(bulk("Cu", "fcc", a=3.45), 0.01)
    settings = SMALL.model_copy(update={"relax_steps": 1})
    with pytest.raises(ScienceError, match="no vacancy of Cu relaxes"):
        answered(vacancy(far, settings), by_calculator(Pairs(nearest=False)))
