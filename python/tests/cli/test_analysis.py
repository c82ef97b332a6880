"""The `analysis` commands as a user types them."""

import json

import alchemtest.amber
import alchemtest.gmx
import pytest
from oscillators import Oscillators, write_system
from typer.testing import CliRunner
from xvg_ladder import Ladder, parts_of, put

from gibbsflow.cli.analysis import app

COULOMB = [str(path) for path in alchemtest.gmx.load_benzene()["data"]["Coulomb"]]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def repeated(option, values):
    return [word for value in values for word in (option, value)]


def result(folder):
    return json.loads((folder / "result.json").read_text())


def test_leg_of_gromacs_files(tmp_path):
    files = repeated("--input", COULOMB)
    done = run("leg", *files, "--format", "gromacs", "--temperature", 300, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    figures = result(tmp_path)
    for name, value, error in (("mbar", 3.041, 0.0209), ("bar", 3.044, 0.0164), ("ti", 3.089, 0.0216)):
        assert figures[name]["dg_kt"] == pytest.approx(value, rel=1e-3)
        assert figures[name]["dg_error_kt"] == pytest.approx(error, rel=0.05)
        assert figures[name]["dg_kcal_per_mol"] == pytest.approx(value * 0.5961612776, rel=1e-3)
        assert figures[name]["dg_error_kcal_per_mol"] > 0
    assert figures["status"] == "finished"
    assert figures["verdict"] == "PASS"
    assert len(figures["overlap"]["matrix"]) == 5
    assert figures["samples"] == [4001] * 5
    assert figures["forward"]["dg_kcal_per_mol"][-1] == pytest.approx(figures["mbar"]["dg_kcal_per_mol"])
    # alchemlyb's convergence test, kT: first 3.02 forward and 3.06 backward, within 1 %
    kt = 0.5961612776
    assert figures["forward"]["dg_kcal_per_mol"][0] / kt == pytest.approx(3.02, rel=0.01)
    assert figures["backward"]["dg_kcal_per_mol"][0] / kt == pytest.approx(3.06, rel=0.01)


def test_a_leg_split_on_request(tmp_path):
    windows = sorted(Oscillators(3, offset_kt=7.0).write(tmp_path / "leg", count=60).glob("*.parquet"))
    done = run("leg", *repeated("--input", windows), "--entropy", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    split = result(tmp_path / "out")["entropy"]
    assert abs(split["dh_kcal_per_mol"] - 7.0 * 0.592484) < 4 * split["dh_error_kcal_per_mol"]
    assert f"ΔH    {'':19}{split['dh_kcal_per_mol']:11.4f}{split['dh_error_kcal_per_mol']:9.4f}" in done.output
    files = Ladder(frames=30).write(tmp_path / "differences")
    refused = run("leg", *repeated("--input", files), "--entropy", "--out", tmp_path / "no")
    assert refused.exit_code == 65 and "no enthalpy" in refused.output


def test_leg_of_window_files_has_no_ti(tmp_path):
    folder = Oscillators(4).write(tmp_path / "leg", count=40)
    done = run("leg", *repeated("--input", sorted(folder.glob("*.parquet"))), "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ti"] == {
        "dg_kt": None,
        "dg_error_kt": None,
        "dg_kcal_per_mol": None,
        "dg_error_kcal_per_mol": None,
        "reason": "no dH/dλ in the data",
    }


def test_what_is_printed_of_a_leg_ends_with_its_verdict_and_the_reasons(tmp_path):
    for stiffening, verdict, words in ((5.0, "PASS", ()), (60.0, "WARN", ("overlap of windows 0 and 1 is 0.0",))):
        windows = sorted(Oscillators(2, stiffening).write(tmp_path / verdict, count=200).glob("*.parquet"))
        done = run("leg", *repeated("--input", windows), "--out", tmp_path / "out")
        assert result(tmp_path / "out")["verdict"] == verdict
        said = done.stdout.splitlines()
        reasons = said[said.index(f"verdict: {verdict}") + 1 :]
        assert reasons == [f"  {reason}" for reason in result(tmp_path / "out")["reasons"]]
        assert all(any(word in reason for reason in reasons) for word in words)


def test_leg_with_missing_windows_is_partial(tmp_path):
    files = repeated("--input", COULOMB[:2] + COULOMB[3:])
    done = run("leg", *files, "--format", "gromacs", "--temperature", 300, "--out", tmp_path)
    assert done.exit_code == 0
    found = result(tmp_path)
    assert (found["status"], found["cause"], found["missing_windows"]) == ("partial", "MissingWindows", [2])
    assert abs(found["mbar"]["dg_kt"] - 3.041) < 0.1 and found["mbar"]["dg_error_kt"] > 0.0209
    assert "partial: window 2 is missing; the overlap of the neighbours bridges the gap" in done.stderr


def test_leg_says_what_it_read(tmp_path):
    files = Ladder().write(tmp_path / "leg")
    head, rows = parts_of(files[1])
    put(files[1], head + rows + rows[:7])
    head, rows = parts_of(files[2])
    time, _, *energies = rows[2].split()
    rows[2] = " ".join([time, "nan", *energies])
    put(files[2], head + rows)
    done = run("leg", *repeated("--input", files), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = result(tmp_path / "out")
    assert found["account"]["samples"] == {str(k): 400 for k in range(5)} and found["account"]["frames_repeated"] == 7
    assert found["notes"] == [
        f"{files[1]}: 7 frames that are there already, each used once",
        f"{files[2]}: dH/dλ is no number in 1 rows (first: row 12): no thermodynamic integration",
    ]
    assert found["ti"]["reason"] == "2.xvg: dH/dλ is no number in 1 rows (first: row 12)"
    assert found["warnings"] == [] and found["mbar"]["dg_kt"] is not None


def test_leg_of_amber_outputs_without_energies_is_integrated(tmp_path):
    files = alchemtest.amber.load_simplesolvated()["data"]["charge"]
    done = run("leg", *repeated("--input", files), "--format", "amber", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    found = result(tmp_path)
    assert found["ti"]["dg_kt"] == pytest.approx(-101.51336, abs=1e-4) and found["mbar"]["dg_kt"] is None
    assert found["verdict"] == "WARN" and "integration alone" in found["reasons"][0]


def test_leg_that_cannot_be_right_is_refused(tmp_path):
    files = Ladder().write(tmp_path / "leg")
    files[2].write_text(files[2].read_text().replace("T = 300", "T = 310"))
    done = run("leg", *repeated("--input", files), "--out", tmp_path / "out")
    assert done.exit_code == 65 and "2.xvg: was run at 310 K, the other 4 files at 300 K" in done.output


def test_leg_that_nothing_connects_is_unconverged(tmp_path):
    folder = Oscillators(2, 1e9).write(tmp_path / "leg", count=40)
    done = run("leg", *repeated("--input", sorted(folder.glob("*.parquet"))), "--out", tmp_path / "out")
    assert done.exit_code == 70
    assert result(tmp_path / "out")["status"] == "unconverged"


@pytest.fixture
def transformation(tmp_path):
    legs = {"complex": Oscillators(4, 20.0, 12.0), "solvent": Oscillators(3, 6.0)}
    write_system(tmp_path / "system", "guest", legs, replicates=1)
    runs = [o.write(tmp_path / leg, leg=leg, count=60) for leg, o in legs.items()]
    return tmp_path / "system", runs


def test_transformation_and_campaign(transformation, tmp_path, monkeypatch):
    system, runs = transformation
    monkeypatch.chdir(tmp_path)  # relative folders, as the pipeline has them
    done = run("transformation", "--system", system, *repeated("--run", runs), "--out", "record")
    assert done.exit_code == 0, done.output
    assert "kcal/mol, WARN" in done.stdout
    record = json.loads((tmp_path / "record" / "record.json").read_text())
    assert result(tmp_path / "record")["dg_kcal_per_mol"] == record["dg_kcal_per_mol"]
    assert (tmp_path / "record" / record["figures"]["cycle"]).exists()
    (tmp_path / "l.csv").write_text("ligand,smiles\nguest,C\n")
    done = run("campaign", "--input", "l.csv", "--record", "record", "--out", "results")
    assert done.exit_code == 0, done.output
    assert "guest" in done.stdout
    assert result(tmp_path / "results")["finished"] == 1
    assert (tmp_path / "results" / "report.html").exists()


def test_settings_of_the_analysis_are_used(transformation, tmp_path):
    system, runs = transformation
    (tmp_path / "config.yaml").write_text("decorrelate: never\noverlap_warn: 0.5\n")
    options = ["--system", system, *repeated("--run", runs), "--config", tmp_path / "config.yaml"]
    assert run("transformation", *options, "--out", tmp_path / "out").exit_code == 0
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["legs"][0]["decorrelate"] == "never"
    assert any("below 0.5" in reason for reason in record["reasons"])


def test_no_number_is_a_failure_with_its_record_and_sentinel(transformation, tmp_path):
    system, runs = transformation
    (runs[0] / "window_03.parquet").unlink()
    options = ["--system", system, *repeated("--run", runs), "--state", tmp_path / "state"]
    done = run("transformation", *options, "--out", tmp_path / "out")
    assert done.exit_code == 70
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert (record["status"], record["dg_kcal_per_mol"]) == ("failed", None)
    assert "window 3 is missing, and only" in json.loads((tmp_path / "state" / "FAILED").read_text())["message"]
