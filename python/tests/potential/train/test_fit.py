"""The table of trainers, and potentials read by the name that they carry."""

from pathlib import Path
from typing import get_args

import pytest
from ase.build import bulk
from labelled_sets import fitted_copper

from gibbsflow.config.potential_training import BACKEND_WORDS, BACKENDS, Backend, Training
from gibbsflow.errors import InputError, ScienceError, StateError
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.segments import Stopper


def test_a_trainer_that_is_none_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(InputError, match=r"--backend: 'gap' is no trainer \(right: pod or pace or chgnet\)"):
        training.fit(None, Training(), backend="gap", seed=1, stopper=Stopper(), budget_s=1.0, out=tmp_path)


def test_a_potential_evaluates_whoever_wrote_it():
    folder = fitted_copper()[0] / "potential"
    potential = training.load_potential(folder)
    copper = bulk("Cu", cubic=True)
    running = potential.start()
    try:
        values = running.predict(copper)
        grader = Grader.read(folder / ACTIVE_SET)
        descriptors = running.descriptors(copper, grader.basis)
    finally:
        running.close()
    assert (potential.species, potential.cutoff_angstrom) == (("Cu",), 5.0)
    assert abs(values.forces_ev_per_angstrom).max() < 1e-9  # by symmetry
    assert descriptors.shape == (4, grader.basis_descriptors)
    assert grader.species == ("Cu",)


def test_what_lammps_needs_is_told_with_paths_from_its_own_folder(tmp_path):
    folder = fitted_copper()[0] / "potential"
    potential = training.load_potential(folder)
    words = potential.pair_commands(tmp_path)[1].split()
    assert words[:4] == ["pair_coeff", "*", "*", "pod"] and words[-1] == "Cu"
    for word, name in zip(words[4:6], ("potential.pod", "coefficients.pod"), strict=True):
        assert (tmp_path / word).read_text() == (folder / name).read_text()
    basis = Grader.read(folder / ACTIVE_SET).basis
    assert potential.descriptor_commands("grade", basis, tmp_path) == ['compute grade all pod/atom grade.pod "" Cu']
    assert (tmp_path / "grade.pod").read_text().startswith("species Cu\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "potential.json"),
        ({"species": ["Cu"]}, "not a potential written by gibbsflow"),
        ({"backend": "gap"}, "not a potential written by gibbsflow"),
        ([], "not a potential written by gibbsflow"),
        ({"backend": "pace", "species": ["Cu"]}, "a linear ACE, which the LAMMPS"),
        ({"backend": "pod"}, "not a potential written by gibbsflow"),
    ],
)
def test_other_folders_are_refused(tmp_path, content, message):
    if content is not None:
        write_json(tmp_path / "potential.json", content)
    with pytest.raises(StateError, match=message):
        training.load_potential(tmp_path)


def test_every_trainer_of_the_settings_is_there_and_told_of():
    assert tuple(training.TRAINERS) == tuple(BACKENDS) == get_args(Backend)
    assert BACKEND_WORDS == (
        "pod (LAMMPS ML-POD), or pace (python-ace: academic licence, not bundled), "
        "or chgnet (a foundation model, tuned; `make setup-foundation`)"
    )
    contracts = (Path(__file__).parents[4] / "docs/contracts.md").read_text()
    assert "--backend " + "\\|".join(BACKENDS) + " " in contracts


def test_only_trainers_whose_potentials_have_a_grade_are_for_the_loop():
    assert training.graded_trainer(Training()).lammps_style == "pod"
    words = r"training, backend: 'pace' makes potentials without a grade, .* \(right: pod\)"
    with pytest.raises(InputError, match=words):
        training.graded_trainer(Training(backend="pace"))


def test_the_settings_choose_the_trainer_and_a_name_overrides_them(tmp_path, monkeypatch):
    called = []

    class Silent:
        physics, lammps_style, graded = 1, "none", False

        def __init__(self, name):
            self.name = name

        def fit(self, *_given, **_more):
            called.append(self.name)
            return Fit({"coefficients": 1}, {})

    monkeypatch.setattr(training, "TRAINERS", {name: Silent(name) for name in BACKENDS})
    given = {"seed": 1, "stopper": Stopper(), "budget_s": 1.0, "out": tmp_path}
    for settings, named in ((Training(backend="pace"), None), (Training(), "pace"), (Training(backend="pace"), "pod")):
        with pytest.raises(ScienceError, match=r"the fit does not say split, references\.energy_ev"):
            training.fit(None, settings, backend=named, **given)
    assert called == ["pace", "pace", "pod"]
