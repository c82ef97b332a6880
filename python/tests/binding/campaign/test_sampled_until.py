"""A real campaign to an error: killed in mid-extension, gone on with, stopped by its budget; nothing run again."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest

SETTINGS = """
io: {{input: {0}/ligands.csv, outdir: {0}/out, state_dir: {0}/state}}
run: {{mode: asfe, replicates: 2}}
param: {{ligand_ff: gaff}}
equil: {{heat_ps: 0.5, equil_ps: 2, equil_segment_ps: 0.5}}
md: {{trajectory: none}}
fe: {{window_ps: 2, window_equil_ps: 0.5, sample_ps: 0.1, segment_ps: 0.5}}
analysis: {{target_error_kcal_per_mol: 0.0005, max_window_ps: 3.2}}
"""


@pytest.mark.slow
def test_a_campaign_is_killed_in_an_extension_and_goes_on_to_its_budget(tmp_path):
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nmethanol,CO\n")
    (tmp_path / "run.yaml").write_text(SETTINGS.format(tmp_path))
    command = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "run-local", str(tmp_path / "run.yaml")]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    leg = tmp_path / "state" / "out" / "alone" / "methanol" / "solvent" / "replicate_0"
    deadline = time.monotonic() + 600
    while not (leg / "extension" / "segment-00001.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait(30)
    kept = [leg / "segment-00000.npz", leg / "extension" / "segment-00000.npz"]
    written = [path.stat().st_mtime_ns for path in kept]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert [path.stat().st_mtime_ns for path in kept] == written

    record = json.loads((tmp_path / "out" / "record.methanol.json").read_text())
    told = record["sampling"]
    assert (told["stopped_by"], told["next_window_ps"]) == ("budget", {})
    assert [one["window_ps"] for one in told["rounds"]] == [{leg: ps for leg in ("solvent", "vacuum")} for ps in (2, 3)]
    assert told["rounds"][-1]["dg_error_kcal_per_mol"] == record["dg_error_kcal_per_mol"] > 0.0005
    # the record of the round before stands where it was
    phases = tmp_path / "out" / "phases" / "methanol"
    before = json.loads((phases / "analysis" / "record.json").read_text())
    assert before["dg_kcal_per_mol"] == told["rounds"][0]["dg_kcal_per_mol"]
    (row,) = csv.DictReader((tmp_path / "out" / "results.csv").open())
    assert row["stopped_by"] == "budget"
    assert "Stopped by <b>budget</b>" in (tmp_path / "out" / "report.html").read_text()
