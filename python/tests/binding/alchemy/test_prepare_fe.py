"""Legs of an equilibrated complex: folders by the protocol's table, restraint, standard state."""

import host_guest as hg
import numpy as np
import openmm
import pytest
import solutes
from solutes import at_rest, built, settings
from solvation import SOLVATION, ligand_alone

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_sum
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.binding.sample.sampling import leg_systems
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.errors import InputError, StateError, UnboundError
from gibbsflow.workflow.result import Result


def test_legs(chain):
    system = SimSystem.read(chain / "fe")
    assert system.meta["standard_state"]["numeric_kcal_per_mol"] == pytest.approx(-5.2714, abs=1e-3)
    assert system.meta["run"] == {"seed": 2026, "replicates": 2}
    bound, free = (AlchemicalLeg.read(system.root / "legs" / name) for name in ("complex", "solvent"))
    assert len(bound.states) == 16 and len(free.states) == 6 and free.restraint is None
    assert bound.restraint.r0_angstrom == 0 and len(bound.restraint.ligand_atoms) == 12
    np.testing.assert_allclose(free.start_nm, bound.start_nm[:, hg.RECEPTOR_ATOMS :])
    assert bound.thermal_starts and bound.starts_nm(0).shape == (16, 156, 3)
    assert not np.array_equal(bound.starts_nm(0), bound.starts_nm(1))


def test_another_table_makes_other_legs(chain, tmp_path):
    """Two legs of the ligand alone: nothing in the code knows a leg by its name."""
    table = [
        LegSpec(
            name, "ligand_prmtop", ("ligand",), ("ligand",), "solvent_schedule", False, sign, named_schedule="solvent_6"
        )
        for name, sign in (("water", -1), ("vacuum", 1))
    ]
    result = Result()
    prepare_legs(SimSystem.read(chain / "analysis"), BindingConfig(), tmp_path / "out", result, table)
    assert result.figures["windows"] == {"water": 6, "vacuum": 6}
    legs = [AlchemicalLeg.read(tmp_path / "out" / "legs" / name) for name in ("water", "vacuum")]
    assert [leg.leg for leg in legs] == ["water", "vacuum"]
    assert all(leg.ligand_atoms == tuple(range(30)) and not leg.receptor_atoms for leg in legs)


def test_atoms_are_counted_as_in_the_topology_of_the_leg(chain):
    complex_leg, solvent = (AlchemicalLeg.read(chain / "fe" / "legs" / name) for name in ("complex", "solvent"))
    assert complex_leg.receptor_atoms == tuple(range(hg.RECEPTOR_ATOMS))
    assert complex_leg.ligand_atoms == tuple(range(hg.RECEPTOR_ATOMS, 156))
    assert (solvent.ligand_atoms, solvent.receptor_atoms) == (tuple(range(30)), ())


@pytest.mark.parametrize("bound", [None, False])
def test_what_is_not_bound_has_no_legs(chain, tmp_path, bound):
    system = SimSystem.read(chain / "equil")
    if bound is not None:
        system = system.with_meta(bound=bound, ligand_site_distance_angstrom=20.0)
    with pytest.raises(UnboundError, match="nothing to prepare"):
        prepare_legs(system, BindingConfig(), tmp_path / "out", Result())


def test_what_amber_equilibrated_has_no_windows(chain, tmp_path):
    system = SimSystem.read(chain / "analysis")
    system = system.with_meta(md=system.meta["md"] | {"engine": "amber"})
    with pytest.raises(InputError, match="sander has no soft core"):
        prepare_legs(system, BindingConfig(), tmp_path / "out", Result())


def test_legs_for_pmemd_are_made_where_it_is_not(tmp_path, monkeypatch):
    config = settings(sampler="independent")
    system = at_rest(built(tmp_path / "x", "CO", config))
    monkeypatch.setenv("PATH", "/nowhere")
    system = system.with_meta(md=system.meta["md"] | {"engine": "amber"})
    prepared = prepare_legs(system, config, tmp_path / "out", Result())
    assert AlchemicalLeg.read(prepared.root / "legs" / "solvent").md.engine == "amber"


def test_a_ligand_of_another_topology_is_refused(chain, tmp_path):
    system = SimSystem.read(chain / "analysis").copy_to(tmp_path / "in")
    text = system.path("ligand_prmtop").read_text()
    head, charges = text.split("%FLAG CHARGE", 1)
    (tmp_path / "in" / system.artifacts["ligand_prmtop"]).unlink()
    changed = charges.replace("-", " ", 1)
    (tmp_path / "in" / system.artifacts["ligand_prmtop"]).write_text(f"{head}%FLAG CHARGE{changed}")
    with pytest.raises(StateError, match="differ in parameters"):
        prepare_legs(system, BindingConfig(), tmp_path / "out", Result())


def test_solvation_needs_no_receptor_and_no_restraint(tmp_path):
    """Frozen in one frame, the sum over the cycle is the energy of the solvent on the coupled ligand, sign and all."""
    result = Result()
    prepared = prepare_legs(ligand_alone(tmp_path / "in"), BindingConfig(), tmp_path / "out", result, SOLVATION)
    assert not {"restraint", "standard_state"} & (prepared.meta.keys() | result.figures.keys())
    legs = [AlchemicalLeg.read(prepared.root / "legs" / name) for name in ("solvent", "vacuum")]
    assert [leg.md.solvent for leg in legs] == ["obc2", "vacuum"]
    assert all(leg.restraint is None and not leg.receptor_atoms for leg in legs)
    engine, place = engine_for(legs[0].md), hg.positions_nm("ligand")

    def energy_kj_per_mol(system):
        simulation = engine.simulation(system, Md(platform="Reference"), 1)
        simulation.place(place)
        return simulation.potential_kj_per_mol()

    ends = {leg.leg: [energy_kj_per_mol(leg_systems(leg, engine)[k]) for k in (0, -1)] for leg in legs}
    of_solvent = ends["solvent"][0] - ends["vacuum"][0]
    assert of_solvent < -20
    total = cycle_sum(SOLVATION, {name: last - first for name, (first, last) in ends.items()}, -5.0)
    assert total == pytest.approx(of_solvent, abs=1e-6)


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """Methylammonium over benzene, with force fields."""
    return solutes.stacked(tmp_path_factory.mktemp("stacked"), "c1ccccc1", "C[NH3+]", in_water())


def in_water(**given):
    return solutes.settings(**{"mode": "abfe", "padding_angstrom": 8.5, "salt_mol_per_l": 0.0} | given)


def net_charges(leg):
    """Charge of the whole box, e, and of the ligand, in every state of a leg."""
    engine = engine_for(leg.md)
    parent = engine.system(leg.folder / leg.topology, leg.md, apart=leg.apart)
    system = periodic_alchemical_system(parent, leg.ligand_atoms, copy_atoms=leg.copy_atoms, ion_atoms=leg.ion_atoms)
    (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    base = np.array([force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles())])
    slope = np.zeros_like(base)
    for k in range(force.getNumParticleParameterOffsets()):
        name, atom, charge, *_ = force.getParticleParameterOffset(k)
        assert name == "lambda_electrostatics"
        slope[atom] += charge
    charges = np.array([base + state.lambda_electrostatics * slope for state in leg.states])
    return charges.sum(axis=1), charges[:, list(leg.ligand_atoms)].sum(axis=1)


def test_the_box_of_sdr_is_neutral_in_every_state(stacked, tmp_path):
    config = in_water(abfe_protocol="sdr")
    system = solutes.as_equilibrated(solutes.in_water(stacked, config, tmp_path / "water"), tmp_path / "equil")
    result = Result()
    prepared = prepare_legs(system, config, tmp_path / "fe", result)
    assert result.figures["windows"] == {"sdr": 41} and prepared.meta["standard_state"]
    leg = AlchemicalLeg.read(prepared.root / "legs" / "sdr")
    far = prepared.facts(TopologyFacts).remote["complex"]
    assert (leg.copy_atoms, leg.ion_atoms) == (far.copy_atoms, ()) and not set(leg.copy_atoms) & set(leg.ligand_atoms)
    assert [(pair.away, pair.least_angstrom) for pair in leg.apart] == [(far.copy_atoms, far.least_angstrom)]
    assert leg.restraint.r0_angstrom == 4.0 and set(leg.restraint.ligand_atoms) < set(leg.ligand_atoms)
    box, ligand = net_charges(leg)
    np.testing.assert_allclose(box, 0, atol=1e-4)
    np.testing.assert_allclose(ligand, [state.lambda_electrostatics for state in leg.states], atol=1e-4)
    assert {"copy_atoms", "apart"} <= leg.hashed_settings(0, None).keys()
    # what was built for one protocol is not made legs of another
    with pytest.raises(InputError, match="built for another abfe_protocol"):
        prepare_legs(system, in_water(charge_correction="counter_ion"), tmp_path / "other", Result())
    with pytest.raises(InputError, match="charge_correction counter_ion or analytic, abfe_protocol sdr, or obc2"):
        prepare_legs(system, in_water(), tmp_path / "none", Result())


def test_counter_ions_keep_both_boxes_neutral_and_leave_nothing_of_themselves(stacked, tmp_path):
    config = in_water(charge_correction="counter_ion", padding_angstrom=11.0)
    system = solutes.as_equilibrated(solutes.in_water(stacked, config, tmp_path / "water"), tmp_path / "equil")
    prepared = prepare_legs(system, config, tmp_path / "fe", Result())
    parameters = []
    for name in ("complex", "solvent"):
        leg = AlchemicalLeg.read(prepared.root / "legs" / name)
        assert len(leg.ion_atoms) == 1 and leg.apart[0].away == leg.ion_atoms and not leg.copy_atoms
        box, ligand = net_charges(leg)
        np.testing.assert_allclose(box, 0, atol=1e-4)
        np.testing.assert_allclose(ligand, [state.lambda_electrostatics for state in leg.states], atol=1e-4)
        engine = engine_for(leg.md)
        particles = engine.nonbonded(engine.system(leg.folder / leg.topology, leg.md))
        parameters.append(particles[[*leg.ligand_atoms, *leg.ion_atoms]])
    np.testing.assert_allclose(*parameters)


@pytest.mark.parametrize(("smiles", "charge"), [("C[NH3+]", 1), ("C[NH2+]CC(=O)[O-]", 0)])
def test_a_charged_ligand_is_corrected_for_the_size_of_its_box(tmp_path, smiles, charge):
    """One correction for each leg in water, none in vacuum and none for a zwitterion; of a resting box its terms."""
    config = settings(charge_correction="analytic")
    result = Result()
    system = at_rest(built(tmp_path / "x", smiles, config))
    prepared = SimSystem.read(prepare_legs(system, config, tmp_path / "out", result).root)
    assert AlchemicalLeg.read(prepared.root / "legs" / "vacuum").md.solvent == "vacuum"
    if not charge:
        assert "finite_size" not in prepared.meta and "finite_size" not in result.figures
        return
    assert result.figures["finite_size"] == prepared.meta["finite_size"] and list(prepared.meta["finite_size"]) == [
        "solvent"
    ]
    size = prepared.meta["finite_size"]["solvent"]
    assert size["ligand_charge_e"] == charge and size["ions_charge_e"] == -charge
    assert size["dg_kcal_per_mol"] == pytest.approx(-sum(size["charging"].values()))
    assert any("NET, USV" in note for note in prepared.account().as_dict()["notes"])


def test_a_charged_ligand_without_a_correction_has_no_legs(tmp_path):
    config = settings()
    system = at_rest(built(tmp_path / "x", "C[NH3+]", config))
    with pytest.raises(InputError, match=r"depends on the size of its periodic box.*charge_correction analytic"):
        prepare_legs(system, config, tmp_path / "out", Result())
