"""Bilayers that come as a PDB: lipid21's names, CHARMM's and OpenMM's, and what cannot be taken."""

import os

import bilayers
import numpy as np
import pytest
from openmm import app

from gibbsflow.binding.forcefield.patch.lipid_names import record
from gibbsflow.binding.forcefield.patch.prepared import read_prepared
from gibbsflow.errors import InputError

CELL = "CRYST1   32.000   32.000   80.000  90.00  90.00  90.00 P 1           1"


def split_lipids(up_by=0.0):
    """Sixteen of lipid21's POPC on a lattice, in two leaflets, the box's face through them where moved by half."""
    names, residues, model = bilayers.lipid()
    rows, number = [], 0
    for side in (1, -1):
        for k in range(8):
            placed = (model + [0, 0, 0.5]) * [1, side, side] + [8 * (k % 4), 16 * (k // 4), up_by]
            placed[:, 2] %= 80.0
            for residue in dict.fromkeys(residues):
                number += 1
                atoms = [i for i, name in enumerate(residues) if name == residue]
                rows += [record(i + 1, names[i], residue, number, placed[i]) for i in atoms]
    return rows


def water(z=38.0):
    places = ((1.0, 1.0, z), (1.9, 1.0, z), (1.0, 1.9, z))
    return [record(1, n, "WAT", 1, xyz) for n, xyz in zip(("O", "H1", "H2"), places, strict=True)]


def spine(z=0.0):
    return [record(k + 1, "CA", name, k + 1, (3.0, k, z + k)) for k, name in enumerate(("LEU", "HSD", "ALA"))]


def read(tmp_path, rows, cell=CELL):
    (tmp_path / "given.pdb").write_text("\n".join([cell, *rows, "END", ""]))
    return read_prepared(tmp_path / "given.pdb", tmp_path)


def test_heads_and_tails_by_lipid21s_names_cut_by_the_box_are_whole_about_the_middle(tmp_path):
    extra = [record(1, "SOD", "SOD", 1, (5.0, 5.0, 38.0)), record(1, "C1", "LIG", 9, (7.0, 7.0, 38.0))]
    found = read(tmp_path, [*spine(-2.0), *split_lipids(up_by=78.0), *water(30.0), *extra])
    assert found.alpha_names == ("LEU", "HID", "ALA") and found.alpha_angstrom.shape == (3, 3)
    assert found.middle_angstrom == pytest.approx(-2.0, abs=0.2)  # the image that the protein is in
    around = found.surroundings
    assert around.composition() == {"PA-PC-OL": 16} and len(around.waters) == 1 and len(around.ions["Na+"]) == 1
    heights = np.array([lipid.positions_angstrom[:, 2] for lipid in around.lipids])
    assert np.abs(heights).max() < 28 and (np.ptp(heights, axis=1) < 28).all()
    assert around.waters[0, 0, 2] == pytest.approx(30.0 - found.middle_angstrom, abs=0.01)
    assert [called for called, _ in found.others] == ["LIG 9"]


def test_whole_lipids_by_charmms_and_by_openmms_names(tmp_path):
    path = os.path.join(os.path.dirname(app.__file__), "data", "POPC.pdb")
    lines = open(path).read().splitlines()
    rows = [line for line in lines if line[17:20] == "POP"][: 134 * 10]
    named = [row[:17] + "POPC" + row[21:] for row in rows]
    some = [line for line in lines if line[17:20] == "HOH"][:3]
    for given in (rows, named):
        found = read(tmp_path, [*given, *some], cell=lines[1])
        assert found.surroundings.composition() == {"PA-PC-OL": 10}


@pytest.mark.parametrize(
    ("rows", "cell", "said"),
    [
        (lambda: [*split_lipids(), *water()], "REMARK", "no record CRYST1"),
        (lambda: [*split_lipids(), *water()], CELL.replace("90.00  90.00  90.00", "60.00  60.00  90.00"), "angles"),
        (lambda: split_lipids(), CELL, "no water in it"),
        (lambda: [*split_lipids(), *(r[:16] + x + r[17:] for r in water() for x in "AB")], CELL, "locations A and B"),
        (lambda: [*split_lipids(), *water()[:2]], CELL, "water WAT 1 has 1 oxygens and 1 hydrogens"),
        (lambda: water(), CELL, "0 lipids in it"),
        (lambda: [*split_lipids()[46:], *water()], CELL, "PC 2, OL 3, PA 4 are no lipid|OL 48 are no lipid"),
        (lambda: [*[r.replace(" PC  ", " POPC") for r in split_lipids()[46:84]], *water()], CELL, "POPC 2: its 38"),
    ],
)
def test_what_cannot_be_taken_is_told(tmp_path, rows, cell, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, rows(), cell)
