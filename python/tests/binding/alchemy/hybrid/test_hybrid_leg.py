"""A leg of an edge as it lies in its folder: read as it was written, and told from one that decouples."""

import edges
import host_guest as hg
import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder, share_files
from gibbsflow.binding.alchemy.hybrid.hybrid_system import hybrid_topology
from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION
from gibbsflow.binding.alchemy.schedules import HybridState
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.topology import build_topologies
from gibbsflow.binding.prepare.complex import prepare_solute, row_from_options
from gibbsflow.binding.sample.kept_frames import KeptFrames
from gibbsflow.config.binding import BindingConfig, Fe
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import read_positions_nm
from gibbsflow.errors import InputError
from gibbsflow.workflow.result import Result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("edge")
    a, b = (edges.system(name, root / name) for name in ("benzene", "toluene"))
    prepare_edge(
        a, b, edges.pairs("benzene", "toluene"), BindingConfig(), root / "edge", Result(), protocol=RELATIVE_SOLVATION
    )
    return root / "edge" / "legs"


def test_read_as_written(folder):
    leg = read_leg_folder(folder / "solvent")
    assert isinstance(leg, HybridLeg) and leg.ligands == ("benzene", "toluene") and leg.periodic
    assert leg.pairs == edges.pairs("benzene", "toluene") and leg.old_atoms == tuple(range(12))
    assert len(leg.states) == 11 and all(isinstance(state, HybridState) for state in leg.states)
    assert set(leg.files()) == {"topology", "start", "other_topology"} and not leg.thermal_starts
    before = (folder / "solvent" / "leg.json").read_text()
    leg.write()
    assert (folder / "solvent" / "leg.json").read_text() == before
    assert not read_leg_folder(folder / "vacuum").periodic


def test_its_map_is_part_of_what_decides_the_samples(folder):
    leg = read_leg_folder(folder / "vacuum")
    assert leg.hashed_settings(0, None)["hybrid"]["pairs"] == [list(pair) for pair in leg.pairs]


def test_atoms_of_b_are_in_the_molecule_of_a(folder):
    """In a topology to look at they stand at the end, bonded to their anchor."""
    leg = read_leg_folder(folder / "solvent")
    atoms = list(leg.all_atoms.atoms())
    assert len(atoms) == leg.start_nm.shape[1] == len(leg.molecules)
    assert set(leg.molecules[-4:]) == {0} == set(leg.molecules[:12]) and leg.molecules.max() > 100
    assert [atom.element.symbol for atom in atoms[-4:]] == ["C", "H", "H", "H"]
    bonds = {frozenset((one.index, two.index)) for one, two in leg.all_atoms.bonds()}
    carbon = len(atoms) - 4
    assert {frozenset((0, carbon)), frozenset((carbon, carbon + 3))} <= bonds


def test_two_whole_ligands_come_to_one_image_in_frames_that_are_kept(folder, tmp_path):
    """GROMACS gives them a box apart, since no bond is between them."""
    a, b = (edges.system(name, tmp_path / name) for name in ("methanol", "ethane"))
    water = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "solvent")
    prepare_edge(a, b, (), BindingConfig(), tmp_path / "edge", Result(), protocol=water, dual=True)
    leg = read_leg_folder(tmp_path / "edge" / "legs" / "solvent")
    start, box = leg.start_nm[0], leg.starts_boxes_nm(0)[0]
    apart = start.copy()
    apart[-8:] += box[2] - box[0]
    kept = KeptFrames(leg, tmp_path, (0,)).selection
    assert np.searchsorted(kept.solute, leg.new_atoms).tolist() == list(range(6, 14))
    np.testing.assert_allclose(kept.of(apart, box), kept.of(start, box), atol=1e-6)
    shared = read_leg_folder(folder / "solvent")  # one molecule of both there
    assert (shared.pieces == shared.molecules).all() and set(leg.molecules[-8:]) == {leg.molecules[0]}


def test_where_b_has_no_atom_of_its_own_the_topology_is_a(tmp_path):
    a, b = (edges.system(name, tmp_path / name, solvent="obc2") for name in ("phenol", "fluorobenzene"))
    pairs, out = edges.pairs("phenol", "fluorobenzene"), tmp_path / "edge"
    prepare_edge(a, b, pairs, BindingConfig(), out, Result(), protocol=RELATIVE_SOLVATION)
    leg = read_leg_folder(out / "legs" / "vacuum")
    assert [residue.name for residue in leg.all_atoms.residues()] == ["LIG"]
    assert leg.all_atoms.getNumAtoms() == leg.start_nm.shape[1] == 13


def test_systems_of_its_states_are_those_of_the_hybrid(folder):
    leg = read_leg_folder(folder / "vacuum")
    systems = leg.systems(OPENMM)
    assert len(systems) == 11 and {system.getNumParticles() for system in systems} == {16}
    assert leg.hybrid(OPENMM).system.getNumParticles() == leg.start_nm.shape[1]
    np.testing.assert_allclose(systems[0].getParticleMass(0)._value, leg.shared(OPENMM).a.masses[0])


def test_a_leg_that_decouples_is_read_as_before(tmp_path):
    hg.make_leg(tmp_path / "leg", "solvent", fe=Fe())
    leg = read_leg_folder(tmp_path / "leg")
    assert type(leg) is AlchemicalLeg


def test_another_engine_is_refused(folder):
    class Other:
        name = "amber"

    with pytest.raises(InputError, match="amber runs the windows"):
        read_leg_folder(folder / "vacuum").hybrid(Other())


@pytest.mark.slow
def test_charges_of_an_sdf_are_those_of_both_ends(tmp_path):
    """Two records of one file, hydrogens first, with charges that no method gives: each atom has its own at its end."""
    config, given, tops, blocks = BindingConfig.from_params({"charge_source": "sdf"}), {}, {}, []
    for name, smiles in (("propanol", "CCCO"), ("butanol", "CCCCO")):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(mol, randomSeed=1)
        mol = Chem.RenumberAtoms(mol, [*range(len(smiles), mol.GetNumAtoms()), *range(len(smiles))])
        values = np.round(np.random.default_rng(len(smiles)).normal(scale=0.2, size=mol.GetNumAtoms()), 4)
        values[0] -= values.sum()
        given[name] = values
        text = " ".join(f"{value:.4f}" for value in values)
        blocks.append(f"{name}{Chem.MolToMolBlock(mol)}>  <atom.dprop.PartialCharge>\n{text}\n\n$$$$\n")
    (tmp_path / "all.sdf").write_text("".join(blocks))
    for name in given:
        (folder := tmp_path / name).mkdir()
        row = row_from_options(name, tmp_path / "all.sdf", None, None, None)
        system, _ = prepare_solute(row, config, folder)
        system, _ = parametrise_system(system, config.param, cache=tmp_path / "cache", out=folder / "param")
        tops[name] = build_topologies(system, config.md, folder / "top")
    (a, b), (first, last) = tops.values(), (8, 10)  # where heavy atoms begin
    pairs = tuple((first + i, last + i + 1) for i in range(4))
    files = [top.path("ligand_prmtop") for top in (a, b)]
    shared = share_files((a.name, b.name), files[0], tuple(range(12)), files[1], pairs, config.md, OPENMM)
    made = hybrid_topology(shared, *(read_positions_nm(file.with_suffix(".inpcrd")) for file in files))
    force = next(one for one in made.system.getForces() if isinstance(one, openmm.NonbondedForce))
    ends = {"propanol": [0, 1, 1, 0, 0], "butanol": [1, 0, 0, 1, 1]}
    names = ("core", "electrostatics", "sterics", "sterics_new", "electrostatics_new")
    for end, places in zip(ends, (shared.place_a, shared.place_b), strict=True):
        values = dict(zip((f"lambda_{name}" for name in names), ends[end], strict=True))
        charges = [force.getParticleParameters(k)[0]._value for k in range(force.getNumParticles())]
        for k in range(force.getNumParticleParameterOffsets()):
            name, atom, change, *_ = force.getParticleParameterOffset(k)
            charges[atom] += values[name] * change
        found = np.array([charges[place] for place in places])
        np.testing.assert_allclose(found, given[end], atol=2e-5)
        assert abs(np.delete(charges, list(places))).max() < 1e-9  # what only the other has is without charge
