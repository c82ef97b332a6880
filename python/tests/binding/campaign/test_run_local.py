"""run-local: the phases in order, the failure policy, and a real run of MD alone."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gibbsflow.binding.campaign.run_local import LocalRun, checked
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.cli.gibbsflow import verbs as cli_verbs
from gibbsflow.config.binding import Launch
from gibbsflow.errors import InputError
from gibbsflow.workflow.folders.published import MadeFrom, set_aside

DEMO = Path(__file__).resolve().parents[4] / "assets" / "demo"


def row(name: str) -> Row:
    return Row(2, name, None, "CCO", None, "place", None, None)


class Verbs(dict):
    """Verbs that exit as planned and leave what the next phase looks for."""

    def __init__(self, plan: dict[str, list[int]]) -> None:
        super().__init__()
        self.plan, self.calls = plan, []

    def __missing__(self, verb: str):
        def run(**options) -> int:
            out = Path(options["out"])
            name = f"{verb} {out.name if verb in ('fe run', 'fe pilot') else out.parent.name}"
            self.calls.append(name)
            if code := self.plan.get(name, [0]).pop(0) if self.plan.get(name) else 0:
                return code
            for leg in ("complex", "solvent") if verb == "fe prepare" else ():
                (out / "legs" / leg).mkdir(parents=True)
            out.mkdir(parents=True, exist_ok=True)
            if verb == "fe run":
                assert options["leg"].is_dir()
                (out / "leg.json").write_text("{}")
            if verb == "analysis transformation" and "before" not in options:
                assert all(run.parent == out.parent / "fe" for run in options["runs"])
            if verb == "analysis campaign":
                (out / "given.json").write_text(json.dumps([str(path.parent.name) for path in options["records"]]))
            return 0

        return run


def run(tmp_path: Path, plan: dict[str, list[int]], **settings) -> tuple[int, Verbs, list[str]]:
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}, "run": {"replicates": 1} | settings})
    verbs = Verbs(plan)
    code = LocalRun(launch, [row("a"), row("b")], verbs).run()
    given = tmp_path / "out" / "given.json"
    return code, verbs, json.loads(given.read_text()) if given.exists() else []


def test_phases_in_order(tmp_path):
    code, verbs, given = run(tmp_path, {})
    assert (code, given) == (0, ["a", "b"])
    one = [call for call in verbs.calls if call.endswith(" a")]
    assert one == [
        "system_prep system a", "param ligand a", "equil prepare a", "equil run a", "equil analyse a", "fe prepare a",
        "analysis transformation a",
    ]  # fmt: skip
    assert verbs.calls.count("fe run complex_replicate_0") == 2


def test_all_of_a_row_reaches_the_preparation(tmp_path):
    """Whatever column a row has, `system_prep system` is told of it, or does not decide what is computed."""
    given = {}

    class Noting(Verbs):
        def __missing__(self, verb):
            run = super().__missing__(verb)

            def noted(**options):
                given.update(options if verb == "system_prep system" else {})
                return run(**options)

            return noted

    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}, "run": {"replicates": 1}})
    whole = Row(2, "a", None, "CCO", 0, "place", -1.0, "g", "x", 7)
    LocalRun(launch, [whole], Noting({})).run()
    assert given["symmetry_number"] == 7
    indifferent = {"line", "experimental_dg_kcal_per_mol", "group", "pose_of"}
    told = {key: value for key, value in whole.as_dict().items() if value is not None and key not in indifferent}
    assert {key: given[key] for key in told} == told
    laid = replace(whole, pose=str(DEMO / "cb7.sdf"), aligned_to="b")
    LocalRun(launch, [laid], Noting({})).run()
    assert (given["pose"], given["aligned_to"]) == (str(DEMO / "cb7.sdf"), "b")


def test_a_leg_whose_pilot_fails_is_not_sampled(tmp_path):
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    settings = {"run": {"replicates": 2, "on_failure": "prune"}, "fe": {"schedule": "auto"}}
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}} | settings)
    verbs = Verbs({"fe pilot solvent": [70]})
    assert LocalRun(launch, [row("a")], verbs).run() == 0
    assert [call for call in verbs.calls if call.startswith(("fe pilot", "fe run"))] == [
        "fe pilot complex", "fe pilot solvent", "fe run complex_replicate_0", "fe run complex_replicate_1",
    ]  # fmt: skip


def test_nothing_that_has_finished_is_no_success_though_the_policy_was_kept(tmp_path, capsys):
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}, "run": {"on_failure": "prune"}})
    verbs = Verbs({f"param ligand {name}": [70] for name in ("b2", "adamantanol")})
    verbs["analysis campaign"] = cli_verbs()["analysis campaign"]
    local = LocalRun(launch, [row("b2"), row("adamantanol")], verbs)
    local.state.mkdir(parents=True)  # as its head does
    assert local.run() == 0
    cause, text = local.outcome()
    told = f"NOTHING FINISHED: none of 2 rows has a result; {tmp_path / 'out' / 'results.csv'} has the causes"
    assert cause == "NothingFinished" and text == f"report: {tmp_path / 'out' / 'report.html'}\n{told}"
    assert told in capsys.readouterr().out
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["status"], result["message"], result["finished"]) == ("failed", told, 0)


def test_md_stops_early(tmp_path):
    code, verbs, given = run(tmp_path, {}, mode="md")
    assert (code, given) == (0, ["a", "b"])
    assert not any(call.startswith("fe") for call in verbs.calls)


def test_retry_once_then_prune(tmp_path):
    code, verbs, given = run(tmp_path, {"equil run a": [70, 70], "equil run b": [70]})
    assert (code, given) == (0, ["b"])
    assert verbs.calls.count("equil run a") == 2


def test_wrong_input_is_never_retried(tmp_path):
    code, verbs, given = run(tmp_path, {"system_prep system a": [65]})
    assert (code, given) == (0, ["b"])
    assert verbs.calls.count("system_prep system a") == 1


def test_prune_and_raise(tmp_path):
    code, _, given = run(tmp_path / "prune", {"equil run a": [70]}, on_failure="prune")
    assert (code, given) == (0, ["b"])
    code, _, given = run(tmp_path / "raise", {"equil run a": [70]}, on_failure="raise")
    assert (code, given) == (70, [])


def test_a_stop_ends_the_run_with_its_own_code(tmp_path):
    code, _, given = run(tmp_path, {"fe run complex_replicate_0": [75]})
    assert (code, given) == (75, [])


class Asking(Verbs):
    """The same where the record of `a` asks for the complex to be longer, so many times."""

    def __init__(self, plan: dict[str, list[int]], rounds: int) -> None:
        super().__init__(plan)
        self.rounds, self.runs, self.lengths = rounds, [], []

    def __missing__(self, verb: str):
        run = super().__missing__(verb)

        def asking(**options) -> int:
            out = Path(options["out"])
            if verb == "fe extend":
                self.lengths.append((options["window_ps"], options["leg"].name, options["state"].parent.name))
            code = run(**options)
            if verb == "analysis transformation" and not code:
                asked = {}
                if options["state"].parent.name == "a":
                    self.runs.append([path.parent.name for path in options["runs"]])
                    asked = {"complex": 100.0 * (len(self.runs) + 1)} if len(self.runs) <= self.rounds else {}
                (out / "record.json").write_text(json.dumps({"sampling": {"next_window_ps": asked}}))
            return code

        return asking


def extended(
    tmp_path: Path, plan: dict[str, list[int]], rounds: int, **settings
) -> tuple[Asking, dict[str, Path], int]:
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    settings = {"run": {"replicates": 1}, "analysis": {"target_error_kcal_per_mol": 0.1}}
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}} | settings)
    verbs, records = Asking(plan, rounds), {}
    table = verbs["analysis campaign"]
    verbs["analysis campaign"] = lambda **options: records.update(given=options["records"]) or table(**options)
    code = LocalRun(launch, [row("a"), row("b")], verbs).run()
    return (
        verbs,
        {path.parts[-2 if path.parts[-3] == "phases" else -3]: path for path in records.get("given", [])},
        code,
    )


def test_legs_are_sampled_longer_as_long_as_the_record_asks_for_it(tmp_path):
    verbs, records, code = extended(tmp_path, {}, 2)
    assert code == 0 and verbs.lengths == [(200.0, "complex", "complex"), (300.0, "complex", "complex")]
    assert verbs.runs == [["fe", "fe"], ["extension_1", "fe"], ["extension_2", "fe"]]
    phases = tmp_path / "out" / "phases"
    assert records == {"a": phases / "a" / "extension_2" / "analysis", "b": phases / "b" / "analysis"}


def test_it_ends_after_the_last_round(tmp_path):
    verbs, records, _ = extended(tmp_path, {}, 99)
    assert len(verbs.runs) == 6 and records["a"].parent.name == "extension_5"


@pytest.mark.parametrize(
    "plan", [{"fe extend extension_2": [70, 70]}, {"analysis transformation extension_2": [70, 70]}]
)
def test_an_extension_that_fails_leaves_the_record_before_it(tmp_path, plan):
    verbs, records, code = extended(tmp_path, plan, 2)
    assert code == 0 and len(verbs.runs) == 2
    assert records["a"] == tmp_path / "out" / "phases" / "a" / "extension_1" / "analysis"


EDGES = {"plan": (("a", "b"), ("b", "c")), "replan": (("a", "c"),)}


class Planning(Verbs):
    """The same of a network: the second plan makes up for the first edge, whenever that is lost."""

    def __init__(self, plan: dict[str, list[int]]) -> None:
        super().__init__(plan)
        self.told = {}

    def __missing__(self, verb):
        run = super().__missing__(verb)

        def also(**options):
            if verb == "network edges":
                name = options["out"].name
                self.told[name] = came = [path.parent.name for path in options.get("records", ())]
                assert [path.parent.name for path in options["systems"]] == ["a", "b", "c"]
                (options["out"] / "edges").mkdir(parents=True)
                for one, other in () if name == "replan" and "a~b" in came else EDGES[name]:
                    folder = options["out"] / "edges" / f"{one}~{other}"
                    folder.mkdir()
                    content = {"name": folder.name, "ligand_a": one, "ligand_b": other, "pairs": [[0, 0]]}
                    (folder / "edge.json").write_text(json.dumps(content))
            if verb == "fe prepare":
                ends = [options[key].parent.name for key in ("system", "partner")]
                assert "~".join(ends) == options["edge"].name == options["out"].parent.name
            if verb == "analysis transformation":
                self.told[options["out"].parent.name] = [path.name for path in options["runs"]]
            if verb == "analysis campaign":
                self.told["network"] = options["network"].name
            return run(**options)

        return also


def network(tmp_path: Path, plan: dict[str, list[int]], **settings) -> tuple[int, Planning, list[str]]:
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    chosen = {"mode": "rbfe", "replicates": 1} | settings
    launch = Launch.model_validate({"io": io | {"state_dir": tmp_path / "state"}, "run": chosen})
    verbs, given = Planning(plan), tmp_path / "out" / "given.json"
    code = LocalRun(launch, [row("a"), row("b"), row("c")], verbs).run()
    return code, verbs, json.loads(given.read_text()) if given.exists() else []


def test_an_edge_that_is_lost_has_its_place_taken_by_another(tmp_path):
    """The plan is asked twice, the second time with what came through; what was run is not run again."""
    stale = tmp_path / "out" / "network" / "plan" / "edges" / "a~z"
    stale.mkdir(parents=True)  # of an earlier run, in which z had not been lost
    code, verbs, given = network(tmp_path, {"fe prepare a~b": [70, 70]})
    assert (code, given) == (0, ["b~c", "a~c"])
    assert {name: verbs.told[name] for name in ("plan", "replan", "network")} == {
        "plan": [], "replan": ["b~c"], "network": "replan",
    }  # fmt: skip
    assert not stale.exists()
    assert verbs.calls.count("fe prepare a~b") == 2 and verbs.calls.count("fe prepare b~c") == 1


@pytest.mark.parametrize(
    ("policy", "codes", "calls", "expected"),
    [
        ("retry", [70, 70], 2, (0, ["b~c", "a~c"])),  # lost, and made up for
        ("retry", [70], 2, (0, ["a~b", "b~c"])),  # the second attempt comes through
        ("prune", [70], 1, (0, ["b~c", "a~c"])),
        ("raise", [70], 1, (70, [])),
        ("retry", [75], 1, (75, [])),  # stopped: nothing is dropped
    ],
)
def test_a_leg_of_an_edge_that_fails(tmp_path, policy, codes, calls, expected):
    """Its other leg is run all the same; without a value of both, the analysis fails and the edge is planned around."""
    lost = codes.count(70) == {"retry": 2, "prune": 1}.get(policy)
    plan = {"fe run complex_replicate_0": [*codes], "analysis transformation a~b": [70, 70] if lost else []}
    code, verbs, given = network(tmp_path, plan, on_failure=policy)
    assert (code, given) == expected
    edges = 2 + ("a~c" in given)
    assert verbs.calls.count("fe run complex_replicate_0") == (calls + edges - 1 if code == 0 else 1)
    if code == 0:
        runs = ["solvent_replicate_0"] if lost else ["complex_replicate_0", "solvent_replicate_0"]
        assert verbs.told["a~b"] == runs and verbs.told["b~c"][0] == "complex_replicate_0"


def test_edges_of_other_settings_are_set_aside(tmp_path):
    assert network(tmp_path, {})[0] == 0
    out = tmp_path / "out"
    assert (out / "phases" / "a~b").is_dir() and not list(out.glob("superseded-*"))
    assert network(tmp_path, {}, seed=7)[0] == 0
    before = out / "superseded-000"
    assert (before / "phases" / "b~c").is_dir() and (before / "network" / "plan").is_dir()
    assert (out / "phases" / "a~b").is_dir() and not (out / "superseded-001").exists()


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("io: {outdir: out}", "io, input: missing"),
        ("io: {inputt: x.csv}", "did you mean 'input'?"),
        (f"io: {{input: no.csv, receptor: {DEMO}/cb7.sdf}}", "no.csv: no such file"),
    ],
)
def test_bad_launch_files(tmp_path, text, expected):
    (tmp_path / "run.yaml").write_text(text)
    done = command("run-local", "run.yaml", cwd=tmp_path)
    assert done.returncode == 65
    assert expected in done.stderr and "Traceback" not in done.stderr


def test_real_md(tmp_path):
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nb2,OCC12CCC(CC1)(CC2)CO\n")
    (tmp_path / "run.yaml").write_text(
        f"io: {{input: ligands.csv, receptor: {DEMO}/cb7.sdf, outdir: out}}\n"
        "run: {mode: md}\nparam: {charge_method: gas}\n"
        "equil: {minimise_steps: 20, heat_ps: 0.2, equil_ps: 0.4, equil_segment_ps: 0.2}\n"
    )
    done = command("run-local", "run.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "results.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(r["ligand"], r["mode"], r["status"]) for r in rows] == [("b2", "md", "finished")]
    assert (tmp_path / "state" / "out" / "cb7" / "b2" / "equil" / "FINISHED").exists()


@pytest.mark.parametrize(("solvent", "told"), [("obc2", "electrostatic part alone"), ("tip3p", "samples")])
def test_real_solvation(tmp_path, solvent, told):
    """A ligand without a receptor, through all phases; what so few samples give is said to be worth nothing."""
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nmethanol,CO\n")
    (tmp_path / "run.yaml").write_text(
        "io: {input: ligands.csv, outdir: out}\nparam: {charge_method: gas}\n"
        f"md: {{solvent: {solvent}, padding_angstrom: 7, cutoff_angstrom: 7, threads: 2}}\n"
        "run: {mode: asfe, replicates: 1}\n"
        "equil: {minimise_steps: 50, heat_ps: 0.04, density_ps: 0.04, equil_ps: 0.08, equil_segment_ps: 0.04}\n"
        "fe: {window_ps: 0.24, window_equil_ps: 0.04, sample_ps: 0.04, segment_ps: 0.08}\n"
        "analysis: {entropy: true}\n"
    )
    done = command("run-local", "run.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "results.csv") as file:
        (row,) = csv.DictReader(file)
    assert (row["ligand"], row["mode"], row["status"]) == ("methanol", "asfe", "finished")
    split = float(row["dh_kcal_per_mol"]) + float(row["minus_tds_kcal_per_mol"])
    assert split == pytest.approx(float(row["dg_kcal_per_mol"]), abs=1e-3)
    assert "<b>result</b>" in (page := (tmp_path / "out" / "report.html").read_text()) and "−TΔS" in page
    record = json.loads((tmp_path / "out" / "record.methanol.json").read_text())
    assert told in " ".join(record["reasons"]) and {leg["leg"] for leg in record["legs"]} == {"solvent", "vacuum"}
    assert (tmp_path / "state" / "out" / "alone" / "methanol" / "equil" / "solvent" / "FINISHED").exists()


@pytest.mark.slow
def test_windows_place_themselves_and_a_second_run_repeats_nothing(tmp_path):
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nmethanol,CO\n")
    (tmp_path / "run.yaml").write_text(
        "io: {input: ligands.csv, outdir: out}\nparam: {charge_method: gas}\nrun: {mode: asfe, replicates: 1}\n"
        "equil: {minimise_steps: 50, heat_ps: 0.04, equil_ps: 0.4, equil_segment_ps: 0.2}\n"
        "fe: {window_ps: 2, window_equil_ps: 0.2, sample_ps: 0.04, segment_ps: 1, schedule: auto, fe_pilot_ps: 1}\n"
    )
    times: list[dict[Path, int]] = []
    for _ in range(2):
        done = command("run-local", "run.yaml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        record = json.loads((tmp_path / "out" / "record.methanol.json").read_text())
        assert record["dg_kcal_per_mol"] is not None and set(record["placement"]) == {"solvent", "vacuum"}
        for leg in record["legs"]:
            assert len(leg["states"]) == record["placement"][leg["leg"]]["windows"]
        states = tmp_path / "state" / "out" / "alone" / "methanol"
        times.append({path: path.stat().st_mtime_ns for path in states.rglob("FINISHED")})
        assert {states / "solvent" / name / "FINISHED" for name in ("pilot", "replicate_0")} <= set(times[-1])
    assert times[0] == times[1]


def test_what_an_earlier_run_left_is_set_aside(tmp_path):
    assert run(tmp_path, {})[0] == 0
    out = tmp_path / "out"
    assert MadeFrom.read(out).campaign == "out" and not list(out.glob("superseded-*"))
    (out / "results.csv").write_text("x")
    assert run(tmp_path, {}, seed=7)[0] == 0
    assert (out / "superseded-000" / "results.csv").exists() and (out / "phases" / "a").is_dir()
    assert (out / "superseded-000" / "phases" / "b").is_dir() and not (out / "results.csv").exists()


@pytest.mark.parametrize(
    ("io", "told"),
    [
        ({"outdir": "dd/.."}, "--outdir: dd/.. is the launch folder"),
        ({"outdir": ".out"}, "--campaign: the campaign's name begins with a dot"),
        ({"outdir": "state/c", "campaign": "c"}, "is the campaign's state"),
        ({"outdir": "out", "param_cache": "state/out/x"}, "--param_cache: state/out/x lies in the campaign's state"),
        ({"outdir": "param_cache"}, "is the name of the cache of parameters"),
    ],
)
def test_no_campaign_is_put_where_something_else_lies(tmp_path, monkeypatch, io, told):
    monkeypatch.chdir(tmp_path)
    launch = Launch.model_validate({"io": {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf"} | io})
    with pytest.raises(InputError) as error:
        checked(launch)
    assert told in str(error.value) and not list(tmp_path.iterdir())


def test_another_campaign_in_the_same_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": "out"}
    other = MadeFrom("out", {"input": ("/x.csv", "1"), "receptor": ("/y.pdb", "2")}, "s", {"c3": "3"})
    set_aside(Path("out"), other)
    with pytest.raises(InputError, match="holds the results of another campaign .out: input /x.csv, receptor /y.pdb"):
        checked(Launch.model_validate({"io": io}))


def test_a_fault_of_the_settings_names_no_scratch_file(tmp_path, monkeypatch):
    """They are put into one for the check, which is gone when its name is read."""
    monkeypatch.chdir(tmp_path)
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": "out"}
    sections = {"run": {"mode": "rbfe"}, "md": {"solvent": "tip3p", "engine": "gromacs"}}
    launch = Launch.model_validate({"io": io, "fe": {"charge_correction": "counter_ion"}} | sections)
    with pytest.raises(InputError) as error:
        checked(launch)
    (told,) = [str(one) for one in error.value.problems if one.field == "charge_correction"]
    assert told.startswith("settings, charge_correction: counter_ion with engine gromacs") and "openmm" in told


def test_from_another_folder_results_are_not_begun_anew(tmp_path, monkeypatch):
    """State lies below the folder that a run is started in: the results name it, checked and again under the lock."""
    io = {"input": DEMO / "ligands.csv", "receptor": DEMO / "cb7.sdf", "outdir": tmp_path / "out"}
    launch = Launch.model_validate({"io": io, "run": {"replicates": 1}})
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert LocalRun(launch, [row("a")], Verbs({})).run() == 0
    (tmp_path / "here" / "state" / "out" / "cb7").mkdir(parents=True)
    checked(launch)
    monkeypatch.chdir(tmp_path / "there")
    told = f"--state_dir {tmp_path / 'here' / 'state'} to go on with it"
    with pytest.raises(InputError, match=told):
        checked(launch)
    verbs = Verbs({})
    with pytest.raises(InputError, match=told):
        LocalRun(launch, [row("a")], verbs).run()
    assert not verbs.calls and not (tmp_path / "there" / "state").exists()
