"""Small boxes for both engines: thermal frames by OpenMM, their energies by ``gmx mdrun -rerun``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import openmm
import pytest
import solutes
from openmm.app.internal.unitcell import reducePeriodicBoxVectors

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.gromacs_states import gromacs_lambdas, softens_charges
from gibbsflow.binding.alchemy.gromacs_topology import decoupling_topology
from gibbsflow.binding.alchemy.hybrid.gromacs_edge import edge_topology
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg
from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.binding.forcefield.topology_file import molecules
from gibbsflow.binding.sample.gromacs.leg_inputs import leg_pulls
from gibbsflow.config.binding import Fe
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.dhdl_file import read_dhdl
from gibbsflow.engines.gromacs.programs import make_run_input
from gibbsflow.engines.gromacs.topology import coulomb_table
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm, create_system, read_positions_nm

needs_gromacs = pytest.mark.skipif(shutil.which("gmx") is None, reason="no GROMACS on PATH")
LADDER = tuple(
    LambdaState(0, e, s)
    for e, s in [(1, 1), (0.7, 1), (0.5, 1), (0.2, 1), (0, 1), (0, 0.8), (0, 0.5), (0, 0.2), (0, 0.05), (0, 0)]
)


class Box:
    """A ligand in water, and a few frames at room temperature."""

    def __init__(self, folder: Path, smiles: str, frames: int = 1, **settings):
        config = solutes.settings(**settings)
        system = solutes.built(folder, smiles, config)
        self.md, self.prmtop = config.md, system.path("solvent_prmtop")
        self.ligand = tuple(system.facts(TopologyFacts).ligand_atoms)
        self.system = create_system(self.prmtop, self.md)
        start, box = read_positions_nm(system.path("solvent_inpcrd")), box_vectors_nm(system.path("solvent_inpcrd"))
        hot = create_system(self.prmtop, self.md)
        hot.addForce(openmm.MonteCarloBarostat(1.0, 298.15, 5))
        context = _context(hot, box)
        context.setPositions(start)
        openmm.LocalEnergyMinimizer.minimize(context, 10, 150)
        context.setVelocitiesToTemperature(298.15, 1)
        self.frames, self.boxes = [], []
        for number in range(frames):
            context.getIntegrator().step(150 if number else 400)
            state = context.getState(getPositions=True)
            self.frames.append(np.asarray(state.getPositions(asNumpy=True)._value))
            self.boxes.append(np.asarray(state.getPeriodicBoxVectors(asNumpy=True)._value))

    def ions(self):
        """Those of the box, in their order."""
        masses = np.array([self.system.getParticleMass(i)._value for i in range(len(self.frames[0]))])
        found = np.flatnonzero((np.bincount(molecules(self.prmtop))[molecules(self.prmtop)] == 1) & (masses > 20))
        return [int(ion) for ion in found]

    def openmm_kj_per_mol(self, states, restraint=None, ions=(), apart=()):
        """Energies of the first frame; OpenMM's Reference platform loses pairs in octahedra."""
        parent = OPENMM.system(self.prmtop, self.md, apart=apart)
        (force,) = (f for f in parent.getForces() if isinstance(f, openmm.NonbondedForce))
        alpha, grid = parameters.pme(self.md.cutoff_angstrom / 10, self.boxes[0])
        force.setPMEParameters(alpha, *grid)
        context = _context(periodic_alchemical_system(parent, self.ligand, restraint, ion_atoms=ions), self.boxes[0])
        context.setPositions(self.frames[0])
        return energies_kj_per_mol(context, states)

    def gromacs_kj_per_mol(self, folder: Path, states, restraint=None, ions=(), apart=()):
        """The same by a rerun, or by the first step of a run."""
        folder.mkdir()
        box = self.boxes[0]
        leg = self.leg(folder / "leg", states, restraint=restraint, ion_atoms=tuple(ions), apart=tuple(apart))
        topology = decoupling_topology(leg, self.md)
        alpha, grid = parameters.pme(self.md.cutoff_angstrom / 10, box)
        chosen = parameters.common(self.md, alpha, grid) | parameters.dynamics(self.md, 1, 1)
        chosen |= parameters.lambdas(gromacs_lambdas(states), 0) | {"nsteps": "0", "pcoupl": "no"}
        index = None
        if held := leg_pulls(leg, topology):
            extra, groups = parameters.pulling(held, len(topology.order))
            chosen |= extra | {"continuation": "yes"}
            index = folder / "index.ndx"
            index.write_text(groups)
        (folder / "topol.top").write_text(topology.text)
        (folder / "table_b0.xvg").write_text(coulomb_table(4.0))
        frame = topology.frame(self.frames[0], box)
        make_run_input(folder, "run", parameters.mdp_text(chosen), frame, folder / "topol.top", index)
        # a rerun takes sites as the file has them; it never knows the centres a step before, and loops for ever where
        # a wide group asks for them
        once = "" if apart or any(one.wide for one in held) else "-rerun run.g96"
        words = f"mdrun -s run.tpr {once} -deffnm run -ntmpi 1 -ntomp 1 -tableb table_b0.xvg".split()
        subprocess.run(["gmx", "-quiet", "-nobackup", *words], cwd=folder, check=True, capture_output=True, timeout=60)
        file = read_dhdl(folder / "run.xvg")
        (potential,) = file.header.columns("Potential Energy")
        return file.table[0, potential] + file.table[0, file.header.foreign]

    def leg(self, folder: Path, states=LADDER, **changes) -> AlchemicalLeg:
        """A leg that starts from the frames."""
        fe = {"window_ps": 3.0, "window_equil_ps": 0.0, "sample_ps": 0.5, "segment_ps": 1.0}
        fe = Fe(**(fe | changes.pop("fe", {})))
        topology, start = place_leg(
            folder, self.prmtop, np.array(self.frames), range(len(self.frames[0])), np.array(self.boxes)
        )
        md = self.md.model_copy(update={"engine": "gromacs"} | changes.pop("md", {}))
        restraint = changes.pop("restraint", None)
        leg = AlchemicalLeg(
            folder, "solvent", "solute", tuple(states), topology, start, self.ligand, (), restraint, md, fe, 7, 1,
            **changes,
        )  # fmt: skip
        leg.write()
        return leg


class EdgeFrame:
    """Atoms of a leg between two ligands half way between the ends, and their energies by both engines."""

    def __init__(self, leg: HybridLeg):
        self.leg, self.box = leg, leg.starts_boxes_nm(0)[0]
        self.context = edge_context(leg, self.box)
        self.context.setPositions(leg.starts_nm(0)[0])
        put(self.context, leg.states[len(leg.states) // 2])  # no atom is there that would be on top of a water
        openmm.LocalEnergyMinimizer.minimize(self.context, 10, 100)
        self.context.setVelocitiesToTemperature(298.15, 1)
        self.context.getIntegrator().step(100)
        self.positions = np.asarray(self.context.getState(getPositions=True).getPositions(asNumpy=True)._value)

    def openmm_kj_per_mol(self):
        return energies_kj_per_mol(self.context, self.leg.states)

    def gromacs_kj_per_mol(self, folder: Path):
        folder.mkdir()
        topology, states = edge_topology(self.leg, OPENMM), self.leg.states
        ewald = parameters.pme(self.leg.md.cutoff_angstrom / 10, self.box)
        chosen = parameters.common(self.leg.md, *ewald) | parameters.dynamics(self.leg.md, 1, 1)
        chosen |= parameters.lambdas(gromacs_lambdas(states), 0, soft_charges=softens_charges(states))
        chosen |= {"nsteps": "0", "pcoupl": "no"}
        index = None
        if held := leg_pulls(self.leg, topology):
            extra, groups = parameters.pulling(held, len(topology.masses_amu))
            chosen |= extra | {"continuation": "yes"}
            index = folder / "index.ndx"
            index.write_text(groups)
        (folder / "topol.top").write_text(topology.text)
        frame = topology.frame(self.positions, self.box)
        make_run_input(folder, "run", parameters.mdp_text(chosen), frame, folder / "topol.top", index)
        words = "mdrun -s run.tpr -rerun run.g96 -deffnm run -ntmpi 1 -ntomp 1".split()
        subprocess.run(["gmx", "-quiet", "-nobackup", *words], cwd=folder, check=True, capture_output=True, timeout=60)
        file = read_dhdl(folder / "run.xvg")
        (potential,) = file.header.columns("Potential Energy")
        return file.table[0, potential] + file.table[0, file.header.foreign]


def edge_context(leg: HybridLeg, box: np.ndarray) -> openmm.Context:
    """The hybrid of an edge, with the grid of the other engine."""
    system = leg.hybrid(OPENMM).system
    (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    alpha, grid = parameters.pme(leg.md.cutoff_angstrom / 10, box)
    force.setPMEParameters(alpha, *grid)
    return _context(system, box)


def put(context: openmm.Context, state: LambdaState) -> None:
    """Set the λ that there are."""
    for name, value in state.as_dict().items():
        if name in context.getParameters():
            context.setParameter(name, value)


def energies_kj_per_mol(context: openmm.Context, states) -> np.ndarray:
    """Energies of a configuration in each state."""
    found = []
    for state in states:
        put(context, state)
        found.append(context.getState(getEnergy=True).getPotentialEnergy()._value)
    return np.array(found)


def _context(system, box):
    integrator = openmm.LangevinMiddleIntegrator(298.15, 1, 0.002)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})
    # an octahedron's box is at the limit of the form that OpenMM wants, and GROMACS writes it with nine decimals
    context.setPeriodicBoxVectors(*reducePeriodicBoxVectors(box))
    return context
