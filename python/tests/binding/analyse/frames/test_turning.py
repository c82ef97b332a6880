"""Equivalent orientations, of rings and groups that turn, or not, by a known angle."""

import shutil

import edges
import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem, rdFMCS

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.analyse.frames.motion import analyse_motion, judge_motion
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph
from gibbsflow.binding.analyse.frames.turning import (
    Orientations,
    edge_orientations,
    missing_kcal_per_mol,
    orientations,
    shared_ways,
)
from gibbsflow.binding.analyse.frames.window_frames import frames_of
from gibbsflow.binding.facts import SettingsFacts
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import BindingConfig, Fe, Run
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.files import read_json, write_json
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


def test_six_neighbours_turn_together_or_not_at_all():
    """SF5 of an aryl: four of its fluorines come to each other's places, the fifth stays."""
    where, graph = built("c1ccccc1")
    axis = where[0] / np.linalg.norm(where[0])
    beside = np.cross(axis, np.cross(where[0], where[1]) / np.linalg.norm(np.cross(where[0], where[1])))
    sulfur, others = where[0] + 1.8 * axis, [axis, beside, np.cross(axis, beside), -beside, -np.cross(axis, beside)]
    where = np.concatenate([where, [sulfur], sulfur + 1.58 * np.array(others)])
    hydrogens = (0, *graph.hydrogens[1:], *[0] * 6)
    bonds = (*graph.bonds, (0, 6), *((6, 7 + n) for n in range(5)))
    of_group = LigandGraph((*graph.elements, 16, *[9] * 5), hydrogens, bonds)
    random = np.random.default_rng(3)
    found = orientations(where + random.normal(0, 0.1, (40, *where.shape)), of_group)
    assert found == Orientations(1, 8, 40)  # with the flip of the ring


def test_nitrogen_that_inverts_lies_in_a_plane():
    where, graph = built("CN(C)C")
    nitrogen = graph.elements.index(7)
    where = where - where[[n for n in range(4) if n != nitrogen]].mean(axis=0)
    umbrella = np.where(np.arange(4)[:, None] == nitrogen, -1, 1) * where
    assert orientations(np.array([where, umbrella] * 10), graph).ways == 6
    assert orientations(np.array([where] * 20), graph).ways == 3


@pytest.mark.parametrize(
    ("one", "two", "ways"),
    [
        ("Cc1ccccc1", "c1ccccc1", (1, 6)),
        ("CC(C)(C)c1ccccc1", "c1ccccc1", (1, 6)),  # what vanishes keeps its own ways as it does
        ("Cc1ccccc1", "FC(F)(F)c1ccccc1", (1, 1)),  # hydrogens that become fluorine turn as these
        ("FC(F)(F)c1ccccc1", "CC(C)(C)c1ccccc1", (1, 1)),
        ("Cc1ccccc1", "Cc1ccc(C)cc1", (1, 2)),
        ("Cc1ccccc1", "Cc1cccc(C)c1", (2, 2)),  # one map has m-xylene's mirror, none has toluene's
        ("CC(C)C", "CC(C)(C)C", (1, 4)),
        ("c1ccccc1", "Fc1c(F)c(F)c(F)c(F)c1F", (1, 1)),
    ],
)
def test_what_both_ligands_have_at_all_states_costs_nothing(one, two, ways):
    mols = [Chem.AddHs(Chem.MolFromSmiles(smiles)) for smiles in (one, two)]
    kinds = []
    for mol in mols:
        carriers = [atom if atom.GetAtomicNum() > 1 else atom.GetNeighbors()[0] for atom in mol.GetAtoms()]
        kinds.append([2 * c.GetIdx() + (a.GetAtomicNum() == 1) for c, a in zip(carriers, mol.GetAtoms(), strict=True)])
    core = rdFMCS.FindMCS(mols, atomCompare=rdFMCS.AtomCompare.CompareAny, ringMatchesRingOnly=True)
    common = Chem.MolFromSmarts(core.smartsString)
    pairs = zip(*(mol.GetSubstructMatch(common) for mol in mols), strict=True)
    (where, graph), (there, other) = built(one), built(two)
    shared = shared_ways(graph.mappings(graph), other.mappings(other), [(kinds[0][i], kinds[1][j]) for i, j in pairs])
    found = orientations(where[None], graph, shared[0]), orientations(there[None], other, shared[1])
    assert tuple(seen.ways for seen in found) == ways


def test_what_is_missing_is_that_of_a_rotor_in_one_well():
    """A ring that turns into one well of six, and a group with three wells of its own at all λ, by quadrature."""
    kt = kt_kcal_per_mol(300.0)
    ring, group = np.meshgrid(*[np.linspace(-np.pi, np.pi, 360, endpoint=False) + np.pi / 360] * 2)
    six, three = 20 * np.sin(3 * ring) ** 2, 10 * np.sin(1.5 * group) ** 2
    a, b = six + three + 20 * (1 - np.cos(ring)), six + 0.3 * three
    held = (abs(ring) < np.pi / 6) & (abs(group) < np.pi / 3)

    def change(where):
        return -kt * np.log((np.exp(-b / kt) * where).sum() / (np.exp(-a / kt) * where).sum())

    seen = {"a": Orientations(1, 1, 20), "b": Orientations(1, 6, 20)}
    assert change(np.ones_like(a)) - change(held) == pytest.approx(missing_kcal_per_mol(seen, 300.0), abs=1e-3)


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
    ends = EdgeEnds.read(read_json(folder / "leg.json"), folder)
    found = edge_orientations(ends, [frames_of(runs[:1], window, ends.atoms) for window in (0, 10)])
    assert found == {"toluene": Orientations(1, 1, 11), "benzene": Orientations(1, 6, 10)}
    motion, _ = analyse_motion(system, runs, {})
    (part,) = motion["legs"]  # in water they tumble
    assert part["leg"] == "complex"
    assert part["orientations"]["missing_kcal_per_mol"] == pytest.approx(-kt_kcal_per_mol(298.15) * np.log(6))
    (doubt,), _ = judge_motion(motion, 99.0)
    assert (doubt.check, doubt.leg, doubt.replicate) == ("orientations", "complex", 0)
    assert "toluene in 1 of 1 and benzene in 1 of 6 equivalent orientations" in doubt.reason
    assert "lacks up to -1.06 kcal/mol" in doubt.reason
    alone = []  # as windows that are sampled by themselves leave them
    for window in ("00", "05", "10"):
        alone.append(tmp_path / window)
        alone[-1].mkdir()
        for name in ("leg.json", "trajectory.json", f"trajectory_{window}.xtc", f"window_{window}.parquet"):
            shutil.copyfile(runs[0] / name, alone[-1] / name)
    assert analyse_motion(system, alone, {})[0] == motion
    (runs[0] / "trajectory_10.xtc").write_bytes(b"half")
    motion, _ = analyse_motion(system, runs, {})
    assert motion["legs"] == [] and "trajectory_10.xtc" in motion["unreadable"][0]
    kept = read_json(runs[0] / "trajectory.json")
    for damaged in ({}, [], kept | {"atoms": kept["atoms"][:5]}, kept | {"atoms": kept["atoms"][::-1]}):
        write_json(runs[0] / "trajectory.json", damaged)
        (runs[0] / "trajectory_10.xtc").write_bytes((runs[0] / "trajectory_00.xtc").read_bytes())
        motion, _ = analyse_motion(system, runs, {})
        assert motion["legs"] == [] and "trajectory.json: damaged" in motion["unreadable"][0]
    write_json(runs[0] / "trajectory.json", kept)
    whole = read_json(folder / "leg.json")
    for place, damaged in ((runs[0], []), (runs[0], {"leg": 3}), (folder, whole | {"hybrid": {}})):
        write_json(place / "leg.json", damaged)
        motion, _ = analyse_motion(system, runs, {})
        assert motion["legs"] == [] and "leg.json: damaged" in motion["unreadable"][0]
        write_json(place / "leg.json", whole)
    assert analyse_motion(system, runs, {})[0]["legs"]
