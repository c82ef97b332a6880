"""Formal charges, and which ions go."""

import pytest
from ase import Atoms

from gibbsflow.config.potential_training import Embedding
from gibbsflow.errors import InputError
from gibbsflow.potential.explore.boxes.formal_charges import charges_of, surplus


@pytest.mark.parametrize(
    ("formula", "charges"),
    [
        ("Mg108O108", {"Mg": 2, "O": -2}),
        ("Mg107O108", {"Mg": 2, "O": -2}),  # a vacancy changes nothing
        ("Li4F4", {"Li": 1, "F": -1}),
        ("Ti10O20", {"Ti": 4, "O": -2}),
        ("Ti8O12", {"Ti": 3, "O": -2}),
        ("Fe8O12", {"Fe": 3, "O": -2}),
        ("Si4O8", {"Si": 4, "O": -2}),
        ("Ba2Ti2O6", {"Ba": 2, "Ti": 4, "O": -2}),
        ("Ga4N4", {"Ga": 3, "N": -3}),
    ],
)
def test_salts_and_oxides(formula, charges):
    assert charges_of(Atoms(formula), Embedding()) == charges


@pytest.mark.parametrize("formula", ["Si8", "Cu3Au", "H2O", "CH3OH", "Fe3C", "InP", "O2"])
def test_what_is_no_salt_is_cut_freely(formula):
    assert charges_of(Atoms(formula), Embedding()) is None


def test_what_the_settings_say():
    assert charges_of(Atoms("MgO"), Embedding(stoichiometry="free")) is None
    given = Embedding(formal_charges={"In": 3, "P": -3})
    assert charges_of(Atoms("In4P4"), given) == {"In": 3, "P": -3}
    with pytest.raises(InputError, match=r"formal_charges.*none for O"):
        charges_of(Atoms("MgO"), Embedding(formal_charges={"Mg": 2}))
    with pytest.raises(InputError, match="none can be guessed for Cu3Au|none can be guessed for AuCu3"):
        charges_of(Atoms("Cu3Au"), Embedding(stoichiometry="neutral"))


def test_the_farthest_ions_go_and_no_more_than_needed():
    symbols = ["Mg", "O", "Mg", "O", "Mg"]
    distances = [0.0, 1.0, 5.0, 2.0, 4.0]
    charges = {"Mg": 2.0, "O": -2.0}
    assert surplus(symbols, distances, [False] * 5, charges) == [2]
    assert surplus(symbols, distances, [False, False, True, False, False], charges) == [4]
    assert surplus(symbols, distances, [True] * 5, charges) is None
    assert surplus(["Mg", "O"], [0, 1], [False] * 2, charges) == []


def test_an_ion_of_more_charge_than_the_surplus_takes_its_counter_ion_along():
    symbols = ["Al", "Al", "F", "F", "F", "F"]  # +6 − 4 = +2, and no cation of +2 or +1
    gone = surplus(symbols, [0, 9, 1, 2, 3, 4], [False] * 6, {"Al": 3.0, "F": -1.0})
    assert gone == [1, 5]
