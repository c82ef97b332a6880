"""Table-level checks: what is wrong, where, and what would be right."""

import os
from pathlib import Path

import pytest

from gibbsflow.binding.prepare.samplesheet import check_samplesheet, read_ligands, read_pose_groups
from gibbsflow.errors import InputError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "ligands.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def only_problem(folder: Path, text: str | bytes) -> str:
    rows, problems = check_samplesheet(write(folder, text))
    assert len(problems) == 1, problems
    return str(problems[0])


def test_reads_what_excel_writes(tmp_path):
    """A byte-order mark, CRLF, blank lines, quoted commas, columns in any order."""
    text = "\ufeffsmiles,ligand,group,experimental_dg_kcal_per_mol,charge\r\n\r\n"
    text += 'CCO,a.1,"x, y",-3.5,0\r\n,,,,\r\nC,b,,,\r\n'
    rows, problems = check_samplesheet(write(tmp_path, text))
    assert problems == []
    assert [(r.line, r.ligand, r.smiles, r.pose) for r in rows] == [(3, "a.1", "CCO", "place"), (5, "b", "C", "place")]
    assert (rows[0].group, rows[0].experimental_dg_kcal_per_mol, rows[0].charge) == ("x, y", -3.5, 0)
    assert rows[1].experimental_dg_kcal_per_mol is None and rows[1].charge is None


def test_paths_start_from_the_sheet(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.sdf").touch()
    (tmp_path / "p.MOL2").touch()
    (row,), _ = check_samplesheet(write(tmp_path, f"ligand,structure,pose\na,in/a.sdf,{tmp_path / 'p.MOL2'}\n"))
    assert Path(row.structure) == tmp_path / "in" / "a.sdf"
    assert Path(row.pose) == tmp_path / "p.MOL2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "ligands.csv: empty (right: a header line"),
        ("\n\n", "ligands.csv: empty"),
        ("ligand,smiles\n", "row 1: a header and no ligand"),
        ("ligand;smiles\na;C\n", "row 1: columns are separated by semicolons (right: commas"),
        ("ligand\tsmiles\na\tC\n", "row 1: columns are separated by tabs"),
        ("ligand,smile\na,C\n", "unknown column 'smile' (right: did you mean 'smiles'?)"),
        ("ligand,smiles,ligand\na,C,a\n", "row 1: column 'ligand' is there 2 times"),
        ("smiles\nC\n", "row 1: column 'ligand' is missing"),
        ("ligand,charge\na,0\n", "columns 'structure' and 'smiles' are both missing"),
        ("ligand,smiles\na,C\nb,C,0\n", "row 3: 3 cells (right: 2, as the header has"),
        ("ligand,smiles\na,C\n\na,CC\n", "row 4, ligand: 'a' is already the ligand of row 2"),
        ("ligand,smiles\nb2,C\nB2,CC\n", "row 3, ligand: 'B2' is already the ligand of row 2"),
        ("ligand,smiles\n,C\n", "row 2, ligand: no name"),
        ("ligand,smiles\na,\n", "row 2, structure: neither structure nor smiles is given (right: exactly one of them)"),
        ("ligand,smiles\na,C C\n", "row 2, smiles: 'C C' is not usable"),
        ("ligand,smiles\na,in/a.sdf\n", "row 2, smiles: 'in/a.sdf' is not usable (right: a SMILES string"),
        ("ligand,structure\na,CCO\n", "row 2, structure: 'CCO' is not usable (right: an existing .sdf or .mol2"),
        (
            "ligand,smiles,charge\na,C,1.5\n",
            "row 2, charge: '1.5' is not usable (right: an integer between -20",
        ),
        ("ligand,smiles,charge\na,C,99\n", "row 2, charge: '99' is not usable"),
        ("ligand,smiles,pose\na,C,there\n", "row 2, pose: 'there' is not usable (right: 'given', 'place'"),
        ("ligand,smiles,pose\na,C,given\n", "row 2, pose: 'given' with smiles, which has no coordinates"),
        ("ligand,structure\na,nix.sdf\n", "row 2, structure: no such file 'nix.sdf'"),
        ("ligand,structure\na,a.xyz\n", "row 2, structure: 'a.xyz' is not usable (right: an existing .sdf or .mol2"),
        (
            "ligand,smiles,experimental_dg_kcal_per_mol\na,C,strong\n",
            "row 2, experimental_dg_kcal_per_mol: 'strong' is not a number (right: a number in kcal/mol",
        ),
        ("ligand,smiles,experimental_dg_kcal_per_mol\na,C,nan\n", "'nan' is not a number"),
        (b"ligand,smiles\n\xe4,C\n", "not UTF-8 text"),
    ],
)
def test_one_clear_problem(tmp_path, text, expected):
    told = only_problem(tmp_path, text)
    assert expected.split(" (right")[0] in told and expected in told


@pytest.mark.parametrize("name", ["a b", "a/b", "../a", ".a", "a;rm", "$(a)", "a'b", "-a", "ä", "a`b", "a|b", "a*"])
def test_names_unsafe_in_files_and_shells(tmp_path, name):
    told = only_problem(tmp_path, f'ligand,smiles\n"{name}",C\n')
    assert f"row 2, ligand: {name!r} is not usable" in told and "letters, digits" in told


def test_all_problems_at_once(tmp_path):
    rows, problems = check_samplesheet(write(tmp_path, "ligand,smiles,charge\na b,C,x\nc,,\nd,CC,0\nd,CC,0\n"))
    assert [r.ligand for r in rows] == ["d"]
    assert [(p.row, p.field) for p in problems] == [(2, "ligand"), (2, "charge"), (3, "structure"), (5, "ligand")]


def test_missing_file(tmp_path):
    rows, (problem,) = check_samplesheet(tmp_path / "nix.csv")
    assert rows == () and "no such file" in str(problem)


CHECKED = "ligand,smiles,experimental_dg_kcal_per_mol\nb2,C,-13.4\n\na1,CC,\n"


def test_names_and_values_in_their_order(tmp_path):
    (tmp_path / "l.csv").write_text("\ufeff" + CHECKED)
    assert read_ligands(tmp_path / "l.csv") == [("b2", -13.4), ("a1", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ligand,smiles\n", "no ligands"),
        ("ligand,smiles\n,C\n", "row 2, ligand: no ligand"),
        ("ligand,experimental_dg_kcal_per_mol\nb2,strong\n", "row 2, experimental_dg_kcal_per_mol: 'strong' is no"),
    ],
)
def test_a_checked_sheet_that_cannot_be_used_any_more(tmp_path, text, message):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_ligands(tmp_path / "l.csv")
    with pytest.raises(InputError, match="no such file"):
        read_ligands(tmp_path / "absent.csv")


def test_a_structure_that_has_moved_is_no_fault_of_a_checked_sheet(tmp_path):
    sheet = write(tmp_path, "ligand,structure\na,in/a.sdf\n")
    assert read_ligands(sheet) == [("a", None)] and len(check_samplesheet(sheet)[1]) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ligand,smiles\nsuperseded-1,C\n", "row 2, ligand: 'superseded-1' is not usable"),
        (f"ligand,smiles\n{'a' * 101},C\n", "at most 100 letters"),
        ("ligand,smiles\n..,C\n", "row 2, ligand: '..' is not usable"),
        ("ligand,smiles,charge\na,C,\uff11\n", "row 2, charge: '\uff11' is not usable"),
        ("ligand,smiles,charge\na,C,1_0\n", "row 2, charge: '1_0' is not usable"),
        ("ligand,smiles,charge\na,C,0x1\n", "row 2, charge: '0x1' is not usable"),
        ("ligand,smiles,experimental_dg_kcal_per_mol\na,C,-1_0.5\n", "'-1_0.5' is not a number"),
        ("ligand,smiles,experimental_dg_kcal_per_mol\na,C,inf\n", "'inf' is not a number"),
        ("ligand,smiles,group\na,C,x\x1b[31m\n", "row 2, group: 'x\\x1b[31m' holds what cannot be printed"),
        ('ligand,smiles\na,"C\n', "row 2: not readable as CSV: unexpected end of data"),
        (
            "ligand,smiles,group\na,C," + "x" * 200_000 + "\n",
            "row 2: not readable as CSV: field larger than field limit",
        ),
        (f"ligand,smiles\n{'+' * 5000},C\n", "row 2, ligand: '++++"),
        ("ligand,smiles\na,C\n".encode("utf-16"), "is UTF-16, not UTF-8 text"),
        (b"ligand,smiles\na,C\0\n", "a NUL byte"),
    ],
)
def test_what_no_sheet_may_hold(tmp_path, text, told):
    problem = only_problem(tmp_path, text)
    assert told in problem and len(problem) < 400 and problem.isprintable()


def test_a_structure_is_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "a.sdf")
    (tmp_path / "b.sdf").symlink_to("/dev/zero")
    for name, kind in (("a.sdf", "a pipe"), ("b.sdf", "a device")):
        problem = only_problem(tmp_path, f"ligand,structure\na,{name}\n")
        assert f"row 2, structure: is no regular file but {kind} '{name}'" in problem


def test_poses_of_a_ligand(tmp_path):
    sheet = write(tmp_path, "ligand,smiles,pose_of\na,C,lig\nb,CC,\nc,C,lig\nd,C,other\n")
    rows, problems = check_samplesheet(sheet)
    assert problems == [] and [row.pose_of for row in rows] == ["lig", None, "lig", "other"]
    assert read_pose_groups(sheet) == {"lig": ["a", "c"], "other": ["d"]}
    assert read_pose_groups(write(tmp_path, "ligand,smiles\na,C\n")) == {}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,C,b,\nb,C,,\n", "row 2, pose_of: 'b' is the name of row 3"),
        ("a,C,A,\n", "row 2, pose_of: 'A' is the name of row 2"),
        ("a,C,lig,\nb,C,Lig,\n", "row 3, pose_of: 'Lig' and 'lig' differ in case"),
        (
            "a,C,lig,\nb,C,lig,-3\nc,C,lig,-4\n",
            "row 4, experimental_dg_kcal_per_mol: 'lig' has another measured value in",
        ),
        ("a,C,../x,\n", "row 2, pose_of: '../x' is not usable"),
    ],
)
def test_poses_that_cannot_be(tmp_path, rows, message):
    _, (problem,) = check_samplesheet(write(tmp_path, f"ligand,smiles,pose_of,experimental_dg_kcal_per_mol\n{rows}"))
    assert message in str(problem)


def test_records_of_an_sdf_are_rows(tmp_path):
    path = tmp_path / "all.SDF"
    record = "{}\n\n\n  0  0  0  0  0  0            999 V2000\nM  END\n$$$$\n"
    path.write_text("".join(record.format(name) for name in ("lig 1", "two", "Two", "")))
    rows, problems = check_samplesheet(path)
    assert [(row.line, row.ligand, row.structure, row.pose) for row in rows] == [
        (1, "lig_1", str(path), "given"), (7, "two", str(path), "given"),
    ]  # fmt: skip
    assert [(problem.row, problem.what) for problem in problems] == [
        (13, "'Two' is already the ligand of line 7"), (19, "no name"),
    ]  # fmt: skip
    path.write_text(record.format("lig 1") + record.format("two"))
    assert read_ligands(path) == [("lig_1", None), ("two", None)]
    path.write_text(record.format("lig 1") + record.format("two").replace("$$$$\n", "") + record.format("lost"))
    (joined,) = check_samplesheet(path)[1]
    assert (joined.row, joined.what) == (7, "'two': 2 molecules in one record") and "$$$$" in joined.right
    path.write_text("\n")
    (empty,) = check_samplesheet(path)[1]
    assert empty.what == "empty" and "a record a ligand" in empty.right
