"""A whole campaign's folder: table, records, figures, page and manifest."""

import csv
import json
import math
import shutil

import pyarrow.parquet as pq
import pytest
from campaign_records import PLOT, edge_folder, read_page
from oscillators import Oscillators

from gibbsflow.binding.network.design.links import Edge, Network
from gibbsflow.binding.network.design.network_files import write_network
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.report.campaign import terminal_table, write_campaign
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.state.sentinels import Sentinel


def test_a_row_for_each_of_the_samplesheet_in_its_order(campaign):
    _, out, rows = campaign
    assert [row.ligand for row in rows] == ["second", "gone", "first", "never"]
    assert [row.status for row in rows] == ["finished", "unbound", "finished", "failed"]
    assert rows[0].experimental_dg_kcal_per_mol == -9.5
    assert len((out / "results.csv").read_text().splitlines()) == 5
    text = terminal_table(rows)
    assert all(row.ligand in text for row in rows)
    assert "left <its> site" in text


def test_records_and_manifest(campaign):
    _, out, _ = campaign
    record = json.loads((out / "record.second.json").read_text())
    assert record["experimental_dg_kcal_per_mol"] == -9.5
    assert all((out / file).exists() for file in record["figures"].values())
    store = ArtifactStore(out)
    assert store.verify() == []
    assert {a.kind for a in store.list_artifacts()} == {"table", "record", "figure", "report"}
    assert len(store.list_artifacts(kind="record")) == 2


def test_an_earlier_record_in_the_folder_does_not_stand_in(campaign, tmp_path):
    root, _, _ = campaign
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand\nfirst\n")
    write_campaign(sheet, [root / "first" / "out"], BindingConfig(), None, tmp_path)
    rows = write_campaign(sheet, [], BindingConfig(), None, tmp_path)
    assert rows[0].cause == "not finished"
    _, html = read_page(tmp_path / "report.html")
    assert "Thermodynamic cycle" not in html
    assert ArtifactStore(tmp_path).list_artifacts(kind="record") == []


def test_md_alone(tmp_path):
    root = tmp_path / "equil"
    root.mkdir()
    (root / "equil.svg").write_text(PLOT)
    facts = {"bound": True, "ligand_site_distance_angstrom": 0.873, "equil": {"unbound_threshold_angstrom": 8.0}}
    SimSystem("stays", root, {"equil_plot": "equil.svg"}, facts).write()
    (tmp_path / "state" / "h" / "leaves").mkdir(parents=True)
    Sentinel("FAILED", "x", cause="Unbound", message="12 Å away").write(tmp_path / "state" / "h" / "leaves")
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand\nstays\nleaves\n")
    out = tmp_path / "results"
    out.mkdir()
    config = BindingConfig.from_params({"mode": "md"})
    rows = write_campaign(sheet, [root], config, tmp_path / "state", out)
    assert {row.mode for row in rows} == {"md"}
    assert [(row.status, row.verdict) for row in rows] == [("finished", "PASS"), ("unbound", "FAIL")]
    reader, html = read_page(out / "report.html")
    assert "0.87 Å" in reader.text
    assert "ΔG" not in reader.text
    assert "12 Å away" in terminal_table(rows)
    assert html.count("data:image/svg+xml") == 1


def _without(record, *keys):
    return {key: value for key, value in record.items() if key not in keys}


HOSTILE = {
    "missing": lambda good: None,
    "truncated": lambda good: json.dumps(good)[:200],
    "binary": lambda good: b"\xff\xfe\x00",
    "a list": lambda good: "[]",
    "a number": lambda good: "3",
    "deep": lambda good: '{"ligand":' + "[" * 100_000,
    "not a number": lambda good: json.dumps(good | {"dg_kcal_per_mol": float("nan")}),
    "text": lambda good: json.dumps(good | {"dg_kcal_per_mol": "low"}),
    "odd name": lambda good: json.dumps(good | {"transformation": "../../escaped"}),
    "another's name": lambda good: json.dumps(good | {"transformation": "first"}),
    "older version": lambda good: json.dumps(_without(good, "reasons", "legs", "versions")),
    "other legs": lambda good: json.dumps(good | {"legs": [{"leg": 3}], "leg_summary": {"complex": {}}}),
    "figure outside": lambda good: json.dumps(good | {"figures": {"equilibration": "../../../secret"}}),
    "no figures": lambda good: json.dumps(good | {"figures": [1]}),
    "two": lambda good: json.dumps(good),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_one_record_that_cannot_be_used_costs_no_other_row(campaign, tmp_path, case):
    root, _, _ = campaign
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "run" / "second"
    shutil.copytree(root / "second" / "out", folder)
    content = HOSTILE[case](json.loads((folder / "record.json").read_text()))
    (folder / "record.json").unlink()
    if content is not None:
        (folder / "record.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    folders = [root / "first" / "out", folder, *([root / "second" / "out"] if case == "two" else [])]
    sheet, out = tmp_path / "l.csv", tmp_path / "out"
    sheet.write_text("ligand,experimental_dg_kcal_per_mol\nfirst,-8\nsecond,-9.5\n")
    first, second = write_campaign(sheet, folders, BindingConfig(), None, out)
    assert (first.status, second.status, second.verdict) == ("finished", "failed", "FAIL")
    assert "Record: " in second.cause or "its record is: " in second.cause
    lines = list(csv.DictReader(open(out / "results.csv")))
    assert [line["cause"] for line in lines] == [first.cause, second.cause]
    reader, html = read_page(out / "report.html")
    assert "Thermodynamic cycle of first" in html and {"first", "second"} <= set(reader.ids)
    assert pq.read_table(out / "results.parquet").num_rows == 2
    store = ArtifactStore(out)
    assert store.verify() == [] and len(store.list_artifacts(kind="record")) == 1
    assert not (out / "record.second.json").exists() and not list(tmp_path.rglob("*escaped*"))
    assert "secret" not in "".join(path.read_text() for path in out.rglob("*.svg"))


def test_a_figure_that_is_gone_costs_no_row(campaign, tmp_path):
    root, _, _ = campaign
    shutil.copytree(root / "first" / "out", tmp_path / "first")
    next((tmp_path / "first").glob("*.svg")).unlink()
    (tmp_path / "l.csv").write_text("ligand\nfirst\n")
    (row,) = write_campaign(tmp_path / "l.csv", [tmp_path / "first"], BindingConfig(), None, tmp_path / "out")
    assert row.status == "finished" and ArtifactStore(tmp_path / "out").verify() == []


SHEET = "ligand,smiles,pose_of,experimental_dg_kcal_per_mol\nfirst,C,both,-8\nsecond,C,both,\nnever,C,other,\n"


def test_poses_have_a_row_each_and_one_together(campaign, tmp_path):
    root, _, _ = campaign
    (tmp_path / "l.csv").write_text(SHEET)
    out = tmp_path / "out"
    rows = write_campaign(
        tmp_path / "l.csv", [root / name / "out" for name in ("first", "second")], BindingConfig(), None, out
    )
    assert [row.transformation for row in rows] == ["first", "second", "never", "both", "other"]
    first, second, _, both, other = rows
    kt = kt_kcal_per_mol(298.15)
    terms = [first.dg_kcal_per_mol, second.dg_kcal_per_mol]
    assert both.dg_kcal_per_mol == pytest.approx(-kt * math.log(sum(math.exp(-dg / kt) for dg in terms)), abs=1e-9)
    assert (both.status, both.verdict, both.experimental_dg_kcal_per_mol) == ("finished", "WARN", -8)
    assert (other.status, other.verdict, other.cause) == ("failed", "FAIL", "Poses: never: not finished")
    lines = list(csv.DictReader((out / "results.csv").open()))
    assert [line["ligand"] for line in lines] == ["first", "second", "never", "both", "other"]
    record = json.loads((out / "record.both.json").read_text())
    assert [pose["transformation"] for pose in record["poses"]] == ["first", "second"]
    assert sum(pose["weight"] for pose in record["poses"]) == pytest.approx(1)
    assert (out / record["figures"]["poses"]).read_text().startswith("<svg")
    assert ArtifactStore(out).verify() == []
    reader, _ = read_page(out / "report.html")
    assert "pose of both" in reader.text and "all poses" in reader.text and "1 ligand with both values" in reader.text
    assert {"first", "second", "both", "other"} <= set(reader.ids)


def test_poses_that_cannot_be_summed_up_cost_no_other_row(campaign, tmp_path):
    root, _, _ = campaign
    shutil.copytree(root / "first" / "out", tmp_path / "first")
    record = json.loads((tmp_path / "first" / "record.json").read_text())
    del record["settings"]["md"]["temperature_k"]
    (tmp_path / "first" / "record.json").write_text(json.dumps(record))
    (tmp_path / "l.csv").write_text("ligand,smiles,pose_of\nfirst,C,both\n")
    first, both = write_campaign(tmp_path / "l.csv", [tmp_path / "first"], BindingConfig(), None, tmp_path / "out")
    assert (first.status, both.status) == ("finished", "failed") and "temperature_k" in both.cause


def test_poses_in_mode_md_have_nothing_to_sum_up(tmp_path):
    (tmp_path / "l.csv").write_text(SHEET)
    rows = write_campaign(tmp_path / "l.csv", [], BindingConfig.from_params({"mode": "md"}), None, tmp_path / "out")
    assert [row.ligand for row in rows] == ["first", "second", "never"]


def test_edges_make_free_energies_of_ligands_and_one_that_is_lost_keeps_its_row(tmp_path):
    """Two edges of known ΔΔG, one whose record is damaged, and a ligand that no edge reaches."""
    stiff, soft = Oscillators(5, 30.0, 15.0), Oscillators(3, 6.0, 4.0)
    legs = {("ethane", "propane"): (stiff, soft), ("propane", "butane"): (soft, stiff)}
    kt = kt_kcal_per_mol(298.15)
    known = {pair: kt * (one.exact_kt - other.exact_kt) for pair, (one, other) in legs.items()}
    folders = [edge_folder(tmp_path, *pair, *own) for pair, own in legs.items()]
    damaged = shutil.copytree(folders[0], tmp_path / "ethane~butane" / "out")
    (damaged / "record.json").write_text((folders[0] / "record.json").read_text()[:200])
    record = json.loads((folders[0] / "record.json").read_text())
    times, angstrom = list(range(10)), [1.0] * 10
    seen = {"time_ps": times, "ligand_rmsd_angstrom": angstrom, "site_rmsd_angstrom": angstrom, "buried_waters": times}
    record["motion"]["legs"] = [{"leg": "complex", "replicate": 0, "ligand_a": seen, "ligand_b": seen}]
    record["site"] = {
        "pdb": "",
        "second_pdb": "",
        "near_angstrom": 6.0,
        "residues": {"1": "GLU A:84"},
        "restraint": None,
    }
    (folders[0] / "record.json").write_text(json.dumps(record))
    names = ("butane", "ethane", "methane", "propane")
    edges = (Edge("ethane", "propane"), Edge("propane", "butane"), Edge("ethane", "butane"))
    (tmp_path / "plan").mkdir()
    write_network(Network("redundant", names, edges), tmp_path / "plan")
    sheet = tmp_path / "ligands.csv"
    sheet.write_text("ligand,smiles,experimental_dg_kcal_per_mol\n" + "".join(f"{name},C,-1\n" for name in names))
    out = tmp_path / "out"
    out.mkdir()
    config = BindingConfig.from_mapping({"run": {"mode": "rbfe"}}, where="test")
    rows = write_campaign(sheet, [*folders, damaged], config, None, out, tmp_path / "plan")
    assert [(row.ligand, row.status) for row in rows] == [
        ("ethane~propane", "finished"), ("propane~butane", "finished"), ("ethane~butane", "failed"),
    ]  # fmt: skip
    with open(out / "ligands.csv") as file:
        ligands = {row["ligand"]: row for row in csv.DictReader(file)}
    dg = {name: float(ligands[name]["dg_kcal_per_mol"]) for name in names if name != "methane"}
    for (a, b), ddg in known.items():
        assert dg[b] - dg[a] == pytest.approx(ddg, abs=0.3)
    assert sum(dg.values()) == pytest.approx(0, abs=1e-3)
    assert (ligands["methane"]["status"], ligands["methane"]["cause"]) == ("failed", "no edge reaches it")
    with open(out / "edges.csv") as file:
        lost = next(row for row in csv.DictReader(file) if row["ligand_b"] == "butane" and row["ligand_a"] == "ethane")
    assert (lost["ddg_kcal_per_mol"], lost["status"], lost["verdict"]) == ("", "failed", "FAIL") and lost["cause"]
    assert (out / "figures" / "ethane~propane" / "atom_map.svg").exists()
    reader, html = read_page(out / "report.html")
    assert "ΔΔG (kcal/mol)" in reader.text and "From ethane to propane" in reader.text and "2 atoms are shared" in html
    assert "ethane at λ = 0 in colour, propane at λ = 1 dashed" in reader.text
    assert "ethane (λ = 0, green carbon) and propane (λ = 1, magenta and thinner" in reader.text
    assert "Residues: GLU A:84." in reader.text and 'class="viewer" data-site=' in html
    assert "within 4 Å of either ligand, with ethane at λ = 0 and (dashed) propane at λ = 1" in reader.text
    assert reader.text.index("butane") < reader.text.index("ethane~propane")  # the ranking comes first


def test_an_edge_that_has_lost_a_ligand_says_what_became_of_it(tmp_path):
    edges = (Edge("ethane", "propane"), Edge("butane", "propane"), Edge("methane", "ethane", cause="too small"))
    (tmp_path / "plan").mkdir()
    write_network(Network("file", ("ethane", "propane"), edges), tmp_path / "plan")
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nethane,CC\npropane,CCC\nbutane,CCCC\n")
    lost = tmp_path / "state" / "host" / "butane" / "equil_analysis"
    lost.mkdir(parents=True)
    Sentinel("FAILED", "", cause="Unbound", message="left its site").write(lost)
    config = BindingConfig.from_mapping({"run": {"mode": "rbfe"}}, where="test")
    out = tmp_path / "out"
    write_campaign(tmp_path / "ligands.csv", [], config, tmp_path / "state", out, tmp_path / "plan")
    with open(out / "edges.csv") as file:
        told = {row["ligand_a"]: (row["status"], row["cause"]) for row in csv.DictReader(file)}
    assert told == {
        "ethane": ("failed", "not finished"), "butane": ("unbound", "Unbound: butane: left its site"),
        "methane": ("failed", "Input: too small"),
    }  # fmt: skip
    with open(out / "ligands.csv") as file:
        causes = {row["ligand"]: row["cause"] for row in csv.DictReader(file)}
    assert causes["butane"] == "Unbound: left its site"
