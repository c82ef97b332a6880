"""Two boxes of one ligand: its own terms have to be the same in both, and the water; ions that differ are a doubt."""

import dataclasses
from itertools import pairwise

import edges
import numpy as np
import parmed
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.box_differences import (
    improper_differences,
    ion_differences,
    ligand_differences,
    water_difference,
)
from gibbsflow.binding.forcefield.given.components import complex_with, ligand_alone
from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.binding.forcefield.given.solvated_system import read_boxes
from gibbsflow.errors import InputError

LIGAND = range(22, 28)


@pytest.fixture(scope="module")
def terms():
    folder = boxes.boxes("tip3p", "Na+ 2 Cl- 2")
    return {role: read_terms(folder / f"{role}.prmtop", where=role) for role in ("complex", "solvent")}


@pytest.fixture(scope="module")
def parts(terms):
    free = ligand_alone(terms["solvent"], None, where="s")
    return {"complex": complex_with(terms["complex"], "MOH", None, where="c"), "solvent": free}


def told(terms, **changes):
    return ligand_differences(terms["complex"], LIGAND, dataclasses.replace(terms["solvent"], **changes), range(6))


def test_another_ligand_is_told_by_atom_and_value(terms):
    assert told(terms) == []
    charges = terms["solvent"].charges_e.copy()
    charges[0] += 0.01
    assert "charge (e) of C1 is 0.1167, and 0.1267" in told(terms, charges_e=charges)
    bonded = terms["solvent"].bonded
    stiffer = {**bonded, "bonds": (bonded["bonds"][0], bonded["bonds"][1] * [1.1, 1.0])}
    assert told(terms, bonded=stiffer) == ["bonds of other atoms or parameters"]
    assert ligand_differences(terms["complex"], range(22, 27), terms["solvent"], range(6)) == ["5 atoms and 6"]
    pairs, scales = bonded["1-4 pairs"]
    assert told(terms, bonded={**bonded, "1-4 pairs": (pairs[1:], scales[1:])}) == ["3 1-4 pairs and 2"]
    others, none = bonded["exclusions"]
    assert told(terms, bonded={**bonded, "exclusions": (others[1:], none[1:])}) == ["15 exclusions and 14"]


def test_impropers_in_another_order_are_a_doubt_and_of_other_atoms_another_ligand(tmp_path):
    system = edges.system("benzene", tmp_path / "b", solvent="tip3p")
    one = read_terms(system.path("solvent_prmtop"), where="solvent")
    rows, numbers = one.bonded["torsions"]
    bonded = {frozenset(pair) for pair in one.bonds.tolist()}
    k = next(k for k, row in enumerate(rows.tolist()) if not all(frozenset(p) in bonded for p in pairwise(row)))

    def with_row(row):
        bonded = {**one.bonded, "torsions": (np.array([*rows[:k], row, *rows[k + 1 :]]), numbers)}
        return one, range(12), dataclasses.replace(one, bonded=bonded), range(12)

    i, j, centre, last = rows[k]
    if not all(frozenset((centre, atom)) in bonded for atom in (i, j, last)):  # the first atom may not be the third
        last, centre, j, i = rows[k]
    other = with_row([j, last, centre, i])
    assert ligand_differences(*other) == [] and improper_differences(*other) == [one.names[centre]]
    away = next(atom for atom in range(12) if atom not in rows[k])
    for changed in ([i, j, centre, away], [i, j, last, centre]):
        assert ligand_differences(*with_row(changed)) == ["torsions of other atoms or parameters"]
    same = with_row(rows[k][::-1])
    assert ligand_differences(*same) == improper_differences(*same) == []


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (
            "SCEE_SCALE_FACTOR",
            "charges and Lennard-Jones of the 1-4 pair H1–HO are divided by 1.2 and 0, and by 1 and 0",
        ),
        ("SCNB_SCALE_FACTOR", None),  # its hydrogen has no Lennard-Jones: nothing is scaled
    ],
)
def test_other_scales_of_14_pairs_are_refused_where_they_act(tmp_path, flag, said):
    folder = boxes.copied(boxes.boxes(), tmp_path / "given")
    boxes.replaced(folder / "solvent.prmtop", flag, lambda scales: [1.0] * len(scales))
    if said is None:
        assert read_boxes(boxes.files(folder), None, tmp_path, "moh")[0]
        return
    for residue in (None, "MOH"):
        with pytest.raises(InputError) as error:
            read_boxes(boxes.files(folder), residue, tmp_path, "moh")
        (problem,) = error.value.problems
        assert said in problem.what and problem.field == "complex_topology" and problem.right


def test_lennard_jones_of_14_pairs_is_told(terms):
    alive = np.where(terms["solvent"].epsilon_kcal_per_mol > 0, terms["solvent"].epsilon_kcal_per_mol, 0.01)
    one = dataclasses.replace(terms["solvent"], epsilon_kcal_per_mol=alive)
    pairs, scales = one.bonded["1-4 pairs"]
    other = dataclasses.replace(one, bonded={**one.bonded, "1-4 pairs": (pairs, scales * [1, 0.5])})
    assert "divided by 1.2 and 2, and by 1.2 and 1" in ligand_differences(one, range(6), other, range(6))[0]


def as_gromacs(folder, role, *changes):
    """A box as GROMACS has it, its topology changed."""
    top, gro = folder / f"{role}.top", folder / f"{role}.gro"
    made = parmed.load_file(str(folder / f"{role}.prmtop"), str(folder / f"{role}.inpcrd"))
    made.save(str(top), overwrite=True)
    made.save(str(gro), overwrite=True, combine="all")
    text = top.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    top.write_text(text)
    return BoxFiles(role, top, gro)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((), None),
        ((("0.83333333", "0.5"),), "are divided by 1.2 and 0, and by 2 and 0"),
        ((("1               2               yes", "1               3               yes"),), "Lorentz and Berthelot"),
    ],
)
def test_a_box_of_gromacs_is_held_against_one_of_amber(tmp_path, changes, said):
    folder = boxes.copied(boxes.boxes(), tmp_path / "given")
    files = [*boxes.files(folder, "complex"), as_gromacs(folder, "solvent", *changes)]
    if said is None:
        assert set(read_boxes(files, None, tmp_path, "moh")[0]) == {"complex", "solvent"}
    else:
        with pytest.raises(InputError, match=said):
            read_boxes(files, None, tmp_path, "moh")


def test_waters_without_a_name_are_told_apart_by_their_parameters(terms, parts):
    both = terms["complex"], parts["complex"], terms["solvent"], parts["solvent"]
    assert water_difference(*both) is None

    def with_hydrogens(one, epsilon):
        water = np.flatnonzero(np.isin(one.residue_of, np.flatnonzero(np.array(one.labels) == "WAT")))
        sigmas, depths = one.sigma_angstrom.copy(), one.epsilon_kcal_per_mol.copy()
        depths[water[one.elements[water] == 8]] = epsilon
        return dataclasses.replace(one, sigma_angstrom=sigmas, epsilon_kcal_per_mol=depths)

    odd, odder = (with_hydrogens(terms[role], value) for role, value in (("complex", 0.2), ("solvent", 0.21)))
    mine, theirs = water_difference(odd, parts["complex"], odder, parts["solvent"])
    assert "unknown" in mine and "epsilon_kcal_per_mol 0.2," in mine and "epsilon_kcal_per_mol 0.21," in theirs
    again = with_hydrogens(terms["solvent"], 0.2)
    assert water_difference(odd, parts["complex"], again, parts["solvent"]) is None
    mine, theirs = water_difference(terms["complex"], parts["complex"], odder, parts["solvent"])
    assert mine.startswith("tip3p") and theirs.startswith("unknown")


def test_ions_of_other_parameters_are_a_doubt(terms, parts, tmp_path):
    both = terms["complex"], parts["complex"], terms["solvent"], parts["solvent"]
    assert ion_differences(*both) == []
    bare = boxes.boxes()
    alone = read_terms(bare / "solvent.prmtop", where="s")
    assert ion_differences(*both[:2], alone, ligand_alone(alone, None, where="s")) == []
    folder = boxes.copied(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), tmp_path / "given")
    scaled = [6, 7]  # the sodium ions behind the ligand, as of a scaled force field
    change = {k: -0.25 * 18.2223 for k in scaled} | {k: 0.25 * 18.2223 for k in (8, 9)}
    boxes.replaced(folder / "solvent.prmtop", "CHARGE", lambda q: [v + change.get(k, 0) for k, v in enumerate(q)])
    _, account = read_boxes(boxes.files(folder), None, tmp_path, "moh")
    doubts = [problem.what for problem in account.of_weight("warn")]
    assert len(doubts) == 2 and any("Na+: +1 e" in doubt and "+0.75 e" in doubt for doubt in doubts)
