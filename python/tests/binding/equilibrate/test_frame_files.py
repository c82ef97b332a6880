"""Which atoms are kept of a frame, and where periodic images bring them."""

import numpy as np
import pytest
from openmm import app
from openmm.app import element

from gibbsflow.binding.equilibrate import frame_files
from gibbsflow.binding.equilibrate.frame_files import Selection, thinned, write_pdb

BOX = np.diag([3.0, 3.0, 3.0])


def wet(waters: int, points: int = 3) -> Selection:
    """One atom of a receptor, one of a ligand, waters of three or four points, and an ion."""
    topology = app.Topology()
    chain = topology.addChain()
    symbols = {"O": element.oxygen, "H": element.hydrogen, "M": None}
    for name, atom in (("REC", element.carbon), ("LIG", element.nitrogen)):
        topology.addAtom("X", atom, topology.addResidue(name, chain))
    for _ in range(waters):
        residue = topology.addResidue("HOH", topology.addChain())
        for name in ("O", "H1", "H2", "M")[:points]:
            topology.addAtom(name, symbols[name[0]], residue)
    topology.addAtom("NA", element.sodium, topology.addResidue("NA", topology.addChain()))
    found = frame_files._waters(topology, {0, 1})
    molecules = np.array([0, 1, *np.repeat(np.arange(waters) + 2, points), waters + 2], dtype=np.int32)
    return Selection(topology, "solute", np.array([0, 1]), np.array([1]), found, molecules)


def positions(selection: Selection, oxygens: list[float]) -> np.ndarray:
    """Receptor at 0.1, ligand at 0.2, waters along x at the given places."""
    where = np.zeros((selection.topology.getNumAtoms(), 3))
    where[:2, 0] = 0.1, 0.2
    for water, x in zip(selection.waters, oxygens, strict=True):
        where[water, 0] = x
        where[water[1:], 1] = 0.1
    return where


def test_the_nearest_waters_go_with_the_solute_and_an_ion_does_not(monkeypatch):
    monkeypatch.setattr(frame_files, "WATERS", 2)
    selection = wet(3)
    frame = selection.of(positions(selection, [1.4, 0.6, 2.9]), BOX)
    assert frame.shape == (selection.atoms, 3) == (8, 3)
    # the third water is 0.3 from the ligand, through the face of the box
    np.testing.assert_allclose(frame[:, 0], [0.1, 0.2, -0.1, -0.1, -0.1, 0.6, 0.6, 0.6], atol=1e-6)
    np.testing.assert_array_equal(selection.oxygens, [2, 5])
    names = [(atom.name, atom.residue.name) for atom in selection.part().atoms()]
    assert names == [("X", "REC"), ("X", "LIG"), *[(name, "HOH") for _ in range(2) for name in ("O", "H1", "H2")]]


def test_waters_of_four_points():
    selection = wet(2, 4)
    assert selection.waters.tolist() == [[2, 3, 4, 5], [6, 7, 8, 9]]
    assert (selection.atoms, selection.oxygens.tolist()) == (10, [2, 6])


def test_all_atoms_as_they_are():
    wanted = wet(2)
    selection = Selection(wanted.topology, "all", wanted.solute, wanted.ligand, wanted.waters, wanted.molecules)
    given = positions(selection, [0.5, 1.0])
    np.testing.assert_allclose(selection.of(given, BOX), given, atol=1e-6)
    assert selection.part() is selection.topology and selection.oxygens.tolist() == [2, 5]


def test_without_a_box_there_is_the_solute_alone():
    selection = wet(0)
    given = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(selection.of(given, None), given[:2])


def test_the_topology_has_no_date(tmp_path):
    selection = wet(1)
    write_pdb(tmp_path / "t.pdb", selection.part(), selection.of(positions(selection, [0.5]), BOX))
    text = (tmp_path / "t.pdb").read_text()
    assert text.count("HETATM") + text.count("ATOM  ") == 5 and "REMARK" not in text


@pytest.mark.parametrize(
    ("wanted", "count", "size", "every"),
    [(10, 100, 1, 10), (0, 100, 1, 1), (1000, 7, 1, 7), (1, 100, 50_000_000, 16), (3, 100, 50_000_000, 12)],
)
def test_frames_that_would_be_too_large_are_further_apart(wanted, count, size, every):
    assert thinned(wanted, count, size) == every
    assert every == count or count // every * size <= frame_files.LARGEST_BYTES
