"""MOL2 files as programs write them: the charge of the molecule that is read, or a refusal that names the sources."""

import numpy as np
import pytest
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.small_molecule import mol2
from gibbsflow.binding.prepare.small_molecule.faults import MoleculeError

RDLogger.DisableLog("rdApp.*")
SYBYL = {"H": "H", "C": "C.3", "N": "N.3", "O": "O.2", "S": "S.3", "Cl": "Cl"}


def write(path, smiles, *, single=(), partial=None, kind="USER_CHARGES", types=None, hydrogens=True, unity=""):
    """Write a molecule as MOL2; bonds between atoms of `single` elements are drawn single, aromatic ones ``ar``."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    if not hydrogens:
        mol = Chem.RemoveHs(mol)
    n = mol.GetNumAtoms()
    lines = ["@<TRIPOS>MOLECULE", "m", f"{n} {mol.GetNumBonds()} 1", "SMALL", kind, "", "@<TRIPOS>ATOM"]
    for atom in mol.GetAtoms():
        i, symbol = atom.GetIdx(), atom.GetSymbol()
        name = (types or {}).get(symbol) or ("C.ar" if symbol == "C" and atom.GetIsAromatic() else SYBYL[symbol])
        x, y, z = mol.GetConformer().GetAtomPosition(i)
        charge = 0.0 if partial is None else partial / n
        lines.append(f"{i + 1} {symbol}{i + 1} {x:.4f} {y:.4f} {z:.4f} {name} 1 MOL {charge:.6f}")
    lines.append("@<TRIPOS>BOND")
    for k, bond in enumerate(mol.GetBonds(), 1):
        ends = {bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()}
        order = "ar" if bond.GetIsAromatic() else "1" if ends <= set(single) else str(int(bond.GetBondTypeAsDouble()))
        lines.append(f"{k} {bond.GetBeginAtomIdx() + 1} {bond.GetEndAtomIdx() + 1} {order}")
    path.write_text("\n".join(lines) + "\n" + unity)
    return path


def told(path, charge=None):
    with pytest.raises(MoleculeError) as caught:
        molecules.from_file(path, charge)
    return str(caught.value)


@pytest.mark.parametrize(
    ("smiles", "single", "charge"), [("O=[N+]([O-])c1ccccc1", "NO", 0), ("CCS(=O)(=O)[O-]", "SO", -1)]
)
def test_oxo_groups_with_single_bonds_have_the_charge_of_the_partial_charges(tmp_path, smiles, single, charge):
    path = write(tmp_path / "m.mol2", smiles, single=tuple(single), partial=charge + 1e-3, kind="bcc")
    read = molecules.from_file(path)
    assert (read.charge, read.smiles) == (charge, Chem.CanonSmiles(smiles))
    assert "as its partial charges say" in read.notes[0]


def test_without_partial_charges_the_user_decides(tmp_path):
    path = write(tmp_path / "m.mol2", "O=[N+]([O-])c1ccccc1", single=("N", "O"))
    assert "-2 by the bonds as drawn" in told(path) and "+0 by usual valences" in told(path)
    assert molecules.from_file(path, 0).smiles == "O=[N+]([O-])c1ccccc1"


def test_ligands_as_hosts_are_held_against_their_partial_charges(tmp_path):
    path = write(tmp_path / "m.mol2", "C[NH3+]", types={"N": "N.4"}, partial=0.004, kind="bcc")
    path.write_text(path.read_text().replace("0.000500", "0.000501"))
    assert "the charge is +1 by its formal charges and +0 by its partial charges" in told(path)
    assert molecules.from_file(path, 1).charge == 1


def test_gasteiger_charges_that_fit_no_molecule_are_not_counted(tmp_path):
    text = write(tmp_path / "m.mol2", "C[NH3+]", types={"N": "N.4"}, partial=0.004, kind="gas")
    read = molecules.from_file(text)
    assert read.charge == 1 and "they are not counted" in read.notes[0]


@pytest.mark.parametrize(("kind", "partial", "charge"), [("NO_CHARGES", None, 0), ("bcc", 1.0, 1)])
def test_gaff_types_tell_elements(tmp_path, kind, partial, charge):
    smiles = {0: "CNC(=O)CCl", 1: "C[NH2+]CCl"}[charge]
    types = {"H": "hn", "C": "c3", "N": "n4", "O": "o", "Cl": "cl"}
    read = molecules.from_file(write(tmp_path / "m.mol2", smiles, types=types, kind=kind, partial=partial))
    assert (read.charge, read.smiles) == (charge, Chem.CanonSmiles(smiles))


def test_types_of_amber_are_refused_in_words(tmp_path):
    path = write(tmp_path / "m.mol2", "CCO", types={"H": "HC", "C": "CT", "O": "OH"})
    assert "atom types of a force field (CT, HC, OH)" in told(path)


def test_types_that_only_begin_as_an_element_does_are_refused(tmp_path):
    """Types of OPLS, all of which begin with o: water would be ozone."""
    path = write(tmp_path / "m.mol2", "O", types={"H": "opls_112", "O": "opls_111"})
    assert "atom types of a force field (opls_111, opls_112)" in told(path)


def test_unity_charges_are_obeyed(tmp_path):
    unity = "@<TRIPOS>UNITY_ATOM_ATTR\n2 1\ncharge 1\n"
    path = write(tmp_path / "m.mol2", "C[NH3+]", types={"N": "N.4"}, unity=unity)
    assert molecules.from_file(path).charge == 1
    wrong = path.with_name("wrong.mol2")
    wrong.write_text(path.read_text().replace("charge 1", "charge -1"))
    assert "UNITY_ATOM_ATTR fit no closed shell" in told(wrong)


@pytest.mark.parametrize("smiles", ["OCC1CCCCC1", "Cc1ccccc1", "CC(=O)NC"])
def test_missing_hydrogens_are_added_as_for_an_sdf(tmp_path, smiles):
    types = {"N": "N.am"}
    read = molecules.from_file(write(tmp_path / "m.mol2", smiles, hydrogens=False, types=types))
    assert read.smiles == Chem.CanonSmiles(smiles) and "were added" in read.notes[0]


def test_ammonium_without_hydrogens_keeps_its_charge(tmp_path):
    read = molecules.from_file(write(tmp_path / "m.mol2", "CC[NH3+]", hydrogens=False, types={"N": "N.4"}))
    assert (read.charge, read.mol.GetNumAtoms()) == (1, 11)


def test_a_section_that_ends_early_is_told(tmp_path):
    path = write(tmp_path / "m.mol2", "CCO")
    parsed = mol2.parse(path.read_text(), path, "structure")
    assert parsed.elements[:3] == ("C", "C", "O") and parsed.partial_e is None
    assert parsed.positions_angstrom.shape == (9, 3) and np.isfinite(parsed.positions_angstrom).all()
    cut = path.read_text().splitlines()
    path.write_text("\n".join(cut[:-1]) + "\n")
    assert "not readable" in told(path)


def test_partial_charges_that_sum_to_no_whole_charge_are_told(tmp_path):
    read = molecules.from_file(write(tmp_path / "m.mol2", "CCO", partial=0.45))
    assert read.charge == 0 and "its partial charges sum to +0.45" in read.notes[0]


def test_a_whole_molecule_without_hydrogens_gets_none(tmp_path):
    read = molecules.from_file(
        write(tmp_path / "m.mol2", "O=C([O-])C(=O)[O-]", types={"C": "c", "O": "o"}, single=("C", "O"))
    )
    assert (read.charge, read.smiles) == (-2, "O=C([O-])C(=O)[O-]")


def test_two_ions_that_are_as_likely_are_refused(tmp_path):
    path = write(tmp_path / "m.mol2", "O=N[O-]", types={"N": "no", "O": "o"})
    with pytest.raises(MoleculeError, match=r"-1 \(O=N\[O-\]\) or \+1 \(O=\[N\+\]=O\)"):
        molecules.from_file(path)
    assert molecules.from_file(path, -1).smiles == "O=N[O-]"
