"""Files that verbs of reports, watching and comparing read, damaged: one error that names each, or its row says so."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from campaign_records import record_folder
from click.testing import Result
from damages import ANY, JSON, damaged, with_cell, with_value, without_column
from loop_states import finished
from typer.testing import CliRunner
from watched_campaigns import campaign

from gibbsflow.cli import analysis, fe, gibbsflow, infer
from gibbsflow.cli.style import WHAT_TO_DO_OF_A_DEFECT
from gibbsflow.errors import EXIT_INPUT
from gibbsflow.report.tables.results_table import TableRow, write_parquet
from gibbsflow.workflow.files import write_json

HEADS = "property,quantity,unit,potential,reference,difference,good_within,bearable_within,verdict,source,error\n"
ROWS = "cell,lattice_a,Å,5.4,5.43,-0.03,0.05,0.1,PASS,dft,\neos,bulk_modulus,GPa,80,100,-20,5,10,FAIL,dft,\n"
Damage = Callable[[Path], None]


def ask(app: Any, *words: object) -> Result:
    """Run a verb in this process; whatever is wrong with a file, that was foreseen."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert WHAT_TO_DO_OF_A_DEFECT not in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, EXIT_INPUT) and done.stderr.count("error: ") == (done.exit_code > 0), done.stderr
    return done


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last generation of a loop, with a validation."""
    folder = tmp_path_factory.mktemp("loop") / "generation_01"
    finished(folder)
    with_value("history.1.validation", "FAIL")(folder / "checkpoint.json")
    (folder / "validation").mkdir()
    (folder / "validation/validation.csv").write_text(HEADS + ROWS)
    write_json(folder / "label_doubts.json", {"warnings": ["6 frames are odd"], "notes": []})
    return folder


OF_LOOP: list[tuple[str, str, Damage]] = [
    *((name, how, JSON[how]) for name in ("checkpoint.json", "metrics.json", "config.json") for how in JSON),
    *(("label_doubts.json", how, JSON[how]) for how in JSON if how not in ("missing", "JSON {}")),
    *(("structures.db", how, ANY[how]) for how in ANY),
    *(("validation/validation.csv", how, ANY[how]) for how in ANY if how != "missing"),
    *(("validation/validation.csv", f"no {name}", without_column(name)) for name in HEADS.split(",")[:-1]),
    *(
        ("validation/validation.csv", f"{name} {text}", with_cell(name, text))
        for name, text in (("potential", "x"), ("reference", "nan"), ("difference", "inf"), ("verdict", "GOOD"))
    ),
    *(
        ("checkpoint.json", f"{keys} {value}", with_value(keys, value))
        for keys in ("phase", "history", "seed", "history.0.labels", "history.1.force_mae_ev_per_angstrom", "unknown")
        for value in (None, ["x"], "x")
    ),
    *(
        ("metrics.json", f"{keys} {value}", with_value(keys, value))
        for keys in ("fit", "fit.test", "fit.train", "fit.test.frames", "fit.notes", "fit.account", "fit.grade")
        for value in (None, ["x", 3], "x")
        if (keys, value) != ("fit.account", None)
    ),
    ("label_doubts.json", "a number", with_value("notes", 3)),
    ("label_doubts.json", "numbers", with_value("warnings", [3])),
]  # fmt: skip


@pytest.mark.parametrize(("name", "how", "damage"), OF_LOOP, ids=[f"{name} {how}" for name, how, _ in OF_LOOP])
def test_a_report_of_a_loop_names_the_file(
    generation: Path, tmp_path: Path, name: str, how: str, damage: Damage
) -> None:
    with damaged(generation / name, damage):
        told = ask(infer.app, "report", "--from", generation, "--out", tmp_path / "out")
    assert told.exit_code == EXIT_INPUT, told.output
    assert Path(name).name in told.stderr, told.stderr
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_whole_generation_is_reported(generation: Path, tmp_path: Path) -> None:
    assert ask(infer.app, "report", "--from", generation, "--out", tmp_path / "out").exit_code == 0
    assert "bulk modulus" in (tmp_path / "out" / "report.html").read_text()


OF_STATE = [
    "state/demo/cb7/b2/complex/replicate_0/progress.json",
    "state/demo/cb7/b2/complex/replicate_0/inputs.json",
    "state/demo/cb7/b2/complex/replicate_0/attempts.json",
    "state/demo/cb7/b2/equil/FINISHED",
    "state/demo/cb7/a1/param_ligands/FAILED",
    "out/phases/done/analysis/result.json",
    "out/phases/done/analysis/record.json",
    "out/pipeline_info/settings.json",
]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("watched")
    campaign(root)
    return root


@pytest.mark.parametrize("how", JSON)
@pytest.mark.parametrize("name", OF_STATE)
def test_a_campaign_is_watched_all_the_same(watched: Path, tmp_path: Path, name: str, how: str) -> None:
    state = watched / "state" / "demo"
    with damaged(watched / name, JSON[how]):
        seen = ask(gibbsflow.app, "watch", state, "--json")
        ask(fe.app, "status", state)
        ask(gibbsflow.app, "list", state.parent)
        ask(gibbsflow.app, "pack", state, "done", "--out", tmp_path / "done.tar.gz")
    assert seen.exit_code == 0
    assert {"b2", "a1", "done", "later"} <= {one["name"] for one in json.loads(seen.stdout)["items"]}


OF_METHODS: list[tuple[str, object]] = [("md", "x"), ("fe", [3]), ("restraint", 3), ("restraint.kind", [3])]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_folder(tmp_path_factory.mktemp("record"), "first", replicates=1)


@pytest.mark.parametrize(
    ("how", "damage"),
    [
        *((how, JSON[how]) for how in JSON),
        *((f"{key} {value}", with_value(key, value)) for key in ("legs", "dg_kcal_per_mol") for value in ("x", [3])),
        *((f"settings.{key} {value}", with_value(f"settings.{key}", value)) for key, value in OF_METHODS),
    ],
)
def test_a_ligand_with_a_damaged_record_keeps_its_row(record: Path, tmp_path: Path, how: str, damage: Damage) -> None:
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nfirst,C\nother,C\n")
    shutil.copytree(record, tmp_path / "record")
    damage(tmp_path / "record" / "record.json")
    words = ["--input", tmp_path / "ligands.csv", "--record", tmp_path / "record", "--out", tmp_path / "out"]
    done = ask(analysis.app, "campaign", *words)
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / "results.csv").open() as file:
        rows = {row["ligand"]: row for row in csv.DictReader(file)}
    assert rows["first"]["status"] == "failed" and rows["first"]["cause"] and set(rows) == {"first", "other"}
    assert "first" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("name", "how", "damage"),
    [
        *((name, how, JSON[how]) for name in ("record", "before") for how in JSON),
        *(("record", f"dg {value}", with_value("dg_kcal_per_mol", value)) for value in (None, "x", [3])),
        *(
            (name, f"name {value}", with_value("transformation", value))
            for name in ("record", "before")
            for value in (3, "x")
        ),
    ],
)
def test_a_round_is_not_judged_by_a_damaged_record(
    record: Path, tmp_path: Path, name: str, how: str, damage: Damage
) -> None:
    for folder in ("record", "before"):
        shutil.copytree(record, tmp_path / folder)
    damage(tmp_path / name / "record.json")
    (tmp_path / "settings.json").write_text('{"analysis": {"target_error_kcal_per_mol": 5.0}}')
    of_runs = [word for leg in ("complex0", "solvent0") for word in ("--run", record.parent / leg)]
    words = ["--system", record.parent / "system", *of_runs, "--config", tmp_path / "settings.json"]
    told = ask(analysis.app, "next-round", *words, "--record", tmp_path / "record", "--before", tmp_path / "before")
    assert told.exit_code == EXIT_INPUT and "record" in told.stderr, told.output
    if name == "before" and how != "name x":
        words += ["--before", tmp_path / "before", "--out", tmp_path / "out"]
        told = CliRunner().invoke(analysis.app, ["transformation", *map(str, words)])
        assert told.exit_code and str(tmp_path / "before" / "record.json") in told.stderr, told.output
        assert WHAT_TO_DO_OF_A_DEFECT not in told.stderr, told.stderr


@pytest.mark.parametrize("name", ["results.parquet", "record.x.json"])
@pytest.mark.parametrize("how", JSON)
def test_campaigns_with_damaged_files_are_not_compared(tmp_path: Path, name: str, how: str) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_parquet([TableRow("x", "x", "abfe", "finished", "PASS", -5.0, 0.3)], folder / "results.parquet")
        write_json(folder / "record.x.json", {"settings": {"md": {"timestep_fs": 4}}, "seed": 1})
    JSON[how](tmp_path / "a" / name)
    told = ask(analysis.app, "compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    said_nothing = name == "record.x.json" and how in ("missing", "JSON {}")  # no settings to compare
    assert told.exit_code == (0 if said_nothing else EXIT_INPUT), told.output
    assert said_nothing or name in told.stderr


def test_no_number_in_a_record_is_told_with_advice_that_fits(tmp_path: Path) -> None:
    from oscillators import write_transformation

    system, runs = write_transformation(tmp_path)
    settings = tmp_path / "settings.json"
    settings.write_text('{"analysis": {"target_error_kcal_per_mol": 5.0}}')
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / "record.json").write_text('{"dg_kcal_per_mol": NaN}')
    words = ["--system", system.root, *(word for path in runs for word in ("--run", path)), "--config", settings]
    told = ask(analysis.app, "next-round", *words, "--record", tmp_path / "record")
    assert told.exit_code == EXIT_INPUT and "NaN is no finite number" in told.stderr
    assert "let the verb that writes it make it again" in told.stderr and "start that item afresh" not in told.stderr
