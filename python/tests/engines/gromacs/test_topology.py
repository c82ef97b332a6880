"""Topologies of GROMACS: what is written is read back, and what has no counterpart is refused."""

import subprocess

import numpy as np
import openmm
import pytest
from gromacs_boxes import needs_gromacs

from gibbsflow.binding.forcefield.topology_file import molecules
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.programs import make_run_input
from gibbsflow.engines.gromacs.topology import coulomb_table, g96_text, read_g96, topology_text
from gibbsflow.engines.openmm_systems import box_vectors_nm, create_system, read_positions_nm
from gibbsflow.engines.process import find_program
from gibbsflow.errors import EngineError, InputError


def waters(count: int) -> openmm.System:
    """Rigid waters, with a pair of bonded ions' worth of nothing else."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for first in range(0, 3 * count, 3):
        for mass, charge, epsilon in ((16.0, -0.8, 0.6), (1.0, 0.4, 0.0), (1.0, 0.4, 0.0)):
            system.addParticle(mass)
            force.addParticle(charge, 0.3, epsilon)
        for i, j, distance in ((0, 1, 0.1), (0, 2, 0.1), (1, 2, 0.16)):
            system.addConstraint(first + i, first + j, distance)
            force.addException(first + i, first + j, 0, 1, 0)
    system.addForce(force)
    return system


def test_molecules_of_one_kind_are_written_once():
    text = topology_text(waters(5), np.repeat(np.arange(5, dtype=np.int32), 3))
    assert text.count("[ moleculetype ]") == 1 and text.endswith("[ molecules ]\nM0 5\n")
    assert "[ settles ]\n1 1 0.1 0.16" in text and "[ exclusions ]\n1 2 3\n2 3" in text


def test_a_molecule_that_changes_has_a_second_state():
    text = topology_text(waters(3), np.repeat(np.arange(3, dtype=np.int32), 3), changing=range(3))
    assert text.count("[ moleculetype ]") == 2 and text.endswith("M0 1\nM1 2\n")
    assert "1 t0 1 M X 1 -0.8 16.000000 t0off 0.0 16.000000" in text
    assert "t0off 0 0.0 0.0 A 0.3 0.0" in text and "t0off t0off 1 0.3 0.6" in text


@needs_gromacs
def test_maps_of_torsions_have_the_energies_of_the_other_engine(tmp_path):
    text = "source leaprc.protein.ff19SB\nsource leaprc.water.opc\nm = sequence { ACE ALA GLY SER NME }\n"
    (tmp_path / "leap.in").write_text(text + "solvateoct m OPCBOX 6\nsaveamberparm m m.prmtop m.inpcrd\nquit\n")
    subprocess.run([find_program("tleap"), "-f", "leap.in"], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    md, prmtop = Md(solvent="opc", cutoff_angstrom=7), tmp_path / "m.prmtop"
    system, box = create_system(prmtop, md), box_vectors_nm(tmp_path / "m.inpcrd")
    masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
    alpha, grid = parameters.pme(0.7, box)
    for number, force in enumerate(system.getForces()):
        force.setForceGroup(number)
        if isinstance(force, openmm.NonbondedForce):
            force.setPMEParameters(alpha, *grid)
    (mapped,) = (n for n, force in enumerate(system.getForces()) if isinstance(force, openmm.CMAPTorsionForce))
    integrator = openmm.LangevinMiddleIntegrator(900, 5, 0.002)
    integrator.setRandomNumberSeed(5)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})
    context.setPeriodicBoxVectors(*box)
    context.setPositions(read_positions_nm(tmp_path / "m.inpcrd"))
    openmm.LocalEnergyMinimizer.minimize(context, 10, 100)
    integrator.step(300)
    positions = np.asarray(context.getState(getPositions=True).getPositions(asNumpy=True)._value)
    chosen = parameters.common(md, alpha, grid) | parameters.dynamics(md, 1, 1) | {"nsteps": "0", "pcoupl": "no"}
    (tmp_path / "topol.top").write_text(topology_text(system, molecules(prmtop)))
    assert len(masses) == len(positions) and "[ cmaptypes ]" in (tmp_path / "topol.top").read_text()
    make_run_input(tmp_path, "run", parameters.mdp_text(chosen), g96_text(positions, box), tmp_path / "topol.top")
    for words in ("mdrun -s run.tpr -rerun run.g96 -deffnm run -ntmpi 1 -ntomp 1", "energy -f run.edr -o e.xvg -dp"):
        subprocess.run(
            ["gmx", "-quiet", "-nobackup", *words.split()],
            cwd=tmp_path, check=True, capture_output=True, timeout=60, text=True, input="CMAP-Dih.\nPotential\n\n",
        )  # fmt: skip
    theirs = [float(word) for word in (tmp_path / "e.xvg").read_text().splitlines()[-1].split()[1:]]
    ours = [context.getState(getEnergy=True, groups=groups).getPotentialEnergy()._value for groups in ({mapped}, -1)]
    np.testing.assert_allclose(sorted(theirs, key=abs), sorted(ours, key=abs), rtol=1e-4)
    assert abs(min(ours, key=abs)) > 1


def test_maps_that_atoms_cannot_tell_apart_are_refused():
    def mapped(*rows):
        system, force = openmm.System(), openmm.NonbondedForce()
        for _ in range(8):
            system.addParticle(12.0)
            force.addParticle(0.0, 0.3, 0.4)
        maps = openmm.CMAPTorsionForce()
        for number in range(2):
            maps.addMap(4, [float(number + k) for k in range(16)])
        for row in rows:
            maps.addTorsion(*row)
        system.addForce(force)
        system.addForce(maps)
        return topology_text(system, np.zeros(8, dtype=np.int32))

    text = mapped((0, 0, 1, 2, 3, 1, 2, 3, 4), (1, 2, 3, 4, 5, 3, 4, 5, 6), (0, 3, 4, 5, 6, 4, 5, 6, 7))
    # from -180° on: the point (180°, 180°) of the first map is its third row, third column
    assert "[ cmap ]\n1 2 3 4 5 1\n3 4 5 6 7 1\n4 5 6 7 8 1" in text and "t0 t0 t0m0 t0 t0m1 1 4 4\\\n10 14 2 6" in text
    with pytest.raises(InputError, match="atom 2 of a molecule is in the middle of two maps"):
        mapped((0, 0, 1, 2, 3, 1, 2, 3, 4), (1, 0, 1, 2, 3, 1, 2, 3, 4))
    with pytest.raises(InputError, match="not of five atoms in a row.*--engine openmm"):
        mapped((0, 0, 1, 2, 3, 4, 5, 6, 7))


def test_what_has_no_counterpart_is_refused():
    system = waters(1)
    one = np.zeros(3, dtype=np.int32)
    with pytest.raises(InputError, match="a part of a molecule changes"):
        topology_text(system, one, changing=[0])
    bond = openmm.HarmonicBondForce()
    bond.addBond(0, 3, 0.1, 1.0)
    two = waters(2)
    two.addForce(bond)
    with pytest.raises(InputError, match="atoms 0, 3 bond two molecules"):
        topology_text(two, np.repeat(np.arange(2, dtype=np.int32), 3))
    system.addForce(openmm.CustomNonbondedForce("r"))
    with pytest.raises(InputError, match="CustomNonbondedForce, which is not carried over.*--engine openmm"):
        topology_text(system, one)


def test_frames_come_back_to_nine_decimals():
    random = np.random.default_rng(1)
    positions, velocities = random.normal(size=(7, 3)) * 5, random.normal(size=(7, 3))
    box = np.array([[3.0, 0, 0], [-1.0, 2.8, 0], [-1.0, -1.4, 2.4]])
    found = read_g96(g96_text(positions, box, velocities))
    for name, expected in (("positions_nm", positions), ("velocities_nm_per_ps", velocities), ("box_nm", box)):
        np.testing.assert_allclose(found[name], expected, atol=5.1e-10)


@pytest.mark.parametrize("lost", ["\n", "END\n", " -1.400000000\nEND\n"])
def test_a_truncated_frame_is_no_frame_of_another_box(lost):
    """Six numbers less in its box, and an octahedron would be read as a rectangular one."""
    text = g96_text(np.zeros((2, 3)), np.array([[3.0, 0, 0], [-1.0, 2.8, 0], [-1.0, -1.4, 2.4]]))
    assert text.endswith(lost)
    with pytest.raises(EngineError, match="without its end"):
        read_g96(text.removesuffix(lost))


def test_the_table_is_the_inverse_distance():
    rows = np.array([line.split() for line in coulomb_table(2.0).splitlines()], dtype=float)
    far = rows[:, 0] >= 0.05
    np.testing.assert_allclose(rows[far, 1] * rows[far, 0], 1, rtol=1e-11)
    np.testing.assert_allclose(rows[far, 2] * rows[far, 0] ** 2, 1, rtol=1e-11)
    assert rows[-1, 0] >= 2.0 and np.isfinite(rows).all()
