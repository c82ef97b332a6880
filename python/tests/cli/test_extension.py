"""`fe extend` and `analysis next-round` as a user types them."""

import json

import host_guest as hg
from oscillators import write_transformation
from typer.testing import CliRunner

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.cli import analysis, fe
from gibbsflow.config.binding import Fe

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.0))
FE = Fe(window_ps=0.2, window_equil_ps=0.1, sample_ps=0.1, segment_ps=0.1)


def run(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_extend_goes_on_and_writes_what_run_writes(tmp_path):
    leg = hg.make_leg(tmp_path / "leg", "solvent", fe=FE, states=STATES)
    options = ["--leg", leg.folder, "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    refused = run(fe.app, "extend", *options, "--window-ps", 0.2)
    assert refused.exit_code == 65 and "0.3 ps or more" in refused.output and not (tmp_path / "state").exists()
    done = run(fe.app, "extend", *options, "--window-ps", 0.4)
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["ps_per_window"], result["leg"], result["versions"]["gibbsflow"] != "") == (0.4, "solvent", True)
    assert {"leg.json", "window_00.parquet", "window_01.parquet"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_next_round_says_what_another_target_would_ask_for(tmp_path):
    system, runs = write_transformation(tmp_path)
    options = ["--system", system.root, *(word for path in runs for word in ("--run", path))]
    settings, record = tmp_path / "settings.json", tmp_path / "record"
    settings.write_text(json.dumps({"analysis": {"target_error_kcal_per_mol": 5.0}}))
    assert run(analysis.app, "transformation", *options, "--config", settings, "--out", record).exit_code == 0
    options += ["--record", record, "--config", settings]
    assert "target: the error is" in run(analysis.app, "next-round", *options).stdout
    settings.write_text(json.dumps({"analysis": {"target_error_kcal_per_mol": 0.001}}))
    asked = run(analysis.app, "next-round", *options, "--before", record)
    assert asked.exit_code == 0 and "round 1: " in asked.stdout and "next: complex to " in asked.stdout
    (tmp_path / "other").mkdir()
    content = json.loads((record / "record.json").read_text())
    (tmp_path / "other" / "record.json").write_text(json.dumps({**content, "transformation": "b"}))
    refused = run(analysis.app, "next-round", *options, "--before", tmp_path / "other")
    assert refused.exit_code == 65 and "record of b: another transformation" in refused.output
    for told, field in (
        ({"sampling": {"rounds": [{}]}}, "sampling"),
        ({"sampling": 5}, "sampling"),
        ({"leg_summary": 7}, "leg_summary"),
    ):
        (tmp_path / "other" / "record.json").write_text(json.dumps({**content, **told}))
        refused = run(analysis.app, "next-round", *options[:-4], "--record", tmp_path / "other", "--config", settings)
        assert refused.exit_code == 65 and f"{field}: does not say what" in refused.output
    settings.write_text("{}")
    assert run(analysis.app, "next-round", *options).exit_code == 65
