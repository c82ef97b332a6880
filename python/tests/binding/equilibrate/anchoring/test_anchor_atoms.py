"""What anchors are called, and which atoms of T4 lysozyme stand firm."""

import numpy as np
import pytest
from known_molecules import LYSOZYME
from openmm import app, unit

from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import firm_pools, name_problems, named_atoms, split_names
from gibbsflow.binding.equilibrate.anchoring.anchors import AnchorSearch
from gibbsflow.binding.system import SimSystem

RECEPTOR, LIGAND = range(2603), range(2603, 2621)


@pytest.fixture(scope="module")
def lysozyme():
    """Topology of the complex, five frames in Å, heavy atoms."""
    topology = app.AmberPrmtopFile(str(LYSOZYME / "complex.prmtop")).topology
    positions = app.AmberInpcrdFile(str(LYSOZYME / "complex.crd")).positions.value_in_unit(unit.angstrom)
    frames = np.array(positions) + np.random.default_rng(2).normal(scale=0.05, size=(5, len(positions), 3))
    return topology, frames, [a.index for a in topology.atoms() if a.element.symbol != "H"]


def pools(topology, frames, heavy):
    found = firm_pools(topology, frames, [i for i in heavy if i in RECEPTOR], protein=True)
    atoms = list(topology.atoms())
    residues = {words: {atoms[i].residue.index + 1 for i in chosen} for words, chosen in found}
    return residues, {words: chosen for words, chosen in found}


def test_helices_and_strands_of_lysozyme(lysozyme):
    """As in the crystal (PDB 181L): helices 3–11, 60–79, 82–90, 93–105, 115–122, 126–134, 143–155; loops between."""
    residues, _ = pools(*lysozyme)
    firm = residues["backbone atoms of helices and strands"]
    for first, last in ((5, 10), (61, 78), (94, 104), (116, 121), (127, 133), (145, 154)):
        assert len(set(range(first, last + 1)) - firm) <= 1, (first, last)
    assert not firm & {1, 2, 163, 164} and len(firm) < 0.85 * 164
    assert list(residues)[:3] == [
        "backbone atoms of helices and strands", "backbone atoms away from ends of chains", "backbone atoms",
    ]  # fmt: skip


def test_residues_beside_a_break_are_no_anchors(lysozyme):
    """A peptide bond in the middle of a helix taken out: what lies beside it is an end."""
    topology, frames, heavy = lysozyme
    broken = app.Topology()
    chain, atoms = broken.addChain(), []
    for residue in topology.residues():
        made = broken.addResidue(residue.name, chain)
        atoms += [broken.addAtom(a.name, a.element, made) for a in residue.atoms()]
    for a, b in topology.bonds():
        if {(a.name, a.residue.index), (b.name, b.residue.index)} != {("C", 64), ("N", 65)}:
            broken.addBond(atoms[a.index], atoms[b.index])
    whole, _ = pools(topology, frames, heavy)
    residues, _ = pools(broken, frames, heavy)
    for words in ("backbone atoms of helices and strands", "backbone atoms away from ends of chains"):
        assert whole[words] - residues[words] == {64, 65, 66, 67}
    assert residues["backbone atoms"] == whole["backbone atoms"]


def test_anchors_of_xylene_stand_in_helices(lysozyme):
    topology, frames, heavy = lysozyme
    found = AnchorSearch(
        frames,
        ligand=[i for i in heavy if i in LIGAND],
        receptor_pools=list(firm_pools(topology, frames, [i for i in heavy if i in RECEPTOR], protein=True)),
        bonds=[(a.index, b.index) for a, b in topology.bonds()],
        temperature_k=300,
    ).candidates()
    residues, chosen = pools(topology, frames, heavy)
    assert len(found) == 5 and "helices and strands" in found[0].why
    for one in found:
        assert set(one.receptor) <= set(chosen["backbone atoms of helices and strands"])
        assert 40 <= one.least_angle_deg <= one.largest_angle_deg <= 140


def a_system(folder, **artifacts):
    meta = {
        "md": {}, "receptor_kind": "protein", "receptor_charge": None, "receptor_name": "t4", "ligand_charge": 0,
        "ligand_smiles": "Cc1ccc(C)cc1", "site": None, "receptor_atoms": list(RECEPTOR), "ligand_atoms": list(LIGAND),
        "site_atoms": [0],
    }  # fmt: skip
    for source in artifacts.values():
        (folder / source.name).write_bytes(source.read_bytes())
    return SimSystem("xylene", folder, {role: source.name for role, source in artifacts.items()}, meta)


def test_names_are_those_of_the_file(lysozyme, tmp_path):
    shifted = tmp_path / "receptor.pdb"
    lines = (LYSOZYME / "receptor.pdb").read_text().splitlines()
    shifted.write_text(
        "\n".join(f"{x[:21]}B{int(x[22:26]) + 100:4d}{x[26:]}" if x.startswith("ATOM") else x for x in lines)
    )
    topology, _, _ = lysozyme
    atoms = {(a.residue.index, a.name): a.index for a in topology.atoms()}
    (tmp_path / "system").mkdir()
    named = named_atoms(a_system(tmp_path / "system", complex_prmtop=LYSOZYME / "complex.prmtop", receptor=shifted))
    assert named.receptor["B:199:CA"] == atoms[98, "CA"] and "B:199:HA" not in named.receptor
    assert named.of([atoms[98, "CA"], LIGAND[0]])[0] == "B:199:CA"
    assert sorted(named.ligand.values()) == [
        a.index for a in topology.atoms() if a.index in LIGAND and a.element.symbol == "C"
    ]
    bare = named_atoms(a_system(tmp_path / "system", complex_prmtop=LYSOZYME / "complex.prmtop"))
    assert any(name.endswith(":99:CA") and i == atoms[98, "CA"] for name, i in bare.receptor.items())


def test_what_is_wrong_with_names():
    receptor, ligand = ["A:99:CA", "A:99:N", "A:102:CA", "A:84:CA"], ["C1", "C2", "C3", "O1"]
    assert name_problems("A:99:CA,A:102:CA,A:84:CA,C1,C2,C3", receptor, ligand, where="x") == []
    assert split_names("A:99:CA, A:102:CA ,A:84:CA,C1,C2,C3")[1] == "A:102:CA"
    (few,) = name_problems("A:99:CA,C1", receptor, ligand, where="x")
    assert "no six atoms" in few.what and few.field == "boresch_atoms" and "A:111:CA" in few.right
    (twice,) = name_problems("A:99:CA,A:99:CA,A:84:CA,C1,C2,C3", receptor, ligand, where="x")
    assert "A:99:CA is there twice" in twice.what
    lost = name_problems("A:99:CB,A:102:CA,A:84:CA,C1,C2,C7", receptor, ligand, where="x")
    assert "did you mean 'A:99:C" in lost[0].right and "heavy atoms of the ligand, as C1" in lost[1].right
    assert [p.what.split(" has")[0] for p in lost] == ["the receptor", "the ligand"]
    (far,) = name_problems("A:99:CA,A:102:CA,A:84:CA,C1,C2,zz", receptor, ligand, where="x")
    assert "heavy atoms of the ligand, as C1" in far.right
