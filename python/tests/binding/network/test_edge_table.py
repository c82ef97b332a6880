"""Tables of edges: ours, those of other programs, and all that is wrong with one."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.binding.network.edge_table import edge_of_repeats, put_together, read_edges
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account

LEGS = ("complex", "solvent")
HEAD = "ligand_a,ligand_b,ddg_kcal_per_mol,ddg_error_kcal_per_mol"


def read(tmp_path: Path, text: str) -> tuple[list[EdgeRow], Account]:
    path = tmp_path / "edges.csv"
    path.write_text(text)
    account = Account(str(path))
    rows = read_edges(path, account)
    account.settle()
    return put_together(rows, account), account


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)[1].settle()
    return str(caught.value)


def noted(account: Account, weight="note") -> str:
    return "\n".join(map(str, account.of_weight(weight)))


def test_plain_table(tmp_path: Path) -> None:
    rows, account = read(tmp_path, f"{HEAD},status,verdict,overlap\na,b,1.5,0.2,finished,WARN,0.1\n-x,b,,,waiting,,\n")
    assert (rows[0].ddg_kcal_per_mol, rows[0].ddg_error_kcal_per_mol, rows[0].overlap) == (1.5, 0.2, 0.1)
    assert rows[0].verdict == "WARN" and rows[0].used and rows[0].line == 2
    assert rows[1].status == "waiting" and not rows[1].used and not account.doubts


def test_units_legs_and_other_programs(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "ligand_a,ligand_b,ddg_kj_per_mol,ddg_error_kj_per_mol\na,b,4.184,0.4184\n")
    assert (rows[0].ddg_kcal_per_mol, rows[0].ddg_error_kcal_per_mol) == pytest.approx((1, 0.1))
    legs = "ligand_a,ligand_b," + ",".join(f"{leg}{kind}_kcal_per_mol" for leg in LEGS for kind in ("", "_error"))
    rows, _ = read(tmp_path, f"{legs}\na,b,5,0.3,3,0.4\n")
    assert (rows[0].ddg_kcal_per_mol, rows[0].ddg_error_kcal_per_mol) == pytest.approx((2, 0.5))
    text = "ligand_i\tligand_j\tDDG(i->j) (kcal/mol)\tuncertainty (kcal/mol)\na\tb\t1.2\t0.1\nb\tc\tNone\tNone\n"
    rows, account = read(tmp_path, text)
    assert rows[0].ddg_error_kcal_per_mol == 0.1 and rows[0].ddg_kcal_per_mol == 1.2
    assert "standard deviations of repeats" in noted(account)
    assert rows[1].status == "failed" and rows[1].cause == "no ΔΔG in the table"


def test_edges_that_openfe_gathered_in_part_have_failed(tmp_path: Path) -> None:
    head = "ligand_i\tligand_j\tDDG(i->j) (kcal/mol)\tuncertainty (kcal/mol)"
    rows, _ = read(tmp_path, f"{head}\na\tb\tError\tError\nb\tc\t1.2\t0.1\n")
    assert [row.status for row in rows] == ["failed", "finished"] and rows[0].ddg_error_kcal_per_mol is None
    assert "row 2, ddg_sd_kcal_per_mol: 'Error' is no number" in refused(tmp_path, f"{head}\na\tb\t1.2\tError\n")


def test_fep_plus_without_its_closed_cycles(tmp_path: Path) -> None:
    head = "Ligand1,Ligand2,Exp. ddG (kcal/mol),Bennett ddG (kcal/mol),Bennett std. error (kcal/mol),CCC ddG (kcal/mol)"
    (row,), account = read(tmp_path, f"{head}\na,b,1.46,1.93,0.07,1.97\n")
    assert (row.ligand_a, row.ddg_kcal_per_mol, row.ddg_error_kcal_per_mol) == ("a", 1.93, 0.07)
    assert row.experimental_ddg_kcal_per_mol == 1.46 and "CCC ddG" in noted(account)


def test_both_directions_with_one_sign_are_doubted(tmp_path: Path) -> None:
    said = noted(read(tmp_path, f"{HEAD}\na,b,3.0,0.1\nb,a,3.1,0.1\n")[1], "warn")
    assert "a~b is 3 and b~a 3.1 kcal/mol, the same sign" in said
    assert not noted(read(tmp_path, f"{HEAD}\na,b,3.0,0.1\nb,a,-3.1,0.1\nb,c,0.2,0.1\nc,b,0.2,0.2\n")[1], "warn")


def test_what_an_edge_is_made_of(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, f"{HEAD},topology\na,b,1.5,0.2,dual\nb,c,1.5,0.2,\nb,a,-1.4,0.2,dual\n")
    assert [row.topology for row in rows] == ["dual", ""]
    assert "topology: 'both' is not usable (right: hybrid or dual)" in refused(
        tmp_path, f"{HEAD},topology\na,b,1.5,0.2,both\n"
    )


def test_rows_of_a_pair_are_repeats_in_either_direction(tmp_path: Path) -> None:
    rows, account = read(tmp_path, f"{HEAD},overlap\na,b,1.0,0.1,0.2\nb,a,-1.6,0.1,0.1\na,b,1.3,0.1,0.3\n")
    (row,) = rows
    assert row.ddg_kcal_per_mol == pytest.approx(1.3) and row.ddg_error_kcal_per_mol is None and row.overlap == 0.1
    assert row.spread is not None and row.spread.variance == pytest.approx(0.09 / 3) and row.spread.dof == 2
    assert row.spread.mbar_variance == pytest.approx(0.03 / 9)
    assert "1 pairs have several rows, which are taken for repeats" in noted(account)


def test_a_repeat_that_failed_keeps_the_others(tmp_path: Path) -> None:
    (row,), _ = read(tmp_path, f"{HEAD},status,cause\na,b,1.0,0.1,,\na,b,nan,,failed,NaN energy\na,b,1.2,0.1,,\n")
    assert row.ddg_kcal_per_mol == pytest.approx(1.1) and row.status == "partial"
    assert row.cause == "NaN energy; 1 of 3 repeats not used"
    none = read(tmp_path, f"{HEAD},status,cause\na,b,,,failed,one\nb,a,,,failed,two\nc,d,1,1,,\n")[0][0]
    assert not none.used and none.cause == "one; two"


def test_copies_count_once_and_a_wrong_sign_is_refused(tmp_path: Path) -> None:
    rows, account = read(tmp_path, f"{HEAD}\na,b,1.0,0.1\na,b,1.0,0.1\nb,a,-1.0,0.1\n")
    assert rows[0].ddg_error_kcal_per_mol == 0.1 and noted(account).count("counted once") == 2
    assert "the other sign" in refused(tmp_path, f"{HEAD}\na,b,1.0,0.1\nb,a,1.0,0.1\n")
    plain, _ = read(tmp_path, "ligand_a,ligand_b,ddg_kcal_per_mol\na,b,0.5\na,b,0.5\na,b,0.7\n")
    assert plain[0].spread is not None and plain[0].spread.repeats == 3  # rounded, not copied


def test_ddg_against_its_legs(tmp_path: Path) -> None:
    head = f"{HEAD},complex_kcal_per_mol,solvent_kcal_per_mol"
    assert not read(tmp_path, f"{head}\na,b,1.005,0.1,3,2\n")[1].doubts
    assert "unless ΔΔG holds a correction" in noted(read(tmp_path, f"{head}\na,b,1.5,0.1,3,2\n")[1], "warn")
    assert "ΔG of b less that of a in all of them" in refused(tmp_path, f"{head}\na,b,-1,0.1,3,2\n")
    assert "is the unit right?" in noted(read(tmp_path, f"{HEAD}\na,b,77,1\n")[1], "warn")


FAULTS = [
    "row 2: 'a' with itself",
    "row 3, ddg_kcal_per_mol: 'one' is no number",
    "row 4, ddg_error",
    "row 5, ddg_error",
    "'done' is not usable",
    "'GOOD' is not usable",
    "row 8, overlap",
    "row 9, ligand_a: no name",
    "'inf' is no number",
    "row 11, complex_repeats",
    "'A' and 'a' differ in case alone",
]


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = refused(
        tmp_path,
        f"{HEAD},status,verdict,overlap,complex_repeats\n"
        "a,a,1,0.1,,,,\na,b,one,0.1,,,,\na,c,1,0,,,,\na,d,1,-1,,,,\na,e,1,1,done,,,\na,f,1,1,,GOOD,,\na,g,1,1,,,1.5,\n"
        ",h,1,1,,,,\na,i,inf,1,,,,\na,j,1,1,,,,0.5\nA,j,1,1,,,,\n",
    )
    for said in FAULTS:
        assert said in text


@pytest.mark.parametrize("cells", ["1,1e-300", "1,1e300", "1e308,1", "-1e6,1"])
def test_no_free_energy_of_a_molecule(tmp_path: Path, cells: str) -> None:
    assert "row 2, ddg" in refused(tmp_path, f"{HEAD}\na,b,{cells}\nb,c,1,1\n")


@pytest.mark.parametrize("head", ["ligand_a,ligand_b,ddg", "ligand_a,ligand_b,complex_kcal_per_mol"])
def test_no_value_anywhere(tmp_path: Path, head: str) -> None:
    text = refused(tmp_path, f"{head}\na,b,1\n")
    meant = "; is 'ddg' meant?" if head.endswith("ddg") else ""
    assert f"no edge has a ΔΔG{meant} (right: ddg_kcal_per_mol (unit in the name)" in text


def test_openfe_benchmark(tmp_path: Path) -> None:
    head = "ligand_A,ligand_B,lomap_score,exp DDG (kcal/mol),complex_repeat_0_DG (kcal/mol),failed,system group"
    head += ",system name,DDG_bind (kcal/mol),stdev DDG_bind (kcal/mol)"
    rows = "34,25,0.6,0.05,27.0,,charge,cdk2,0.46,0.25\n39,34,0,-1.5,-20.9,True,charge,cdk2,-2.7,0.24\n"
    (row, lost), account = read(tmp_path, f"{head}\n{rows}")
    assert (row.ddg_kcal_per_mol, row.ddg_error_kcal_per_mol, row.experimental_ddg_kcal_per_mol) == (0.46, 0.25, 0.05)
    assert lost.status == "failed" and lost.cause == "failed by the table" and not lost.used
    assert "columns not read: 'lomap_score', 'complex_repeat_0_DG (kcal/mol)'" in noted(account)
    text = refused(tmp_path, f"{head}\n{rows}34,25,0.6,9.05,27.0,,jacs,cdk2,0.46,0.25\n")
    assert text.endswith("system: edges of 2 systems: 'charge cdk2', 'jacs cdk2' (right: one system in a table)")


def test_columns_that_may_be_meant(tmp_path: Path) -> None:
    text = refused(tmp_path, "Ligand 1,Ligand 2,ddG (kcal/mol),err\na,b,1,0.1\n")
    assert "no edge has a ΔΔG; is 'ddG (kcal/mol)' meant? (right: ddg_kcal_per_mol" in text
    text = refused(tmp_path, "ligand_a,ligand_b,ddg_kcal_per_mol,uncertainty (kJ/mol)\na,b,1,0.1\n")
    assert "no edge has an error; is 'uncertainty (kJ/mol)' meant? (right: ddg_error_kcal_per_mol" in text
    assert read(tmp_path, "ligand_a,ligand_b,ddg_kcal_per_mol,err\na,b,1,0.1\na,b,1.2,0.1\n")[0][0].spread
    text = refused(tmp_path, 'ligand_a,ligand_b,ddg_kcal_per_mol\na,b,"1,9"\nb,c,\u22121.2\nc,d,1.2 kcal/mol\n')
    assert "'1,9' is no number (right: a number with a point and a plain minus, as 1.9)" in text
    assert "as -1.2)" in text and "'1.2 kcal/mol' is no number (right: a number)" in text
    assert "no edge has a ΔΔG" not in text


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (
            "# Experimental block\n# Ligand, expt_DG, expt_dDG",
            "table of cinnabar (right: its calculated edges under liga",
        ),
        ("labelA,labelB,DDG (kcal/mol),uncertainty (kcal/mol),source,computational", "table of cinnabar"),
        ("Ligand1, Ligand2, calc_DDG, calc_dDDG(MBAR), calc_dDDG(additional)", "table of cinnabar"),
        (",labelA,labelB,DDG (kcal/mol),uncertainty (kcal/mol),source,computational", "table of cinnabar"),
        (",label,DG (kcal/mol),uncertainty (kcal/mol),source,computational", "table of cinnabar"),
        ("Short ID, ligand1 -> ligand2, Bennett ddG, Cycle Closure ddG", "report of a map .*right: .*Bennett ddG"),
        ("ligand_i ligand_j DDG", "blanks separate .right: commas or tabs"),
        ("edge,ddG,err", "table of pmx (right: its edges under ligand_a,ligand_b,ddg_kcal_per_mol"),
        ("edge_a_b 1.90 0.10", "table of pmx"),
        ("leg\tligand_i\tligand_j\tDG(i->j) (kcal/mol)", "of single legs .*right: that of openfe gather --report ddg"),
        (
            "ligand\tDG(MLE) (kcal/mol)\tuncertainty (kcal/mol)",
            "of ligands, not of edges .right: that of openfe gather",
        ),
        ("ligand name,DG (kcal/mol),uncertainty (kcal/mol)", "of ligands, not of edges"),
        ('[["LigandNetwork-8e08", {"graphml": 0, "b": 0}]]', "is JSON .*network plan --network"),
    ],
)
def test_tables_of_other_programs_are_refused_in_a_sentence(tmp_path: Path, head: str, words: str) -> None:
    text = refused(tmp_path, f"{head}\na,b,1,0.1,x,True\n")
    assert "problems" not in text
    assert re.search(words.replace("(right", ".right"), text)


def test_a_remark_before_the_header(tmp_path: Path) -> None:
    text = refused(tmp_path, f"# made by x\n{HEAD}\na,b,1,0.1\n")
    assert "row 1: is a comment (right: the names of the columns in the first row: ligand_a" in text


def test_one_experiment_a_pair(tmp_path: Path) -> None:
    head = f"{HEAD},experimental_ddg_kcal_per_mol"
    rows, _ = read(tmp_path, f"{head}\na,b,1,0.1,0.5\nb,a,-1.2,0.1,-0.5\n")
    assert rows[0].experimental_ddg_kcal_per_mol == 0.5
    assert "one value in all its rows" in refused(tmp_path, f"{head}\na,b,1,0.1,0.5\nb,a,-1.2,0.1,0.5\n")


def test_edge_of_repeats() -> None:
    row = edge_of_repeats("a", "b", [(1.0, 0.1), (1.2, 0.1), (1.4, 0.1)], [(0.5, 0.2), (0.7, 0.2)])
    assert row.ddg_kcal_per_mol == pytest.approx(0.6) and row.complex_repeats == 3 and row.solvent_repeats == 2
    assert row.complex_error_kcal_per_mol == pytest.approx(0.2 / math.sqrt(3))
    assert row.solvent_error_kcal_per_mol == pytest.approx(0.1) and row.ddg_error_kcal_per_mol is None
    assert row.spread is not None and row.spread.variance == pytest.approx(0.04 / 3 + 0.01)
    expected = (0.04 / 3 + 0.01) ** 2 / ((0.04 / 3) ** 2 / 2 + 0.01**2)
    assert row.spread.dof == pytest.approx(expected)
    assert row.spread.mbar_variance == pytest.approx(0.1**2 / 3 + 0.2**2 / 2)
    lost = edge_of_repeats("a", "b", [], [(0.5, None)])
    assert lost.status == "failed" and not lost.used


def test_legs_of_solvation_make_the_difference(tmp_path: Path) -> None:
    head = "ligand_a,ligand_b,solvent_kcal_per_mol,solvent_error_kcal_per_mol,vacuum_kcal_per_mol"
    (row,), _ = read(tmp_path, f"{head},vacuum_error_kcal_per_mol\na,b,3.0,0.3,2.5,0.4\n")
    assert row.ddg_kcal_per_mol == pytest.approx(0.5) and row.ddg_error_kcal_per_mol == pytest.approx(0.5)
    told = refused(tmp_path, f"{head},ddg_kcal_per_mol\na,b,3.0,0.3,2.5,-0.5\n")
    assert "solvent less vacuum 0.5 kcal/mol" in told
