"""Water models by their parameters, as tleap builds them; and the ions that were fitted to each."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.binding.forcefield.given.water_models import recognised

IONS = {
    "tip3p": {"Na+": (1.369, 0.0874393), "Cl-": (2.513, 0.0355910)},
    "spce": {"Na+": (1.212, 0.3526418), "Cl-": (2.711, 0.0127850)},
    "tip4pew": {"Na+": (1.226, 0.1684375), "Cl-": (2.760, 0.0116615)},
    "opc": {"Na+": (1.467, 0.02960343), "Cl-": (2.360, 0.67878870)},
}
"""Rmin/2 in Å and ε in kcal/mol: Joung, Cheatham, J. Phys. Chem. B 112, 9020 (2008), table 5; of OPC Sengupta et al.,
J. Chem. Inf. Model. 61, 869 (2021)."""


@pytest.mark.parametrize("water", IONS)
def test_each_model_is_known_and_has_its_own_ions(water):
    terms = read_terms(boxes.boxes(water, "Na+ 2 Cl- 2") / "solvent.prmtop", where=water)
    last = np.flatnonzero(terms.molecule_of == terms.molecule_of[-1])
    assert recognised(terms, last)[0] == water
    for ion, (half_minimum, depth) in IONS[water].items():
        atom = terms.names.index(ion)
        assert terms.sigma_angstrom[atom] * 2 ** (1 / 6) / 2 == pytest.approx(half_minimum, abs=1e-5)
        assert terms.epsilon_kcal_per_mol[atom] == pytest.approx(depth, rel=1e-5)


def test_another_water_is_told_by_its_parameters_and_not_named(tmp_path):
    prmtop = boxes.copied(boxes.boxes(), tmp_path) / "solvent.prmtop"
    boxes.replaced(prmtop, "CHARGE", lambda charges: charges[:6] + [q * 1.02 for q in charges[6:]])
    terms = read_terms(prmtop, where="x")
    model, told = recognised(terms, np.array([6, 7, 8]))
    assert model is None and told["negative_e"] == pytest.approx(-0.834 * 1.02, abs=1e-5)
    assert told["oh_angstrom"] == pytest.approx(0.9572)
