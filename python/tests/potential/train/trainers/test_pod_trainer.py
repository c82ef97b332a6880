"""POD fits on small sets by effective medium theory: errors, references, repulsion, masks, settings."""

import resource
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from labelled_sets import CUTOFF_ANGSTROM, bare_frame, fitted_copper, label, rattled

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.data.frame_weights import FrameWeights
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.trainers.pod import PodPotential
from gibbsflow.potential.train.trainers.pod_trainer import PodTrainer, _learnt
from gibbsflow.workflow.state.segments import Stopper


def _fit(folder, train, test, *, budget_s=60.0, **settings):
    write(folder / "train.extxyz", train)
    write(folder / "test.extxyz", test)
    inputs = Inputs.read(folder / "train.extxyz", folder / "test.extxyz")
    with Stopper() as stopper:
        chosen = Training(**{"processes": 1, "max_coefficients": 70, "cutoff_angstrom": CUTOFF_ANGSTROM, **settings})
        made = PodTrainer().fit(inputs, chosen, seed=1, stopper=stopper, budget_s=budget_s, out=folder)
    return {**made.figures, "notes": inputs.account.as_dict()["notes"]}


def test_errors_on_copper_are_small_and_stress_is_fitted():
    _, figures = fitted_copper()
    test = figures["test"]
    assert test["energy_mae_mev_per_atom"] < 3.0
    assert test["force_mae_ev_per_angstrom"] < 0.03
    assert test["stress_mae_gpa"] < 0.3
    assert figures["stress_frames_used"] == 24
    assert figures["lammps_difference_ev_per_atom"] < 1e-9
    assert test["by_config_type"]["rattled"]["force_mae_ev_per_angstrom"] == test["force_mae_ev_per_angstrom"]
    assert "no parents" in figures["split"]


def test_everything_is_written():
    folder, _ = fitted_copper()
    names = {"potential.pod", "coefficients.pod", "in.potential", "potential.json", "active_set.npz"}
    assert names <= {p.name for p in (folder / "potential").iterdir()}


def test_alloy_with_isolated_atoms_is_right_when_taken_apart(tmp_path):
    atoms = [
        label(Atoms(s, cell=[12.0] * 3, pbc=True), stress=False, config_type="isolated_atom") for s in ("Cu", "Au")
    ]
    frames = rattled(16, 3, ("Cu", "Au"), stress=False)
    figures = _fit(tmp_path, [*atoms, *frames], rattled(4, 4, ("Cu", "Au")), max_coefficients=140)
    assert figures["references"]["source"] == "isolated atoms"
    assert figures["test"]["energy_mae_mev_per_atom"] < 15
    assert figures["train"]["by_config_type"]["isolated_atom"]["energy_mae_mev_per_atom"] == pytest.approx(0, abs=1e-6)
    calculator = PotentialCalculator(tmp_path / "potential")
    apart = Atoms("CuAu", positions=[[0, 0, 0], [0, 0, 9]], calculator=calculator)
    assert apart.get_potential_energy() == pytest.approx(sum(a.get_potential_energy() for a in atoms), abs=1e-9)
    calculator.close()


def test_molecules_in_vacuum(tmp_path):
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(24):
        atoms = molecule("CH3OH")
        atoms.positions += rng.normal(0, 0.04, atoms.positions.shape)
        frames.append(label(atoms, config_type="normal_mode"))
    figures = _fit(tmp_path, frames[:20], frames[20:], max_coefficients=200, cutoff_angstrom=4.0)
    assert figures["species"] == ("C", "H", "O")
    assert figures["test"]["stress_mae_gpa"] is None
    assert figures["test"]["stress_reason"] == "no frame has a stress"
    floor = np.abs(np.concatenate([f.get_forces().ravel() for f in frames[20:]])).mean()
    assert figures["test"]["force_mae_ev_per_angstrom"] < 0.2 * floor


@pytest.mark.parametrize("zbl", [True, False])
def test_the_core_is_in_training_and_md_or_in_neither(tmp_path, zbl):
    rng = np.random.default_rng(2)
    dimers = [
        label(Atoms("Cu2", positions=[[0, 0, 0], [d, 0, 0]]), config_type="dimer") for d in np.linspace(1.7, 3.5, 30)
    ]
    dimers = [dimers[i] for i in rng.permutation(30)]
    figures = _fit(tmp_path, [*dimers[:24], *rattled(6, 5, stress=False)], dimers[24:], zbl=zbl)
    assert bool(figures["zbl_angstrom"]) == zbl
    assert ("zbl" in (tmp_path / "potential" / "in.potential").read_text()) == zbl
    # LAMMPS, with the core where there is one, gives the labels: what was taken off before the fit is what MD adds
    assert figures["lammps_difference_ev_per_atom"] < 1e-9
    assert figures["train"]["by_config_type"]["dimer"]["energy_rmse_mev_per_atom"] < 100


def test_masked_forces_do_not_change_the_fit(tmp_path):
    frames = rattled(8, 6, stress=False)
    coefficients = []
    for name, wrong in (("a", 0.0), ("b", 50.0)):
        for frame in frames:
            frame.arrays["force_mask"] = np.arange(len(frame)) > 1
            frame.calc.results["forces"][0] += wrong
        (tmp_path / name).mkdir()
        _fit(tmp_path / name, frames, rattled(2, 7))
        coefficients.append(PodPotential.read(tmp_path / name / "potential").coefficients)
    assert coefficients[1] == pytest.approx(coefficients[0], rel=1e-6, abs=1e-9)


def test_frames_without_forces_are_fitted_by_their_energies(tmp_path):
    train, test = rattled(24, 1), rattled(4, 2)
    for frame in [*train[::2], *test]:
        frame.info.update(forces_weight=0, energy_weight=4, config_type="alone")
        frame.calc.results = {"energy": frame.get_potential_energy()}
    figures = _fit(tmp_path, train, test)
    assert (figures["train"]["energy_frames"], figures["train"]["force_frames"]) == (24, 12)
    assert figures["train"]["by_config_type"]["alone"]["force_mae_ev_per_angstrom"] is None
    assert figures["stress_frames_used"] == 12
    assert figures["test"]["force_mae_ev_per_angstrom"] is None
    assert figures["test"]["energy_mae_mev_per_atom"] < 3.0
    # their energies count: 0.05 eV an atom more on each draws the potential up
    calculator = PotentialCalculator(tmp_path / "potential")
    here = calculator.get_potential_energy(train[0])
    calculator.close()
    for frame in train[::2]:
        frame.calc.results["energy"] += 0.4
    (tmp_path / "raised").mkdir()
    _fit(tmp_path / "raised", train, test)
    calculator = PotentialCalculator(tmp_path / "raised" / "potential")
    assert calculator.get_potential_energy(train[0]) > here + 0.1
    calculator.close()


def test_settings_are_obeyed(tmp_path):
    figures = _fit(
        tmp_path, rattled(12, 8), rattled(2, 9), cutoff_angstrom=None, folds=3, energy_weight=5.0, ridge=1e-6,
        stress_weight=0.0,
        target_force_rmse_ev_per_angstrom=10.0, target_energy_rmse_mev_per_atom=1000.0, max_coefficients=200,
        memory_gb=1.0,
    )  # fmt: skip
    assert figures["folds"] == 3
    assert (figures["basis"]["energy_weight"], figures["basis"]["ridge"]) == (5.0, 1e-6)
    assert figures["stress_frames_used"] == 0
    assert figures["search_stopped_by"] == "validation errors are below the targets"
    tried = {r["cutoff_angstrom"] for r in figures["search"] if r.get("purpose") == "cutoff"}
    assert len(tried) == 4
    assert figures["basis"]["cutoff_angstrom"] in tried


def test_one_frame_is_enough_to_run(tmp_path):
    figures = _fit(tmp_path, rattled(1, 30), rattled(1, 31), max_coefficients=30)
    assert figures["folds"] == 1
    # a stress that is asked for and not fitted is told where the potential goes, not in a log alone
    assert figures["stress_frames_used"] == 0
    said = "only 1 frame has a stress, and 3 are needed: the fit is to energies and forces alone"
    assert any(said in note for note in figures["notes"])
    silent = _fit(tmp_path, rattled(1, 30), rattled(1, 31), max_coefficients=30, stress_weight=0)
    assert not any("has a stress" in note for note in silent["notes"])
    assert figures["train"]["energy_mae_mev_per_atom"] < 10


def _processor_s():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def test_seven_elements_are_fitted_within_the_time_budget(tmp_path):
    """In processor time, which no other work on the machine adds to: the budget and the least work beyond it."""
    species = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")
    write(tmp_path / "train.extxyz", rattled(40, 1, species, (2, 2, 2)))
    write(tmp_path / "test.extxyz", rattled(24, 2, species, (2, 2, 2)))
    inputs = Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz")
    before = _processor_s()
    with Stopper() as stopper:
        settings = Training(processes=1)
        made = PodTrainer().fit(inputs, settings, seed=1, stopper=stopper, budget_s=0.5, out=tmp_path)
    assert _processor_s() - before < 0.5 + 5.0
    assert made.figures["coefficients"] <= settings.max_coefficients
    # so late that only the fewest frames are left of each part, and every one of them is said
    assert made.figures["test"]["frames"] == made.figures["train"]["frames"] == 20 == len(made.test_grades)
    said = " ".join(problem.what for problem in inputs.account.of_weight("note"))
    assert all(f"{part} by 20 of " in said for part in ("test errors", "the grade", "train errors"))
    assert made.figures["lammps_difference_ev_per_atom"] < 1e-6 and not made.stopped_by


def test_masked_atoms_do_not_change_the_fit(tmp_path):
    """Of a box cut from a cell the core's forces count: whatever the buffer's, the energy and the stress are."""
    frames = rattled(16, 3, parent="a") + rattled(4, 9, sigma=0.25, config_type="embedded", parent="b")
    fits = []
    for number, wrong in enumerate((0.0, 1.5)):
        made = []
        for k, frame in enumerate(frames):
            copy = frame.copy()
            copy.info.update(frame.info)
            results = {key: np.array(value) for key, value in frame.calc.results.items()}
            if k >= 16:
                copy.arrays["force_mask"] = np.arange(8) % 2
                copy.info |= {"energy_weight": 0.0, "stress_weight": 0.0}
                results["forces"][::2] += wrong
                results["stress"] += 0.01 * wrong
                results["energy"] += wrong
            copy.calc = SinglePointCalculator(copy, **results)
            made.append(copy)
        (tmp_path / str(number)).mkdir()
        figures = _fit(tmp_path / str(number), made, rattled(4, 4), max_coefficients=30, cutoff_angstrom=4.0)
        fits.append((PodPotential.read(tmp_path / str(number) / "potential"), figures))
    (first, told), (second, other) = fits
    assert np.array_equal(first.coefficients, second.coefficients)
    assert told["train"]["by_config_type"] == other["train"]["by_config_type"]
    embedded = told["train"]["by_config_type"]["embedded"]
    assert embedded["energy_mae_mev_per_atom"] is None and embedded["force_mae_ev_per_angstrom"] < 1.0
    one, two = (Grader.read(tmp_path / str(k) / "potential" / ACTIVE_SET).sets["Cu"].inverse for k in (0, 1))
    assert np.array_equal(one, two)


def test_atoms_that_nothing_was_learnt_from_are_not_known():
    known, core = bare_frame("Cu4"), bare_frame("Cu4", row=2)
    core = replace(core, force_mask=np.array([True, False, False, True]), weights=FrameWeights(energy=0.0))
    found = {0: np.zeros((4, 2)), 1: np.arange(8.0).reshape(4, 2)}
    numbers, symbols, descriptors = _learnt([known, core], found, [0, 1])
    assert (numbers, [len(own) for own in symbols]) == ([0, 1], [4, 2])
    assert descriptors[1].tolist() == [[0, 1], [6, 7]]
    gone = replace(core, force_mask=np.zeros(4, bool))
    assert _learnt([known, gone], found, [0, 1])[0] == [0]
    assert _learnt([gone], {0: found[0]}, [0])[0] == [0]  # rather that than an element without an active set
