"""An edge in GROMACS: at its ends the energies of OpenMM's hybrid, between them their mixture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import edges
import numpy as np
import openmm
import parmed
import pytest
from gromacs_boxes import EdgeFrame, needs_gromacs

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.gromacs_edge import edge_topology
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder
from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError
from gibbsflow.workflow.result import Result

QUICK = (("isobutane", "neopentane"),)  # that of methanol, in the midst of its water, is below
IN_WATER = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "solvent")


def edge_leg(root: Path, a: str, b: str, pairs=None) -> HybridLeg:
    systems = (edges.system(a, root / "a"), edges.system(b, root / "b"))
    shared = edges.pairs(a, b) if pairs is None else pairs
    prepare_edge(*systems, shared, BindingConfig(), root / "edge", Result(), protocol=IN_WATER)
    leg = read_leg_folder(root / "edge" / "legs" / "solvent")
    assert isinstance(leg, HybridLeg)
    return leg


@needs_gromacs
@pytest.mark.parametrize(
    ("a", "b"),
    [pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.slow) for pair in edges.PAIRS],
)
def test_ends_have_the_energies_of_the_other_engine(a, b, tmp_path):
    frame = EdgeFrame(edge_leg(tmp_path, a, b))
    ours, theirs = frame.openmm_kj_per_mol(), frame.gromacs_kj_per_mol(tmp_path / "rerun")
    ends = [0, -1]
    np.testing.assert_allclose(theirs[ends], ours[ends], rtol=1e-4)
    assert np.diff(theirs[ends]) == pytest.approx(np.diff(ours[ends]), abs=0.1)
    # between them atoms come and go softly: no energy far beyond both ends
    assert np.ptp(theirs) - np.ptp(theirs[ends]) < 60 and np.isfinite(theirs).all()


@needs_gromacs
def test_states_of_an_edge_without_soft_atoms_are_mixtures_of_its_ends(tmp_path):
    """A hydroxyl's hydrogen is shielded by its oxygen: no charge of it, or of what stays, has a soft core."""
    frame = EdgeFrame(edge_leg(tmp_path, "phenol", "fluorobenzene"))
    ours, theirs = frame.openmm_kj_per_mol(), frame.gromacs_kj_per_mol(tmp_path / "rerun")
    share = np.array([state.lambda_core for state in frame.leg.states])
    expected = (1 - share) * ours[0] + share * ours[-1]
    np.testing.assert_allclose(theirs - theirs[0], expected - expected[0], atol=0.05)
    assert abs(ours[-1] - ours[0]) > 5


@needs_gromacs
def test_a_ligand_in_the_midst_of_its_surroundings(tmp_path):
    """B's own atoms come after A's in GROMACS, and behind all waters in the leg."""
    first, leg = 15, edge_leg(tmp_path, "methanol", "ethane")
    size, others = len(leg.old_atoms), len(leg.ligand_atoms) - len(leg.old_atoms)
    whole = parmed.load_file(str(leg.folder / leg.topology))
    water, rest = whole[f"@{size + 1}-{size + first}"], whole[f"@{size + first + 1}-{len(whole.atoms)}"]
    both = water + parmed.load_file(str(edges.prmtop("methanol"))) + rest
    both.box = whole.box
    both.save(str(leg.folder / "midst.prmtop"), overwrite=True)
    start = dict(np.load(leg.folder / leg.start))
    x = start["positions_nm"]
    x[:, : size + first] = np.concatenate([x[:, size : size + first], x[:, :size]], axis=1)
    np.savez(leg.folder / "midst.npz", **start)
    old = tuple(range(first, first + size))
    own = tuple(range(x.shape[1] - others, x.shape[1]))
    moved = replace(leg, topology="midst.prmtop", start="midst.npz", old_atoms=old, ligand_atoms=(*old, *own))
    topology = edge_topology(moved, OPENMM)
    expected = [*range(first + size), *own, *range(first + size, x.shape[1] - others)]
    assert topology.order.tolist() == expected and len(topology.masses_amu) == len(expected)
    frame = EdgeFrame(moved)
    ours, theirs = frame.openmm_kj_per_mol(), frame.gromacs_kj_per_mol(tmp_path / "rerun")
    np.testing.assert_allclose(theirs[[0, -1]], ours[[0, -1]], rtol=1e-4)
    read = topology.read(topology.frame(frame.positions, frame.box))
    np.testing.assert_allclose(read["positions_nm"], frame.positions, atol=1e-8)


def test_what_it_does_not_carry_over_is_refused(tmp_path, monkeypatch):
    leg = edge_leg(tmp_path, "methanol", "ethane")
    made = leg.hybrid(OPENMM)
    (force,) = (force for force in made.system.getForces() if isinstance(force, openmm.NonbondedForce))
    monkeypatch.setattr(HybridLeg, "hybrid", lambda *_: made)
    force.addParticleParameterOffset("lambda_core", 20, 1.0, 0.0, 0.0)
    wall = openmm.CustomExternalForce("lambda_wall*x")
    wall.addGlobalParameter("lambda_wall", 0.0)
    wall.setName("Wall")
    made.system.addForce(wall)
    with pytest.raises(InputError, match="with ion_atoms, charges of 1 atoms beside the ligands, Wall, .*openmm"):
        edge_topology(replace(leg, ion_atoms=(20,)), OPENMM)
