"""From legs written for pmemd.cuda to a table of ΔG, where a program in its place draws from a model that is known."""

import csv
import json
import os
import subprocess
from dataclasses import replace

import amber_legs
import amber_programs
import pytest
from oscillators import STANDARD_STATE, TEMPERATURE_K, Oscillators, write_system
from typer.testing import CliRunner

from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.analysis import app as analysis
from gibbsflow.cli.fe import app as fe
from gibbsflow.config.binding import Md
from gibbsflow.units import kt_kcal_per_mol

KT, RELEASE = kt_kcal_per_mol(TEMPERATURE_K), STANDARD_STATE["numeric_kcal_per_mol"]
VACUUM = Oscillators(3, 6.0, 4.0)
CASES = {
    "double_decoupling": ("abfe", {"complex": 9.0, "solvent": 3.0}, KT * (3.0 - 9.0) - RELEASE),
    "sdr": ("abfe", {"sdr": 6.0}, -KT * 6.0 - RELEASE),
    "asfe": ("asfe", {"solvent": 3.0}, KT * (VACUUM.exact_kt - 3.0)),
}
"""Mode, ΔG of each leg of pmemd's in kT, and what they make in kcal/mol."""


def called(app, *words):
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "protocol", ["asfe", *(pytest.param(name, marks=pytest.mark.slow) for name in CASES if name != "asfe")]
)
def test_a_table_from_legs_that_were_run_elsewhere(tmp_path, protocol):
    mode, legs, expected = CASES[protocol]
    root, runs = tmp_path / "system", []
    for name, dg_kt in legs.items():
        made = amber_legs.leg(root / "legs" / name, name, window_ps=40.0, segment_ps=22.0, sample_ps=0.2)
        states = (*made.states[: -1 : len(made.states) // 4], made.states[-1])
        md = Md(**(made.md.model_dump() | {"engine": "amber"}))
        replace(made, md=md, states=states, replicates=1).write()
        written, out = tmp_path / name, tmp_path / f"run_{name}"
        called(fe, "write", "--leg", made.folder, "--out", written, "--engine", "amber")
        program = amber_programs.pmemd(tmp_path / f"bin_{name}", dg_kt) / "pmemd.cuda"
        environment = os.environ | {"AMBER_PROGRAM": str(program)}
        subprocess.run(["bash", "run-local.bash"], cwd=written, env=environment, check=True, capture_output=True)
        called(fe, "run", "--leg", made.folder, "--replicate", 0, "--state", written, "--out", out)
        runs.append(out)
    vacuum = {} if mode == "abfe" else {"vacuum": VACUUM}
    runs += [one.write(tmp_path / name, leg=name, transformation="ethanol", count=300) for name, one in vacuum.items()]
    settings = {"md": {"solvent": "tip3p", "engine": "amber"}, "fe": {"sampler": "independent"}}
    settings |= {"run": {"mode": mode, "replicates": 1}}
    settings["fe"] |= {} if mode == "asfe" else {"abfe_protocol": protocol}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    facts = {"md": settings["md"] | {"temperature_k": TEMPERATURE_K}, "fe": settings["fe"], "ligand": "ethanol"}
    held = write_system(root, "ethanol", vacuum, 1, **facts)
    if mode == "asfe":
        meta = {key: value for key, value in held.meta.items() if key not in ("restraint", "standard_state")}
        SimSystem("ethanol", root, held.artifacts, meta).write()
    record, sheet = tmp_path / "record", tmp_path / "ligands.csv"
    sheet.write_text("ligand,smiles\nethanol,CCO\n")
    given = [word for run in runs for word in ("--run", run)]
    config = ("--config", tmp_path / "settings.json")
    called(analysis, "transformation", "--system", root, *config, "--out", record, *given)
    called(analysis, "campaign", "--input", sheet, *config, "--record", record, "--out", tmp_path / "table")
    (row,) = csv.DictReader((tmp_path / "table" / "results.csv").open())
    assert (row["ligand"], row["mode"], row["status"]) == ("ethanol", mode, "finished")
    error = float(row["dg_error_kcal_per_mol"])
    assert error < 0.3 and abs(float(row["dg_kcal_per_mol"]) - expected) < 4 * error
