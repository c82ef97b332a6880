"""Atoms that come twice in one residue."""

import pytest
from peptides import hetero, moved, peptide

from gibbsflow.binding.prepare.protein.atom_records import read_structure
from gibbsflow.binding.prepare.protein.repeats import without_repeats
from gibbsflow.workflow.account import Account

ONE = peptide("NALA SER CGLY").splitlines()
OG = next(k for k, line in enumerate(ONE) if " OG " in line)


def kept(tmp_path, lines):
    (tmp_path / "m.pdb").write_text("\n".join(lines) + "\n")
    account = Account("m.pdb")
    return without_repeats(read_structure(tmp_path / "m.pdb").atoms, account), account


@pytest.mark.parametrize("by", [0.0, 0.7])
def test_one_atom_twice(tmp_path, by):
    again = moved(ONE[OG], by=by).splitlines()
    found, account = kept(tmp_path, [*ONE[: OG + 1], *again, *ONE[OG + 1 :]])
    assert len(found) == len(ONE)
    told = [str(p) for p in account.of_weight("refuse" if by else "note")]
    assert ("OG of SER A:2 comes twice, 0.70 Å apart" if by else "OG of SER A:2") in told[0] and len(told) == 1


def test_labels_tell_locations_apart(tmp_path):
    a, b = (f"{line[:16]}{label}{line[17:]}" for label, line in (("A", ONE[OG]), ("B", moved(ONE[OG], by=1).strip())))
    found, account = kept(tmp_path, [*ONE[:OG], a, b, *ONE[OG + 1 :]])
    assert len(found) == len(ONE) + 1 and not account.doubts


def test_whole_copies_are_left_to_others(tmp_path):
    found, account = kept(tmp_path, [*ONE[:5], *moved("\n".join(ONE[:5]), by=30).splitlines(), *ONE[5:]])
    assert len(found) == len(ONE) + 5 and not account.doubts


@pytest.mark.parametrize("elements", ["CCCCCC", "CCOH"])
def test_a_ligand_whose_atoms_are_named_by_element(tmp_path, elements):
    ligand = [hetero("UNL", 201, e, e, 30 + 1.4 * k).strip() for k, e in enumerate(elements)]
    found, account = kept(tmp_path, [*ONE, *ligand])
    assert len({a.name for a in found if a.residue == "UNL"}) == len(elements) and not account.doubts


def test_ions_of_one_number_are_no_molecule(tmp_path):
    ions = [hetero("NA", 201, "NA", "NA", 30 + 9 * k).strip() for k in range(3)]
    assert [a.name for a in kept(tmp_path, [*ONE, *ions])[0][-3:]] == ["NA"] * 3
