"""Lipids of OpenMM's patches get lipid21's names, each atom once."""

import os

import pytest
from openmm import app

from gibbsflow.binding.forcefield.patch.lipid_names import amber_names, record
from gibbsflow.errors import EngineError, ParametrisationError


def names_in_patch(lipid):
    path = os.path.join(os.path.dirname(app.__file__), "data", f"{lipid}.pdb")
    with open(path) as file:
        lines = [next(file) for _ in range(150)]
    rows = [line for line in lines if line.startswith(("ATOM", "HETATM"))]
    first = [line for line in rows if line[21:26] == rows[0][21:26]]
    return [line[12:16].strip() for line in first]


@pytest.mark.parametrize(("lipid", "residues"), [("POPC", ["PA", "PC", "OL"]), ("DOPC", ["OL", "PC", "OL"])])
def test_head_and_tails_are_residues_of_their_own(tmp_path, lipid, residues):
    names = names_in_patch(lipid)
    found = amber_names(lipid, names, tmp_path)
    assert sorted(found.source) == list(range(len(names))) and found.residue_of == tuple(sorted(found.residue_of))
    assert [found.residues[found.residue_of.index(k)] for k in range(3)] == residues
    for k in range(3):  # no atom twice in a residue
        inside = [n for n, r in zip(found.names, found.residue_of, strict=True) if r == k]
        assert len(set(inside)) == len(inside)
    assert names[found.source[found.names.index("P31")]] == "P"


def test_an_atom_that_is_not_known_is_told(tmp_path):
    with pytest.raises((ParametrisationError, EngineError), match="POPC|charmmlipid2amber"):
        amber_names("POPC", ["XX", *names_in_patch("POPC")[1:]], tmp_path)


def test_a_record_has_the_columns_of_the_format():
    line = record(100001, "C210", "OL", 10001, (1.5, -2.25, 3.0))
    assert line[6:11] == "    1" and line[12:16] == "C210" and line[22:26] == "   1"
    assert [float(line[30 + 8 * k : 38 + 8 * k]) for k in range(3)] == [1.5, -2.25, 3.0]
