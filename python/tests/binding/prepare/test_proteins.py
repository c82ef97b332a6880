"""Proteins as they come from the PDB: mended, protonated, and everything that was done to them told."""

import numpy as np
import pytest
from known_molecules import write_raw_protein
from peptides import hetero, moved, peptide

from gibbsflow.binding.prepare.protein.residues import read_residues
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


def prepared(tmp_path, text, name="p.pdb", **settings):
    (tmp_path / name).write_text(text)
    return read_receptor(tmp_path / name, System(**settings))


def test_two_chains_without_identifiers_are_those_with(tmp_path):
    one = peptide("NALA LYS CGLY")
    right = prepared(tmp_path, one + "TER\n" + moved(one, chain="B", by=30) + "TER\n")
    for chain in ("A", " "):
        text = moved(one, chain=chain) + "TER\n" + moved(one, chain=chain, by=30) + "TER\n"
        found = prepared(tmp_path, text, site="B:2")
        assert [r.called for r in found.protein] == [r.called for r in right.protein]
        assert np.allclose(found.heavy_angstrom, right.heavy_angstrom)
        assert any("it is called B" in note for note in found.notes)


def test_caps_and_names_go_through_unchanged(tmp_path):
    names = ["ACE", "HIP", "ASH", "GLH", "LYN", "HID", "HIE", "CYM", "NME"]
    for hydrogens in (True, False):
        receptor = prepared(tmp_path, peptide(" ".join(names), hydrogens=hydrogens))
        assert [r.name for r in receptor.protein] == names
        assert receptor.account.facts["residues_written"] == 9


def test_choices_by_residue(tmp_path):
    (tmp_path / "c.csv").write_text("A:2,HIP\n")
    receptor = prepared(tmp_path, peptide("ACE HID NME"), protonation=tmp_path / "c.csv")
    assert [r.name for r in receptor.protein] == ["ACE", "HIP", "NME"]


MODIFIED = peptide("NALA CYS CGLY").replace("CYS", "CSO") + hetero("CSO", 2, "OD", "O", 4.0, 9.0).replace(
    "HETATM", "ATOM  "
)


def test_a_modified_residue_is_refused_by_name_or_replaced_as_chosen(tmp_path):
    with pytest.raises(InputError, match="CSO A:2 is a modified residue of the chain"):
        prepared(tmp_path, MODIFIED)
    (tmp_path / "c.csv").write_text("A:2,CYS\n")
    receptor = prepared(tmp_path, MODIFIED, protonation=tmp_path / "c.csv")
    assert [r.name for r in receptor.protein] == ["ALA", "CYS", "GLY"]
    assert "CSO A:2 is computed as CYS, as chosen; left out of it: OD" in str(receptor.account.of_weight("warn")[0])


def test_what_is_kept_stands_last_and_the_site_is_warned_of(tmp_path):
    beside = hetero("ZN", 201, "ZN", "ZN", 3.0, 6.0, 3.0) + hetero("HOH", 301, "O", "O", 3.0, 9.0, 5.0)
    text = peptide("NALA SER CGLY") + "TER\n" + beside
    kept = prepared(tmp_path, text, keep="ZN,HOH")
    assert [(r.name, r.hetero) for r in kept.protein[3:]] == [("ZN", True), ("HOH", True)]
    left = prepared(tmp_path, text, site="A:2")
    assert "ZN A:201, a metal" in str(left.account.of_weight("warn")[0])
    assert not prepared(tmp_path, text).account.of_weight("warn")


def test_two_copies_at_one_place(tmp_path):
    one = peptide("NALA SER CGLY")
    with pytest.raises(InputError, match="ALA A:1 and ALA B:1 lie at the same place"):
        prepared(tmp_path, one + "TER\n" + moved(one, chain="B", by=0.1))


def test_a_state_that_no_end_has_is_refused_before_tleap(tmp_path):
    with pytest.raises(InputError, match=r"GLH A:3 \(as pH 3 makes it\) is the last residue of a chain"):
        (tmp_path / "p.pdb").write_text(peptide("NALA SER CGLU"))
        read_receptor(tmp_path / "p.pdb", System(ph=3), complete=False)


def test_a_bond_that_building_made_is_told(tmp_path):
    """Without its C and O a serine ends a chain by its CA, 4.4 Å from the next; PDBFixer builds them joined."""
    lines = peptide("NALA SER PHE LYS CGLY").splitlines()
    places = {(line[17:20], line[12:16].strip()): np.array(line[30:54].split(), dtype=float) for line in lines}
    along = places["PHE", "CA"] - places["SER", "CA"]
    shift = 0.6 * along / np.linalg.norm(along)
    text = ""
    for line in lines:
        name, number = line[12:16].strip(), int(line[22:26])
        if number != 2 or name not in ("C", "O"):
            xyz = places[line[17:20], name] + (shift if number > 2 else 0)
            text += f"{line[:30]}{xyz[0]:8.3f}{xyz[1]:8.3f}{xyz[2]:8.3f}{line[54:]}\n"
    account = prepared(tmp_path, text).account
    assert any("chain break between A:2 and A:3" in p.what for p in account.of_weight("note"))
    assert any("PHE A:3 does not begin a chain" in p.what for p in account.of_weight("warn"))


def test_what_has_parameters_is_kept_from_atom_records_too(tmp_path):
    (tmp_path / "m.mol2").write_text("@<TRIPOS>MOLECULE\nMTH\n@<TRIPOS>ATOM\n1 C1 0 0 0 c3 1 MTH 0.0\n@<TRIPOS>BOND\n")
    text = peptide("NALA SER CGLY") + "TER\n" + hetero("MTH", 201, "C1", "C", 20.0).replace("HETATM", "ATOM  ")
    chosen = {"keep": "MTH", "parameters": str(tmp_path / "m.mol2")}
    assert [r.called for r in prepared(tmp_path, text, **chosen).protein[3:]] == ["MTH A:201"]
    with pytest.raises(InputError, match="does not know: MTH A:201"):
        prepared(tmp_path, text)


def test_dummy_atoms_of_opm_and_the_lipids_of_a_bilayer_are_left_out_and_said(tmp_path):
    one = peptide("NALA LYS CGLY")
    grid = [(x, y) for x in (-8.0, 0.0, 8.0) for y in (-8.0, 0.0, 8.0)]
    dummies = "".join(
        hetero("DUM", 300 + k, name, name, x, y, z)
        for k, (x, y) in enumerate(grid)
        for name, z in (("N", -15), ("O", 15))
    )
    split = "".join(hetero("PA", 400 + k, "C12", "C", 50 + 3 * k).replace("HETATM", "ATOM  ") for k in range(2))
    whole = [
        "".join(hetero("POP", 500 + k, f"C{n}", "C", 50.0 + 3 * k, 20.0, 1.5 * n) for n in range(20)) for k in range(8)
    ]
    cofactor = hetero("PLP", 600, "P", "P", 90.0, 20.0)  # a name as of lipids that were cut
    found = prepared(tmp_path, one + "TER\n" + dummies + split + "".join(whole) + cofactor)
    told = "\n".join(found.notes)
    assert "18 dummy atoms" in told and "30.0 Å thick" in told and "162 atoms of lipids (PA, POP) are left out" in told
    assert found.membrane_planes is not None and found.membrane_planes.thickness_angstrom == 30.0
    assert [r.name for r in found.left_out] == ["PLP"] and len(found.protein) == 3
    few = prepared(tmp_path, one + "TER\n" + "".join(whole[:7]))
    assert [r.name for r in few.left_out] == ["POP"] * 7 and few.membrane_planes is None


def test_waters_and_ions_of_a_file_of_charmm_are_known(tmp_path):
    text = peptide("NALA SER CGLY") + "TER\n"
    for k, (atom, name) in enumerate((("SOD", "SOD"), ("CLA", "CLA"), ("POT", "POT"), ("O", "T3P"), ("OW", "OPC"))):
        text += f"ATOM   {900 + k:4d}  {atom:<4s}{name:<4s} {k + 301:4d}    {30 + 4 * k:8.3f}   0.000   0.000\n"
    told = "\n".join(prepared(tmp_path, text).notes)
    assert "2 waters removed" in told and "removed: CL B:302, K B:303, NA B:301" in told


@pytest.mark.parametrize("altloc", [" ", "A"])
def test_a_ligand_may_have_the_number_of_an_amino_acid(tmp_path, altloc):
    ligand = "".join(hetero("UNL", 1, f"C{k}", "C", 30 + 1.5 * k) for k in (1, 2))
    if altloc != " ":
        ligand = "".join(
            f"{line[:16]}{label}{line[17:54]}  0.50{line[60:]}\n" for label in "AB" for line in ligand.splitlines()
        )
    path = tmp_path / "p.pdb"
    path.write_text(peptide("NALA SER CGLY") + "TER\n" + ligand)
    for ligand_residue in (None, "UNL A:1"):
        receptor = read_receptor(path, System(), ligand_residue=ligand_residue)
        assert [r.called for r in receptor.protein] == ["ALA A:1", "SER A:2", "GLY A:3"]
        assert [r.called for r in receptor.left_out] == ["UNL A:1"] * (ligand_residue is None)
