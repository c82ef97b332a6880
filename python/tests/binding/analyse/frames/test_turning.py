"""Equivalent orientations, of rings and groups that turn, or not, by a known angle."""

import edges
import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.analyse.frames.motion import analyse_motion, judge_motion
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph
from gibbsflow.binding.analyse.frames.turning import Orientations, edge_orientations, orientations
from gibbsflow.binding.facts import SettingsFacts
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import BindingConfig, Fe, Run
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper


def built(smiles: str) -> tuple[np.ndarray, LigandGraph]:
    """Heavy atoms of a molecule, and their bonds."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    bare = Chem.RemoveHs(mol)
    atoms = [(atom.GetAtomicNum(), atom.GetTotalNumHs()) for atom in bare.GetAtoms()]
    bonds = tuple((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bare.GetBonds())
    return bare.GetConformer().GetPositions(), LigandGraph(*(tuple(part) for part in zip(*atoms, strict=True)), bonds)


@pytest.mark.parametrize(
    ("smiles", "ways"),
    [
        ("c1ccccc1", 12),
        ("Cc1ccccc1", 2),
        ("Cc1ccc(C)cc1", 4),
        ("Oc1cccc(C)c1", 1),
        ("CC(F)(F)F", 3),  # not six: a group has no mirror image within reach
        ("CC(C)(C)c1ccccc1", 6),
        ("CC(C)c1ccccc1", 2),
        ("C1C2CC3CC1CC(C2)C3", 12),  # adamantane: the rotations of its group of 24
        ("CC(=O)[O-]", 2),
    ],
)
def test_ways_are_turns_and_no_mirror_images(smiles, ways):
    where, graph = built(smiles)
    found = orientations(np.array([where] * 20), graph)
    assert found == Orientations(1, ways, 20) and found.missing == ways


def test_a_ring_that_turns_is_seen_to():
    where, graph = built("c1ccccc1")
    random = np.random.default_rng(3)
    ways = graph.mappings(graph)
    frames = np.array([where[way] + random.normal(0, 0.15, where.shape) for way in ways[random.integers(12, size=40)]])
    shifted = frames + random.normal(0, 1, (40, 1, 3))  # that it moves in its site is another matter
    for given in (frames, shifted):
        found = orientations(np.concatenate([where[None], given]), graph)
        assert found.seen > 10 and found.missing == 1
    stuck = orientations(where + random.normal(0, 0.15, (40, *where.shape)), graph)
    assert (stuck.seen, stuck.missing) == (1, 12)
    half = orientations(np.array([where, where[ways[1]]] * 20), graph)
    assert (half.seen, half.missing) == (2, 6)


def test_too_many_ways_are_left_alone():
    where, graph = built("FC(F)(F)C(C(F)(F)F)(C(F)(F)F)C(F)(F)F")
    assert orientations(where[None], graph) is None


def test_an_edge_is_told_what_it_lacks(tmp_path):
    """Toluene to benzene over p-xylene: frames of real MD, too short for either to turn."""
    a = edges.stacked("toluene", "p-xylene", tmp_path / "a", apart_nm=0.4)
    known = a.facts(SettingsFacts)
    a = a.with_facts(known.model_copy(update={"md": known.md.model_copy(update={"trajectory_ps": 0.02})}))
    b = edges.system("benzene", tmp_path / "b", solvent="obc2")
    fe = Fe(window_ps=0.2, window_equil_ps=0, sample_ps=0.02, segment_ps=0.02)
    config = BindingConfig(fe=fe, run=Run(replicates=1))
    system = prepare_edge(a, b, edges.pairs("toluene", "benzene"), config, tmp_path / "edge", Result())
    runs = []
    for name in ("complex", "solvent"):
        folder, run = system.root / "legs" / name, tmp_path / name
        with Stopper(None, None) as stopper:
            sample_leg(read_leg_folder(folder), 0, None, tmp_path / "state" / name, run, stopper, Result())
        (run / "leg.json").write_bytes((folder / "leg.json").read_bytes())
        runs.append(run)
    folder = system.root / "legs" / "complex"
    found = edge_orientations(read_json(folder / "leg.json"), runs[0], folder)
    assert found == {"toluene": Orientations(1, 2, 11), "benzene": Orientations(1, 12, 10)}
    motion, _ = analyse_motion(system, runs, {})
    (part,) = motion["legs"]  # in water they tumble
    assert part["leg"] == "complex"
    assert part["orientations"]["missing_kcal_per_mol"] == pytest.approx(-kt_kcal_per_mol(298.15) * np.log(6))
    (doubt,), _ = judge_motion(motion, 99.0)
    assert (doubt.check, doubt.leg, doubt.replicate) == ("orientations", "complex", 0)
    assert "toluene in 1 of 2 and benzene in 1 of 12 equivalent orientations" in doubt.reason
    assert "lacks up to -1.06 kcal/mol" in doubt.reason
    (runs[0] / "trajectory_10.xtc").write_bytes(b"half")
    motion, _ = analyse_motion(system, runs, {})
    assert motion["legs"] == [] and "trajectory_10.xtc" in motion["unreadable"][0]
