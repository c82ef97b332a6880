"""Proteins as they come from the PDB: mended, protonated, and everything that was done to them told."""

import numpy as np
import pytest
from known_molecules import LYSOZYME

from gibbsflow.binding.forcefield.amber_protein import amber_protein, disulfides
from gibbsflow.binding.prepare.proteins import Residue, chain_breaks, read_residues
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError

WATER = "HETATM 9001  O   HOH A 901      10.000  10.000  10.000  1.00  0.00           O\n"
ION = "HETATM 9002 CL    CL A 902      80.000  10.000  10.000  1.00  0.00          CL\n"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Residues 1 to 40 of lysozyme in chain B from number 101 on: no hydrogens, a truncated side chain, a lost residue,
    an alternate location, water and chloride."""
    lines = []
    for line in (LYSOZYME / "receptor.pdb").read_text().splitlines():
        if (
            not line.startswith("ATOM")
            or int(line[22:26]) > 40
            or line[12:16].strip().startswith(("H", "1H", "2H", "3H"))
        ):
            continue
        number, atom = int(line[22:26]), line[12:16].strip()
        if number == 20 or (number == 11 and atom in ("CG", "CD", "OE1", "OE2")):
            continue
        line = f"{line[:21]}B{number + 100:4d}{line[26:54]}  1.00  0.00          {atom[0]:>2s}"
        lines.append(line)
        if number == 5 and atom == "CA":
            lines[-1] = f"{line[:16]}A{line[17:]}"
            lines.append(f"{line[:16]}B{line[17:30]}{float(line[30:38]) + 1:8.3f}{line[38:]}")
    path = tmp_path_factory.mktemp("protein") / "raw.pdb"
    path.write_text("\n".join(lines) + "\n" + WATER + ION + "END\n")
    return path


def test_what_is_done_is_told(raw, tmp_path):
    receptor = read_receptor(raw, System())
    told = "\n".join(receptor.notes)
    assert "1 waters removed" in told and "removed: CL A:902" in told
    assert "chain break between B:119 and B:121" in told
    assert "missing heavy atoms added in GLU B:111" in told
    residues = read_residues(receptor.write(tmp_path))
    assert [r.label for r in residues[:3]] == ["B:101", "B:102", "B:103"] and len(residues) == 39
    by_label = {r.label: r for r in residues}
    assert {"CD", "OE1", "OE2"} <= by_label["B:111"].atoms.keys()
    assert any(element == "H" for element, _ in by_label["B:105"].atoms.values())
    assert len(receptor.heavy_angstrom) == sum(e != "H" for r in residues for e, _ in r.atoms.values())


def test_amber_takes_it_in_two_pieces(raw, tmp_path):
    protein = amber_protein(read_receptor(raw, System()).write(tmp_path))
    assert protein.pdb.count("TER\n") == 2 and " H " not in protein.pdb
    assert protein.residues_of("B:121,B:101") == [0, 19] and protein.residues_of("GLY")


def test_ph_decides_the_protonation(raw, tmp_path):
    def count(ph, name):
        return amber_protein(read_receptor(raw, System(ph=ph)).write(tmp_path)).pdb.count(f" CA  {name} ")

    assert count(7.0, "GLU") > 0 and count(7.0, "GLH") == 0
    assert count(2.0, "GLU") == 0 and count(2.0, "GLH") > 0


def test_without_completing_nothing_is_added(raw):
    quick, full = (read_receptor(raw, System(), complete=c) for c in (False, True))
    assert len(quick.heavy_angstrom) < len(full.heavy_angstrom)
    assert quick.notes == tuple(n for n in full.notes if "added" not in n)


def residue(number: int, **atoms: tuple[float, float, float]) -> Residue:
    return Residue("A", str(number), "CYS", False, {name: (name[0], xyz) for name, xyz in atoms.items()})


def test_disulfides_by_distance():
    cysteines = [
        residue(1, SG=(0, 0, 0)),
        residue(2, SG=(9, 0, 0)),
        residue(3, SG=(2.05, 0, 0)),
        residue(4, CB=(1, 0, 0)),
    ]
    assert disulfides(cysteines) == [(0, 2)]


def test_chain_breaks():
    joined = [residue(1, C=(0, 0, 0)), residue(2, N=(1.33, 0, 0), C=(3, 0, 0)), residue(5, N=(9, 0, 0), C=(10, 0, 0))]
    assert chain_breaks(joined) == ["chain break between A:2 and A:5: both ends become termini"]


def test_residues_that_no_force_field_knows(raw, tmp_path):
    path = tmp_path / "strange.pdb"
    strange = "ATOM   9003  C1  XYZ B 200      10.000  10.000  10.000  1.00  0.00           C\n"
    path.write_text(raw.read_text().replace("END\n", strange + "END\n"))
    with pytest.raises(InputError, match="residues that the protein force field does not know: XYZ B:200"):
        read_receptor(path, System(), complete=False)


def test_positions_are_kept(raw):
    receptor = read_receptor(raw, System())
    before = {a: np.array(xyz) for a, (_, xyz) in read_residues(raw)[9].atoms.items()}
    for xyz in before.values():
        assert np.linalg.norm(receptor.heavy_angstrom - xyz, axis=1).min() < 2e-3
