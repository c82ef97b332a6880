"""What stands far from a solute: where it is put, how far the box lets it be kept, and its charges."""

import numpy as np
import pytest
import solutes
from scipy.spatial.distance import cdist

from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.binding.forcefield.remote import beyond_wall, ion_problems, place_copy, uncharged, wall_for_ions
from gibbsflow.binding.forcefield.solvation import LEAST_LEFT
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError

BENZENE, AMMONIUM = "c1ccccc1", "C[NH3+]"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return solutes.stacked(tmp_path_factory.mktemp("both"), BENZENE, AMMONIUM, settings())


def settings(**given):
    return solutes.settings(**{"mode": "abfe", "padding_angstrom": 8.0, "salt_mol_per_l": 0.0} | given)


def images_angstrom(box_nm):
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)
    return steps @ box_nm * 10


def least_distance(one, other, box_nm):
    """Least distance of atoms, images included, Å."""
    return min(cdist(one, other + image).min() for image in images_angstrom(box_nm))


def test_a_copy_stands_as_far_from_the_complex_as_from_its_image_and_the_box_is_neutral_without_it(both, tmp_path):
    config = settings(abfe_protocol="sdr")
    system = solutes.in_water(both, config, tmp_path)
    atoms = system.facts(TopologyFacts)
    far, added = atoms.remote["complex"], atoms.solvation["complex"]
    charged = Topology.read(system.path("sdr_prmtop"), system.path("complex_inpcrd"))
    at_first = Topology.read(system.path("complex_prmtop"), system.path("complex_inpcrd"))
    assert (added.cations, added.anions) == (0, 1)
    assert at_first.charges_e.sum() == pytest.approx(0, abs=1e-3)
    assert charged.charges_e.sum() == pytest.approx(1, abs=1e-3)
    ligand, its_copy = list(atoms.ligand_atoms), list(far.copy_atoms)
    np.testing.assert_allclose(charged.charges_e[its_copy], charged.charges_e[ligand])
    assert not at_first.charges_e[its_copy].any()
    np.testing.assert_allclose(at_first.charges_e[: its_copy[0]], charged.charges_e[: its_copy[0]])
    shift = np.ptp(charged.positions_angstrom[its_copy] - charged.positions_angstrom[ligand], axis=0)
    np.testing.assert_allclose(shift, 0, atol=1e-3)
    assert residue_labels(system.path("sdr_prmtop"))[:4] == ["HST", "LIG", "LIG", "Cl-"]
    box = box_vectors_nm(system.path("complex_inpcrd")) * LEAST_LEFT
    solute = charged.positions_angstrom[: its_copy[0]]
    assert least_distance(solute, charged.positions_angstrom[its_copy], box) >= 8.0
    assert far.gap_angstrom == 8.0
    assert len(beyond_wall(far, solute, box, charged.positions_angstrom[its_copy].mean(axis=0)[None])) == 1
    assert "solvent_prmtop" not in system.artifacts
    engine = engine_for(config.md)
    parameters = engine.nonbonded(engine.system(system.path("sdr_prmtop"), config.md))
    np.testing.assert_allclose(parameters[its_copy], parameters[ligand])


def test_ions_that_change_with_the_ligand_stand_beyond_their_wall_in_both_boxes(tmp_path):
    """A complex of acetate with a cation needs no counter-ion: a pair is added, whose anion goes with the ligand."""
    config = settings(charge_correction="counter_ion", padding_angstrom=11.0)
    system = solutes.in_water(solutes.stacked(tmp_path, "CC(=O)[O-]", AMMONIUM, config), config, tmp_path / "water")
    atoms = system.facts(TopologyFacts)
    counts = {name: (added.cations, added.anions) for name, added in atoms.solvation.items()}
    assert counts == {"complex": (1, 1), "solvent": (0, 1)}
    for name, solute in (("complex", len(atoms.receptor_atoms) + len(atoms.ligand_atoms)), ("solvent", 8)):
        far, prmtop = atoms.remote[name], system.path(f"{name}_prmtop")
        read = Topology.read(prmtop, system.path(f"{name}_inpcrd"))
        (ion,) = far.ion_atoms
        assert residue_labels(prmtop)[read.residue_of[ion]] == "Cl-" and read.charges_e[ion] == -1
        assert read.charges_e.sum() == pytest.approx(0, abs=1e-3) and 5 <= far.gap_angstrom <= 15
        box, heavy = box_vectors_nm(system.path(f"{name}_inpcrd")), read.positions_angstrom[list(far.centre_atoms)]
        assert set(far.centre_atoms) < set(range(solute)) and (read.elements[list(far.centre_atoms)] > 1).all()
        assert least_distance(heavy.mean(axis=0)[None], read.positions_angstrom[[ion]], box) >= far.least_angstrom


def molecule(positions):
    count = len(positions)
    return Topology(np.full(count, 6), np.zeros(count, dtype=int), np.zeros(count), np.array(positions, dtype=float))


@pytest.mark.parametrize("length", [10.0, 60.0])
def test_a_long_receptor_may_turn_and_its_copy_still_has_room(length):
    """Whatever way it lies, no atom of it comes nearer to the copy than the padding, in the box when it has shrunk."""
    rod = molecule([[x, 0, 0] for x in np.linspace(-length / 2, length / 2, 9)] + [[0, 3, 0], [0, 4.5, 0]])
    found = place_copy(rod, (9, 10), Md(padding_angstrom=12.0), LEAST_LEFT)
    its_copy = rod.positions_angstrom[9:] + found.shift_angstrom
    both = np.concatenate([rod.positions_angstrom, its_copy])
    edges = (np.ptp(both, axis=0) + 2 * found.padding_angstrom) * LEAST_LEFT
    centre, reach = rod.positions_angstrom.mean(axis=0), found.facts.least_angstrom
    away = its_copy.mean(axis=0) - centre
    assert np.linalg.norm(away) >= reach and edges[0] - np.linalg.norm(away) >= reach - 1e-6
    assert reach - np.linalg.norm(rod.positions_angstrom - centre, axis=1).max() >= 12.0
    assert found.facts.copy_atoms == (11, 12)


def test_a_box_of_right_angles_is_not_advised_to_be_one():
    for shape, expected in (("octahedron", True), ("box", False)):
        (problem,) = ion_problems(20.0, 45.0, Md(box_shape=shape), "rod")
        assert ("box_shape box" in problem.right) is expected and "or abfe_protocol sdr" in problem.right


def test_a_box_without_room_for_an_ion_is_refused_with_the_padding_that_gives_it():
    rod = molecule([[x, 0, 0] for x in (-20.0, 0.0, 20.0)])
    with pytest.raises(InputError, match=r"no room for a counter-ion .* padding_angstrom of 15"):
        wall_for_ions(rod, np.eye(3) * 5.0, Md(padding_angstrom=9.0), LEAST_LEFT, "rod")
    wall = wall_for_ions(rod, np.eye(3) * 12.0, Md(), LEAST_LEFT, "rod")
    assert (wall.least_angstrom, wall.gap_angstrom) == (35.0, 15.0)


def test_a_place_is_beyond_a_wall_by_its_nearest_image():
    rod = molecule([[0, 0, 0]])
    wall = wall_for_ions(rod, np.eye(3) * 4.0, Md(), LEAST_LEFT, "rod")
    places = np.array([[0, 0, 15.0], [0, 0, 17.0], [0, 0, 20.0], [0, 0, 39.0], [20.0, 20.0, 60.0]])
    assert wall.least_angstrom == 15.0 and list(beyond_wall(wall, rod.positions_angstrom, np.eye(3) * 4, places)) == [
        1, 2, 4
    ]  # fmt: skip


def test_charges_are_taken_from_some_atoms_and_from_no_others(both, tmp_path):
    path = tmp_path / "ligand.prmtop"
    system = solutes.in_water(both, settings(solvent="vacuum"), tmp_path / "built")
    text = system.path("ligand_prmtop").read_text()
    path.write_text(uncharged(text, [1, 4]))
    before, after = (
        Topology.read_prmtop(file, np.zeros((8, 3))).charges_e for file in (system.path("ligand_prmtop"), path)
    )
    assert not after[[1, 4]].any() and (np.delete(after, [1, 4]) == np.delete(before, [1, 4])).all()
    assert uncharged(text, []) == text
