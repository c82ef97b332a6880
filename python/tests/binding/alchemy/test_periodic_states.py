"""One periodic System for all λ states: its ends are the systems they should be, what lies between is openmmtools'."""

import copy
import random
from itertools import combinations

import numpy as np
import openmm
import pytest
from openmm import app, unit

from gibbsflow.binding.alchemy.periodic_states import SOFT_CORES, periodic_alchemical_system
from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, SDR, cycle_sum
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_engine import apart_force
from gibbsflow.errors import InputError
from gibbsflow.units import KJ_PER_KCAL, STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol

DIPEPTIDE = """\
ATOM      1  H1  ACE A   1       2.000   1.000  -0.000
ATOM      2  CH3 ACE A   1       2.000   2.090   0.000
ATOM      3  H2  ACE A   1       1.486   2.454   0.890
ATOM      4  H3  ACE A   1       1.486   2.454  -0.890
ATOM      5  C   ACE A   1       3.427   2.641  -0.000
ATOM      6  O   ACE A   1       4.391   1.877  -0.000
ATOM      7  N   ALA A   2       3.555   3.970  -0.000
ATOM      8  H   ALA A   2       2.733   4.556  -0.000
ATOM      9  CA  ALA A   2       4.853   4.614  -0.000
ATOM     10  HA  ALA A   2       5.408   4.316   0.890
ATOM     11  CB  ALA A   2       5.661   4.221  -1.232
ATOM     12  HB1 ALA A   2       5.123   4.521  -2.131
ATOM     13  HB2 ALA A   2       6.630   4.719  -1.206
ATOM     14  HB3 ALA A   2       5.809   3.141  -1.241
ATOM     15  C   ALA A   2       4.713   6.129   0.000
ATOM     16  O   ALA A   2       3.601   6.653   0.000
ATOM     17  N   NME A   3       5.846   6.835   0.000
ATOM     18  H   NME A   3       6.737   6.359  -0.000
ATOM     19  C   NME A   3       5.846   8.284   0.000
ATOM     20  H1  NME A   3       4.819   8.648   0.000
ATOM     21  H2  NME A   3       6.360   8.648   0.890
ATOM     22  H3  NME A   3       6.360   8.648  -0.890
END
"""
LIGAND = range(22)
PME = (3.0, 24, 24, 24)


@pytest.fixture(scope="module")
def solvated(tmp_path_factory):
    """Alanine dipeptide in a small box of TIP3P: topology, force field, positions in nm."""
    file = tmp_path_factory.mktemp("box") / "dipeptide.pdb"
    file.write_text(DIPEPTIDE)
    pdb = app.PDBFile(str(file))
    field = app.ForceField("amber14/protein.ff14SB.xml", "amber14/tip3p.xml")
    modeller = app.Modeller(pdb.topology, pdb.positions)
    modeller.addSolvent(field, boxSize=openmm.Vec3(2.2, 2.2, 2.2) * unit.nanometer)
    return modeller.topology, field, np.array(modeller.positions.value_in_unit(unit.nanometer))


def make_parent(solvated, *, dispersion=True, switch=False):
    topology, field, _ = solvated
    system = field.createSystem(
        topology,
        nonbondedMethod=app.PME,
        nonbondedCutoff=0.9 * unit.nanometer,
        switchDistance=0.8 * unit.nanometer if switch else None,
        constraints=app.HBonds,
        removeCMMotion=False,
    )
    force = nonbonded(system)
    force.setUseDispersionCorrection(dispersion)
    force.setPMEParameters(*PME)
    return system


def nonbonded(system):
    return next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))


class Evaluator:
    """Energy (kJ/mol) and forces (kJ/mol/nm) in double precision."""

    def __init__(self, system, positions):
        platform = openmm.Platform.getPlatformByName("Reference")
        self.context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
        self.context.setPositions(positions)

    def __call__(self, **parameters):
        for name, value in parameters.items():
            self.context.setParameter(name, value)
        state = self.context.getState(getEnergy=True, getForces=True)
        return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


@pytest.mark.parametrize("soft_core", SOFT_CORES)
@pytest.mark.parametrize("switch", [False, True])
def test_coupled_end_is_the_parent(solvated, switch, soft_core):
    parent, positions = make_parent(solvated, switch=switch), solvated[2]
    expected, expected_forces = Evaluator(parent, positions)()
    energy, forces = Evaluator(periodic_alchemical_system(parent, LIGAND, soft_core=soft_core), positions)()
    assert energy == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(forces, expected_forces, rtol=1e-6, atol=1e-4)


def test_the_long_range_correction_of_the_parent_follows_the_box(solvated):
    """Both corrections go with 1/V: the ends agree in another box as well."""
    parent, positions = make_parent(solvated), solvated[2] * 1.02
    for system in (parent, altered := periodic_alchemical_system(parent, LIGAND)):
        system.setDefaultPeriodicBoxVectors(*(np.eye(3) * 2.2 * 1.02))
    assert Evaluator(altered, positions)()[0] == pytest.approx(Evaluator(parent, positions)()[0], rel=1e-8)


@pytest.mark.parametrize("soft_core", SOFT_CORES)
def test_decoupled_end_is_water_and_uncharged_ligand_apart(solvated, soft_core):
    parent, positions = make_parent(solvated), solvated[2]
    apart = copy.deepcopy(parent)
    force = nonbonded(apart)
    kept = [force.getParticleParameters(i) for i in LIGAND]
    excepted = set()
    for index in range(force.getNumExceptions()):
        i, j, _, sigma, epsilon = force.getExceptionParameters(index)
        if i in LIGAND:
            excepted.add((min(i, j), max(i, j)))
            force.setExceptionParameters(index, i, j, 0, sigma, epsilon)
    for i in LIGAND:
        force.setParticleParameters(i, 0, kept[i][1], 0)
    vacuum = openmm.CustomBondForce("4*epsilon*((sigma/r)^12-(sigma/r)^6)")
    vacuum.addPerBondParameter("sigma")
    vacuum.addPerBondParameter("epsilon")
    for i in LIGAND:
        for j in range(i + 1, len(LIGAND)):
            if (i, j) not in excepted:
                vacuum.addBond(i, j, [(kept[i][1] + kept[j][1]) / 2, (kept[i][2] * kept[j][2]).sqrt()])
    apart.addForce(vacuum)
    moved = positions + np.where(np.arange(len(positions))[:, None] < len(LIGAND), [0.3, 0.2, 0.1], 0.0)
    energy, forces = Evaluator(periodic_alchemical_system(parent, LIGAND, soft_core=soft_core), moved)(
        lambda_electrostatics=0, lambda_sterics=0
    )
    expected, expected_forces = Evaluator(apart, moved)()
    assert energy == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(forces, expected_forces, rtol=1e-7, atol=1e-6)


STATES = [(1, 1), (0.8, 1), (0.25, 1), (0, 1), (0, 0.9), (0, 0.5), (0, 0.05), (0, 0)]


def test_every_state_is_that_of_openmmtools(solvated):
    alchemy = pytest.importorskip("openmmtools.alchemy")
    parent, positions = make_parent(solvated, dispersion=False, switch=True), solvated[2]
    factory = alchemy.AbsoluteAlchemicalFactory(
        alchemical_pme_treatment="exact", disable_alchemical_dispersion_correction=True
    )
    region = alchemy.AlchemicalRegion(alchemical_atoms=LIGAND, annihilate_electrostatics=True, annihilate_sterics=False)
    theirs = Evaluator(factory.create_alchemical_system(parent, region), positions)
    ours = Evaluator(periodic_alchemical_system(parent, LIGAND), positions)
    for electrostatics, sterics in STATES:
        values = {"lambda_electrostatics": electrostatics, "lambda_sterics": sterics}
        (energy, forces), (expected, expected_forces) = ours(**values), theirs(**values)
        assert energy == pytest.approx(expected, rel=1e-7), values
        np.testing.assert_allclose(forces, expected_forces, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("soft_core", SOFT_CORES)
def test_forces_are_the_slope_of_the_energy(solvated, soft_core):
    """Also where atoms lie on top of each other in a soft state."""
    parent, positions = make_parent(solvated), solvated[2].copy()
    positions[0] = positions[22 + 3 * 5] + [0.03, 0.02, 0.01]
    evaluate = Evaluator(periodic_alchemical_system(parent, LIGAND, soft_core=soft_core), positions)
    values = {"lambda_electrostatics": 0.0, "lambda_sterics": 0.4}
    forces, step = evaluate(**values)[1], 1e-5
    for axis in range(3):
        sides = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[0, axis] += sign * step
            evaluate.context.setPositions(moved)
            sides.append(evaluate()[0])
        assert -(sides[0] - sides[1]) / (2 * step) == pytest.approx(forces[0, axis], rel=1e-4, abs=1e-2)


def test_the_restraint_goes_with_its_own_parameter(solvated):
    parent, positions = make_parent(solvated), solvated[2]
    com = CentreOfMassRestraint(
        receptor_atoms=(22, 25), ligand_atoms=(1, 4), k_kcal_per_mol_angstrom2=5.0, r0_angstrom=3.0
    )
    evaluate = Evaluator(periodic_alchemical_system(parent, LIGAND, com), positions)
    unrestrained = evaluate()[0]
    assert unrestrained == pytest.approx(Evaluator(parent, positions)()[0], rel=1e-8)
    distance = np.linalg.norm(positions[[22, 25]].mean(axis=0) - positions[[1, 4]].mean(axis=0)) * 10
    half = evaluate(lambda_restraints=0.5)[0] - unrestrained
    assert half == pytest.approx(0.5 * 0.5 * 5.0 * 4.184 * (distance - 3.0) ** 2, rel=1e-6)


def test_what_bonds_the_ligand_to_the_rest_is_refused(solvated):
    with pytest.raises(InputError, match="bond the ligand"):
        periodic_alchemical_system(make_parent(solvated), range(10))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """The dipeptide with salt; as its copy stands a water, far from it, and a sodium for the ion that goes with it."""
    file = tmp_path_factory.mktemp("salt") / "dipeptide.pdb"
    file.write_text(DIPEPTIDE)
    pdb, field = app.PDBFile(str(file)), app.ForceField("amber14/protein.ff14SB.xml", "amber14/tip3p.xml")
    modeller = app.Modeller(pdb.topology, pdb.positions)
    size = openmm.Vec3(2.2, 2.2, 2.6) * unit.nanometer
    random.seed(4)  # of the places of ions
    modeller.addSolvent(field, boxSize=size, ionicStrength=0.4 * unit.molar)
    positions = np.array(modeller.positions.value_in_unit(unit.nanometer))
    away = positions - positions[LIGAND].mean(axis=0)
    away = np.linalg.norm(away - np.round(away / [2.2, 2.2, 2.6]) * [2.2, 2.2, 2.6], axis=1)
    residues = {r.name: r for r in sorted(modeller.topology.residues(), key=lambda r: away[next(r.atoms()).index])}
    groups = {kind: tuple(a.index for a in residues[name].atoms()) for kind, name in FAR.items()}
    return (modeller.topology, field, positions), groups


FAR = {"copy_atoms": "HOH", "ion_atoms": "NA"}


def changed(parent, scales):
    """The parent with charges and Lennard-Jones of some atoms scaled, by atoms: (charges, Lennard-Jones)."""
    system = copy.deepcopy(parent)
    force = nonbonded(system)
    for atoms, (charges, sterics) in scales.items():
        for i in atoms:
            charge, sigma, epsilon = force.getParticleParameters(i)
            force.setParticleParameters(i, charge * charges, sigma, epsilon * sterics)
        for index in range(force.getNumExceptions()):
            i, j, product, sigma, epsilon = force.getExceptionParameters(index)
            if i in atoms:
                force.setExceptionParameters(index, i, j, product * charges, sigma, epsilon)
    return system


def between(parent, positions, one, other):
    """Lennard-Jones of two groups with each other, with its long-range correction, which is most of it so far apart."""
    every = range(parent.getNumParticles())
    uncharged = changed(parent, {tuple(every): (0.0, 1.0)})
    off = (1.0, 0.0)
    parts = [{}, {one: off}, {other: off}, {one: off, other: off}]
    both, without, without_other, neither = (Evaluator(changed(uncharged, part), positions)()[0] for part in parts)
    return both - without - without_other + neither


def inner_sterics(parent, positions, atoms):
    """Lennard-Jones of pairs of a group that are not excepted, by hand."""
    force, total = nonbonded(parent), 0.0
    excepted = {tuple(sorted(force.getExceptionParameters(k)[:2])) for k in range(force.getNumExceptions())}
    values = {i: [p._value for p in force.getParticleParameters(i)] for i in atoms}
    for i in atoms:
        for j in atoms:
            if i < j and (i, j) not in excepted:
                x = ((values[i][1] + values[j][1]) / 2 / np.linalg.norm(positions[i] - positions[j])) ** 6
                total += 4 * np.sqrt(values[i][2] * values[j][2]) * x * (x - 1)
    return total


def test_both_ends_of_a_leg_with_a_copy_and_an_ion(crowded):
    """At first the ligand and the ion are in full and the copy is nowhere; at last the copy is, the ligand nowhere."""
    (topology, field, positions), groups = crowded
    parent = make_parent((topology, field, positions))
    ligand, its_copy, ion = tuple(LIGAND), groups["copy_atoms"], groups["ion_atoms"]
    evaluate = Evaluator(periodic_alchemical_system(parent, LIGAND, **groups), positions)
    pair = between(parent, positions, ligand, ion)
    assert -1.0 < pair < 0
    expected = Evaluator(changed(parent, {its_copy: (0.0, 0.0)}), positions)()[0] - pair
    assert evaluate()[0] == pytest.approx(expected, rel=1e-9)
    last = changed(parent, {ligand: (0.0, 0.0), ion: (0.0, 1.0)})
    expected = Evaluator(last, positions)()[0] - between(parent, positions, its_copy, ion)
    expected += inner_sterics(parent, positions, LIGAND)
    values = {"lambda_electrostatics": 0, "lambda_sterics": 0, "lambda_sterics_copy": 1}
    assert evaluate(**values)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("soft_core", ["gapsys"])
def test_groups_have_no_lennard_jones_with_each_other(crowded, soft_core):
    """Uncharged and on top of each other, each adds the same to the water's energy with and without the other."""
    (topology, field, positions), groups = crowded
    uncharged = changed(make_parent((topology, field, positions)), {tuple(range(len(positions))): (0.0, 1.0)})
    near, atoms = positions.copy(), list(groups["copy_atoms"])
    near[atoms] += positions[4] + [0.05, 0.02, 0.03] - near[atoms[0]]
    evaluate = Evaluator(periodic_alchemical_system(uncharged, LIGAND, soft_core=soft_core, **groups), near)

    def energy(sterics, of_copy):
        return evaluate(lambda_sterics=sterics, lambda_sterics_copy=of_copy)[0]

    for sterics, of_copy in ((0.6, 0.3),):
        sum_of_parts = energy(sterics, 0) + energy(0, of_copy) - energy(0, 0)
        assert energy(sterics, of_copy) == pytest.approx(sum_of_parts, rel=1e-9, abs=1e-6)
        assert min(abs(energy(sterics, 0) - energy(0, 0)), abs(energy(0, of_copy) - energy(0, 0))) > 1


def test_charges_of_two_groups_see_each_other_through_the_whole_of_pme(crowded):
    """Half way all are half charged, and the electrostatics those of a parent with such charges."""
    (topology, field, positions), groups = crowded
    parent = make_parent((topology, field, positions), dispersion=False)
    evaluate = Evaluator(periodic_alchemical_system(parent, LIGAND, **groups), positions)
    members = (tuple(LIGAND), *groups.values())
    expected = Evaluator(changed(parent, {atoms: (0.5, 1.0) for atoms in members}), positions)()[0]
    expected -= sum(between(parent, positions, *pair) for pair in combinations(members, 2))
    energy = evaluate(lambda_electrostatics=0.5, lambda_sterics_copy=1)[0]
    assert energy == pytest.approx(expected, rel=1e-9)


def test_every_state_of_two_groups_is_that_of_openmmtools(crowded):
    alchemy = pytest.importorskip("openmmtools.alchemy")
    (topology, field, positions), groups = crowded
    its_copy = groups["copy_atoms"]
    parent = make_parent((topology, field, positions), dispersion=False, switch=True)
    factory = alchemy.AbsoluteAlchemicalFactory(
        alchemical_pme_treatment="exact", disable_alchemical_dispersion_correction=True
    )
    # theirs leaves out the Coulomb energy of pairs of regions, and with it nothing of what the water makes of them
    charges = [nonbonded(parent).getParticleParameters(i)[0]._value for i in range(len(positions))]
    apart = positions[list(LIGAND)][:, None] - positions[list(its_copy)]
    products = np.outer([charges[i] for i in LIGAND], [charges[i] for i in its_copy])
    pairs = 138.935457 * (products / np.linalg.norm(apart, axis=-1)).sum()
    regions = [
        alchemy.AlchemicalRegion(
            alchemical_atoms=list(atoms), annihilate_electrostatics=True, annihilate_sterics=False, name=name
        )
        for name, atoms in (("site", LIGAND), ("bulk", its_copy))
    ]
    theirs = Evaluator(factory.create_alchemical_system(parent, regions), positions)
    ours = Evaluator(periodic_alchemical_system(parent, LIGAND, copy_atoms=its_copy), positions)
    for electrostatics, sterics, of_copy in ((1, 1, 0), (1, 1, 0.4), (1, 1, 1), (0.3, 1, 1), (0, 0.6, 1), (0, 0, 1)):
        energy = ours(lambda_electrostatics=electrostatics, lambda_sterics=sterics, lambda_sterics_copy=of_copy)[0]
        expected = theirs(
            lambda_electrostatics_site=electrostatics,
            lambda_sterics_site=sterics,
            lambda_electrostatics_bulk=1 - electrostatics,
            lambda_sterics_bulk=of_copy,
        )[0]
        expected += electrostatics * (1 - electrostatics) * pairs
        assert energy == pytest.approx(expected, rel=1e-7), (electrostatics, sterics, of_copy)


def test_sdr_and_double_decoupling_give_the_free_energy_that_the_integral_gives():
    """An atom bound to another, its copy behind a wall, each end integrated over all places: the cycles are exact.

    With nothing round them, the atom's leg in solvent is 0. What is bound is within 15 Å of its receptor.
    """
    kt, r = kt_kcal_per_mol(298.15) * KJ_PER_KCAL, np.linspace(0.2, 1.5, 260)
    parent = openmm.System()
    parent.setDefaultPeriodicBoxVectors(*np.eye(3) * 3)
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(0.7)
    force.setUseDispersionCorrection(False)
    for _ in range(3):
        parent.addParticle(20.0)
        force.addParticle(0.0, 0.3, 20.0)
    parent.addForce(force)
    parent.addForce(apart_force(Apart((0,), (2,), 9.0), periodic=True))
    restraint = CentreOfMassRestraint((0,), (1,), 10.0, 3.4)

    evaluate = Evaluator(periodic_alchemical_system(parent, [1], restraint, copy_atoms=[2]), np.zeros((3, 3)))

    def energy(ligand_nm, copy_nm):
        evaluate.context.setPositions([[0, 0, 0], [ligand_nm, 0, 0], [0, 0, copy_nm]])
        return evaluate.context.getState(getEnergy=True).getPotentialEnergy()._value

    def free_energy(atom, **values):
        """−kT ln of the integral over the places of one atom, kcal/mol; where the other one is adds a constant."""
        evaluate(**values)
        if atom == 1:
            energies = np.array([energy(x, 1.45) for x in r])
        else:
            energies = np.array([energy(0.34, x) for x in r]) - energy(0.34, 1.45)
        return -kt * np.log(np.trapezoid(4 * np.pi * r**2 * np.exp(-energies / kt), r)) / KJ_PER_KCAL

    first = {"lambda_electrostatics": 1, "lambda_sterics": 1, "lambda_restraints": 0, "lambda_sterics_copy": 0}
    last = {name: 1 - value for name, value in first.items()}
    site, bulk = (free_energy(atom, **last) - free_energy(atom, **first) for atom in (1, 2))
    pair = np.where(r < 0.7, 80 * ((0.3 / r) ** 12 - (0.3 / r) ** 6), 0)
    bound = np.trapezoid(4 * np.pi * (10 * r) ** 2 * np.exp(-pair / kt), 10 * r) / STANDARD_VOLUME_ANGSTROM3
    expected = -kt * np.log(bound) / KJ_PER_KCAL
    release = restraint.standard_state(298.15).numeric_kcal_per_mol
    assert -8 < expected < -2 and abs(site) > 1
    assert cycle_sum(SDR, {"sdr": site + bulk}, release) == pytest.approx(expected, abs=2e-3)
    legs = {"complex": site, "solvent": 0.0}
    assert cycle_sum(DOUBLE_DECOUPLING, legs, release) == pytest.approx(expected, abs=2e-3)
