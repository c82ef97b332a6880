"""Tables: columns by name, what is missing in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.binding.network.design.sheet import alike, name_of, number, read_sheet, unmarked
from gibbsflow.errors import InputError
from gibbsflow.report.tables.cells import cell
from gibbsflow.workflow.account import Account


def read(tmp_path: Path, text: str, **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    account = Account(str(path))
    return read_sheet(path, account, ("ligand", "value"), needed=("ligand",), **options), account


def test_rows_and_what_is_left_out(tmp_path: Path) -> None:
    rows, account = read(tmp_path, "\ufeffvalue,ligand,odd\n1.5 , a b ,x\n\nNaN,c,\n")
    assert [(row.line, dict(row.cells)) for row in rows] == [
        (2, {"value": "1.5", "ligand": "a b"}),
        (4, {"ligand": "c"}),
    ]
    assert [p.what for p in account.of_weight("note")] == ["columns not read: 'odd'"]
    assert number(rows[0], "value", account) == 1.5 and number(rows[1], "value", account) is None
    assert not account.of_weight("refuse")


def test_tabs_and_names_of_other_programs(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "Ligand_i\tVALUE\na\t2\n", others={"ligand_i": "ligand"})
    assert rows[0].cells["value"] == "2"
    assert name_of(rows[0], "ligand", Account("x")) == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ligands,value\na,1\n", "column 'ligand' is missing; is 'ligands' meant?"),
        ("ligand,ligand\na,b\n", "column 'ligand' is there 2 times"),
        ("ligand;value\na;1\n", "separated by semicolons"),
        ("ligand,value\na,1,2\n", "3 cells"),
        ("ligand,value\n", "a header and no row"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, text: str, said: str) -> None:
    _, account = read(tmp_path, text)
    assert said in str(account.of_weight("refuse")[0])


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        read(tmp_path, "\n\n")
    with pytest.raises(InputError, match="no such file"):
        read_sheet(tmp_path / "none.csv", Account("x"), (), needed=())


def test_cells(tmp_path: Path) -> None:
    rows, account = read(tmp_path, "ligand,value\n,1e999\nb,1_0\n")
    assert name_of(rows[0], "ligand", account) is None
    assert [number(row, "value", account) for row in rows] == [None, None]
    assert len(account.of_weight("refuse")) == 3
    for name in ("-1-adamantanol", "=a", "'quoted", "plain"):
        assert unmarked(cell(name)) == name
    assert alike({"B2", "b2", "c"}) == [("B2", "b2")]
