"""What is read of AMBER topologies."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.forcefield.topology_file import (
    Topology,
    heavy_atoms,
    in_blocks,
    molecules,
    residue_labels,
    sections,
    without_date,
)
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.gromacs.topology import topology_text
from gibbsflow.engines.openmm_systems import create_system, load_topology


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


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    """Three short chains in water; a disulfide joins the first and the last across the one between."""
    folder = tmp_path_factory.mktemp("chains")
    lines = [
        "source leaprc.protein.ff14SB",
        "source leaprc.water.opc",
        "a = sequence { ACE CYX NME }",
        "b = sequence { ACE ALA }",
        "c = sequence { ACE CYX ALA NME }",
        "all = combine { a b c }",
        "bond all.2.SG all.7.SG",
        "solvatebox all OPCBOX 3",
        "saveamberparm all box.prmtop box.inpcrd",
        "quit",
    ]
    ambertools.tleap("\n".join([*lines, ""]), folder=folder, log=folder / "leap.log", name="chains")
    return folder / "box.prmtop"


def test_molecules_are_what_bonds_hold_together(chains):
    """tleap's own table says blocks of as many atoms, one of which ends in the middle of a chain."""
    topology = load_topology(chains).topology
    found = molecules(chains)
    assert all(found[bond[0].index] == found[bond[1].index] for bond in topology.bonds())
    of_residue = [sorted({int(found[atom.index]) for atom in residue.atoms()}) for residue in topology.residues()]
    assert of_residue[:9] == [[0]] * 3 + [[1]] * 2 + [[0]] * 4
    assert of_residue[9:] == [[n] for n in range(2, len(of_residue) - 7)]  # each water, its fourth point included
    sizes = np.array(sections(chains)["ATOMS_PER_MOLECULE"].split(), dtype=int)
    cut = np.repeat(np.arange(len(sizes)), sizes)
    assert any(cut[bond[0].index] != cut[bond[1].index] for bond in topology.bonds())


def test_gromacs_has_chains_that_interleave_as_one_molecule(chains):
    system = create_system(chains, Md(solvent="opc"))
    text = topology_text(system, in_blocks(molecules(chains)))
    waters = len(set(molecules(chains))) - 2
    assert text.endswith(f"[ molecules ]\nM0 1\nM1 {waters}\n")


def test_the_molecule_of_an_atom_can_come_first(chains):
    found, middle = molecules(chains), int(np.flatnonzero(molecules(chains) == 1)[0])
    other = molecules(chains, middle)
    assert other[middle] == 0 and other[0] == 1 and set(other[found > 1] - found[found > 1]) == {0}
    np.testing.assert_array_equal(molecules(chains, 0), found)


def test_interleaved_molecules_are_one_block():
    assert in_blocks(np.array([0, 0, 1, 2, 2, 3])).tolist() == [0, 0, 1, 2, 2, 3]
    assert in_blocks(np.array([0, 1, 1, 0, 2, 3, 2, 4])).tolist() == [0, 0, 0, 0, 1, 1, 1, 2]
    assert in_blocks(np.array([1, 0, 0, 2])).tolist() == [0, 1, 1, 2]
