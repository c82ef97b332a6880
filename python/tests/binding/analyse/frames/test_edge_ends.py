"""Atoms of an edge's ligands in a leg, against those of the hybrid that is sampled."""

import edges
import numpy as np
import pytest

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.config.binding import BindingConfig, Run
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError, StateError
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.result import Result


def test_atoms_of_both_ligands_are_those_of_the_hybrid(tmp_path):
    """Shared atoms are in both, with the bonds and hydrogens that each has; and a start that stands for all."""
    a = edges.stacked("toluene", "p-xylene", tmp_path / "a", apart_nm=0.4)
    b = edges.system("benzene", tmp_path / "b", solvent="obc2")
    config = BindingConfig(run=Run(replicates=1))
    system = prepare_edge(a, b, edges.pairs("toluene", "benzene"), config, tmp_path / "edge", Result())
    folder = system.root / "legs" / "complex"
    leg, ends = read_leg_folder(folder), EdgeEnds.read(read_json(folder / "leg.json"), folder)
    shared = leg.shared(OPENMM)
    assert shared.place_b == leg.new_atoms and ends.names == ("toluene", "benzene")
    heavy = [atom for number, atom in enumerate(shared.place_b) if shared.b.heavy(number)]
    assert ends.ligands[1].tolist() == heavy and ends.graphs[1].hydrogens == (1,) * 6
    assert sorted(ends.graphs[0].hydrogens) == [0, 1, 1, 1, 1, 1, 3] and len(ends.receptor) == 8
    starts = np.stack([leg.start_nm[0]] * 4)
    starts[0, ends.ligands[0]] += 0.5
    starts += np.arange(4)[:, None, None]  # elsewhere, which says nothing
    np.savez(folder / "start.npz", positions_nm=starts)
    chosen = EdgeEnds.read(read_json(folder / "leg.json"), folder).start_angstrom(ends.receptor)
    assert min(np.abs(chosen - 10 * start).max() for start in starts[1:]) == 0


def test_files_that_are_not_as_they_were_written_are_named(tmp_path):
    a, b = edges.stacked("ethane", "benzene", tmp_path / "a"), edges.system("methanol", tmp_path / "b", solvent="obc2")
    config = BindingConfig(run=Run(replicates=1))
    system = prepare_edge(a, b, edges.pairs("ethane", "methanol"), config, tmp_path / "edge", Result())
    folder = system.root / "legs" / "complex"
    leg = read_json(folder / "leg.json")
    assert EdgeEnds.read(leg, folder).names == ("ethane", "methanol")
    for part in (
        {},
        leg | {"hybrid": {}},
        leg | {"hybrid": leg["hybrid"] | {"pairs": [[99, 0]]}},
        leg | {"ligand_atoms": 3},
    ):
        with pytest.raises(StateError, match=r"leg\.json: damaged"):
            EdgeEnds.read(part, folder)
    with pytest.raises(StateError, match="of other atoms than its leg.json"):
        EdgeEnds.read(leg | {"hybrid": leg["hybrid"] | {"other_topology": leg["topology"]}}, folder)
    for name, damaged in (
        (leg["start"], b"PK"),
        (leg["topology"], b""),
        (leg["hybrid"]["other_topology"], b"%VERSION"),
    ):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(damaged)
        with pytest.raises(InputError, match=name):
            EdgeEnds.read(leg, folder)
        (folder / name).write_bytes(whole)
