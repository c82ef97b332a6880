"""Two campaigns side by side: known differences, what one of them lacks, and what cannot be compared."""

import csv

import pytest
from campaign_records import read_page

from gibbsflow.errors import InputError
from gibbsflow.report.comparison import compare_campaigns, comparison_text, write_comparison
from gibbsflow.report.tables.results_table import TableRow, write_parquet
from gibbsflow.workflow.files import write_json


def campaign(folder, *rows, mode="abfe", **md):
    """Results with these rows: name, value, error, verdict; and one record."""
    folder.mkdir()
    made = [
        TableRow(name, name, mode, "finished" if dg is not None else "failed", verdict, dg, error)
        for name, dg, error, verdict in rows
    ]
    write_parquet(made, folder / "results.parquet")
    record = {"settings": {"md": {"timestep_fs": 4.0, **md}}, "seed": 1, "run_versions": {"openmm": "8.6.1"}}
    write_json(folder / "record.x.json", record)
    return folder


def test_differences_errors_and_what_one_lacks(tmp_path):
    a = campaign(
        tmp_path / "a", ("same", -5.0, 0.3, "PASS"), ("moved", -5.0, 0.3, "PASS"), ("lost", -7.0, 0.1, "PASS"),
        ("exact", -1.0, None, "WARN"), ("mine", -1.0, 0.1, "PASS"),
    )  # fmt: skip
    b = campaign(
        tmp_path / "b", ("<new>", -1.0, 0.1, "PASS"), ("moved", -3.0, 0.4, "WARN"), ("same", -5.0, 0.4, "PASS"),
        ("lost", None, None, "FAIL"), ("exact", -2.0, 0.2, "WARN"), timestep_fs=2.0,
    )  # fmt: skip
    found = compare_campaigns(a, b)
    rows = {row.ligand: row for row in found.rows}
    assert list(rows) == ["same", "moved", "lost", "exact", "mine", "<new>"]
    assert (rows["moved"].ddg_kcal_per_mol, rows["moved"].ddg_error_kcal_per_mol) == (2.0, pytest.approx(0.5))
    assert rows["moved"].z == pytest.approx(4.0) and rows["moved"].remark == "different; PASS → WARN"
    assert rows["same"].z == 0 and rows["same"].remark == ""
    assert rows["lost"].ddg_kcal_per_mol is None and rows["lost"].remark == "B: failed; PASS → FAIL"
    assert (rows["exact"].ddg_kcal_per_mol, rows["exact"].z) == (-1.0, None)
    assert (rows["mine"].remark, rows["<new>"].remark) == ("not in B", "not in A")
    assert (found.both, found.far, found.mean_kcal_per_mol) == (3, 1, pytest.approx(1 / 3))
    assert found.rms_kcal_per_mol == pytest.approx((5 / 3) ** 0.5)
    assert found.settings == [("md.timestep_fs", "4.0", "2.0")]
    write_comparison(found, a, b, tmp_path)
    reader, _ = read_page(tmp_path / "comparison.html")
    assert "<new>" in reader.text and "2.00 ± 0.50" in reader.text and "md.timestep_fs" in reader.text
    table = {row["ligand"]: row for row in csv.DictReader((tmp_path / "comparison.csv").open())}
    assert table["moved"]["ddg_kcal_per_mol"] == "2.0000" and table["mine"]["b_dg_kcal_per_mol"] == ""
    assert "3 in both: mean +0.33, root mean square 1.29 kcal/mol; 1 beyond 2" in comparison_text(found)


def named(folder, mode, molecules):
    """Records that say which molecules the rows are of."""
    (folder / "record.x.json").unlink()
    for name, smiles in molecules.items():
        known = {"smiles": smiles} if mode == "rbfe" else {"settings": {"ligand_smiles": smiles}}
        write_json(folder / f"record.{name}.json", {"ligand": name, "mode": mode, **known})
    return folder


def test_one_name_of_two_molecules_is_not_compared(tmp_path):
    a = named(campaign(tmp_path / "a", ("x", -5.0, 0.3, "PASS"), ("y", -4.0, 0.3, "PASS")), "abfe", {"x": "CCO"})
    b = named(campaign(tmp_path / "b", ("x", -1.0, 0.3, "PASS"), ("y", -3.0, 0.3, "PASS")), "abfe", {"x": "CCN"})
    found = compare_campaigns(a, b)
    assert found.rows[0].remark == "two molecules of one name: CCO in A, CCN in B"
    assert (found.rows[0].a_dg_kcal_per_mol, found.rows[0].ddg_kcal_per_mol, found.rows[0].z) == (-5.0, None, None)
    assert (found.both, found.far, found.mean_kcal_per_mol) == (1, 1, 1.0)
    named_alike = named(campaign(tmp_path / "c", ("x", -5.0, 0.3, "PASS")), "abfe", {"x": "OCC"})  # written otherwise
    assert compare_campaigns(a, named_alike).rows[0].ddg_kcal_per_mol == 0


def test_a_molecule_of_two_names_is_joined(tmp_path):
    a = campaign(tmp_path / "a", ("1", -5.0, 0.3, "PASS"), ("flip", -4.0, 0.3, "PASS"), ("flop", -4.5, 0.3, "PASS"))
    b = campaign(tmp_path / "b", ("ethanol", -4.5, 0.4, "PASS"), ("amine", -3.0, 0.3, "PASS"))
    named(a, "abfe", {"1": "CCO", "flip": "CCN", "flop": "CCN"})
    found = compare_campaigns(a, named(b, "abfe", {"ethanol": "OCC", "amine": "CCN"}))
    assert [(row.ligand, row.remark) for row in found.rows] == [
        ("1", "ethanol in B"), ("flip", "not in B"), ("flop", "not in B"), ("amine", "not in A"),
    ]  # fmt: skip
    assert found.rows[0].ddg_kcal_per_mol == pytest.approx(0.5)


def test_edges_are_joined_by_their_molecules_either_way(tmp_path):
    a = campaign(tmp_path / "a", ("p~q", 1.0, 0.3, "PASS"), ("q~r", 2.0, 0.3, "PASS"), mode="rbfe")
    b = campaign(tmp_path / "b", ("q~p", -1.5, 0.4, "PASS"), ("q~r", 0.5, 0.3, "PASS"), mode="rbfe")
    named(a, "rbfe", {"p~q": ["CO", "CN"], "q~r": ["CN", "CS"]})
    found = compare_campaigns(a, named(b, "rbfe", {"q~p": ["CN", "CO"], "q~r": ["CN", "CCl"]}))
    assert [(row.ligand, row.ddg_kcal_per_mol) for row in found.rows] == [("p~q", 0.5), ("q~r", None)]
    assert found.rows[0].remark == "q~p in B, turned round" and found.rows[0].b_dg_kcal_per_mol == 1.5
    assert found.rows[1].remark == "two molecules of one name: CN to CS in A, CN to CCl in B"


def test_edges_that_molecules_do_not_tell_apart_are_turned_by_their_names(tmp_path):
    rows = ("flip~18", 1.0, 0.3, "PASS"), ("old~older", 2.0, 0.3, "PASS"), ("p~q", 3.0, 0.3, "PASS")
    back = ("18~flip", -1.0, 0.3, "PASS"), ("older~old", -2.0, 0.3, "PASS"), ("q~p", -3.0, 0.3, "PASS")
    a, b = campaign(tmp_path / "a", *rows, mode="rbfe"), campaign(tmp_path / "b", *back, mode="rbfe")
    named(a, "rbfe", {"flip~18": ["CO", "CO"], "p~q": ["CN", "CS"]})
    found = compare_campaigns(a, named(b, "rbfe", {"18~flip": ["CO", "CO"], "q~p": ["CN", "CCl"]}))
    assert [(row.ligand, row.ddg_kcal_per_mol) for row in found.rows] == [
        ("flip~18", 0.0), ("old~older", 0.0), ("p~q", None), ("q~p", None),
    ]  # fmt: skip
    assert found.rows[1].remark == "older~old in B, turned round"


def test_a_campaign_is_like_itself(tmp_path):
    a = campaign(tmp_path / "a", ("x", -5.0, 0.3, "PASS"))
    found = compare_campaigns(a, a)
    assert (found.far, found.rms_kcal_per_mol, found.settings) == (0, 0.0, [])


@pytest.mark.parametrize(
    ("rows", "mode", "words"),
    [
        ([("x", -5.0, 0.3, "PASS")], "rbfe", "results of unlike kinds"),
        ([("x", float("nan"), 0.3, "PASS")], "abfe", "row 1, dg_kcal_per_mol"),
        ([("x", -5.0, 0.3, "PASS")] * 2, "abfe", "row 2, ligand"),
        ([], "abfe", "has no rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, rows, mode, words):
    a = campaign(tmp_path / "a", ("x", -5.0, 0.3, "PASS"))
    b = campaign(tmp_path / "b", *rows, mode=mode)
    with pytest.raises(InputError, match=words):
        compare_campaigns(a, b)


def test_folders_without_results_or_free_energies_are_refused(tmp_path):
    a = campaign(tmp_path / "a", ("x", -5.0, 0.3, "PASS"))
    with pytest.raises(InputError, match="results.parquet.*right: a folder of results"):
        compare_campaigns(a, tmp_path)
    (tmp_path / "edges.csv").write_text("ligand_a,ligand_b\n")
    with pytest.raises(InputError, match="edges.csv: is a file .*analysis network --edges"):
        compare_campaigns(a, tmp_path / "edges.csv")
    (tmp_path / "results.parquet").write_text("no table")
    with pytest.raises(InputError, match="cannot be read"):
        compare_campaigns(a, tmp_path)
    md = campaign(tmp_path / "md", ("x", None, None, "PASS"), mode="md")
    with pytest.raises(InputError, match="campaigns that have free energies"):
        compare_campaigns(md, md)
    (a / "record.x.json").write_text("[]")
    with pytest.raises(InputError, match="record.x.json"):
        compare_campaigns(a, a)
