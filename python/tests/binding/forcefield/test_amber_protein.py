"""Proteins as tleap takes them: protonation in the names, chains ended, disulfides found."""

import pytest
from known_molecules import write_raw_protein
from peptides import hetero, peptide

from gibbsflow.binding.forcefield.amber_protein import amber_name, amber_protein, differences
from gibbsflow.binding.prepare.protein.residues import Residue
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return write_raw_protein(tmp_path_factory.mktemp("protein") / "raw.pdb")


def test_amber_takes_it_in_two_pieces(raw, tmp_path):
    protein = amber_protein(read_receptor(raw, System()).write(tmp_path))
    assert protein.pdb.count("TER\n") == 2 and " H " not in protein.pdb
    assert protein.residues_of("B:121,B:101") == [0, 19] and protein.residues_of("GLY")


def test_ph_decides_the_protonation(raw, tmp_path):
    def count(ph, name):
        return amber_protein(read_receptor(raw, System(ph=ph)).write(tmp_path)).pdb.count(f" CA  {name} ")

    assert count(7.0, "GLU") > 0 and count(7.0, "GLH") == 0
    assert count(2.0, "GLU") == 0 and count(2.0, "GLH") > 0


@pytest.mark.parametrize(
    ("name", "hydrogens", "in_disulfide", "expected"),
    [
        ("HIS", {"HD1", "HE2"}, False, "HIP"),
        ("HIS", {"HD1"}, False, "HID"),
        ("HIS", {"HE2"}, False, "HIE"),
        ("CYS", {"HG"}, False, "CYS"),
        ("CYS", set(), True, "CYX"),
        ("CYS", set(), False, "CYM"),
        ("ASP", {"HD2"}, False, "ASH"),
        ("GLU", {"HE2"}, False, "GLH"),
        ("GLU", set(), False, "GLU"),
        ("LYS", {"HZ1", "HZ2"}, False, "LYN"),
        ("LYS", {"HZ1", "HZ2", "HZ3"}, False, "LYS"),
    ],
)
def test_residues_are_named_by_their_hydrogens(name, hydrogens, in_disulfide, expected):
    residue = Residue("A", "1", name, False, {h: ("H", (0.0, 0.0, 0.0)) for h in hydrogens})
    assert amber_name(residue, in_disulfide=in_disulfide) == expected


def test_names_rule_where_there_are_no_hydrogens():
    for name in ("HID", "HIP", "ASH", "GLH", "LYN", "CYM", "SEP", "ACE"):
        assert amber_name(Residue("A", "1", name, False, {}), in_disulfide=False) == name


def test_a_topology_is_held_against_what_went_in(tmp_path):
    (tmp_path / "p.pdb").write_text(peptide("NALA HIP CGLU") + "TER\n" + hetero("ZN", 9, "ZN", "ZN", 30.0) + "END\n")
    protein = amber_protein(tmp_path / "p.pdb")
    assert protein.charges_e() == [1, 1, -2, 2] and protein.has_ions_or_waters and not protein.phosphorylated
    assert differences(protein, ["ALA", "HIP", "GLU", "ZN"], [1.0, 1.0, -2.0, 2.0]) == []
    assert differences(protein, ["ALA", "HID", "GLU", "ZN"], [1.0, 0.0, -2.0, 2.0]) == [
        "HIP A:2 became HID",
        "HIP A:2 has the charge +0.000, not +1",
    ]
    assert differences(protein, ["ALA", "HIP", "GLU"], [1.0, 1.0, -2.0]) == ["3 residues instead of 4"]
