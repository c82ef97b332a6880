"""The benchmark of hosts and guests: its cost curve from samples of a known free energy, and its systems' settings."""

import importlib.util
import json
import sys
from pathlib import Path

import oscillators
import pytest

from gibbsflow.config.binding import BindingConfig, Fe, Md

HERE = Path(__file__).parents[3] / "benchmarks" / "host_guest"


def load(name):
    """A module of the benchmark, which is no package."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


curve, binding = load("curve"), load("binding")


def leg(states, **fe):
    """What of a ``leg.json`` counts evaluations."""
    given = Fe(**{"sample_ps": 1.0, "window_ps": 700, "window_equil_ps": 20} | fe)
    return {"states": [{}] * states, "fe": given.model_dump(mode="json"), "md": Md().model_dump(mode="json")}


def test_evaluations_are_those_of_all_states_and_their_energies():
    both = {"complex": leg(32), "solvent": leg(29)}
    assert curve.per_iteration(both) == 32 * (250 + 32 + 2) + 29 * (250 + 29 + 2) == 17_237
    assert curve.iterations_of(both, 1.2e7) == int((1.2e7 - 55_000) / 17_237)
    assert curve.iterations_of(both, 1e9) == 721 > curve.iterations_of(both, float("inf")) == 720
    assert curve.iterations_of({"sdr": leg(41, window_ps=1000)}, 1.2e7) == int((1.2e7 - 27_500) / (41 * 293))


def test_a_point_is_what_the_published_curve_has_for_the_same_replicates():
    """YANK's five of OA-G3 at 1.2e7 evaluations, two decimals each."""
    found = curve.point(1.2e7, [-7.84, -7.29, -8.11, -6.85, -7.15], -6.71)
    mean, half, rmse = curve.YANK["OA-G3"][1.2e7]
    assert found["mean_kcal_per_mol"] == pytest.approx(mean, abs=0.01)
    assert found["half_width_kcal_per_mol"] == pytest.approx(half, abs=0.01)
    assert found["rmse_kcal_per_mol"] == pytest.approx(rmse, abs=0.01)
    assert curve.line(found, "OA-G3").endswith("YANK -7.45 [0.64], RMSE 0.87")


def test_replicates_are_cut_and_give_what_is_exact(tmp_path, monkeypatch):
    _, runs = oscillators.write_transformation(tmp_path / "made", replicates=2)
    for run in runs:
        name, replicate = run.name[:-1], run.name[-1]
        target = tmp_path / "results" / "phases" / "guest" / "fe" / f"{name}_replicate_{replicate}"
        target.parent.mkdir(parents=True, exist_ok=True)
        run.rename(target)
        states = len(list(target.glob("window_*.parquet")))
        content = leg(states, window_ps=150, window_equil_ps=0) | {"leg": name}
        content["md"]["temperature_k"] = oscillators.TEMPERATURE_K
        (target / "leg.json").write_text(json.dumps(content))
    one = curve.per_iteration({"complex": leg(6), "solvent": leg(4)})
    monkeypatch.setattr(curve, "AT", (55_000 + 60 * one, 1e9))
    record = {"standard_state": oscillators.STANDARD_STATE}
    exact = oscillators.exact_binding_kcal_per_mol(oscillators.COMPLEX, oscillators.SOLVENT)
    short, whole = curve.points(tmp_path / "results", record, exact)
    assert (short["evaluations"], short["replicates"]) == (55_000 + 60 * one, 2)
    assert whole["evaluations"] == 55_000 + 150 * one
    assert whole["mean_kcal_per_mol"] == pytest.approx(exact, abs=0.3) and whole["rmse_kcal_per_mol"] < 0.4
    assert short["mean_kcal_per_mol"] == pytest.approx(exact, abs=0.5)


@pytest.mark.parametrize("name", binding.SYSTEMS)
def test_each_system_has_settings_that_are_taken(name):
    sections = binding.settings(binding.SYSTEMS[name], ["md.platform=CUDA", "fe.sample_ps=2.0"])
    made = BindingConfig.model_validate(sections)
    assert made.md.platform == "CUDA" and made.fe.sample_ps == 2 and made.run.replicates >= 3
    assert str(HERE) not in json.dumps(binding.portable(sections))
