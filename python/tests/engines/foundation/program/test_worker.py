"""The program's verbs, where its environment is installed."""

import numpy as np
import pytest
from ase.build import bulk
from foundation_models import needs_model

from gibbsflow.engines.foundation.session import Model, Session
from gibbsflow.errors import EngineError

pytestmark = [needs_model, pytest.mark.slow]


def test_it_serves_on_after_a_structure_that_it_cannot_take(tmp_path):
    with Model("0.3.0") as model:
        assert model.versions["chgnet"] == "0.4.2"
        broken = {"numbers": np.array([14]), "positions": np.zeros((1, 3)), "cell": np.zeros((3, 3))}
        model.post({"forces": True}, broken)
        with pytest.raises(EngineError, match="failed"):
            model.answer(60)
        assert model.predict(bulk("Si"))[0] / 2 == pytest.approx(-5.36, abs=0.1)


def test_unknown_weights_are_refused(tmp_path):
    with pytest.raises(EngineError, match="Unknown model_name='9'"):
        Session(["serve", "9"], folder=tmp_path)
