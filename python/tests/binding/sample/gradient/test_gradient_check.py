"""dU/dλ in another unit than the energies: refused; off by another factor: doubted; else nothing is said."""

import re

import numpy as np
import pytest

from gibbsflow.binding.alchemy.protocols import LegSpec
from gibbsflow.binding.analyse.collect import read_leg
from gibbsflow.binding.analyse.combine import Expected, analyse_legs
from gibbsflow.binding.analyse.verdict import leg_figures
from gibbsflow.binding.sample.energies import write_window
from gibbsflow.errors import InputError

STATES = [
    {"lambda_electrostatics": e, "lambda_sterics": s}
    for e, s in ((1, 1), (0.75, 1), (0.5, 1), (0.25, 1), (0, 1), (0, 0.8), (0, 0.6), (0, 0.4), (0, 0.2), (0, 0))
]
LEG = (LegSpec("solvent", "", (), (), "", False, 1),)
META = {"temperature_k": 300.0, "leg": "solvent", "transformation": "x", "replicate": 0, "seed": 1, "sampler": "x"}


def energy(e, s, x, y):
    """Linear and quadratic in the charges, bent in the sterics, along which many samples tell little."""
    return x * e + 3.0 * e * e + y * s**4


def written(folder, factor=1.0, windows=range(10)):
    """A leg whose ΔG is small, and whose derivatives are recorded times a factor in some windows."""
    rng = np.random.default_rng(3)
    for k, own in enumerate(STATES):
        x, y = rng.normal(-3.0, 6.0, 100), rng.normal(2.0, 2.0, 100)
        u = np.column_stack([energy(*state.values(), x, y) for state in STATES])
        e, s = own.values()
        along = np.column_stack([x + 6.0 * e, 4 * y * s**3]) * (factor if k in windows else 1.0)
        path = folder / f"window_{k:02d}.parquet"
        write_window(path, np.arange(1.0, 101), k, 0, u, {**META, "states": STATES}, along)
    return sorted(folder.glob("*.parquet"))


def test_derivatives_of_the_energies_are_not_doubted(tmp_path):
    account = read_leg(written(tmp_path)).account
    assert not account.doubts


@pytest.mark.parametrize("temperature_k", [120.27, 503.2])
def test_units_that_are_the_same_at_a_temperature_are_not_told_apart(tmp_path, temperature_k, monkeypatch):
    monkeypatch.setitem(META, "temperature_k", temperature_k)
    assert not read_leg(written(tmp_path)).account.doubts


@pytest.mark.parametrize(
    ("factor", "words"),
    [(4.184, "4.18 times.*kJ/mol for kcal/mol"), (1 / 4.184, "kcal/mol for kJ/mol"), (2.494, "kJ/mol for kT")],
)
def test_another_unit_is_refused(tmp_path, factor, words):
    paths = written(tmp_path, factor)
    with pytest.raises(InputError, match=words):
        read_leg(paths).account.settle()
    (one,) = analyse_legs(
        {("solvent", 0): paths}, Expected(1, {"solvent": 10}), protocol=LEG,
        temperature_k=300.0, decorrelate="never", bridge_overlap=0.03,
    )  # fmt: skip
    assert one.analysis is None and "derivatives in the unit of the energies" in one.message


@pytest.mark.parametrize(
    ("factor", "windows"), [(-1.0, range(10)), (4.184, (2, 3)), (2.0, range(10)), (3.0, (5,))], ids=str
)
def test_another_factor_is_doubted(tmp_path, factor, windows):
    energies = read_leg(written(tmp_path, factor, windows))
    assert not energies.account.of_weight("refuse")
    figures = leg_figures(energies, "never")
    assert figures["verdict"] != "PASS"
    (said,) = [reason for reason in figures["reasons"] if "dU/dλ along" in reason]
    (found,) = re.findall(r"is (\S+) times what energies in the states beside say", said)
    assert float(found) == pytest.approx(factor, rel=0.1)
