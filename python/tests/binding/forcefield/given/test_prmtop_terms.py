"""Atoms and terms of a topology, and what is refused of it."""

from dataclasses import replace

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError


def test_parameters_are_those_that_the_engine_takes():
    prmtop = boxes.boxes() / "solvent.prmtop"
    terms = read_terms(prmtop, where="x")
    taken = OPENMM.nonbonded(OPENMM.system(prmtop, Md(solvent="tip3p", cutoff_angstrom=7)))
    assert np.allclose(terms.charges_e, taken[:, 0], atol=1e-6)
    alive = terms.epsilon_kcal_per_mol > 0
    assert np.allclose(terms.sigma_angstrom[alive], taken[alive, 1] * 10, rtol=1e-6)
    assert np.allclose(terms.epsilon_kcal_per_mol, taken[:, 2] / 4.184, atol=1e-7)
    assert terms.molecule_of[:7].tolist() == [0] * 6 + [1] and terms.called(4) == "O1 of MOH 1"


def test_terms_within_the_ligand_do_not_depend_on_where_it_stands():
    bound, free = (read_terms(boxes.boxes() / f"{role}.prmtop", where=role) for role in ("complex", "solvent"))
    first = bound.names.index("HO") - 5
    one, other = bound.terms_of(range(first, first + 6)), free.terms_of(range(6))
    shapes = {"bonds": (5, 4), "angles": (7, 5), "torsions": (3, 7), "1-4 pairs": (3, 4), "exclusions": (15, 2)}
    assert {kind: table.shape for kind, table in one.items()} == shapes
    assert all(np.allclose(one[kind], other[kind]) for kind in one)


def test_terms_that_do_nothing_are_no_difference():
    terms = read_terms(boxes.boxes() / "solvent.prmtop", where="x")
    (atoms, numbers), (pairs, springs) = terms.bonded["torsions"], terms.bonded["bonds"]
    more = np.concatenate([atoms, atoms[:1]]), np.concatenate([numbers, [[0.0, 2, 0]]])
    softer = springs * np.where((terms.elements[pairs] == 1).any(axis=1), 0.5, 1)[:, None] ** [1, 0]
    other = replace(terms, bonded={**terms.bonded, "torsions": more, "bonds": (pairs, softer)})
    assert all(
        np.array_equal(table, other.terms_of(range(6))[kind]) for kind, table in terms.terms_of(range(6)).items()
    )
    fewer = replace(terms, bonded={**terms.bonded, "torsions": (atoms[1:], numbers[1:])})
    idle = replace(terms, bonded={**terms.bonded, "torsions": (atoms, numbers * [[0, 1, 1]] * 1.0)})
    tables = [one.terms_of(range(6))["torsions"] for one in (terms, fewer, idle)]
    assert [len(table) for table in tables] == [3, 2, 3] and not np.array_equal(tables[0], tables[2])


def grafted(tmp_path, section, text):
    prmtop = boxes.copied(boxes.boxes(), tmp_path) / "solvent.prmtop"
    prmtop.write_text(prmtop.read_text().replace("%FLAG RADIUS_SET", f"%FLAG {section}\n{text}%FLAG RADIUS_SET", 1))
    return prmtop


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("LENNARD_JONES_CCOEF", "12-6-4"),
        ("POLARIZABILITY", "polarizable"),
        ("FORCE_FIELD_TYPE", "chamber"),
        ("LES_NTYP", "locally enhanced sampling"),
    ],
)
def test_terms_that_the_alchemy_does_not_know_are_refused(tmp_path, section, said):
    prmtop = grafted(tmp_path, section, "%FORMAT(5E16.8)\n  1.00000000E+00\n")
    with pytest.raises(InputError, match=said):
        read_terms(prmtop, where="x")


def test_hydrogen_bond_terms_pair_terms_and_a_missing_box_are_refused(tmp_path):
    def set_pointer(index, value):
        return lambda values: [value if k == index else v for k, v in enumerate(values)]

    prmtop = boxes.copied(boxes.boxes(), tmp_path) / "solvent.prmtop"
    original = prmtop.read_text()
    boxes.replaced(prmtop, "POINTERS", set_pointer(27, 0))
    with pytest.raises(InputError, match="no periodic box"):
        read_terms(prmtop, where="x")
    prmtop.write_text(original)
    boxes.replaced(prmtop, "LENNARD_JONES_ACOEF", lambda a: [a[0], a[1] * 1.5, *a[2:]])
    with pytest.raises(InputError, match="NBFIX"):
        read_terms(prmtop, where="x")
    prmtop.write_text(original[: len(original) // 3])
    with pytest.raises(InputError, match="not readable"):
        read_terms(prmtop, where="x")


def test_an_atom_without_a_number_is_the_element_of_its_mass(tmp_path):
    prmtop = boxes.copied(boxes.boxes(), tmp_path) / "solvent.prmtop"
    boxes.replaced(prmtop, "ATOMIC_NUMBER", lambda numbers: [-1, *numbers[1:]])
    assert read_terms(prmtop, where="x").elements[0] == 6
    boxes.replaced(prmtop, "MASS", lambda masses: [12.7, *masses[1:]])
    with pytest.raises(InputError, match="C1, atom 1 of 12.7 amu, has no atomic number"):
        read_terms(prmtop, where="x")


def without(prmtop, flag):
    head, _, rest = prmtop.read_text().partition(f"%FLAG {flag} ")
    prmtop.write_text(head + "%FLAG" + rest.partition("%FLAG")[2])


@pytest.mark.parametrize("hydrogen_amu", [1.008, 2.014, 3.024, 4.032])
def test_an_old_topology_has_its_elements_of_masses(tmp_path, hydrogen_amu):
    """AMBER before 12 wrote no atomic numbers; names are no help, and repartitioned masses pass for other elements."""
    prmtop = boxes.copied(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), tmp_path) / "complex.prmtop"
    terms = read_terms(prmtop, where="x")
    masses = terms.masses_amu.copy()
    for a, b in terms.bonds[(terms.elements[terms.bonds] == 1).sum(axis=1) == 1]:
        light, heavy = (a, b) if terms.elements[a] == 1 else (b, a)
        masses[heavy] -= hydrogen_amu - masses[light] if hydrogen_amu != 2.014 else 0  # deuterium takes nothing
        masses[light] = hydrogen_amu
    boxes.replaced(prmtop, "MASS", lambda _: masses)
    boxes.replaced(prmtop, "ATOM_NAME", lambda names: ["CL" if name == "C1" else name for name in names])
    assert {"CA", "CL", "Na+", "Cl-"} <= set(read_terms(prmtop, where="x").names)
    without(prmtop, "ATOMIC_NUMBER")
    assert read_terms(prmtop, where="x").elements.tolist() == terms.elements.tolist()
    boxes.replaced(prmtop, "ATOM_NAME", lambda names: ["X" if name == "HO" else name for name in names])
    if hydrogen_amu > 3:  # no element has such a mass, or it is that of helium, which has no bonds
        with pytest.raises(InputError, match=f"X, atom .* of {hydrogen_amu:g} amu, has no atomic number"):
            read_terms(prmtop, where="x")
