from __future__ import annotations

import pytest

from gibbsflow.config.potential import Dft, Target
from gibbsflow.config.section import read_section
from gibbsflow.errors import InputError


def test_composition_defaults_to_equal_parts_in_the_order_of_elements() -> None:
    assert Target(elements=("Ni", "Cu")).composition == {"Ni": 0.5, "Cu": 0.5}
    assert list(Target(elements=("Ni", "Cu"), composition={"Cu": 0.75, "Ni": 0.25}).composition) == ["Ni", "Cu"]


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        read_section(Dft, {"degauss_ry": -1, "smearing": "none", "kspacing_per_angstrom": 0}, where="x")
    assert len(error.value.problems) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hubbard_u_ev": {"Fe": 0.0}}, "above 0 and at most 20; Fe has 0"),
        ({"hubbard_u_ev": {"Fe": -2.0}}, "Fe has -2"),
        ({"hubbard_u_ev": {"Fe": 35.0}}, "a U in eV"),
        ({"hubbard_u_ev": {"Si": 3.0}}, "no shell of Si is known to take a U"),
        ({"hubbard_u_ev": {"Xx": 3.0}}, "'Xx' is no element"),
        ({"hubbard_u_ev": {"Fe": "3 eV"}}, "a number, in decimal digits"),
        ({"moments_ub": {"Fe": 22.0}}, "moments of atoms in μB, 10 at most; Fe has 22"),
        ({"moments_ub": {"fe": 2.0}}, "'fe' is no element; did you mean 'Fe'"),
        ({"dispersion": "d4"}, "none"),
        ({"dispersion": "d3", "functional": "lda"}, "D3 has no parameters for lda"),
    ],
)
def test_physics_of_labels_is_checked(given: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as error:
        read_section(Dft, given, where="x")
    assert words in str(error.value)


def test_moments_of_both_signs_and_a_u_for_each_shell_are_taken() -> None:
    dft = read_section(Dft, {"moments_ub": {"Fe": 3.0, "O": -0.2}, "hubbard_u_ev": {"Fe": 4.6, "O": 2}}, where="x")
    assert dft.moments_ub == {"Fe": 3.0, "O": -0.2} and dft.hubbard_u_ev == {"Fe": 4.6, "O": 2.0}
