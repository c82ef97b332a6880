"""Waters that become ions: where they stand, and what they become."""

import json
from pathlib import Path

import edges
import numpy as np
import pytest

from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons, far_waters
from gibbsflow.binding.forcefield.ions import ANION, ion_of
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.errors import InputError


def box(name):
    """A molecule in its box, as it is and with all in it moved by half a box."""
    start, vectors = edges.positions_nm(name, box=True), edges.box_nm(name)
    topology = Topology.read_prmtop(edges.prmtop(name, box=True), start * 10)
    return topology, np.stack([start, start + 0.5 * vectors[0]]), np.stack([vectors] * 2)


@pytest.mark.parametrize("count", [1, 2])
def test_waters_change_places_with_those_that_are_far_away(count):
    topology, frames, boxes = box("acetate")
    solute = tuple(range(7))
    moved, waters, wall = far_waters(topology, solute, frames, boxes, count, edges.MD, seed=3, name="box")
    assert len(waters) == count and all(topology.elements[list(atoms)].tolist() == [8, 1, 1] for atoms in waters)
    assert set(wall.centre_atoms) == {i for i in solute if topology.elements[i] > 1} and wall.gap_angstrom >= 5
    for before, after, vectors in zip(frames, moved, boxes, strict=True):
        np.testing.assert_array_equal(after[:7], before[:7])
        same = [sorted(map(tuple, one.reshape(-1, 9).round(9))) for one in (before[7:], after[7:])]
        assert same[0] == same[1]  # whole waters, none twice
        centre = after[list(wall.centre_atoms)].mean(axis=0)
        for oxygen, *_ in waters:
            away = after[oxygen] - centre
            away -= np.round(away / np.diag(vectors)) * np.diag(vectors)
            assert np.linalg.norm(away) * 10 > wall.least_angstrom


def test_waters_at_two_faces_of_a_box_are_no_pair():
    topology, frames, boxes = box("acetate")
    for seed in range(40):
        moved, waters, _ = far_waters(topology, range(7), frames, boxes, 6, edges.MD, seed=seed, name="box")
        for after, vectors in zip(moved, boxes, strict=True):
            places = after[[oxygen for oxygen, *_ in waters]]
            away = places[:, None] - places
            away -= np.round(away / np.diag(vectors)) * np.diag(vectors)
            assert np.linalg.norm(away, axis=2)[np.triu_indices(6, 1)].min() >= 0.5


def test_a_box_without_room_is_refused():
    topology, frames, boxes = box("acetate")
    with pytest.raises(InputError, match="no room for a counter-ion"):
        far_waters(topology, range(7), frames, boxes * 0.7, 1, edges.MD, seed=3, name="box")
    with pytest.raises(InputError, match="and 40 become ions"):
        far_waters(topology, range(7), frames, boxes, 40, edges.MD, seed=3, name="box")


def test_a_ligand_that_grows_needs_its_room_before_it_has_grown():
    """Atoms that B alone has count for how far from the ligand an ion can be kept."""
    topology, frames, boxes = box("acetate")

    def of_wall(*own_nm):
        own = frames[:1, :4].mean(axis=1, keepdims=True) + np.reshape(own_nm, (1, -1, 3))
        grown = np.concatenate([frames[:1], own], axis=1)
        moved, _, wall = far_waters(topology, range(7), grown, boxes[:1], 1, edges.MD, seed=3, name="box")
        np.testing.assert_array_equal(moved[0, frames.shape[1] :], own[0])
        return wall

    alone = of_wall()
    reach_nm = (alone.least_angstrom - alone.gap_angstrom) / 10
    assert of_wall((reach_nm - 0.05, 0, 0), (0.1, 0, 0)) == alone
    near = of_wall((0.1, 0, 0), (0, 0, reach_nm + 0.005))
    assert near.gap_angstrom == pytest.approx(alone.gap_angstrom - 0.05, abs=2e-3)
    with pytest.raises(InputError, match="no room for a counter-ion .* or ligands of one net charge"):
        of_wall((0, (alone.least_angstrom - 4.9) / 10, 0))


def test_they_are_read_as_they_were_written():
    ions = CoIons.of([(3, 4, 5), (6, 7, 8)], ion_of("tip3p", ANION))
    assert CoIons.from_dict(ions.as_dict()) == ions
    assert str(ions) == "2 waters far from the ligand become Cl-"
    assert ions.lennard_jones_in([[0.0, 1.0, 2.0]] * 9)[6] == [0.0, ions.sigma_nm, ions.epsilon_kj_per_mol]


def test_a_leg_with_ions_is_its_parts_and_what_theory_says_of_their_boxes():
    """As benchmarks/charged_edges.py measured it: in the smaller box raw parts are off by three errors and more."""
    measured = json.loads((Path(__file__).parents[5] / "benchmarks" / "charged_edges.json").read_text())
    for box in measured["boxes"]:
        found, ion = box["against_parts"], box["ion_alone"]
        assert abs(found["leg_less_raw_parts"] - found["foretold"]) < 2 * found["error"]
        terms = 2 * (sum(ion["terms_kcal_per_mol"].values()) - ion["terms_kcal_per_mol"]["dsc"])
        assert 0 < terms < found["of_terms"]  # the sphere has its own
    small = measured["boxes"][0]["against_parts"]
    assert small["leg_less_raw_parts"] > 3 * small["error"]
    apart = measured["first_less_last"]
    assert abs(apart["with_ions"] - apart["foretold"]) < 2 * apart["error"]
