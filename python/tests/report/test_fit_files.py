"""Files of a fit, of trainers with a grade and without."""

import numpy as np
from labelled_sets import fitted_copper

from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.report.fit_files import FIT_FILES, write_fit_files


def test_what_is_there_is_drawn(tmp_path):
    folder, figures = fitted_copper()
    inputs = Inputs.read(folder / "train.extxyz", folder / "test.extxyz")
    pairs = {name: {"energy": np.ones((2, 3)), "force": np.ones((2, 3))} for name in ("train", "test")}
    made = Fit(figures, pairs, np.array([0.5, 3.0]), atom_errors=np.array([[0.5, 3.0], [0.1, 0.2]]))
    write_fit_files(made, inputs, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FIT_FILES)
    parity = (tmp_path / "parity.csv").read_text().splitlines()
    assert parity[:2] == ["set,kind,unit,label,prediction", "train,energy,eV/atom,1.0,1.0"] and len(parity) == 13
    assert (tmp_path / "grades.csv").read_text() == "set,largest_grade\ntest,0.5\ntest,3.0\n"
    assert "3.0,0.2\n" in (tmp_path / "grade_error.csv").read_text()
    write_fit_files(Fit(figures, pairs), inputs, tmp_path / ".." / tmp_path.name)
    assert (tmp_path / "dataset_card.md").read_text().startswith("# Data set")
