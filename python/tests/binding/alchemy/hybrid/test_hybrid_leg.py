"""A leg of an edge as it lies in its folder: read as it was written, and told from one that decouples."""

import edges
import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder
from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION
from gibbsflow.binding.alchemy.schedules import HybridState
from gibbsflow.config.binding import BindingConfig, Fe
from gibbsflow.engines.openmm_engine import OPENMM
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
