"""SDF files whose formal charges or some hydrogens are missing."""

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.molecules import MoleculeError


def written(folder, smiles: str, *, charges: bool = False, without=(), extra: str = "") -> object:
    """A file of a molecule, its formal charges left out, and hydrogens of some elements."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=5)
    bare = Chem.RWMol(mol)
    for atom in reversed(list(mol.GetAtoms())):
        if atom.GetAtomicNum() == 1 and atom.GetNeighbors()[0].GetSymbol() in without:
            bare.RemoveAtom(atom.GetIdx())
    lines = Chem.MolToMolBlock(bare.GetMol(), kekulize=False).splitlines()
    kept = [line for line in lines if charges or not line.startswith("M  CHG")]
    path = folder / "m.sdf"
    path.write_text("\n".join([*kept[:-1], *([extra] if extra else []), kept[-1], "$$$$", ""]))
    return path


@pytest.mark.parametrize(
    ("smiles", "charge"),
    [
        ("O=[N+]([O-])c1ccccc1", 0),
        ("C[N+](C)(C)C", 1),
        ("[O-][n+]1ccccc1", 0),
        ("CC(N)=[NH2+]", 1),
        ("[C-]#[N+]C", 0),
        ("CN=[N+]=[N-]", 0),
        ("C[NH3+]", 1),
        ("N#[N+]c1ccccc1", 1),
        ("Cn1cc[nH+]c1", 1),
    ],
)
def test_charges_that_atoms_and_bonds_tell(tmp_path, smiles, charge):
    read = molecules.from_file(written(tmp_path, smiles))
    assert (read.charge, read.smiles) == (charge, Chem.CanonSmiles(smiles))
    assert "its formal charges are missing and were found" in read.notes[0]
    with pytest.raises(MoleculeError, match="charge"):
        molecules.from_file(written(tmp_path, smiles), charge + 1)


@pytest.mark.parametrize(
    ("smiles", "filled"),
    [("CC(=O)[O-]", "CC(=O)O"), ("CC[S-]", "CCS"), ("CS(=O)(=O)[O-]", "CS(=O)(=O)O")],
)
def test_a_hydrogen_or_a_charge_is_missing_and_the_user_says_which(tmp_path, smiles, filled):
    path = written(tmp_path, smiles)
    with pytest.raises(MoleculeError, match=r"has its hydrogens, but none at ") as caught:
        molecules.from_file(path)
    assert "or say which charge it has" in caught.value.faults[0].right
    assert filled in str(caught.value) and smiles in str(caught.value)
    assert molecules.from_file(path, -1).smiles == Chem.CanonSmiles(smiles)
    assert molecules.from_file(path, 0).smiles == Chem.CanonSmiles(filled)


def test_sulfur_gets_no_hydrogen_that_is_not_there(tmp_path):
    assert molecules.from_file(written(tmp_path, "C[S+](C)[O-]")).smiles == "CS(C)=O"
    with pytest.raises(MoleculeError, match=r"\+1 if formal charges are \(C\[S\+\]\(C\)C\)"):
        molecules.from_file(written(tmp_path, "C[S+](C)C"))


def test_hydrogens_that_a_ketone_has_not_are_not_read_as_one(tmp_path):
    """An alcohol without two of its hydrogens: a double bond would take them up, and is not what is drawn."""
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCC(O)C"))
    AllChem.EmbedMolecule(mol, randomSeed=5)
    bare = Chem.RWMol(mol)
    gone = [n.GetIdx() for i in (3, 4) for n in mol.GetAtomWithIdx(i).GetNeighbors() if n.GetAtomicNum() == 1]
    for i in sorted(gone, reverse=True):
        bare.RemoveAtom(i)
    path = tmp_path / "m.sdf"
    path.write_text(Chem.MolToMolBlock(bare.GetMol()) + "$$$$\n")
    with pytest.raises(MoleculeError, match=r"\+0 if they are missing \(CCC\[C@*H\]\(C\)O\), \+0 if formal charges"):
        molecules.from_file(path)


def test_hydrogens_of_carbons_that_are_left_out_are_added(tmp_path):
    read = molecules.from_file(written(tmp_path, "NCCO", without=("C",)))
    assert read.smiles == "NCCO" and read.notes[0].startswith("4 hydrogens")


def test_radicals_stay_refused(tmp_path):
    with pytest.raises(MoleculeError, match="valence"):
        molecules.from_file(written(tmp_path, "CCO", extra="M  RAD  1   1   2"))


@pytest.mark.parametrize(("kind", "called"), [("8", "UNSPECIFIED"), ("4", "AROMATIC"), ("9", "DATIVE")])
def test_bonds_that_have_no_order_are_refused_by_name(tmp_path, kind, called):
    path = written(tmp_path, "CCO")
    path.write_text(path.read_text().replace("  1  2  1  0", f"  1  2  {kind}  0"))
    with pytest.raises(MoleculeError, match=f"bond C1-C2 is of type {called}"):
        molecules.from_file(path)


def test_isotopes_are_told(tmp_path):
    read = molecules.from_file(written(tmp_path, "CCO", extra="M  ISO  1   1  13"))
    assert read.notes == ("13C1: isotopes are computed as the element, with its natural mass",)


def test_an_element_that_is_none_is_said_in_words(tmp_path):
    path = written(tmp_path, "CCO")
    path.write_text(path.read_text().replace(" H   0", " Du  0", 1))
    with pytest.raises(MoleculeError, match="not readable: Element 'Du' not found"):
        molecules.from_file(path)


def test_a_carboxylate_of_single_bonds_is_one(tmp_path):
    """As OEChem writes one whose double bond AMBER's types had lost."""
    path = written(tmp_path, "CC(C)C(=O)[O-]")
    text = path.read_text().replace("  4  5  2  0", "  4  5  1  0")
    for carbon, formal in ((1, -1), (-1, -3)):
        path.write_text(text.replace("M  END", f"M  CHG  3   4{carbon:4d}   5  -1   6  -1\nM  END"))
        if formal != -1:
            with pytest.raises(MoleculeError, match="the charge is -3 as drawn .*, -1 by usual valences"):
                molecules.from_file(path)
            assert molecules.from_file(path, -3).charge == -3
        read = molecules.from_file(path, -1)
        assert (read.charge, read.smiles) == (-1, "CC(C)C(=O)[O-]") and "and taken as" in read.notes[0]


@pytest.mark.parametrize(
    "smiles", ["[O-]c1ccccc1[O-]", "C[S+2]([O-])([O-])C", "CC(=O)[CH-]C(C)=O", "C[S+](C)[O-]", "COP(=O)([O-])[O-]"]
)
def test_unusual_ions_are_taken_as_drawn(tmp_path, smiles):
    read = molecules.from_file(written(tmp_path, smiles, charges=True))
    assert read.smiles == Chem.CanonSmiles(smiles) and not read.notes
