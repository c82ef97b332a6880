"""Protonation: choice before name before hydrogens before pH; ends of chains; contradictions."""

import pytest
from peptides import moved, peptide, without

from gibbsflow.binding.prepare.protein.protonation import by_ph, is_replacement, protonate, read_choices
from gibbsflow.binding.prepare.protein.residues import Residue, read_residues, renamed
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account

NAMES = ["ACE", "HIP", "ASH", "GLH", "LYN", "HID", "HIE", "CYM", "NME"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("p") / "p.pdb"
    path.write_text(peptide(" ".join(NAMES), hydrogens=True))
    return read_residues(path)


def states(residues, ph=7.0, **choices):
    account = Account("p.pdb")
    return protonate(residues, [], ph, {f"A:{k[1:]}": v for k, v in choices.items()}, account)[0], account


def bare(residues):
    return [
        Residue(r.chain, r.number, r.name, False, {a: v for a, v in r.atoms.items() if v[0] != "H"}) for r in residues
    ]


def plain(residues):
    names = {"HIP": "HIS", "HID": "HIS", "HIE": "HIS", "ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "CYM": "CYS"}
    return [renamed(r, names.get(r.name, r.name)) for r in residues]


@pytest.mark.parametrize("ph", [2.0, 7.0, 12.0])
def test_names_are_obeyed_with_and_without_hydrogens(whole, ph):
    assert states(whole, ph)[0] == NAMES == states(bare(whole), ph)[0]


def test_hydrogens_tell_what_plain_names_do_not(whole):
    found, account = states(plain(whole))
    assert found == NAMES
    assert "CYS A:8 has no HG and no partner" in str(account.of_weight("warn")[0])


def numbered(text):
    """Hydrogens as PyMOL names them: by their count in the residue."""
    lines, count = [], {}
    for line in text.splitlines():
        if line[76:78].strip() == "H":
            count[line[22:26]] = count.get(line[22:26], 0) + 1
            line = f"{line[:12]} H{count[line[22:26]]:02d}{line[16:]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def all_one(text):
    return "".join(
        f"{line[:12]} H  {line[16:]}\n" if line[76:78].strip() == "H" else f"{line}\n" for line in text.splitlines()
    )


@pytest.mark.parametrize("named", [numbered, all_one])
def test_hydrogens_whose_names_say_nothing_tell_by_their_places(tmp_path, named):
    text = named(peptide("ACE HIP ASH GLH LYN HID HIE CYS NME", hydrogens=True))
    (tmp_path / "p.pdb").write_text(text)
    found, _ = states(plain(read_residues(tmp_path / "p.pdb")))
    assert found == ["ACE", "HIP", "ASH", "GLH", "LYN", "HID", "HIE", "CYS", "NME"]


@pytest.mark.parametrize(("name", "atom"), [("TYR", "HH"), ("ARG", "HH22"), ("ARG", "HE"), ("THR", "HG1")])
def test_a_state_that_the_force_fields_do_not_have_is_told(tmp_path, name, atom):
    text = peptide(f"ACE {name} NME", hydrogens=True)
    for gone in ("nothing", f" {atom} +{name}"):
        (tmp_path / "p.pdb").write_text(without(text, gone))
        notes = states(read_residues(tmp_path / "p.pdb"))[1].of_weight("note")
        assert [f"{name} A:2 ({atom})" in str(n) for n in notes] == [True] * (gone != "nothing")


def test_an_acid_phosphate_is_no_dianion():
    def phosphoserine(away):
        atoms = {"CA": ("C", (0.0, 0.0, 0.0)), "O2P": ("O", (5.0, 0.0, 0.0)), "HOP2": ("H", (5.0 + away, 0.0, 0.0))}
        return Residue("A", "2", "SEP", False, atoms)

    for away, refused in ((0.97, 1), (2.0, 0)):
        account = Account("p.pdb")
        protonate([phosphoserine(away)], [], 7.0, {}, account)
        told = [str(p) for p in account.of_weight("refuse") if "hydrogen on its phosphate" in str(p)]
        assert len(told) == refused and all("the name S1P" in line for line in told)


def test_a_thiol_of_charmm_keeps_its_hydrogen(tmp_path):
    text = peptide("ACE CYS NME", hydrogens=True).replace(" HG  CYS", " HG1 CYS")
    (tmp_path / "p.pdb").write_text(text)
    found, account = states(read_residues(tmp_path / "p.pdb"))
    assert found == ["ACE", "CYS", "NME"] and not account.of_weight("warn")


@pytest.mark.parametrize(
    ("ph", "expected"),
    [
        (3.0, ["HIP", "ASH", "GLH", "LYS", "HIP", "HIP", "CYS"]),
        (7.0, [None, "ASP", "GLU", "LYS", None, None, "CYS"]),
        (11.0, [None, "ASP", "GLU", "LYN", None, None, "CYM"]),
    ],
)
def test_ph_decides_the_rest_and_says_so(whole, ph, expected):
    found, account = states(plain(bare(whole)), ph)
    assert found[1:-1] == expected
    assert f"protonation by pH {ph:g}: 7 residues" in str(account.of_weight("note")[-1])


def test_choices_go_before_all(whole):
    found, account = states(whole, n2="HID", n5="LYS")
    assert found[1] == "HID" and found[4] == "LYS" and not account.of_weight("refuse")
    refused = states(whole, n2="ASH", n99="HID")[1].of_weight("refuse")
    assert "asks for ASH of HIP A:2" in str(refused[0]) and "names A:99, which is no residue" in str(refused[1])


@pytest.mark.parametrize(("gone", "told"), [(" HE2 HIP", "HIP A:2 has the hydrogens of HID"), (" HD2 ASH", "of ASP")])
def test_a_name_that_its_hydrogens_contradict(tmp_path, gone, told):
    (tmp_path / "p.pdb").write_text(without(peptide(" ".join(NAMES), hydrogens=True), gone))
    assert told in str(states(read_residues(tmp_path / "p.pdb"))[1].of_weight("refuse")[0])


@pytest.mark.parametrize(("name", "state"), [("LYN", "LYN"), ("LYS", "LYS"), ("CYS", "CYS")])
def test_polar_hydrogens_are_enough(tmp_path, name, state):
    """As united-atom force fields have them; at a pH that would decide otherwise."""
    polar = {"H", "HZ1", "HZ2", "HZ3", "HG"}
    lines = peptide(f"ACE {name} NME", hydrogens=True).splitlines()
    kept = [line for line in lines if line[76:78].strip() != "H" or line[12:16].strip() in polar]
    (tmp_path / "p.pdb").write_text("\n".join(kept) + "\n")
    residues = plain(read_residues(tmp_path / "p.pdb"))
    assert states(residues, 7.0 if state == "LYN" else 13.0)[0][1] == state


def test_ends_that_are_neutral_in_the_file(tmp_path):
    whole = peptide("NALA SER CGLY", hydrogens=True)
    oxygen = next(line for line in whole.splitlines() if " OXT " in line)
    acid = f"{oxygen[:12]} HXT{oxygen[16:30]}{float(oxygen[30:38]) + 0.9:8.3f}{oxygen[38:76]} H\n"
    for text, told in ((whole, None), (without(whole, " H3  ALA"), "NH2 of ALA A:1"), (whole + acid, "COOH of GLY")):
        (tmp_path / "p.pdb").write_text(text)
        warned = states(read_residues(tmp_path / "p.pdb"))[1].of_weight("warn")
        assert bool(warned) == bool(told) and (told or "") in "".join(map(str, warned))


def test_a_single_amino_acid_is_no_chain(tmp_path):
    (tmp_path / "p.pdb").write_text(peptide("NALA SER CGLY") + "TER\n" + moved(peptide("NGLU"), by=30, chain="L"))
    (refused,) = states(read_residues(tmp_path / "p.pdb"))[1].of_weight("refuse")
    assert "GLU L:1 is bonded to no neighbour" in str(refused)


def test_states_that_no_end_can_have(whole):
    refused = states(plain(bare(whole))[2:-1], 3.0)[1].of_weight("refuse")
    assert ["ASH A:3 (as pH 3 makes it) is the first residue" in str(p) for p in refused] == [True]
    assert not states(plain(bare(whole)), 3.0)[1].of_weight("refuse")


def test_by_ph():
    assert (by_ph("ASP", 4.4), by_ph("ASP", 4.5), by_ph("CYS", 9), by_ph("HIS", 7)) == ("ASH", "ASP", "CYM", None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "residue,name\nA:64,hip\nB:52A,GLH\n"),
        ("c.csv", "A:64,HIP\nB:52A,GLH\n"),
        ("c.yaml", "A:64: HIP\nB:52A: GLH\n"),
    ],
)
def test_choices_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_choices(tmp_path / name) == {"A:64": "HIP", "B:52A": "GLH"}


def test_all_bad_choices_are_told(tmp_path):
    (tmp_path / "c.csv").write_text("A:64,HIP\nA:64,HID\nA:70\nA:71,XYZ\n")
    with pytest.raises(InputError) as caught:
        read_choices(tmp_path / "c.csv")
    assert [p.row for p in caught.value.problems] == [2, 3, 4]


def test_replacements():
    assert is_replacement("CYS", Residue("A", "1", "CSO", True, {}))
    assert not is_replacement("HID", Residue("A", "1", "HIS", False, {}))
