"""Proteins as tleap takes them: protonation in the names, chains ended, disulfides found."""

import pytest
from known_molecules import write_raw_protein

from gibbsflow.binding.forcefield.amber_protein import amber_name, amber_protein, disulfides
from gibbsflow.binding.prepare.proteins import Residue
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return write_raw_protein(tmp_path_factory.mktemp("protein") / "raw.pdb")


def cysteine(number: int, **atoms: tuple[float, float, float]) -> Residue:
    return Residue("A", str(number), "CYS", False, {name: (name[0], xyz) for name, xyz in atoms.items()})


def test_amber_takes_it_in_two_pieces(raw, tmp_path):
    protein = amber_protein(read_receptor(raw, System()).write(tmp_path))
    assert protein.pdb.count("TER\n") == 2 and " H " not in protein.pdb
    assert protein.residues_of("B:121,B:101") == [0, 19] and protein.residues_of("GLY")


def test_ph_decides_the_protonation(raw, tmp_path):
    def count(ph, name):
        return amber_protein(read_receptor(raw, System(ph=ph)).write(tmp_path)).pdb.count(f" CA  {name} ")

    assert count(7.0, "GLU") > 0 and count(7.0, "GLH") == 0
    assert count(2.0, "GLU") == 0 and count(2.0, "GLH") > 0


def test_disulfides_by_distance():
    cysteines = [
        cysteine(1, SG=(0, 0, 0)),
        cysteine(2, SG=(9, 0, 0)),
        cysteine(3, SG=(2.05, 0, 0)),
        cysteine(4, CB=(1, 0, 0)),
    ]
    assert disulfides(cysteines) == [(0, 2)]


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
