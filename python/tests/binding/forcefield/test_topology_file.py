"""What is read of AMBER topologies."""

import host_guest as hg
import numpy as np

from gibbsflow.binding.forcefield.topology_file import Topology, heavy_atoms, residue_labels, sections, without_date


def test_the_same_input_has_no_date():
    stamp, none = "DATE = 11/26/26  18:00:00", "DATE = 01/01/00  00:00:00 "
    text = f"%VERSION  VERSION_STAMP = V0001.000  {stamp}\n%FLAG TITLE {stamp}\n"
    assert without_date(text) == text.replace(stamp, none, 1)


def test_elements_residues_charges_and_places():
    topology = Topology.read(hg.data("ligand.prmtop"), hg.data("ligand.inpcrd"))
    assert (topology.elements == 8).sum() == 2 and set(topology.residue_of) == {0}
    assert abs(topology.charges_e.sum()) < 0.01  # a file with Gasteiger charges, as antechamber rounds them
    np.testing.assert_allclose(topology.positions_angstrom / 10, hg.positions_nm("ligand"), atol=1e-6)
    assert residue_labels(hg.data("ligand.prmtop")) == ["B2"]
    assert [int(topology.elements[i]) for i in heavy_atoms(hg.data("ligand.prmtop"))].count(1) == 0
    assert "CHARGE" in sections(hg.data("ligand.prmtop"))
