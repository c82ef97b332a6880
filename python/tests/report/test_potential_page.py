from __future__ import annotations

import base64
import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest
from loop_states import finished
from silicon import si2

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.loop import label_doubts
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.report.potential_page import write_loop_results
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.hours.engine_hours import campaign_hours


def test_results_are_whole_and_the_page_stands_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_loop_results(finished(tmp_path / "generation_01"), out)
    page = (out / "report.html").read_text()
    assert "CONVERGED" in page and "Good &lt;enough&gt;" in page and "0.1000" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    with open(out / "structures.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], row["status"], row["cause"]) for row in rows] == [
        ("train", "labelled", ""), ("holdout", "labelled", ""), ("train", "failed", "UNCONVERGED"),
    ]  # fmt: skip
    with open(out / "learning_curve.csv") as file:
        curve = list(csv.DictReader(file))
    assert [row["labels"] for row in curve] == ["10", "15"] and curve[0]["md_stopped_by"] == "1 steps, 1 grade"
    card = (out / "dataset_card.md").read_text()
    assert "tblite 0.5" in card and "| UNCONVERGED | 1 |" in card and "| holdout | 0 | rattle | 1 | 0 | 0 |" in card
    assert ArtifactStore(out).verify() == []


def test_fates_validation_and_figures_with_their_data_are_on_the_page(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    database = DatabaseManager(manager.folder / loop_state.DATABASE)
    database.hold({database.labels()[0].name: {"net_force": "forces do not balance"}}, "audit")
    last = replace(manager.checkpoint.history[-1], validation="FAIL", validation_reasons=["eos: <soft>"])
    manager.checkpoint = replace(manager.checkpoint, history=(*manager.checkpoint.history[:-1], last))
    for name in ("validation", "figures"):
        (manager.folder / name).mkdir()
    heads = "property,quantity,unit,potential,reference,difference,good_within,bearable_within,verdict,source,error\n"
    rows = "cell,lattice_a,Å,5.4,5.43,-0.03,0.05,0.1,PASS,<dft>,\neos,bulk_modulus,GPa,80,100,-20,5,10,FAIL,dft,\n"
    (manager.folder / "validation/validation.csv").write_text(f"{heads}{rows}eos,volume,Å^3/atom,20,,,,,,,\n")
    (manager.folder / "figures/parity.png").write_bytes(b"drawn")
    (manager.folder / "figures/parity.csv").write_text("set,kind\n")
    (manager.folder / "figures/parity.svg").write_text("<svg/>" + " " * 200_000)
    write_loop_results(manager, out := tmp_path / "out")
    page = (out / "report.html").read_text()
    fates = re.findall(r"<tr><td>(training|hold-out)</td><td class=\"n\">0</td><td>rattle</td>(.*?)</tr>", page)
    counts = {name: sorted(map(int, re.findall(r">(\d+)</td>", cells))) for name, cells in fates}
    assert counts == {"training": [0, 0, 0, 1, 1], "hold-out": [0, 0, 0, 0, 1]}
    panel = page[page.index("<h2>Validation</h2>") : page.index("<h2>Generations</h2>")]
    assert panel.index("bulk modulus") < panel.index("lattice a") and "&lt;dft&gt;" in panel and "Å³/atom" not in panel
    assert "−20" in panel and "1 reason;" in panel
    links = dict(re.findall(r'href="([^"]*)" download="([^"]*)"', page))
    assert links["figures/parity.svg"] == "parity.svg"  # large: beside the page
    within = {name: base64.b64decode(link.partition(",")[2]) for link, name in links.items() if link[:5] == "data:"}
    assert within["parity.csv"] == b"set,kind\n" and b"<svg" in within["learning_curve.svg"]
    assert within["learning_curve.csv"] == (out / "learning_curve.csv").read_bytes()


def test_a_validation_goes_with_the_potential(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    last = replace(manager.checkpoint.history[-1], validation="WARN", validation_reasons=["md: the energy <drifts>"])
    manager.checkpoint = replace(manager.checkpoint, history=(*manager.checkpoint.history[:-1], last))
    write_json(manager.folder / "validation" / "result.json", {})
    write_loop_results(manager, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "the energy &lt;drifts&gt;" in page and (tmp_path / "out" / "validation" / "result.json").exists()
    with open(tmp_path / "out" / "learning_curve.csv") as file:
        assert [row["validation"] for row in csv.DictReader(file)] == ["", "WARN"]
    assert ArtifactStore(tmp_path / "out").verify() == []


def test_a_label_that_is_held_is_told_with_its_reason(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    database = DatabaseManager(manager.folder / loop_state.DATABASE)
    name = database.labels()[0].name
    database.hold({name: {"net_force": "forces do <not> balance"}}, "audit")
    write_loop_results(manager, tmp_path / "out")
    page, card = (tmp_path / "out" / "report.html").read_text(), (tmp_path / "out" / "dataset_card.md").read_text()
    assert "Labels that are held" in page and "forces do &lt;not&gt; balance" in page and ", 1 held" in page
    assert f"| {name} | AUDIT(net_force) | forces do <not> balance |" in card and "1 are held." in card
    assert "| train | 0 | rattle | 0 | 1 | 1 |" in card


def test_what_a_surrogate_left_out_is_told_by_generation_and_by_structure(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    database = DatabaseManager(manager.folder / loop_state.DATABASE)
    database.add([gone := si2(7)])
    database.move([structure_id(gone)], RowStatus.SCREENED, "largest force 40 eV/Å, at most <30>", cause="surrogate")
    counts = {"kept": 11, "screened": 21, "relaxed": 0, "unknown": 2}
    entry = {"generation": 0, "surrogate": "tblite <GFN1>", "key": "k", "offered": 34, **counts}
    manager.checkpoint = replace(manager.checkpoint, screenings=(entry,))
    write_loop_results(manager, out := tmp_path / "out")
    page, card = (out / "report.html").read_text(), (out / "dataset_card.md").read_text()
    assert "What the surrogate left out" in page and "tblite &lt;GFN1&gt;" in page and "21 labels were saved" in page
    assert "| 0 | tblite <GFN1> | 34 | 21 | 0 | 2 | 12 | 1 |" in card
    with open(out / "fates.csv") as file:
        assert [row["screened"] for row in csv.DictReader(file)] == ["21", "0"]
    with open(out / "structures.csv") as file:
        (row,) = [row for row in csv.DictReader(file) if row["status"] == "screened"]
    assert (row["cause"], row["message"]) == ("surrogate", "largest force 40 eV/Å, at most <30>")
    assert (out / "figures" / "fates.svg").exists() and ArtifactStore(out).verify() == []


def test_what_is_read_stays_as_it_was(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    before = {p: p.stat().st_mtime_ns for p in [manager.folder, *manager.folder.rglob("*")]}
    write_loop_results(manager, tmp_path / "out")
    assert before == {p: p.stat().st_mtime_ns for p in [manager.folder, *manager.folder.rglob("*")]}


def test_figures_of_earlier_generations_are_shown_where_they_lie_beside(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    for number in (0, 1):
        folder = tmp_path / f"generation_{number:02d}" / "figures"
        folder.mkdir(parents=True)
        for name in ("parity", "grades"):
            (folder / f"{name}.png").write_bytes(f"{name} of generation {number}".encode())
    write_loop_results(manager, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    for number in (0, 1):
        assert base64.b64encode(f"grades of generation {number}".encode()).decode() in page
    assert (tmp_path / "out" / "figures" / "parity.png").read_bytes() == b"parity of generation 1"


def test_what_was_said_of_labels_is_on_the_page_and_in_the_card(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    write_json(manager.folder / label_doubts.FILE, {"warnings": ["2 frames are <charged>"], "notes": ["so"]})
    write_loop_results(manager, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    told = re.findall("<dt>(warning|note)</dt><dd>(.*?)</dd>", page)
    assert told == [("warning", "2 frames are &lt;charged&gt;"), ("note", "so")]
    assert "- warning: 2 frames are <charged>" in (tmp_path / "out" / "dataset_card.md").read_text()


def test_the_page_and_the_card_say_what_was_fitted(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    path = manager.folder / "metrics.json"
    metrics = read_json(path)
    account = Account("labelled frames")
    account.facts["train"] = {
        "labels": ["energy", "forces", "stress"], "labels_not_used": ["MACE_energy"], "frames": 7, "frames_read": 9,
        "repeated": 2, "atoms": 56, "elements": ["Si"], "with_stress": 5, "twins": 1, "outliers": [4],
        "energies_apart": [6], "ranges": {
            "energy_ev_per_atom": [-5.5, -5.25, -4.0], "largest_force_ev_per_angstrom": 3.25,
            "largest_stress_gpa": 12.5, "config_types": {"bulk": 3, "rattle": 4},
        },
        "work": {"pairs": 6, "explained": 0.99, "forces_factor": 1.02, "forces_error": 0.03},
    }  # fmt: skip
    account.note("2 frames <repeat> earlier ones")
    account.warn("7 frames to fit to")
    metrics["fit"] |= account.as_figures()
    write_json(path, metrics)
    write_loop_results(manager, tmp_path / "out")
    page, card = ((tmp_path / "out" / name).read_text() for name in ("report.html", "dataset_card.md"))
    for said in (
        "energy, forces, stress", "MACE_energy", "7 of 9 (2 repeated), 56 atoms, Si", "-5.5000 to -4.0000",
        "3.250 eV/Å", "12.500 GPa", "bulk 3, rattle 4", "frames 4, 6", "1.02 ± 0.03 times what forces say",
    ):  # fmt: skip
        assert said in page and said in card
    assert "2 frames &lt;repeat&gt; earlier ones" in page and "- WARN: 7 frames to fit to" in card


def test_hours_by_part_are_one_sum_and_without_the_state_labels_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager, state = finished(tmp_path / "generation_01"), tmp_path / "state"
    for place, hours in (("generation_00/fit", 2.0), ("generation_01/fitting", 1.0), ("generation_00/md/run_0", 0.5)):
        write_json(state / place / "progress.json", {"engine_s": hours * 3600, "core_s": 2 * hours * 3600})
    write_json(state / "labels" / "x" / "progress.json", {"engine_s": 9e9})  # counted by their own records
    write_json(state / "generation_01" / "run_0" / "progress.json", {"engine_s": -1})
    write_loop_results(manager, out := tmp_path / "out", state=state)
    with open(out / "costs.csv") as file:
        hours = {row["part"]: float(row["cpu_hours"]) for row in csv.DictReader(file)}
    assert hours == {"labels": 1.0, "fits": 6.0, "MD": 1.0, "all": 8.0}  # two labels of half an hour
    page = (out / "report.html").read_text()
    panel = page[page.index("What it cost") : page.index("<h2>Settings")]
    assert "<b>8</b>" in panel and "Not counted: " in panel and "engine_s is no time" in panel
    assert whole_sum(state) == 7.0 and ArtifactStore(out).verify() == []
    (root := tmp_path / "root").mkdir()
    (root / "si").symlink_to(state)  # a folder of campaigns: their generations are of several loops
    for gone in (None, tmp_path / "gone", root):
        caplog.clear()
        write_loop_results(manager, out, state=gone)
        panel = (out / "report.html").read_text().partition("What it cost")[2]
        assert "<b>1</b>" in panel and "Fits and MD are not counted" in panel
        assert ("holds no generation of this loop" in caplog.text) == (gone is not None)


def test_generations_of_an_earlier_campaign_are_named_as_not_counted(tmp_path: Path) -> None:
    manager, state = finished(tmp_path / "generation_01"), tmp_path / "state"
    write_json(state / "generation_01" / "fit" / "progress.json", {"engine_s": 3600})
    write_loop_results(manager, tmp_path / "out", state=state)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Those of generation 0 are not counted" in page and "Fits and MD are not counted" not in page


@pytest.mark.parametrize(("engine", "hours"), [("tblite", 1.0), ("quantum_espresso", 4.0)])
def test_only_labels_of_pw_hold_as_many_cores_as_it_has_ranks(tmp_path: Path, engine: str, hours: float) -> None:
    manager = finished(tmp_path / "generation_01")
    content = {"elements": ["Si"], "engine": engine, "labels": {"ranks": 4}}
    write_loop_results(
        WorkflowManager(manager.folder, PotentialConfig.from_mapping(content, where="test")), out := tmp_path / "out"
    )
    with open(out / "costs.csv") as file:
        assert [float(row["cpu_hours"]) for row in csv.DictReader(file)] == [hours, hours]


def test_what_no_generation_has_finished_in_is_refused(tmp_path: Path) -> None:
    manager = finished(tmp_path / "start")
    replace(manager.checkpoint, history=(), stopped_by="").write(manager.folder)
    with pytest.raises(InputError, match="no generation is finished in it yet.*generation_NN"):
        write_loop_results(WorkflowManager(manager.folder, manager.config), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def whole_sum(state: Path) -> float:
    return campaign_hours(state).whole.cpu_h


def test_what_to_do_next_stands_first(tmp_path: Path) -> None:
    write_loop_results(finished(tmp_path / "generation_01"), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    panel = page[page.index("What to do next") : page.index("<h2>Learning curve")]
    assert "It converged: go on with it" in panel and "train validate --potential potential" in panel
