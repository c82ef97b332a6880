"""λ of pmemd: by the rule of its schedule file each state has the weights that it is said to have."""

from dataclasses import replace

import amber_legs
import numpy as np
import pytest

from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState, read_schedule
from gibbsflow.binding.sample.amber.amber_states import amber_path, inverse_smooth_step, smooth_step
from gibbsflow.errors import InputError


def weights(path, kind):
    """Of the first region, as pmemd reads a line: falling from a to b, or rising where b is before a."""
    lines = {line.split(",")[0]: line for line in path.schedule}
    if kind not in lines and kind != "TypeRestBA":
        lines[kind] = f"{kind}, smooth_step2, complementary, 0, 1"
    if kind not in lines:
        return [0.0] * len(path.clambdas)
    a, b = (float(word) for word in lines[kind].split(",")[3:])
    low, high = sorted((a, b))
    falling = [1 - np.polyval([6, -15, 10, 0, 0, 0], np.clip((x - low) / (high - low), 0, 1)) for x in path.clambdas]
    return [1 - w if a > b else w for w in falling]


@pytest.mark.parametrize("kind", amber_legs.SCHEDULES)
def test_states_have_the_weights_of_the_schedule_file(kind, tmp_path):
    leg = amber_legs.leg(tmp_path, kind)
    path = amber_path(leg)
    assert path.clambdas[0] == 0 and path.clambdas[-1] == 1 and list(path.clambdas) == sorted(set(path.clambdas))
    for name, value in (
        ("TypeEleSC", "lambda_electrostatics"), ("TypeEleRec", "lambda_electrostatics"),
        ("TypeVDW", "lambda_sterics"), ("TypeRestBA", "lambda_restraints"),
    ):  # fmt: skip
        np.testing.assert_allclose(weights(path, name), [getattr(s, value) for s in path.states], atol=1e-9)
    for ours, asked in zip((path.states[0], path.states[-1]), (leg.states[0], leg.states[-1]), strict=True):
        assert ours.as_dict() == pytest.approx(asked.as_dict(), abs=1e-9)
    if kind != "sdr":  # four digits of λ
        for ours, asked in zip(path.states, leg.states, strict=True):
            assert ours.as_dict() == pytest.approx(asked.as_dict(), abs=2e-3)
        assert not path.notes
    else:
        assert "the number of states, 41" in path.notes[0] and len(path.schedule) == 1


def test_smooth_step_and_its_inverse():
    for value in (0, 1e-4, 0.3, 0.5, 0.99, 1):
        assert smooth_step(inverse_smooth_step(value)) == pytest.approx(value, abs=1e-12)
    assert smooth_step(-1) == 0 and smooth_step(2) == 1 and smooth_step(0.25) == pytest.approx(0.103515625)


def test_what_pmemd_cannot_do(tmp_path):
    leg = amber_legs.leg(tmp_path, "complex")
    com = CentreOfMassRestraint((20,), (0, 1), 5.0, 4.0)
    with pytest.raises(InputError, match=r"com: with λ pmemd.cuda scales restraints between atoms.*boresch"):
        amber_path(replace(leg, restraint=com))
    with pytest.raises(InputError, match=r"counter_ion: .*analytic, or abfe_protocol sdr"):
        amber_path(replace(leg, ion_atoms=(40,)))
    mixed = (LambdaState(0, 1, 1), LambdaState(0.5, 0.5, 1), LambdaState(1, 0, 1), LambdaState(1, 0, 0))
    with pytest.raises(InputError, match="states 1 lose charges before they are restrained in full"):
        amber_path(replace(leg, states=mixed))
    with pytest.raises(InputError, match="from one ligand to another"):
        amber_path(replace(leg, states=read_schedule("rbfe_11")))
    near = (LambdaState(0, 1, 1), LambdaState(1e-9, 1, 1), *mixed[2:])
    with pytest.raises(InputError, match="one λ to the 4 digits"):
        amber_path(replace(leg, states=near))
