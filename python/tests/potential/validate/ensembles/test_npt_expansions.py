from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from stillinger_weber import SwPotential

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.ensembles.md_runs import MdRuns
from gibbsflow.potential.validate.ensembles.npt_expansions import line_through, npt_expansion
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.workflow.state.segments import Stopper

SILICON = Crystal.of(bulk("Si", a=5.431), 0.01)
SHORT = Validation(sample_ps=0.24, sample_atoms_min=64, temperature_k=700.0, expansion_span_k=1000.0)


def test_silicon_grows_and_the_error_is_told(tmp_path: Path) -> None:
    md = MdRuns(SwPotential(), "k", tmp_path, Stopper(), look_steps=20)
    found = npt_expansion(SILICON, SHORT, md)
    # 3.7e-6/K by longer runs (benchmarks/warm_silicon.py): these are too short for more than its sign and size
    error = found.errors["npt_expansion"]
    assert 0 < error < 6 and abs(found.values["npt_expansion"] - 3.7) < 4 * error + 2
    assert found.values["npt_volume"] == pytest.approx(20.2, abs=0.15) and len(found.notes) == 5


def test_a_crystal_that_melts_has_none(tmp_path: Path) -> None:
    hot = SHORT.model_copy(update={"temperature_k": 6000.0, "expansion_span_k": 1000.0, "sample_ps": 0.4})
    with pytest.raises(ScienceError, match="the crystal is none any more"):
        npt_expansion(SILICON, hot, MdRuns(SwPotential(), "k", tmp_path, Stopper(), look_steps=20))


def test_a_line_by_errors() -> None:
    places = np.array([1.0, 2.0, 3.0])
    slope, error = line_through(places, 2 * places, np.full(3, 0.1))
    assert (slope, error) == pytest.approx((2.0, 0.1 / 2**0.5))
    assert line_through(places, np.array([0.0, 9.0, 2.0]), np.array([0.1, 1e3, 0.1]))[0] == pytest.approx(1.0, abs=1e-3)
