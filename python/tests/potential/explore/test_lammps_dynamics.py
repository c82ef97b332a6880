"""Commands of dynamics: units, ramps, and the halt of ML-PACE."""

from gibbsflow.config.potential_training import Exploration
from gibbsflow.potential.explore.lammps_dynamics import dynamics, halted_at, pace_script


def test_femtoseconds_become_picoseconds_once():
    commands = dynamics(Exploration(timestep_fs=0.5, temperature_k=300), 0, 100, 1)
    assert "timestep 0.0005" in commands
    assert not [c for c in commands if "nph" in c]


def test_ramps_go_on_from_segment_to_segment():
    settings = Exploration(
        ensemble="npt",
        temperature_k=300,
        temperature_end_k=900,
        pressure_bar=0,
        pressure_end_bar=6000,
        steps=300,
        segment_steps=100,
    )
    first, second = (dynamics(settings, k, 100, 1) for k in (0, 1))
    assert any(c.startswith("velocity all create 300.0") for c in first)
    assert not any(c.startswith("velocity") for c in second)
    assert "fix move all nph iso 2000.000000 4000.000000 1.0" in second
    assert any(c.startswith("fix heat all langevin 500.000000 700.000000 0.1 ") for c in second)
    assert first[-1].split()[7] != second[-1].split()[7]  # each segment has random numbers of its own


def test_script_for_ace_watches_and_halts():
    text = pace_script("Cu.yaml", "Cu.asi", ("Cu",), Exploration(timestep_fs=2.0, steps=500), 5.0)
    for line in (
        "pair_style pace/extrapolation",
        "pair_coeff * * Cu.yaml Cu.asi Cu",
        "fix grade all pair 10 pace/extrapolation gamma 1",
        "fix watch all halt 10 v_grade > 5 error soft",
        "timestep 0.002",
        "run 500",
    ):
        assert line in text.splitlines()
    assert halted_at("...\nFix halt condition for fix-id watch met on step 120 with value 7.25 (x)\n") == (120, 7.25)
    assert halted_at("Loop time of 1") is None
