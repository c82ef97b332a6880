"""Protein, ligand, lipids, ions and water joined by tleap: packed, and from a prepared bilayer."""

import os

import bilayers
import numpy as np
import openmm
import pytest
from openmm import app, unit
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.forcefield.membrane.bilayer import measured
from gibbsflow.binding.forcefield.membrane.lipids import lipids_of
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.patch import building
from gibbsflow.binding.forcefield.patch.choice import MembraneChoice
from gibbsflow.binding.forcefield.patch.lipid_names import amber_names, record
from gibbsflow.binding.forcefield.patch.surroundings import Surroundings, named_lipid
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.solvated_facts import SolvatedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Param
from gibbsflow.errors import InputError


def taken(folder):
    """The helix and methanol at its end as ``param ligand`` leaves them."""
    names, labels, numbers, xyz = bilayers.helix()
    rows = [record(k + 1, names[k], labels[k], numbers[k], xyz[k]) for k in range(len(names))]
    rows = [f"{row[:21]}A{row[22:]}{names[k].lstrip('0123456789')[0]:>12s}" for k, row in enumerate(rows)]
    (folder / "helix.pdb").write_text("\n".join([*rows, "TER", "END", ""]))
    ligand = Chem.AddHs(Chem.MolFromSmiles("CO"))
    AllChem.EmbedMolecule(ligand, randomSeed=1)
    conformer = ligand.GetConformer()
    place = conformer.GetPositions() - conformer.GetPositions().mean(axis=0) + [0, 0, xyz[:, 2].max() + 3.5]
    for k, point in enumerate(place.tolist()):
        conformer.SetAtomPosition(k, point)
    Chem.MolToMolFile(ligand, str(folder / "moh.sdf"))
    (folder / "prepared").mkdir()
    row = row_from_options("moh", folder / "moh.sdf", None, None, "given")
    system, _ = prepare_system(row, folder / "helix.pdb", BindingConfig(), folder / "prepared")
    return parametrise_system(system, Param(charge_method="gas"), cache=folder / "cache", out=folder / "param")[0]


def from_patch(topology, placed, receptor, lipid, padding, folder, *, where):
    """In place of OpenMM's packing, which takes minutes: what of its patch is within 17 Å and not on the helix."""
    patch = app.PDBFile(os.path.join(os.path.dirname(app.__file__), "data", "POPC.pdb"))
    places = np.array(patch.positions.value_in_unit(unit.angstrom))
    places -= (places.min(axis=0) + places.max(axis=0)) / 2
    kept = {True: [], False: []}
    for residue in patch.topology.residues():
        atoms = places[[a.index for a in residue.atoms()]]
        away = np.linalg.norm(atoms[:, None] - placed[None, :receptor], axis=-1).min()
        if np.abs(atoms[:, :2].mean(axis=0)).max() < 17 and away > 1.2:
            kept[residue.name == "HOH"].append(atoms)
    names = tuple(a.name for a in next(patch.topology.residues()).atoms())
    known = amber_names(lipid, names, folder)
    lipids = tuple(named_lipid(known, xyz) for xyz in kept[False])
    return Surroundings(lipids, np.array(kept[True]), np.array([34.0, 34.0, 73.1]))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The system as it was taken, and what was built of it."""
    folder = tmp_path_factory.mktemp("built")
    system, choice = taken(folder), MembraneChoice(salt_mol_per_l=0.1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(building, "pack", from_patch)
        return system, *building.build_membrane(system, choice, folder / "out", seed=3)


@pytest.mark.slow
def test_a_prepared_bilayer_without_its_topology_gives_the_same_system(built, tmp_path):
    system, made, _ = built
    whole = app.AmberPrmtopFile(str(made.path("given_complex_prmtop")))
    places = app.AmberInpcrdFile(str(made.path("given_complex_inpcrd")))
    whole.topology.setPeriodicBoxVectors(places.boxVectors)
    turned = [openmm.Vec3(-p.y, p.x, p.z) for p in places.positions.value_in_unit(unit.angstrom)]
    with (tmp_path / "prepared.pdb").open("w") as file:
        app.PDBFile.writeFile(whole.topology, turned * unit.angstrom, file)
    choice = MembraneChoice(pdb=tmp_path / "prepared.pdb")
    again, figures = building.build_membrane(system, choice, tmp_path / "out", seed=3)
    one, two = (s.facts(SolvatedFacts).solvated["complex"] for s in (made, again))
    assert (two.lipids, two.waters, two.ions) == (one.lipids, one.waters, one.ions)
    assert figures["membrane"]["orientation"] == "prepared" and figures["membrane"]["lipid"] == "prepared.pdb"
    assert any("laid on it" in note for note in figures["notes"])
    same = [
        Topology.read(s.path("given_complex_prmtop"), s.path("given_complex_inpcrd")).positions_angstrom
        for s in (made, again)
    ]
    ours, theirs = (xyz - xyz[list(one.receptor_atoms)].mean(axis=0) for xyz in same)
    heads = list(lipids_of(made.path("given_complex_prmtop")).heads)
    away = ours[heads] @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) - theirs[heads]
    away -= np.array([34.0, 34.0, 73.1]) * np.round(away / [34.0, 34.0, 73.1])
    assert np.abs(away).max() < 0.01


@pytest.mark.slow
def test_protein_ligand_lipids_ions_and_water_are_one_system(built):
    _, made, figures = built
    told, box = figures["membrane"], made.facts(SolvatedFacts).solvated["complex"]
    assert told["orientation"] == "given" and told["residues_in_core"] > 10
    assert box.lipids == {"PA-PC-OL": told["lipids"]} and box.water_model == "tip3p" and not box.cosolvent
    assert box.ions["Na+"] == told["ions"]["Na+"] == told["ions"]["Cl-"] > 0
    assert len(box.ligand_atoms) == 6 and not any("beside it" in note for note in figures["notes"])
    positions = Topology.read(made.path("given_complex_prmtop"), made.path("given_complex_inpcrd")).positions_angstrom
    found = measured(
        lipids_of(made.path("given_complex_prmtop")),
        positions,
        np.diag([34.0, 34.0, 73.1]),
        list(box.receptor_atoms),
        [],
    )
    helix = positions[list(box.receptor_atoms)]
    assert np.ptp(helix[:, 2]) > 24  # upright, and about the middle
    assert abs(helix[:, 2].mean() - found.middle_angstrom) < 6 and 34 < found.thickness_angstrom < 44


def test_a_ligand_away_from_the_receptor_is_told_before_lipids_are_packed():
    receptor = np.array([[0, 0, 0], [0, 0, 10.0]])
    building.refuse_far(receptor, np.array([[0, 3.0, 10.0], [0, 20.0, 0]]), where="x")
    with pytest.raises(InputError, match="the ligand is 6.0 Å from the receptor"):
        building.refuse_far(receptor, np.array([[0, 6.0, 10.0]]), where="x")


def test_a_system_that_comes_solvated_is_told_so(tmp_path):
    system = SimSystem("boxed", tmp_path).with_facts(SolvatedFacts(solvated={}))
    with pytest.raises(InputError, match="boxed, --system: comes solvated.*its protein and ligand alone"):
        building.build_membrane(system, MembraneChoice(), tmp_path / "out", seed=1)
    assert not (tmp_path / "out").exists()
