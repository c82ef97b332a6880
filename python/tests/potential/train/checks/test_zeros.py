"""Energies of a part of the frames on another zero: found where frames are unlike each other, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.io import write
from labelled_sets import label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.consistency import look_at
from gibbsflow.potential.train.checks.simple_model import SimpleModel
from gibbsflow.potential.train.checks.work import judge_work
from gibbsflow.potential.train.checks.zeros import left_over
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.workflow.account import Account

ALLOY = ("Cu", "Au")


def _read(folder, frames):
    write(folder / "a.extxyz", frames)
    return read_labelled(folder / "a.extxyz")


@pytest.fixture(scope="module")
def alloy(tmp_path_factory):
    """Twenty-four cells of copper and gold, each of another composition or order."""
    return _read(tmp_path_factory.mktemp("alloy"), rattled(24, 1, ALLOY))


def _shifted(frames, places, shift_ev):
    return [replace(f, energy_ev=f.energy_ev + shift_ev) if k in places else f for k, f in enumerate(frames)]


def _doubts(frames):
    account = Account("a.xyz")
    look_at(frames, account, judge_work(frames, account))
    return account, [(d.weight, d.problem.row, d.problem.what) for d in account.doubts if d.weight != "note"]


@pytest.mark.parametrize("shift_ev", [9.0, -9.0, 3.0])
@pytest.mark.parametrize("places", [range(6), range(1, 24, 4)])
def test_six_of_twenty_four_unlike_frames_on_another_zero(alloy, places, shift_ev):
    account, doubts = _doubts(_shifted(alloy, places, shift_ev))
    ((weight, row, what),) = doubts
    assert weight == "warn" and row == places[0] + 1 and "energies of 6 of 24 frames" in what
    assert "another zero or reference of energy" in what
    named = dict(part.split(": ") for part in what[what.index("(") + 1 : what.index(";")].split(", "))
    assert [int(own) for own in named] == [k + 1 for k in places] == account.facts["energies_apart"]
    assert np.allclose([float(own) for own in named.values()], shift_ev / 8, atol=0.03)


def test_one_shift_of_frames_of_several_sizes(tmp_path):
    frames = _read(tmp_path, rattled(14, 1, ALLOY) + rattled(10, 2, ALLOY, (2, 2, 1)))
    _, doubts = _doubts(_shifted(frames, (2, 5, 8, 15, 20), 4.8))
    ((weight, _, what),) = doubts
    assert weight == "warn" and "energies of 5 of 24 frames (3: +0.6" in what and "21: +0.3" in what
    assert "by one shift" in what


def test_ten_rows_are_named_at_most(tmp_path):
    frames = _read(tmp_path, rattled(40, 1, ALLOY))
    _, doubts = _doubts(_shifted(frames, range(12), 3.0))
    (what,) = [what for _, _, what in doubts if "another zero" in what]
    assert "energies of 12 of 40 frames" in what and "10: +0.3" in what and "and 2 more" in what and "11:" not in what


def test_frames_without_weight_are_neither_fitted_nor_needed(alloy):
    model = SimpleModel((29, 79))
    rows = [model.rows(frame.atoms) for frame in alloy]
    model.fit(alloy, rows)
    shares = np.array([[np.mean(f.atoms.numbers == z) for z in model.species] for f in alloy])
    weightless = [replace(f, weights=replace(f.weights, energy=0.0)) if k < 4 else f for k, f in enumerate(alloy)]
    left = left_over(weightless, rows, shares, np.array([f.energy_ev / 8 for f in alloy]), model.explained)
    assert not left.main[:4].any() and left.main[4:].all() and not left.apart.any()
    assert np.abs(left.shift_ev).max() < 0.05


def test_right_alloys_raise_no_doubt(alloy, tmp_path):
    assert _doubts(alloy)[1] == []
    for seed, elements, sigma in ((3, ALLOY, 0.3), (2, ("Cu", "Au", "Ag"), 0.1), (1, ("Ag", "Al", "Ni", "Pt"), 0.1)):
        assert _doubts(_read(tmp_path, rattled(24, seed, elements, sigma=sigma)))[1] == []


def test_right_frames_of_all_kinds_raise_no_doubt(tmp_path):
    wide = [label(Atoms("CuAu", [[0, 0, 0], [0, 0, d]])) for d in np.linspace(1.7, 5.0, 8)]
    wide += [label(bulk(own, a=a)) for own in ALLOY for a in np.linspace(3.3, 4.5, 8)]
    wide += rattled(10, 3, ALLOY) + rattled(6, 4, ALLOY, sigma=0.5)
    for seed in range(4):
        slab = fcc111("Au", (2, 2, 3), vacuum=7)
        slab.rattle(0.1, seed=seed)
        wide.append(label(slab))
    alone = [label(Atoms(own, cell=[14] * 3, pbc=True), config_type="isolated_atom") for own in ALLOY]
    assert _doubts(_read(tmp_path, alone + wide))[1] == []
    assert _doubts(_read(tmp_path, rattled(8, 1) + rattled(8, 2, ("Au",)) + rattled(5, 3, ALLOY)))[1] == []
    assert _doubts(_read(tmp_path, rattled(16, 1, sigma=0.05) + rattled(8, 2, sigma=0.6)))[1] == []
    rng, molecules = np.random.default_rng(1), []
    for name in ("C2H6", "CH4", "C2H4", "H2O", "CH3OH", "NH3", "CO2", "C6H6") * 3:
        atoms = molecule(name)
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
        molecules.append(label(atoms))
    assert _doubts(_read(tmp_path, molecules))[1] == []


def test_the_warning_reaches_a_result(tmp_path):
    frames = rattled(24, 1, ALLOY)
    for frame in frames[:6]:
        frame.calc.results["energy"] += 9.0
    write(tmp_path / "train.extxyz", frames)
    write(tmp_path / "test.extxyz", rattled(6, 9, ALLOY))
    figures = Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz").figures()
    assert any("another zero or reference of energy" in str(own) for own in figures["warnings"])
