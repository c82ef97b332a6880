"""What is asked for, waters that give way, ions outside the membrane, and all of it joined by tleap."""

import os

import bilayers
import numpy as np
import pytest
from openmm import app, unit
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.forcefield.membrane.bilayer import measured
from gibbsflow.binding.forcefield.membrane.lipids import lipids_of
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.patch import building
from gibbsflow.binding.forcefield.patch.building import MembraneChoice, Packed, with_ions, without_clashes
from gibbsflow.binding.forcefield.patch.lipid_names import record
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.solvated_facts import SolvatedFacts
from gibbsflow.config.binding import BindingConfig, Param
from gibbsflow.errors import InputError


def packed():
    """Two lipids of a carbon and a hydrogen about z = 0, and waters on a grid above and below."""
    lipids = np.array([[[0, 0, 10.0], [0, 0, 11.0]], [[8, 8, -10.0], [8, 8, -11.0]]])
    x, y, z = np.meshgrid(np.arange(0, 24, 3.0), np.arange(0, 24, 3.0), [-26, -23, -20, 12, 20, 23, 26], indexing="ij")
    oxygens = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    waters = oxygens[:, None] + np.array([[0, 0, 0], [0.9, 0, 0], [0, 0.9, 0.0]])
    return Packed(lipids, waters, np.array([24.0, 24.0, 60.0]), ("C1", "H1"))


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (MembraneChoice("CHOL"), "a lipid that no patch is known of: CHOL"),
        (MembraneChoice("POPC:POPE"), "packmol-memgen has built is given by --complex_topology"),
        (MembraneChoice(padding_angstrom=2), "2 Å round the protein"),
        (MembraneChoice(orientation="opm"), "given or search"),
        (MembraneChoice(salt_mol_per_l=-1), "0 to 5 mol/L"),
    ],
)
def test_choices_that_cannot_be_had(choice, said):
    (problem,) = choice.problems()
    assert said in str(problem)
    assert MembraneChoice().problems() == []


def test_water_gives_way_to_the_ligand_and_lipids_do_not():
    found = without_clashes(packed(), np.array([[3.0, 3.0, 20.0]]), where="x")
    assert len(found.waters) == len(packed().waters) - 1
    with pytest.raises(InputError, match="the ligand is in the lipid: 1 lipids"):
        without_clashes(packed(), np.array([[0.0, 1.0, 10.0]]), where="x")
    near_hydrogen = without_clashes(packed(), np.array([[0.0, 0.0, 12.0]]), where="x")  # heavy atoms alone count
    assert len(near_hydrogen.lipids) == 2


def test_ions_neutralise_and_stand_outside_the_membrane_away_from_the_solute():
    solute = np.array([[12.0, 12.0, 23.0]])
    ions, left = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    cations, anions = ions["Na+"], ions["Cl-"]
    pairs = round(0.3 * len(packed().waters) / 55.5)
    assert (len(cations), len(anions)) == (pairs + 2, pairs)
    both = np.concatenate([cations, anions])
    assert (np.abs(both[:, 2]) > 14).all() and np.linalg.norm(both - solute, axis=1).min() > 5
    assert len(left.waters) == len(packed().waters) - len(both)
    again, _ = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    np.testing.assert_array_equal(again["Na+"], cations)
    with pytest.raises(InputError, match="ions do not fit outside the membrane"):
        with_ions(packed(), solute, -500, 0.0, 5, where="x")


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


def from_patch(topology, placed, receptor, choice, *, where):
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
    return Packed(np.array(kept[False]), np.array(kept[True]), np.array([34.0, 34.0, 73.1]), names)


@pytest.mark.slow
def test_protein_ligand_lipids_ions_and_water_are_one_system(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "pack", from_patch)
    choice = MembraneChoice(salt_mol_per_l=0.1)
    made, figures = building.build_membrane(taken(tmp_path), choice, tmp_path / "out", seed=3)
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
