"""The terms together undo what a periodic box does to charges in a continuum; each has its sign and power."""

import math

import numpy as np
import pytest
from continuum import energy_in_box

from gibbsflow.binding.alchemy.finite_size.cavity import background_potential
from gibbsflow.binding.alchemy.finite_size.terms import (
    PERMITTIVITY,
    Charges,
    IntegratedPotentials,
    Solvent,
    correction_terms,
    discrete_solvent,
    ligand_radius_angstrom,
)
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2

UNIT = 4 * math.pi * COULOMB_KCAL_ANGSTROM_PER_E2 / 6
EPSILON = 97.0
NO_SOLVENT = Solvent(EPSILON, 0, 0.0)
TIP3P = Solvent(EPSILON, 900, 0.7641)


def potentials_of(places, charges, radii, others):
    """Integrated potentials in an endless solvent, of the ligand and of the others, round the ligand."""
    origin = places[np.abs(charges) > 0].mean(axis=0)
    at = background_potential(
        places, radii, places, permittivity=EPSILON, origin_angstrom=origin, spacing_angstrom=0.4, probe_angstrom=0
    )
    spread = np.sum((places - origin) ** 2, axis=1)
    own = float(charges @ at)
    return IntegratedPotentials(own, float(others @ at), own + UNIT * float(charges @ spread))


def test_a_sphere_in_boxes_of_two_sizes_has_born_s_energy():
    """Raw apart by 1.2 kcal/mol; corrected within 1 % of Born, and the same in both boxes within 0.02 kcal/mol."""
    radius, charge = np.array([2.6]), np.array([-1.0])
    raw, corrected = [], []
    for edge in (12.8, 17.6):
        place = np.full((1, 3), 6.4) + [[0.1, 0.07, -0.03]]
        raw.append(energy_in_box(place, charge, radius, edge, EPSILON, step=0.4))
        potentials = potentials_of(place, charge, radius, 0 * charge)
        terms = correction_terms(Charges(-1.0), NO_SOLVENT, potentials, np.eye(3) * edge, 298.15)
        assert terms.scr == terms.dsc == 0 and terms.net > 0 > terms.usv and terms.rip > 0 > terms.emp
        corrected.append(raw[-1] + terms.total)
    assert raw[1] - raw[0] > 1.2
    assert corrected[1] == pytest.approx(corrected[0], abs=0.02)
    born = -COULOMB_KCAL_ANGSTROM_PER_E2 / 2 * (1 - 1 / EPSILON) / 2.6
    assert corrected[1] == pytest.approx(born, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("ligand", "others"), [(1.0, (-2.0, 0.0)), (-1.0, (-2.0, 1.0))])
def test_a_ligand_in_a_charged_receptor_is_as_well_off_in_boxes_of_two_sizes(ligand, others):
    """The charge beside the ligand's makes NET, USV and RIP several times as large, of either sign."""
    radii = np.array([2.2, 2.6, 1.8])
    charges, beside = np.array([ligand, 0, 0]), np.array([0.0, *others])
    raw, corrected = [], []
    for edge in (14.4, 17.6):
        places = np.array([[0, 0, 0], [2.5, 0, 0], [0, 2.0, 0]]) + 7.2 + [0.1, 0.07, -0.03]
        with_ligand, without = (
            energy_in_box(places, q, radii, edge, EPSILON, step=0.4) for q in (beside + charges, beside)
        )
        raw.append(with_ligand - without)
        potentials = potentials_of(places, charges, radii, beside)
        state = Charges(ligand, float(beside.sum()))
        terms = correction_terms(state, NO_SOLVENT, potentials, np.eye(3) * edge, 298.15)
        corrected.append(raw[-1] + terms.total)
    assert abs(raw[1] - raw[0]) > 0.8
    assert abs(corrected[1] - corrected[0]) < 0.06 * abs(raw[1] - raw[0])


@pytest.mark.parametrize("charge", [1.0, 2.0])
def test_terms_of_second_order_keep_their_sign_and_the_first_order_one_turns(charge):
    potential = UNIT * (1 - 1 / EPSILON) * 3.0**2
    plus, minus = (
        correction_terms(
            Charges(q), TIP3P, IntegratedPotentials(q * potential, 0.0, q * potential), np.eye(3) * 30, 298.15
        )
        for q in (charge, -charge)
    )
    for name in ("net", "usv", "rip", "emp"):
        assert getattr(plus, name) == pytest.approx(getattr(minus, name)) != 0
    assert plus.dsc == pytest.approx(-minus.dsc) and plus.dsc < 0
    assert plus.rip == pytest.approx(charge**2 * potential / 30**3)
    assert plus.net + plus.usv == pytest.approx(
        2.837297 * COULOMB_KCAL_ANGSTROM_PER_E2 * charge**2 / (2 * EPSILON * 30), rel=1e-6
    )


def test_discrete_solvent_of_tip3p():
    """γ_S = 0.00764 e nm² and 33.4 molecules a nm³: 77 kJ/mol a unit charge (139 · 4π/6 · γ N/V)."""
    found = discrete_solvent(1.0, Solvent(EPSILON, 334, 0.764), 10_000.0) * 4.184
    assert found == pytest.approx(-138.935 * 4 * math.pi / 6 * 0.00764 * 33.4, rel=1e-4)
    assert found == pytest.approx(-74.3, abs=0.1)


def test_radius_of_a_sphere_comes_back():
    assert ligand_radius_angstrom(-2.0, -2 * UNIT * (1 - 1 / 78.4) * 3.3**2, 78.4) == pytest.approx(3.3)
    assert ligand_radius_angstrom(0.0, 5.0, 78.4) == ligand_radius_angstrom(1.0, -5.0, 78.4) == 0


def test_of_a_neutral_ligand_only_the_receptor_s_background_is_left():
    """A dipole in a neutral box is not corrected at all; in a charged one it meets the background."""
    box, own = np.eye(3) * 30, IntegratedPotentials(400.0, 9000.0, 400.0)
    neutral = correction_terms(Charges(0.0, -3.0, 3.0, 3.0), TIP3P, own, box, 298.15)
    assert set(vars(neutral).values()) == {0.0}
    charged = correction_terms(Charges(0.0, -3.0), TIP3P, own, box, 298.15)
    assert charged.rip == pytest.approx(-3 * 400 / 30**3)
    assert charged.total == pytest.approx(charged.rip)


def test_ions_take_back_what_they_screen():
    """A receptor of −8 with its ions: without SCR the standing charges alone would count, far too much."""
    own, box = IntegratedPotentials(-2000.0, -12000.0, -2000.0), np.eye(3) * 40
    bare = correction_terms(Charges(-1.0, -8.0), NO_SOLVENT, own, box, 298.15)
    ions = correction_terms(Charges(-1.0, -8.0, 9.0, 21.0), NO_SOLVENT, own, box, 298.15)
    assert (ions.net, ions.usv) == (bare.net, bare.usv) and bare.scr == 0
    assert 0 < ions.net + ions.usv + ions.scr < 0.2 * (bare.net + bare.usv)
    # the box with the ligand is neutral, so RIP is that of the rest of it, which has a charge of +1
    assert ions.rip == pytest.approx(-(1.0) * -12000.0 / 40**3)
    assert ions.emp > 0 > bare.emp


def test_every_water_model_has_a_permittivity():
    assert set(PERMITTIVITY) == {"tip3p", "spce", "opc", "tip4pew"}
