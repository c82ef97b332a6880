"""Force field parameters: charges, the cache under damage and under two processes, and clear failures."""

import json
import logging
import time

import numpy as np
import pytest
from known_molecules import CB7

from gibbsflow.binding.forcefield.gaff import (
    bonds_moved,
    guessed_terms,
    parametrise,
    read_frcmod_penalty,
    renormalise,
    write_mol2,
)
from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.config.binding import Param
from gibbsflow.engines import ambertools
from gibbsflow.errors import ParametrisationError

PARAM = Param()


def small(smiles: str = "CCO", seed: int = 1) -> molecules.Molecule:
    return embed(molecules.from_smiles(smiles), count=1, seed=seed)


def run(molecule, folder, name="ligand", settings=PARAM, rigid=False):
    return parametrise(molecule, settings, name=name, cache=folder / "cache", logs=folder / "logs", rigid=rigid)


@pytest.mark.parametrize("smiles", ["CCO", "C[NH3+]", "CC(=O)[O-]", "C[NH2+]CC(=O)[O-]"])
def test_charges_sum_to_the_integer(tmp_path, smiles):
    molecule = small(smiles)
    found = run(molecule, tmp_path)
    assert round(sum(round(1e6 * q) for q in found.charges)) == molecule.charge * 1_000_000
    assert abs(found.correction_e) < 1e-3 and not found.from_cache


def test_charges_follow_the_atoms_whatever_pose_and_order(tmp_path):
    """One entry of the cache serves another pose in another atom order, and each atom gets its own charge."""
    one = small("OCC(F)=O", seed=1)
    order = [3, 1, 0, 2, *range(4, one.mol.GetNumAtoms())][::-1]
    two = molecules.Molecule(molecules.Chem.RenumberAtoms(small("OCC(F)=O", seed=9).mol, order), 0)
    first, second = run(one, tmp_path), run(two, tmp_path)
    assert not first.from_cache and second.from_cache and first.key == second.key
    assert second.charges == pytest.approx([first.charges[i] for i in order], abs=2e-6)
    assert list(second.types) == [first.types[i] for i in order]


def test_settings_that_change_the_outcome_change_the_key(tmp_path):
    gas = Param(charge_method="gas")
    molecule = small()
    keys = {run(molecule, tmp_path, settings=s).key for s in (gas, Param(charge_method="gas", ligand_ff="gaff"))}
    assert len(keys) == 2
    assert run(molecule, tmp_path, settings=Param(charge_method="gas", param_memory_gb=3)).key in keys


@pytest.mark.parametrize("file", ["atoms.json", "parameters.frcmod", "entry.json"])
def test_a_damaged_entry_is_made_anew(tmp_path, caplog, file):
    molecule, settings = small(), Param(charge_method="gas")
    before = run(molecule, tmp_path, settings=settings)
    damaged = tmp_path / "cache" / before.key[:2] / before.key / file
    damaged.write_text(damaged.read_text()[:-20])
    with caplog.at_level(logging.WARNING):
        after = run(molecule, tmp_path, settings=settings)
    assert "damaged entry in the parameter cache is made anew" in caplog.text
    assert not after.from_cache and after.charges == before.charges
    assert run(molecule, tmp_path, settings=settings).from_cache


def test_renormalise():
    charges, correction = renormalise([0.1000014, -0.2, 0.1029986], 0, "x")
    assert sum(round(1e6 * q) for q in charges) == 0
    assert correction == pytest.approx(-0.001, abs=1e-6)
    assert np.ptp(np.array(charges) - [0.100001, -0.2, 0.102999]) < 2e-6
    with pytest.raises(ParametrisationError, match=r"x: charges sum to 0.5000 e, expected \+0"):
        renormalise([0.25, 0.25], 0, "x")


def test_a_memory_bound_ends_in_a_clear_error(tmp_path):
    with pytest.raises(ParametrisationError, match=r"cage: antechamber .*log: .*cage\.antechamber\.log"):
        run(small(), tmp_path, name="cage", settings=Param(param_memory_gb=0.01))
    assert (tmp_path / "logs" / "cage.antechamber.log").exists()
    assert not list((tmp_path / "cache").rglob("entry.json"))


def test_a_time_bound_ends_with_its_children(tmp_path):
    start = time.monotonic()
    with pytest.raises(ParametrisationError, match="cb7: antechamber ran over its"):
        run(molecules.from_file(CB7), tmp_path, name="cb7", settings=Param(param_time_min=0.002), rigid=True)
    assert time.monotonic() - start < 20


def test_mol2_is_in_the_order_of_the_molecule(tmp_path):
    molecule = small("OCC(F)=O")
    found = run(molecule, tmp_path, settings=Param(charge_method="gas"))
    path = write_mol2(molecule, found, tmp_path / "x.mol2", "LIG")
    typed = ambertools.read_typed_atoms(path)
    assert typed.types == list(found.types) and typed.charges == pytest.approx(found.charges)
    rows = [line.split() for line in path.read_text().split("ATOM\n")[1].split("@")[0].splitlines()]
    assert [row[1] for row in rows] == molecules.atom_names(molecule.mol)
    assert np.allclose([[float(x) for x in row[2:5]] for row in rows], molecule.positions_angstrom, atol=1e-4)


def test_entry_keeps_what_it_was_made_from(tmp_path):
    found = run(small(), tmp_path, settings=Param(charge_method="gas"))
    entry = tmp_path / "cache" / found.key[:2] / found.key
    assert {"antechamber.log", "atoms.json", "molecule.sdf", "parameters.frcmod"} == set(
        json.loads((entry / "entry.json").read_text())
    )


def test_penalties_of_a_frcmod():
    """Scores as parmchk2 writes them; the largest counts."""
    text = "c3-c3-oh  67.7  109.4   same as x, penalty score=  2.5\nca-ca-c3-oh 1 0.0 180.0 2.0 penalty score= 42.5\n"
    assert read_frcmod_penalty(text) == 42.5 and read_frcmod_penalty("") == 0.0


def test_terms_that_are_far_from_similar_are_named_impropers_are_not():
    text = (
        "MASS\n\nBOND\n\nANGLE\n\nDIHE\n"
        "cy-cy-ss-c5   3    1.0  0.0  3.0  same as c3-c3-ss-c3, penalty score=173.5\n"
        "c3-c3-oh-ho   1    0.2  0.0  3.0  same as X -c3-oh-X , penalty score= 20.0\n\n"
        "IMPROPER\nca-ca-cp-cp 1.1 180.0 2.0 Same as X -X -ca-ha, penalty score=327.0\n\nNONBON\n"
    )
    (said,) = guessed_terms(text)
    assert "cy-cy-ss-c5 (penalty 173.5)" in said and "ca-ca" not in said and "oh-ho" not in said


def test_a_proton_that_went_over_is_told(tmp_path, capfd):
    """Glycine's zwitterion with a proton at 1.0 A of its carboxylate, as AM1 leaves it in the gas phase."""
    mol = small("[NH3+]CC(=O)[O-]").mol
    sdf = molecules.Chem.MolToMolBlock(mol)
    xyz = mol.GetConformer().GetPositions()
    proton = next(n.GetIdx() for n in mol.GetAtomWithIdx(0).GetNeighbors() if n.GetAtomicNum() == 1)
    oxygen = next(a.GetIdx() for a in mol.GetAtoms() if a.GetFormalCharge() == -1)

    def told(positions):
        lines = [
            f"ATOM  {i + 1:5d}  X   MOL     1    {x:8.3f}{y:8.3f}{z:8.3f}" for i, (x, y, z) in enumerate(positions)
        ]
        (tmp_path / "sqm.pdb").write_text("\n".join(lines) + "\n")
        return bonds_moved(sdf, tmp_path / "sqm.pdb")

    assert told(xyz) == [] == bonds_moved(sdf, tmp_path / "none.pdb")
    away = xyz[oxygen] - xyz.mean(axis=0)
    xyz[proton] = xyz[oxygen] + away / np.linalg.norm(away)
    (said,) = told(xyz)
    assert f"its bond N1-H{proton + 1} broke" in said and f"O{oxygen + 1} and H{proton + 1} bonded" in said
    bonds_moved(sdf.replace("3D", "2D"), tmp_path / "sqm.pdb")
    assert capfd.readouterr().err == ""  # RDKit has something to say of a file without its mark


def test_the_charges_of_a_double_bond_are_those_of_its_isomer(tmp_path):
    """E and Z of one molecule have two entries in the cache, each at its own geometry."""
    keys = {run(small(smiles), tmp_path, settings=Param(charge_method="gas")).key for smiles in ("C/C=C/C", r"C/C=C\C")}
    assert len(keys) == 2


def test_an_azolate_gets_types_that_have_terms(tmp_path):
    """antechamber's own bond orders give one nitrogen of a tetrazolate the type of a nitrile, and no angle has that."""
    found = run(small("Cc1nn[n-]n1"), tmp_path)
    assert "n1" not in found.types and found.types[1] == "cc"
    assert round(sum(found.charges), 6) == -1
    assert found.types[2:6].count("nd") + found.types[2:6].count("nc") >= 3


def test_terms_that_no_types_have_are_named_with_their_cause(tmp_path):
    with pytest.raises(ParametrisationError, match="has no parameters for ca-ca-i -o") as caught:
        run(small("O=Ic1ccccc1"), tmp_path)
    assert caught.value.cause == "Parametrisation"


def test_charges_that_are_given_are_taken_as_they_are(tmp_path):
    """Types are those of the computed molecule; charges stay at their atoms, their rest spread to an integer sum."""
    molecule = small("CO")
    given = (0.1166, -0.5988, 0.0287, 0.0287, 0.0287, 0.3963)
    kept = dict(name="ligand", cache=tmp_path / "cache", logs=tmp_path / "logs", rigid=False)
    found = parametrise(molecule, PARAM, charges_e=given, **kept)
    assert found.charges == pytest.approx([q - 0.0002 / 6 for q in given], abs=1.5e-6)
    assert sum(found.charges) == pytest.approx(0, abs=1e-9) and found.correction_e == pytest.approx(-0.0002 / 6)
    computed = run(molecule, tmp_path, settings=Param(charge_method="gas"))
    assert found.types == computed.types and found.frcmod == computed.frcmod
    other = parametrise(molecule, PARAM, charges_e=given[::-1], **kept)
    assert other.from_cache and other.key != found.key and other.charges != found.charges
    with pytest.raises(ParametrisationError, match="sum to 1.0002 e, expected \\+0"):
        parametrise(molecule, PARAM, charges_e=[q + 1 / 6 for q in given], **kept)
