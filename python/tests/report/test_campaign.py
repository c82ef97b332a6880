"""A whole campaign's folder: table, records, figures, page and manifest."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from oscillators import Oscillators, write_system

from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Analysis, BindingConfig
from gibbsflow.report import page
from gibbsflow.report.campaign import terminal_table, write_campaign
from gibbsflow.report.figures.leg_figures import write_figures
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.sentinels import Sentinel

PLOT = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L1 1"/></svg>'


class Reader(HTMLParser):
    """Collects what a browser would fetch, the text, and checks that elements close."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.text, self.ids = [], [], "", []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.fetched += [values[key] for key in ("src", "srcset", "data") if key in values]
        self.fetched += [values["href"]] if tag == "link" else []
        assert tag != "script"
        if tag not in ("meta", "img", "br", "link", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("path", "rect", "circle"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read_page(path):
    reader = Reader()
    html = path.read_text()
    reader.feed(html)
    assert reader.open == []
    assert all(address.startswith("data:") for address in reader.fetched)
    assert "url(" not in html
    assert "@import" not in html
    assert len(reader.ids) == len(set(reader.ids))
    return reader, html


def record_folder(root, name, replicates=2, **meta):
    legs = {"complex": Oscillators(5, 30.0, 15.0), "solvent": Oscillators(3, 6.0, 4.0)}
    system = write_system(root / name / "system", name, legs, replicates, **meta)
    (system.root / "equil.svg").write_text(PLOT)
    system = system.with_artifacts(equil_plot="equil.svg")
    runs = []
    for leg, oscillators in legs.items():
        for number in range(replicates):
            options = {"leg": leg, "transformation": name, "replicate": number, "seed": number + 1}
            runs.append(oscillators.write(root / name / f"{leg}{number}", count=60, **options))
    out = root / name / "out"
    out.mkdir()
    record = analyse_transformation(system, runs, Analysis())
    record["figures"] = write_figures(record, system, out)
    write_json(out / "record.json", record)
    return out


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    root = tmp_path_factory.mktemp("campaign")
    folders = [record_folder(root, "first"), record_folder(root, "second", replicates=1, ligand_smiles="<b>C</b>")]
    (root / "state" / "host" / "gone" / "equil").mkdir(parents=True)
    sentinel = Sentinel("FAILED", "x", cause="Unbound", message="left <its> site")
    sentinel.write(root / "state" / "host" / "gone" / "equil")
    sheet = root / "ligands.csv"
    sheet.write_text("ligand,smiles,experimental_dg_kcal_per_mol\nsecond,C,-9.5\ngone,C,\nfirst,C,-8\nnever,C,\n")
    out = root / "results"
    out.mkdir()
    rows = write_campaign(sheet, folders, BindingConfig(), root / "state", out)
    return root, out, rows


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


def test_the_page_stands_alone_and_says_everything(campaign):
    _, out, rows = campaign
    reader, html = read_page(out / "report.html")
    for row in rows:
        assert row.ligand in reader.ids
    assert "Unbound: left <its> site" in reader.text
    assert "<b>C</b>" in reader.text  # as text, never as markup
    assert "one replicate only" in reader.text
    assert "mean unsigned error" in reader.text
    for title in ("Thermodynamic cycle of first", "Overlap, complex leg", "Convergence of the solvent leg"):
        assert title in html
    assert html.count("data:image/svg+xml;base64,") == 2  # the equilibrations


def test_figures_are_whole_svg_files(campaign):
    _, out, _ = campaign
    files = sorted((out / "figures" / "first").glob("*.svg"))
    assert len(files) == 9
    for file in files:
        assert ElementTree.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_the_cycle_closes(campaign):
    _, out, _ = campaign
    svg = (out / "figures" / "first" / "cycle.svg").read_text()
    signed = [float(v.replace("−", "-")) for v in re.findall(r">([+−][0-9.]+)(?: ± [0-9.]+)?<", svg)]
    result, solvent, restrain, complex_ = signed
    assert result == pytest.approx(solvent + restrain + complex_, abs=0.021)


def test_figures_are_limited(campaign, monkeypatch):
    root, out, _ = campaign
    monkeypatch.setattr(page, "MAX_DRAWN", 1)
    again = root / "again"
    again.mkdir()
    folders = [root / "first" / "out", root / "second" / "out"]
    write_campaign(root / "ligands.csv", folders, BindingConfig(), None, again)
    _, html = read_page(again / "report.html")
    assert html.count("Thermodynamic cycle of") == 1
    assert "figures/first/" in html
    assert (again / "report.html").stat().st_size < (out / "report.html").stat().st_size


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
