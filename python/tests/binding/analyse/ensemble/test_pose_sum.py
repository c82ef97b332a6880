"""Poses summed up: exact numbers, what is counted once, and what is missing."""

import math

import numpy as np
import pytest

from gibbsflow.binding.analyse.ensemble.pose_sum import PoseTerm, combine_poses, compare_poses, sum_poses
from gibbsflow.units import kt_kcal_per_mol

KT = kt_kcal_per_mol(298.15)
SITE = 5.0 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0.5], [0, 0, 1], [0.3, 0, -1]])
LIGAND = np.array([[0.0, 0, 0], [1.5, 0, 0], [2.2, 1.2, 0]])
GRAPH = {"elements": [6, 6, 8], "hydrogens": [3, 2, 1], "bonds": [[0, 1], [1, 2]]}
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def pose(shift, *frames, turned=False, site_atoms=range(6), graph=GRAPH, order=(0, 1, 2)):
    """A place of the ligand, and those of its frames; the whole turned, where asked for."""
    places = np.array([LIGAND + step for step in (shift, *frames)], dtype=float)[:, list(order)]
    site = SITE
    if turned:
        places, site = places @ TURN + 9, site @ TURN + 9
    return {
        "site_atoms": list(site_atoms),
        "site_angstrom": site.tolist(),
        "graph": graph,
        "ligand_angstrom": places.tolist(),
    }


def record(dg, error=0.2, where=(0, 0, 0), *frames, verdict="PASS", **more):
    return {
        "dg_kcal_per_mol": dg, "dg_error_kcal_per_mol": error, "mbar_error_kcal_per_mol": error / 2, "verdict": verdict,
        "status": "finished", "replicates": 2, "settings": {"md": {"temperature_k": 298.15}},
        "pose": pose(where, *frames, **more),
    }  # fmt: skip


def test_one_pose_is_itself():
    found = sum_poses([PoseTerm(("a",), -7.25, 0.3, 0.1)], KT)
    assert (found.dg_kcal_per_mol, found.dg_error_kcal_per_mol, found.weights) == (-7.25, pytest.approx(0.3), (1.0,))


def test_two_that_are_as_good_gain_kt_ln_2_and_their_error_shrinks():
    found = sum_poses([PoseTerm(("a",), -7.0, 0.3, 0.2), PoseTerm(("b",), -7.0, 0.4, 0.2)], KT)
    assert found.dg_kcal_per_mol == pytest.approx(-7.0 - KT * math.log(2), abs=1e-12)
    assert found.dg_error_kcal_per_mol == pytest.approx(0.25)
    assert found.mbar_error_kcal_per_mol == pytest.approx(math.sqrt(2) * 0.1)


def test_three_by_hand_and_none_of_any_size_overflows():
    """exp(−ΔG/kT) of −6, −5 and −4.5 at kT = 0.5: weights e⁰ : e⁻² : e⁻³."""
    terms = [PoseTerm((name,), dg, 0.1, 0.1) for name, dg in (("a", -5.0), ("b", -6.0), ("c", -4.5))]
    found = sum_poses(terms, 0.5)
    total = 1 + math.exp(-2) + math.exp(-3)
    assert found.dg_kcal_per_mol == pytest.approx(-6 - 0.5 * math.log(total), abs=1e-12)
    assert found.weights == pytest.approx((math.exp(-2) / total, 1 / total, math.exp(-3) / total))
    assert found.dg_error_kcal_per_mol == pytest.approx(0.1 * math.hypot(*found.weights))
    huge = sum_poses([PoseTerm(("a",), -4000.0, 0.1, 0.1), PoseTerm(("b",), 4000.0, 0.1, 0.1)], KT)
    assert huge.dg_kcal_per_mol == -4000 and huge.weights == (1.0, 0.0)


def test_the_error_is_that_of_many_draws():
    values, errors = np.array([-6.0, -5.8]), np.array([0.05, 0.08])
    draws = values + errors * np.random.default_rng(3).normal(size=(200_000, 2))
    spread = (-KT * np.log(np.exp(-draws / KT).sum(axis=1))).std()
    found = sum_poses([PoseTerm(("x",), v, e, e) for v, e in zip(values, errors, strict=True)], KT)
    assert found.dg_error_kcal_per_mol == pytest.approx(spread, rel=0.02)


def test_places_are_compared_with_sites_laid_on_each_other():
    assert compare_poses(pose((0, 0, 0)), pose((0, 0, 0), turned=True)).rmsd_angstrom == pytest.approx(0, abs=1e-6)
    apart = compare_poses(pose((0, 0, 0)), pose((0, 3, 4), turned=True))
    assert apart.rmsd_angstrom == pytest.approx(5) and apart.visits == (0, 0) and apart.one == ""
    reordered = {"elements": [8, 6, 6], "hydrogens": [1, 2, 3], "bonds": [[0, 1], [1, 2]]}
    same = compare_poses(pose((0, 0, 0)), pose((0, 0, 1), turned=True, graph=reordered, order=(2, 1, 0)))
    assert same.rmsd_angstrom == pytest.approx(1) and "same within 1.0 Å" in same.one


def test_sites_that_share_nothing_are_apart():
    assert compare_poses(pose((0, 0, 0)), pose((0, 0, 0), site_atoms=range(50, 56))).one == ""


def test_visits_of_each_other():
    restless = pose((0, 0, 0), *[(0, 0, 0)] * 8, (0, 0, 5.0))
    found = compare_poses(restless, pose((0, 0, 6.0)))
    assert found.visits == (0.1, 0.0) and "pass into each other (10%" in found.one


def test_a_ligand_of_two_poses():
    records = {"a": record(-7.0, 0.2), "b": record(-6.0, 0.3, (0, 0, 6))}
    found = combine_poses("lig", ["a", "b"], records, {})
    weight = 1 / (1 + math.exp(-1 / KT))
    assert found["dg_kcal_per_mol"] == pytest.approx(-7 - KT * math.log(1 + math.exp(-1 / KT)), abs=1e-12)
    assert found["dg_error_kcal_per_mol"] == pytest.approx(math.hypot(weight * 0.2, (1 - weight) * 0.3))
    assert (found["status"], found["verdict"], found["reasons"], found["cause"]) == ("finished", "PASS", [], "")
    assert [p["weight"] for p in found["poses"]] == pytest.approx([weight, 1 - weight])
    assert found["overlaps"] == [{"poses": ["a", "b"], "rmsd_angstrom": pytest.approx(6), "visits": [0.0, 0.0]}]


def test_one_pose_twice_is_counted_once():
    records = {"a": record(-7.0), "b": record(-7.2, 0.2, (0, 0, 0.5)), "c": record(-7.0, 0.2, (0, 0, 9))}
    found = combine_poses("lig", ["a", "b", "c"], records, {})
    merged = -7.1
    expected = -KT * math.log(math.exp(-merged / KT) + math.exp(7.0 / KT))
    assert found["dg_kcal_per_mol"] == pytest.approx(expected, abs=1e-12)
    assert [p["merged_with"] for p in found["poses"]] == [["b"], ["a"], []]
    first, second, third = (p["weight"] for p in found["poses"])
    assert first == second and first + second + third == pytest.approx(1)
    assert (first + second) / third == pytest.approx(math.exp(0.1 / KT))
    assert found["verdict"] == "WARN"
    assert found["reasons"] == ["a and b are the same within 0.5 Å: counted once, by their mean"]
    far = combine_poses("lig", ["a", "b"], {"a": record(-7.0), "b": record(-9.0, 0.2, (0, 0, 0.5))}, {})
    assert any("are one pose and differ by 2.00 kcal/mol" in reason for reason in far["reasons"])
    assert far["dg_kcal_per_mol"] == pytest.approx(-8) and far["dg_error_kcal_per_mol"] == pytest.approx(1.0)


def test_a_pose_that_was_lost_is_named_and_makes_it_a_warning():
    found = combine_poses("lig", ["a", "b"], {"a": record(-7.0)}, {"b": "Unbound: left its site"})
    assert (found["dg_kcal_per_mol"], found["status"], found["verdict"]) == (-7.0, "partial", "WARN")
    assert found["cause"] == "Poses: b: Unbound: left its site" and "pose b has no value" in found["reasons"][0]
    assert [p["dg_kcal_per_mol"] for p in found["poses"]] == [-7.0, None]
    gone = combine_poses("lig", ["a", "b"], {}, {"a": "NaN", "b": "Unbound"})
    assert (gone["dg_kcal_per_mol"], gone["status"], gone["verdict"]) == (None, "failed", "FAIL")
    assert gone["cause"] == "Poses: a: NaN; b: Unbound"


@pytest.mark.parametrize(("dg", "verdict"), [(-7.0, "FAIL"), (-1.0, "WARN")])
def test_a_doubted_pose_weighs_as_much_as_it_counts(dg, verdict):
    records = {"a": record(-7.0), "b": record(dg, 0.2, (0, 0, 6), verdict="FAIL")}
    assert combine_poses("lig", ["a", "b"], records, {})["verdict"] == verdict


def test_without_structures_it_is_not_known_whether_there_are_two():
    found = combine_poses("lig", ["a", "b"], {"a": record(-7.0) | {"pose": None}, "b": record(-7.0)}, {})
    assert found["verdict"] == "WARN" and "not known whether a and b are two poses" in found["reasons"][0]
