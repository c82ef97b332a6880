"""What a potential sees of structures that others made, and what becomes of those that it cannot see."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Selection
from gibbsflow.errors import InputError
from gibbsflow.potential.explore import candidates, selection
from gibbsflow.potential.explore.calculator import PotentialCalculator


@pytest.fixture
def calculator():
    made = PotentialCalculator(fitted_copper()[0] / "potential")
    yield made
    made.close()


def _masked(mask):
    atoms = bulk("Cu", cubic=True)
    atoms.arrays["force_mask"] = np.asarray(mask)
    return atoms


def test_all_that_is_no_structure_is_named_before_any_is_looked_at(calculator):
    frames = [bulk("Cu", cubic=True) for _ in range(4)]
    frames[1].positions[0, 0] = np.nan
    frames[2].cell[0] = 0
    frames[3].cell[0] = frames[3].cell[1]
    frames += [_masked(np.ones((4, 3))), _masked(["T"] * 4), _masked([1, 0, 1, np.nan]), _masked([1, 0, 2, 1]), Atoms()]
    with pytest.raises(InputError) as caught:
        candidates.describe([(f"c:{k}", atoms) for k, atoms in enumerate(frames)], calculator)
    lines = str(caught.value)
    assert [f"c:{k}" in lines for k in range(9)] == [False] + [True] * 8
    assert lines.count("not finite") == 1 and lines.count("span no cell") == 2
    assert lines.count("force_mask") == 4 and lines.count("no atom") == 1


def test_one_structure_that_the_potential_fails_on_does_not_end_the_others(calculator):
    far = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.3]], cell=[50000] * 3, pbc=True)
    found = candidates.describe([("far", far), ("c", bulk("Cu", cubic=True))], calculator, rows=True)
    assert [c.fate for c in found] == ["force", ""] and "neighbor bins" in found[0].reason
    assert np.isinf(found[0].grade) and found[1].rows.shape[0] == 12


def test_labelled_structures_that_are_left_out_are_noted():
    labelled = [("k:0", rattled(1, 5)[0]), ("k:1", molecule("H2O")), ("k:2", molecule("H2O"))]
    with selection.Selector(fitted_copper()[0] / "potential", labelled, Selection()) as one:
        decided = one.choose([("c:0", rattled(1, 6, sigma=0.2)[0])], budget=1, seed=1)
        told = selection.figures(decided, len(one.known), 1, one.notes)
    assert told["labelled"] == 1 and told["method"] == "medoids"
    assert told["notes"] == ["labelled structures left out of the comparison: 2 (holds H, O)"]


@pytest.mark.parametrize(("method", "kept"), [("auto", False), ("medoids", True)])
def test_rows_of_labelled_and_offered_share_one_limit(monkeypatch, method, kept):
    frames = rattled(4, 6, sigma=0.2)
    folder = fitted_copper()[0] / "potential"
    with selection.Selector(folder, [("known", frames[0])], Selection()) as one:
        own = one.known[0].rows.nbytes
    monkeypatch.setattr(selection, "ROWS_BYTES", 3 * own)
    with selection.Selector(folder, [("known", frames[0])], Selection(method=method)) as one:
        decided = one.choose([(f"c:{k}", atoms) for k, atoms in enumerate(frames[1:])], budget=1, seed=1)
    assert one.known[0].rows is not None and [c.rows is not None for c in decided] == [kept] * 3
    assert len(one.notes) == 1 and "GiB" in one.notes[0]


def test_why_auto_is_not_what_it_is_by_itself_is_noted():
    with selection.Selector(fitted_copper()[0] / "potential", [], Selection()) as one:
        decided = one.choose([(f"c:{a}", bulk("Cu", a=a)) for a in (3.4, 3.8)], budget=1, seed=1)
    assert {c.method for c in decided} == {"maxvol"} and "vanish by symmetry" in one.notes[0]
