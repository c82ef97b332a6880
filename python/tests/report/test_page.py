"""The page: it stands alone, says everything, and stays small."""

import shutil
from dataclasses import replace

import pytest
from campaign_records import PLOT, read_page
from oscillators import write_solvation
from solvation import MODE, SOLVATION

from gibbsflow.binding.alchemy.protocols import PROTOCOLS
from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.binding.network.analyse_network import analyse_network
from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.config.binding import Analysis, BindingConfig
from gibbsflow.config.binding_parts import Costs
from gibbsflow.config.modes import MODES
from gibbsflow.report import campaign as report_campaign
from gibbsflow.report import page
from gibbsflow.report.campaign import terminal_table, write_campaign
from gibbsflow.report.figures.leg_figures import write_figures
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.state.sentinels import Sentinel


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


def test_assumptions_are_listed_grave_ones_first(campaign):
    root, _, _ = campaign
    again = root / "assumed"
    again.mkdir()
    folder = again / "record"
    shutil.copytree(root / "first" / "out", folder)
    record = read_json(folder / "record.json")
    record["preparation"] = {"facts": {"atoms": 28}, "notes": ["hydrogens <added>"], "warnings": ["zinc left out"]}
    write_json(folder / "record.json", record)
    rows = write_campaign(root / "ligands.csv", [folder], BindingConfig(), None, again)
    assert next(row.notes for row in rows if row.ligand == "first") == 2
    reader, _ = read_page(again / "report.html")
    assert (
        reader.text.index("zinc left out") < reader.text.index("hydrogens <added>") < reader.text.index("what was read")
    )


def test_the_restraint_is_explained(campaign):
    """Candidates with their figures, the one taken first; the symmetry number with sign and formula; the plot."""
    root, _, _ = campaign
    again = root / "held"
    again.mkdir()
    folder = again / "record"
    shutil.copytree(root / "first" / "out", folder)
    record = read_json(folder / "record.json")
    one = {
        "names": ["A:99:CA", "A:84:CA", "A:102:N", "C1", "C2", "C<3>"], "score_kcal_per_mol": -9.87,
        "r0_angstrom": 6.54,
        "sd_r_angstrom": 0.32, "theta_a_deg": 88.4, "theta_b_deg": 71.2, "sd_angles_deg": [4.0, 5.0],
        "phi_a_deg": -170.3,
        "phi_b_deg": 12.0, "phi_c_deg": 60.0, "sd_dihedrals_deg": [6.0, 7.0, 8.0], "receptor_rmsf_angstrom": 0.45,
        "why": "least fluctuation of 99 sets",
    }  # fmt: skip
    record["restraint_choice"] = {
        "kind": "boresch", "asked": "auto", "why": "because", "candidates": [one, {**one, "score_kcal_per_mol": -9.5}],
        "symmetry_number": 2, "symmetry_kcal_per_mol": -0.411, "score": "kT ln[...]",
    }  # fmt: skip
    (folder / "restraint.svg").write_text(PLOT)
    record["figures"]["restraint"] = "restraint.svg"
    write_json(folder / "record.json", record)
    write_campaign(root / "ligands.csv", [folder], BindingConfig(), None, again)
    reader, html = read_page(again / "report.html")
    for words in (
        "boresch (asked for: auto): because.", "−kT ln 2 = −0.41 kcal/mol", "A:99:CA,A:84:CA,A:102:N,C1,C2,C<3> taken",
        "6.54 ± 0.32", "−9.87", "least fluctuation of 99 sets", "Score: kT ln[...]",
    ):  # fmt: skip
        assert words in " ".join(reader.text.split()), words
    assert "Coordinates of the restraint of first" in html and (again / "figures" / "first" / "restraint.svg").exists()


def test_the_terms_of_a_box_are_listed(campaign):
    root, _, _ = campaign
    again = root / "sized"
    again.mkdir()
    folder = again / "record"
    shutil.copytree(root / "first" / "out", folder)
    record = read_json(folder / "record.json")
    terms = {"net": 23.55, "usv": -23.31, "scr": -0.04, "rip": 1.06, "emp": -0.01, "dsc": 17.72}
    record["finite_size"] = {
        "complex": {
            "dg_kcal_per_mol": -18.97,
            "dg_error_kcal_per_mol": 0.12,
            "charging": {f"{name}_kcal_per_mol": value for name, value in terms.items()},
            "volume_nm3": 64.25,
            "solver": "finite <differences>",
        }
    }
    write_json(folder / "record.json", record)
    write_campaign(root / "ligands.csv", [folder], BindingConfig(), None, again)
    reader, _ = read_page(again / "report.html")
    listed = reader.text.split("Finite size of the boxes")[1].split("Settings and provenance")[0]
    for text in (
        "23.55",
        "−23.31",
        "−0.04",
        "1.06",
        "−0.01",
        "17.72",
        "−18.97 ± 0.12",
        "64.25",
        "finite <differences>",
    ):
        assert text in listed


def test_figures_are_limited(campaign, monkeypatch):
    root, out, _ = campaign
    monkeypatch.setattr(report_campaign, "MAX_DRAWN_BYTES", 1)
    again = root / "again"
    again.mkdir()
    folders = [root / "first" / "out", root / "second" / "out"]
    write_campaign(root / "ligands.csv", folders, BindingConfig(), None, again)
    _, html = read_page(again / "report.html")
    assert html.count("Thermodynamic cycle of") == 1
    assert "figures/first/" in html
    assert (again / "report.html").stat().st_size < (out / "report.html").stat().st_size


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-5.274, 0.306, "−5.27 ± 0.31"),
        (1.0, None, "1.00"),
        (-0.001, None, "−0.00"),
        (None, 0.3, "–"),
        (None, None, "–"),
    ],
)
def test_free_energies_in_words(value, error, text):
    assert page.dg(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"), [({"a": [1]}, '{"a": [1]}'), (["λ"], '["λ"]'), (None, "–"), (4.0, "4.0"), ("obc2", "obc2")]
)
def test_settings_in_words(value, text):
    assert page.pretty(value) == text


def test_only_ligands_with_both_values_are_compared(campaign):
    _, out, rows = campaign
    reader, _ = read_page(out / "report.html")
    assert sum(r.experimental_dg_kcal_per_mol is not None and r.dg_kcal_per_mol is not None for r in rows) == 2
    assert "first" in reader.ids and "Computed against experimental" in (out / "report.html").read_text()


def test_another_protocol_has_a_page(tmp_path, monkeypatch):
    monkeypatch.setitem(PROTOCOLS, MODE, SOLVATION)
    monkeypatch.setitem(MODES, MODE, replace(MODES["abfe"], title="Free energies of solvation"))
    system, runs, _ = write_solvation(tmp_path)
    (system.root / "equil.svg").write_text(PLOT)
    system = system.with_artifacts(equil_plot="equil.svg")
    folder, out = tmp_path / "analysis", tmp_path / "results"
    folder.mkdir()
    out.mkdir()
    record = analyse_transformation(system, runs, Analysis(), MODE)
    record["figures"] = write_figures(record, system, folder)
    write_json(folder / "record.json", record)
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nguest,C\n")
    config = BindingConfig()
    config = config.model_copy(update={"run": config.run.model_copy(update={"mode": MODE})})
    (row,) = write_campaign(tmp_path / "ligands.csv", [folder], config, None, out)
    assert row.mode == MODE and "ΔG" in terminal_table([row])
    reader, html = read_page(out / "report.html")
    assert "Free energies of solvation" in reader.text and "1 mol/L" not in reader.text
    for words in ("Solvent leg: free energy", "Vacuum leg: free energy", "couple in solvent", "decouple in vacuum"):
        assert html.count(words) == 1
    assert html.count("data:image/svg+xml;base64,") == html.count("Each replicate with its own error") == 1


HOSTILE = "</script><script>alert(1)</script>"


def test_what_failed_what_it_cost_and_the_site_are_told_without_a_script(campaign, tmp_path):
    root, _, _ = campaign
    folder = tmp_path / "record"
    shutil.copytree(root / "first" / "out", folder)
    record = read_json(folder / "record.json")
    anchors = {name: {"name": f"{name}<{HOSTILE}", "position_angstrom": [0.0, 0.0, 0.0]} for name in ("P1", "L1")}
    record["site"] = {
        "pdb": HOSTILE, "near_angstrom": 6.0, "residues": {"1": HOSTILE},
        "restraint": {"kind": "boresch", "anchors": anchors},
    }  # fmt: skip
    write_json(folder / "record.json", record)
    state = tmp_path / "state"
    shutil.copytree(root / "state", state)
    Sentinel("FAILED", "x", cause="Unbound", message=HOSTILE, log=[HOSTILE]).write(state / "host" / "gone" / "equil")
    (state / "host" / "first" / "equil").mkdir(parents=True)
    write_json(state / "host" / "first" / "equil" / "progress.json", {"engine_s": 7200})
    config = BindingConfig(costs=Costs(cost_per_cpu_hour=2.0, currency=HOSTILE))
    write_campaign(root / "ligands.csv", [folder], config, state, out := tmp_path / "out")
    reader, html = read_page(out / "report.html")
    assert html.count("<script") == html.count("</script>") == len(reader.scripts) == 2  # 3Dmol.js, and ours
    assert reader.text.count(HOSTILE) > 5 and "bin/gibbsflow clean-failures" in reader.text
    assert f"4 {HOSTILE}" in reader.text and "P1<" in reader.text
    assert "BSD-3-Clause" in reader.text and "Redistributions in binary form" in reader.text
    assert (out / "costs.csv").is_file()
    assert (out / "figures" / "first" / "profile_complex.csv").is_file()
    names = {entry["name"] for entry in read_json(out / "manifest.json")["artifacts"]}
    assert {"costs", "first/profile_complex.csv"} <= names


def test_a_page_without_sites_carries_no_program_of_others(campaign):
    _, out, _ = campaign
    reader, html = read_page(out / "report.html")
    assert len(reader.scripts) == 1 and "3Dmol.js" not in reader.text
    assert 'href="#results"' in html and 'class="sortable"' in html


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-28T13:00:05+00:00", "2026-11-28 13:00 UTC"),
        ("2026-11-28T13:00:05+02:00", "2026-11-28 11:00 UTC"),
        ("2026-11-28T13:00:05", "2026-11-28 13:00 UTC"),
        ("<soon>", "<soon>"),
    ],
)
def test_times_of_failures_are_written_as_that_of_the_page(given, shown):
    assert page.environment().filters["utc"](given) == shown


def test_reasons_of_a_network_begin_as_a_sentence(tmp_path):
    edges = [EdgeRow("a", "b", 1.0, 0.1), EdgeRow("b", "d", 1.0, 0.1), EdgeRow("a", "d", 9.0, 0.1)]
    config = BindingConfig.from_mapping({"run": {"mode": "rbfe"}}, where="test")
    found = analyse_network(edges, Account("edges"))
    first = found.figures["reasons"][0]
    page.write_page([], [], {}, config, tmp_path, {}, found)
    reader, _ = read_page(tmp_path / "report.html")
    assert first[0].islower() and f". {first[0].upper()}{first[1:]}" in " ".join(reader.text.split())


def test_a_cycle_that_does_not_close_is_told(tmp_path):
    edges = [EdgeRow("a", "b", 1.0, 0.1), EdgeRow("b", "</script>", 1.0, 0.1), EdgeRow("a", "</script>", 5.0, 0.1)]
    edges += [EdgeRow("b", "d", 1.0, 0.1), EdgeRow("a", "d", 2.0, 0.1)]
    config = BindingConfig.from_mapping({"run": {"mode": "rbfe"}}, where="test")
    page.write_page([], [], {}, config, tmp_path, {}, analyse_network(edges, Account("edges")))
    reader, html = read_page(tmp_path / "report.html")
    assert "</script> → a → b → </script>" in reader.text
    assert html.count('<span class="chip WARN">no</span>') == html.count('<span class="chip PASS">yes</span>') == 1
    assert "Cytoscape.js" in reader.text and len(reader.scripts) == 2 == html.count("</script>")
