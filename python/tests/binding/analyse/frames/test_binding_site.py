"""The binding site that a page shows, cut out of CB7·B2 and of a box of residues at known distances."""

import io

import host_guest as hg
import numpy as np
import pytest
from openmm import app, unit

from gibbsflow.binding.analyse.frames.binding_site import binding_site
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil


@pytest.fixture
def system(tmp_path):
    made = SimSystem.read(hg.prepare_equil(tmp_path / "s", Equil()))
    np.savez(made.root / "representative.npz", positions_nm=hg.positions_nm("complex-vacuum"))
    return made.with_artifacts(representative_npz="representative.npz").with_meta(
        fe={}, run={"seed": 1, "replicates": 1}
    )


def test_host_and_guest_as_another_reader_reads_them(system):
    found = binding_site(system)
    read = app.PDBFile(io.StringIO(found["pdb"]))
    where = np.array(read.positions.value_in_unit(unit.angstrom))
    expected = hg.positions_nm("complex-vacuum") * 10
    assert [chain.id for chain in read.topology.chains()] == ["R", "L"] and len(where) == 156
    assert where == pytest.approx(expected - expected[126:].mean(axis=0), abs=6e-4)
    assert len(found["residues"]) == 1
    assert found["restraint"] is None
    bonds = app.AmberPrmtopFile(str(system.path("complex_prmtop"))).topology.bonds()
    assert read.topology.getNumBonds() == len(list(bonds))


def test_atoms_that_are_held_have_names_and_places(system):
    expected = hg.positions_nm("complex-vacuum") * 10
    expected -= expected[126:].mean(axis=0)
    held = {"kind": "boresch", "receptor": [65, 7, 26], "ligand": [128, 132, 130], "r0_angstrom": 4.6}
    restraint = binding_site(system.with_meta(restraint=held))["restraint"]
    assert list(restraint["anchors"]) == ["P1", "P2", "P3", "L1", "L2", "L3"]
    atoms = list(app.AmberPrmtopFile(str(system.path("complex_prmtop"))).topology.atoms())
    for anchor, index in zip(restraint["anchors"].values(), (65, 7, 26, 128, 132, 130), strict=True):
        assert anchor["name"] == atoms[index].name
        assert anchor["position_angstrom"] == pytest.approx(expected[index], abs=1e-3)
    centred = {"kind": "com", "receptor_atoms": [0, 1], "ligand_atoms": [126]}
    restraint = binding_site(system.with_meta(restraint=centred))["restraint"]
    assert restraint["atoms"] == [2, 1]
    assert restraint["centres_angstrom"][0] == pytest.approx(expected[:2].mean(axis=0), abs=1e-3)


def test_a_receptor_that_is_far_and_a_system_without_a_frame_show_nothing_of_it(system):
    positions = hg.positions_nm("complex-vacuum")
    positions[126:] += 5.0
    np.savez(system.root / "representative.npz", positions_nm=positions)
    found = binding_site(system)
    assert found["residues"] == {} and found["pdb"].count("HETATM") == 30 and "ATOM  " not in found["pdb"]
    assert binding_site(SimSystem(system.name, system.root, {}, system.meta)) is None
