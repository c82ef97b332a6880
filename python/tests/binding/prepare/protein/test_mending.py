"""Mending: hydrogens of the chosen states, missing atoms, selenium, and traces that are refused."""

import pytest
from peptides import moved, peptide, without

from gibbsflow.binding.prepare.protein.mending import mend, refuse_traces, selenium_to_sulfur
from gibbsflow.binding.prepare.protein.residues import Residue, read_residues
from gibbsflow.workflow.account import Account

SEQUENCE = "ACE HIP ASH GLH LYN HID CYM NME"


def read(tmp_path, text):
    (tmp_path / "p.pdb").write_text(text)
    return read_residues(tmp_path / "p.pdb")


def test_states_get_their_hydrogens(tmp_path):
    residues = read(tmp_path, peptide(SEQUENCE))
    account = Account("p.pdb")
    made = mend(residues, SEQUENCE.split(), 7.0, account)
    assert [r.name for r in made] == SEQUENCE.split()
    right = {r.label: len(r.atoms) for r in read(tmp_path, peptide(SEQUENCE, hydrogens=True))}
    assert {r.label: len(r.atoms) for r in made} == right
    assert account.facts["heavy_atoms_added"] == 0 and account.facts["hydrogens_added"] > 40


def test_an_oxygen_of_an_end_inside_a_chain(tmp_path):
    lines = peptide("NALA SER CGLY").splitlines(keepends=True)
    k = next(k for k, line in enumerate(lines) if " O   SER" in line)
    account = Account("p.pdb")
    oxygen = moved(lines[k], by=0.5).replace(" O  ", " OXT")
    refuse_traces(read(tmp_path, "".join([*lines[: k + 1], oxygen, *lines[k + 1 :]])), account)
    assert "SER A:2 has OXT, the second oxygen of an end, and is bonded to GLY A:3" in str(
        account.of_weight("refuse")[0]
    )


def test_a_neutral_lysine_keeps_both_its_hydrogens(tmp_path):
    residues = read(tmp_path, peptide("ACE LYN NME", hydrogens=True))
    account = Account("p.pdb")
    made = mend(residues, ["ACE", "LYN", "NME"], 7.0, account)
    assert sum(a.startswith("HZ") for a in made[1].atoms) == 2
    assert account.facts["hydrogens_added"] == 0


def test_what_hydrogen_bonds_decide_of_a_histidine_is_told(tmp_path):
    residues = read(tmp_path, peptide("ACE HIE ALA HID NME"))
    account = Account("p.pdb")
    made = mend(residues, ["ACE", None, "ALA", "HID", "NME"], 7.0, account)
    assert made[1].name in ("HID", "HIE") and account.facts["protonation"] == {made[1].label: made[1].name}
    told = f"histidines by their hydrogen bonds: {made[1].name} {made[1].label}"
    assert told in str(account.of_weight("note")[0])


def test_missing_heavy_atoms_are_built_and_told(tmp_path):
    residues = read(tmp_path, without(peptide("NALA LYS ALA CGLY"), " (CE|NZ)  LYS"))
    account = Account("p.pdb")
    made = mend(residues, ["ALA", "LYS", "ALA", "GLY"], 7.0, account)
    assert {"CE", "NZ", "HZ3"} <= made[1].atoms.keys() and account.facts["heavy_atoms_added"] == 2
    assert "missing heavy atoms added in LYS A:2" in str(account.of_weight("note")[0])


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (r"ATOM.{9}(?!CA )\S", "4 of 4 residues lack N, CA or C"),
        (r"ATOM.{9}(CB|CG|CD|CE|OG|NZ)", "3 of 3 side chains are missing"),
        ("nothing", ""),
    ],
)
def test_traces_are_refused(tmp_path, gone, told):
    account = Account("p.pdb")
    refuse_traces(read(tmp_path, without(peptide("NALA LYS SER CGLY"), gone)), account)
    assert told in "\n".join(map(str, account.of_weight("refuse"))) and bool(told) == bool(account.doubts)


def test_atoms_that_no_amino_acid_has():
    account = Account("p.pdb")
    refuse_traces([Residue("A", "1", "ACE", False, {"C": ("C", (0, 0, 0)), "XX": ("C", (9, 0, 0))})], account)
    assert "ACE A:1 has atoms that ACE has not: XX" in str(account.of_weight("refuse")[0])


def test_a_phosphate_that_is_not_there():
    """tleap would build it, at some place, with its charge."""
    serine = {a: (a[0], (float(k), 0.0, 0.0)) for k, a in enumerate(("N", "CA", "C", "O", "CB", "OG"))}
    account = Account("p.pdb")
    refuse_traces([Residue("A", "1", "SEP", False, serine)], account)
    assert "SEP A:1 lacks O1P, O2P, O3P, P" in str(account.of_weight("refuse")[0])


def test_selenomethionine():
    account = Account("p.pdb")
    (made,) = selenium_to_sulfur([Residue("A", "1", "MSE", True, {"SE": ("SE", (0, 0, 0))})], account)
    assert (made.name, made.atoms, made.hetero) == ("MET", {"SD": ("S", (0, 0, 0))}, False)
    assert "MSE A:1 replaced by MET" in str(account.doubts[0])
