"""Proteins as they come from the PDB: mended, protonated, and everything that was done to them told."""

import numpy as np
import pytest
from known_molecules import write_raw_protein

from gibbsflow.binding.prepare.proteins import Residue, chain_breaks, read_residues
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return write_raw_protein(tmp_path_factory.mktemp("protein") / "raw.pdb")


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


def test_without_completing_nothing_is_added(raw):
    quick, full = (read_receptor(raw, System(), complete=c) for c in (False, True))
    assert len(quick.heavy_angstrom) < len(full.heavy_angstrom)
    assert quick.notes == tuple(n for n in full.notes if "added" not in n)


def residue(number: int, **atoms: tuple[float, float, float]) -> Residue:
    return Residue("A", str(number), "CYS", False, {name: (name[0], xyz) for name, xyz in atoms.items()})


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
