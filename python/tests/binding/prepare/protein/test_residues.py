"""Residues: chains told apart, one alternate location each, gaps found."""

import pytest
from peptides import hetero, moved, peptide, without

from gibbsflow.binding.prepare.protein.atom_records import read_structure
from gibbsflow.binding.prepare.protein.residues import (
    Residue,
    chain_breaks,
    chain_ends,
    in_chain,
    pdb_text,
    read_residues,
    renamed,
    residues_of,
)
from gibbsflow.workflow.account import Account

ONE = peptide("NALA SER CGLY")


def read(tmp_path, text, altlocs=None):
    (tmp_path / "m.pdb").write_text(text)
    account = Account("m.pdb")
    return residues_of(read_structure(tmp_path / "m.pdb"), account, altlocs or {}), account


@pytest.mark.parametrize("ter", ["TER\n", ""])
@pytest.mark.parametrize(
    ("first", "second", "names"), [(" ", " ", "AB"), ("A", "A", "AB"), ("A", " ", "AB"), ("B", "B", "BA")]
)
def test_two_chains_that_share_an_identifier(tmp_path, first, second, names, ter):
    text = moved(ONE, chain=first) + ter + moved(ONE, chain=second, by=40) + ter
    residues, _ = read(tmp_path, text)
    assert [r.label for r in residues] == [f"{c}:{n}" for c in names for n in (1, 2, 3)]
    assert sum(len(r.atoms) for r in residues) == 2 * len(ONE.splitlines())


def test_a_chain_that_goes_on_behind_ter_keeps_its_name(tmp_path):
    residues, account = read(tmp_path, ONE + "TER\n" + moved(ONE, by=40, numbers=10))
    assert {r.chain for r in residues} == {"A"} and not account.doubts


def test_atoms_that_come_late_join_their_residue(tmp_path):
    heavy, hydrogens = peptide("NALA SER CGLY"), peptide("NALA SER CGLY", hydrogens=True)
    late = "".join(f"{line}\n" for line in hydrogens.splitlines() if line[76:78].strip() == "H")
    residues, _ = read(tmp_path, heavy + late)
    assert len(residues) == 3 and sum(len(r.atoms) for r in residues) == len(hydrogens.splitlines())


def with_two(a: float, b: float, other: str = "SER") -> str:
    """Residue 2 at two places, with occupancies."""
    text = ""
    for line in ONE.splitlines():
        if line[22:26].strip() != "2":
            text += f"{line}\n"
            continue
        text += f"{line[:16]}A{line[17:54]}{a:6.2f}{line[60:]}\n"
        text += f"{line[:16]}B{other}{line[20:30]}{float(line[30:38]) + 1:8.3f}{line[38:54]}{b:6.2f}{line[60:]}\n"
    return text


@pytest.mark.parametrize(
    ("a", "b", "asked", "shift"),
    [(0.3, 0.7, {}, 1), (0.7, 0.3, {}, 0), (0.5, 0.5, {}, 0), (0.7, 0.3, {"A:2": "B"}, 1)],
)
def test_the_highest_occupancy_is_taken_whole(tmp_path, a, b, asked, shift):
    (_, whole, _), (_, right, _) = read(tmp_path, with_two(a, b), asked)[0], read(tmp_path, ONE)[0]
    assert {n: xyz for n, (_, xyz) in whole.atoms.items()} == {
        n: (pytest.approx(x + shift, abs=1e-3), y, z) for n, (_, (x, y, z)) in right.atoms.items()
    }


def test_two_amino_acids_at_one_place(tmp_path):
    residues, account = read(tmp_path, with_two(0.4, 0.6, "THR"))
    assert [r.name for r in residues] == ["ALA", "THR", "GLY"]
    assert "B of THR A:2 (0.60, highest occupancy; left out A SER 0.40)" in str(account.of_weight("note")[0])


@pytest.mark.parametrize(("blank", "labelled", "shift"), [(0.4, 0.6, 1), (0.6, 0.4, 0)])
def test_an_atom_without_a_label_beside_one_with(tmp_path, blank, labelled, shift):
    text = "".join(
        f"{line[:16]} {line[17:]}\n" if line[16] == "A" else f"{line}\n"
        for line in with_two(blank, labelled).splitlines()
    )
    (_, found, _), account = read(tmp_path, text)
    right = read(tmp_path, ONE)[0][1]
    assert found.atoms["OG"][1][0] == pytest.approx(right.atoms["OG"][1][0] + shift, abs=1e-3)
    assert "alternate locations: " + "B_"[shift == 0] in str(account.of_weight("note")[0])


def test_two_names_of_one_atom(tmp_path):
    second = moved("".join(f"{line}\n" for line in ONE.splitlines() if " OXT " in line), by=1).replace(" OXT", " OT2")
    assert "two atoms of GLY A:3 mean OXT" in str(read(tmp_path, ONE + second)[1].of_weight("refuse")[0])


def test_models_beside_the_first_are_warned_of(tmp_path):
    text = f"MODEL 1\n{ONE}ENDMDL\nMODEL 2\n{moved(ONE, by=40)}ENDMDL\n"
    assert "1 of the further models lie beside the first" in str(read(tmp_path, text)[1].of_weight("warn")[0])


def test_locations_that_are_not_there(tmp_path):
    account = read(tmp_path, with_two(0.4, 0.6), {"A:2": "C", "A:9": "A"})[1]
    told = "\n".join(map(str, account.of_weight("refuse")))
    assert "asks for C of A:2, which has A, B" in told and "names A:9, which is no residue" in told


def residue(number: int, **atoms: tuple[float, float, float]) -> Residue:
    return Residue("A", str(number), "CYS", False, {name: (name[0], xyz) for name, xyz in atoms.items()})


def test_breaks_and_ends():
    joined = [residue(1, C=(0, 0, 0)), residue(2, N=(1.33, 0, 0), C=(3, 0, 0)), residue(5, N=(9, 0, 0), C=(10, 0, 0))]
    told = "chain break between A:2 and A:5 (2 residues missing by the numbers): both ends become termini"
    assert chain_breaks(joined) == [told]
    assert chain_ends(joined) == ({0, 2}, {1, 2})
    assert [in_chain(joined, k) for k in range(3)] == [True, True, False]


@pytest.mark.parametrize(("atom", "number"), [("C", 2), ("N", 3)])
def test_a_backbone_atom_that_will_be_built_is_no_break(tmp_path, atom, number):
    residues, _ = read(tmp_path, without(ONE, f" {atom}   ... A   {number} "))
    assert len(residues) == 3 and chain_breaks(residues) == []


def test_what_is_written_is_read_again(tmp_path):
    residues, _ = read(tmp_path, without(ONE, " OXT "))
    (tmp_path / "again.pdb").write_text(pdb_text(residues))
    assert [(r.label, r.name, r.atoms) for r in read_residues(tmp_path / "again.pdb")] == [
        (r.label, r.name, r.atoms) for r in residues
    ]


def test_names():
    histidine = Residue("B", "52A", "HIP", False, {})
    assert histidine.is_named("B:52A") and histidine.is_named("HIS") and histidine.is_named("HIP")
    assert not histidine.is_named("HID") and histidine.called == "HIP B:52A"
    assert renamed(residue(1, OT=(0, 0, 0)), "CYX").atoms.keys() == {"OXT"}


def test_the_fourth_site_of_a_water_is_no_atom(tmp_path):
    atoms = (("OW", "O"), ("HW1", "H"), ("MW", " "))
    water = "".join(hetero("SOL", 301, name, element, 30 + 0.1 * k) for k, (name, element) in enumerate(atoms))
    (tmp_path / "p.pdb").write_text(peptide("NALA CGLY") + "TER\n" + water)
    assert list(read_residues(tmp_path / "p.pdb")[-1].atoms) == ["OW", "HW1"]
