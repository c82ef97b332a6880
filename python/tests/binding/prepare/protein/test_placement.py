"""Where atoms and residues lie: order, copies, atoms astray, overlaps, mirror images."""

import pytest
from peptides import hetero, moved, peptide

from gibbsflow.binding.prepare.protein.placement import (
    coordinate,
    in_sequence,
    refuse_misplaced,
    warn_of_mirror_images,
)
from gibbsflow.binding.prepare.protein.residues import Residue, chain_breaks, read_residues
from gibbsflow.workflow.account import Account

CHAIN = peptide("ACE ALA MET SER PHE NME")


def read(tmp_path, text):
    (tmp_path / "m.pdb").write_text(text)
    return read_residues(tmp_path / "m.pdb"), Account("m.pdb")


def doubts(tmp_path, text, weight, kept=""):
    residues, account = read(tmp_path, text + kept)
    refuse_misplaced([r for r in residues if not r.hetero], [r for r in residues if r.hetero], account)
    warn_of_mirror_images([r for r in residues if not r.hetero], account)
    return [p.what for p in account.of_weight(weight)]


@pytest.mark.parametrize("names", [("MET",), ("ACE",), ("SER", "NME"), ("MET", "SER")])
@pytest.mark.parametrize("chain", ["A", "Z"])
def test_members_at_the_end_of_the_file_come_into_their_chain(tmp_path, names, chain):
    lines = CHAIN.splitlines()
    inside = [line for line in lines if line[17:20] not in names]
    outside = [f"HETATM{line[6:21]}{chain}{line[22:]}" for line in lines if line[17:20] in names]
    residues, account = read(tmp_path, "\n".join([*inside, "TER", *outside]) + "\nEND\n")
    found = in_sequence(residues, account)
    assert [r.name for r in found] == ["ACE", "ALA", "MET", "SER", "PHE", "NME"] and not chain_breaks(found)
    assert {r.chain for r in found} == {"A"} and len(account.doubts) == 1
    assert f"{names[0]} {chain}:" in str(account.doubts[0])


def test_one_chain_under_two_identifiers(tmp_path):
    lines = CHAIN.splitlines()
    text = "\n".join(f"{line[:21]}{'AB'[int(line[22:26]) > 3]}{line[22:]}" for line in lines)
    residues, account = read(tmp_path, text + "\n")
    found = in_sequence(residues, account)
    assert {r.chain for r in found} == {"A"} and [r.read_as for r in found[3:]] == ["B:4", "B:5", "B:6"]
    assert "SER B:4 behind MET A:3" in str(account.of_weight("note")[0])
    again, refused = read(tmp_path, text.replace(" B   4 ", " B   2 ") + "\n")
    in_sequence(again, refused)
    assert "SER B:2 is bonded into chain A, which has another residue 2" in str(refused.of_weight("refuse")[0])


def test_ligands_stay_where_they_are(tmp_path):
    free = moved(peptide("NGLU"), by=30, chain="L").replace("ATOM  ", "HETATM")
    residues, account = read(tmp_path, CHAIN + "TER\n" + free)
    assert in_sequence(residues, account) == residues and not account.doubts


def test_a_good_chain_has_no_doubts(tmp_path):
    assert doubts(tmp_path, CHAIN, "refuse") == doubts(tmp_path, CHAIN, "warn") == []


def test_an_atom_astray(tmp_path):
    lines = [
        f"{line[:30]}9999.9999999.9999999.999{line[54:]}" if " CZ " in line else line for line in CHAIN.splitlines()
    ]
    assert "CZ of PHE A:5 lies" in doubts(tmp_path, "\n".join(lines) + "\n", "refuse")[0]


def test_atoms_of_one_residue_at_one_place(tmp_path):
    none = f"{0:8.3f}{0:8.3f}{0:8.3f}"
    lines = [
        f"{line[:30]}{none}{line[54:]}" if line[12:16].strip() in ("CE1", "CE2") else line
        for line in CHAIN.splitlines()
    ]
    assert "CE1 and CE2 of PHE A:5 lie at the same place" in doubts(tmp_path, "\n".join(lines) + "\n", "refuse")


def test_residues_out_of_order(tmp_path):
    lines = sorted(CHAIN.splitlines(), key=lambda line: line[17:20] == "MET")
    residues, account = read(tmp_path, "\n".join(lines) + "\n")
    assert [r.number for r in in_sequence(residues, account)] == ["1", "2", "3", "4", "5", "6"]


def test_a_ring_is_refused(tmp_path):
    residues, account = read(tmp_path, peptide("NALA SER GLY CALA"))
    end, start = residues[-1].atoms["C"][1], residues[0].atoms["N"]
    residues[0].atoms["N"] = (start[0], (end[0] + 1.3, end[1], end[2]))
    residues[-1].atoms.pop("OXT")
    refuse_misplaced(in_sequence(residues, account), [], account)
    assert "C of ALA A:4 is bonded to N of ALA A:1" in "".join(map(str, account.of_weight("refuse")))


def test_chains_that_overlap(tmp_path):
    told = doubts(tmp_path, CHAIN + "TER\n" + moved(CHAIN, by=0.8, chain="B"), "warn")
    assert "pairs of heavy atoms overlap" in told[0]


@pytest.mark.parametrize(
    ("name", "element", "away_angstrom", "refused"),
    [("ZN", "ZN", 2.1, False), ("ZN", "ZN", 1.4, True), ("O", "O", 1.8, True), ("O", "O", 2.7, False)],
)
def test_what_is_kept_is_not_bonded(tmp_path, name, element, away_angstrom, refused):
    """Beside the oxygen of ACE, which is the outermost atom along its bond."""
    residues, _ = read(tmp_path, CHAIN)
    (_, c), (_, o) = residues[0].atoms["C"], residues[0].atoms["O"]
    x, y, z = (end + away_angstrom * (end - start) / 1.23 for start, end in zip(c, o, strict=True))
    beside = hetero("HOH" if name == "O" else name, 201, name, element, x, y, z)
    assert bool(doubts(tmp_path, CHAIN + "TER\n", "refuse", beside)) == refused


def test_a_mirror_image_is_told(tmp_path):
    mirrored = "\n".join(f"{line[:46]}{-float(line[46:54]):8.3f}{line[54:]}" for line in CHAIN.splitlines())
    told = doubts(tmp_path, mirrored + "\n", "warn")
    assert told == ["4 amino acids are D by their coordinates, and are computed so: ALA A:2, MET A:3, SER A:4, PHE A:5"]


@pytest.mark.parametrize(
    ("name", "atom", "state", "expected", "warned"),
    [
        ("HIE", "NE2", None, "HID", False),
        ("HIE", "ND1", None, "HIE", False),
        ("HIE", "NE2", "HIE", "HIE", True),
        ("HIE", "NE2", "HID", "HID", False),
        ("CYS", "SG", "CYS", "CYS", True),
        ("CYS", "SG", "CYM", "CYM", False),
    ],
)
def test_no_hydrogen_points_at_a_metal_unsaid(tmp_path, name, atom, state, expected, warned):
    residues, account = read(tmp_path, peptide(f"ACE {name} NME"))
    x, y, z = residues[1].atoms[atom][1]
    zinc = Residue("A", "201", "ZN", True, {"ZN": ("ZN", (x + 2.2, y, z))})
    assert coordinate(residues, ["ACE", state, "NME"], [zinc], account)[1] == expected
    assert bool(account.of_weight("warn")) == warned
    assert coordinate(residues, ["ACE", state, "NME"], [], account)[1] == state
