"""BAR in place of MBAR in a whole cycle: the same result where both are right, and a doubt where they differ."""

from dataclasses import replace

import pytest
from oscillators import COMPLEX, SOLVENT

from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING
from gibbsflow.binding.analyse.leg_result import analyse_leg
from gibbsflow.binding.analyse.side_by_side import judge_estimates, other_estimates
from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.sample.energies import read_leg


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    root = tmp_path_factory.mktemp("cycle")
    return {
        leg: analyse_leg(read_leg(sorted(one.write(root / leg, leg=leg, count=60).glob("*.parquet"))))
        for leg, one in (("complex", COMPLEX), ("solvent", SOLVENT))
    }


def test_signs_errors_and_what_is_not_there(cycle):
    found = other_estimates([cycle, cycle], -10.0, [0.2, 0.2], DOUBLE_DECOUPLING)
    assert found["ti"] is None
    bar = found["bar"]
    off = {leg: (one.bar.dg_kt - one.mbar.dg_kt) * one.kt_kcal_per_mol for leg, one in cycle.items()}
    assert bar["difference_kcal_per_mol"] == pytest.approx(off["solvent"] - off["complex"])
    assert bar["dg_kcal_per_mol"] == pytest.approx(-10.0 + off["solvent"] - off["complex"])
    errors = [one.bar.dg_error_kt * one.kt_kcal_per_mol for one in cycle.values()]
    assert bar["dg_error_kcal_per_mol"] == pytest.approx(sum(e**2 for e in errors) ** 0.5 / 2**0.5)
    assert judge_estimates(found, Thresholds()) == []


def test_a_result_that_depends_on_its_estimator_is_doubted(cycle):
    leg = cycle["solvent"]
    far = cycle | {"solvent": replace(leg, bar=replace(leg.bar, dg_kt=leg.mbar.dg_kt + 5.0))}
    doubts = judge_estimates(other_estimates([far], -10.0, [0.2], DOUBLE_DECOUPLING), Thresholds())
    assert [doubt.level for doubt in doubts] == ["WARN"] and "by BAR differs from that by MBAR" in doubts[0].reason
