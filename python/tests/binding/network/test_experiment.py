"""Measured affinities with their units."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gibbsflow.binding.network.experiment import read_measured
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account

KT = 0.0019872042586 * 298.15


def read(tmp_path: Path, text: str, temperature: float | None = None, name: str = "e.csv"):
    path = tmp_path / name
    path.write_text(text)
    account = Account(str(path))
    measured = read_measured(path, account, temperature)
    account.settle()
    return measured, [p.what for p in account.of_weight("note")], [p.what for p in account.of_weight("warn")]


@pytest.mark.parametrize(
    ("kind", "value", "unit", "dg"),
    [
        ("dg", "-8.5", "kcal/mol", -8.5),
        ("ΔG", "-41.84", "kJ/mol", -10.0),
        ("Ki", "10", "nM", KT * math.log(1e-8)),
        ("Kd", "2.5", "µM", KT * math.log(2.5e-6)),
        ("IC50", "1e-9", "M", KT * math.log(1e-9)),
        ("ki", "5", "pM", KT * math.log(5e-12)),
        ("pKi", "8.0", "", KT * math.log(1e-8)),
        ("pkd", "5.5", "M", KT * math.log(10**-5.5)),
    ],
)
def test_long_form(tmp_path: Path, kind: str, value: str, unit: str, dg: float) -> None:
    measured, notes, warnings = read(tmp_path, f"ligand,kind,value,unit\na,{kind},{value},{unit}\nb,{kind},,{unit}\n")
    assert measured.dg_kcal_per_mol == {"a": pytest.approx(dg, rel=1e-6)} and not warnings
    assert any("298.15 K" in note for note in notes) == ("G" not in kind.upper()[:2])
    assert any("IC50 is taken for a Ki" in note for note in notes) == (kind == "IC50")


@pytest.mark.parametrize("column", ["ki_nM", "Ki (nM)", "ki_nm", "Ki [nM]"])
def test_units_in_the_header(tmp_path: Path, column: str) -> None:
    measured, *_ = read(tmp_path, f"ligand,{column}\na,10\n", 300.0)
    assert measured.dg_kcal_per_mol["a"] == pytest.approx(KT / 298.15 * 300 * math.log(1e-8), rel=1e-6)
    assert measured.temperature_k == 300


def test_samplesheet_and_temperature_of_a_row(tmp_path: Path) -> None:
    sheet = "ligand,smiles,experimental_dg_kcal_per_mol\na,CC,-5\nb,CCC,\n"
    assert read(tmp_path, sheet)[0].dg_kcal_per_mol == {"a": -5}
    measured, notes, _ = read(tmp_path, "ligand,kd_uM,temperature_k\na,1,310\n")
    assert measured.dg_kcal_per_mol["a"] == pytest.approx(KT / 298.15 * 310 * math.log(1e-6), rel=1e-6) and not notes
    assert read(tmp_path, "ligand,dg_kj_per_mol\na,-41.84\n")[0].dg_kcal_per_mol["a"] == pytest.approx(-10)


def test_openfe(tmp_path: Path) -> None:
    said = {"a": {"dg": {"magnitude": -9.5, "unit": "kilocalories_per_mole"}, "inchikey": "x"}}
    assert read(tmp_path, json.dumps(said), name="e.json")[0].dg_kcal_per_mol == {"a": -9.5}
    odd = {"magnitude": "x", "unit": "kcal/mol"}
    for wrong, words in (({"a": {"dg": -9.5}}, "no unit"), ({"a": {}}, "0 values"), ({"a": {"dg": odd}}, "no number")):
        with pytest.raises(InputError, match=words):
            read(tmp_path, json.dumps(wrong), name="e.json")
    with pytest.raises(InputError, match="not readable"):
        read(tmp_path, "[1]", name="e.json")


def test_all_faults_at_once(tmp_path: Path) -> None:
    rows = [
        "a,ki,1,",
        "b,ki,1,kcal/mol",
        "c,pki,8,nM",
        "d,ki,>10,nM",
        "e,ki,-1,nM",
        "f,ki,1,nM",
        "f,ki,2,nM",
        "F,ki,2,nM",
        "g,ki,1e-320,pM",
        "h,dg,1e308,kcal/mol",
        "i,pic50,5e-9,",
        "j,pic50,400,",
        "k,pic40,4,",
    ]
    with pytest.raises(InputError) as caught:
        read(tmp_path, "\n".join(["ligand,kind,value,unit", *rows]))
    for said in ("row 2, unit: no unit", "'kcal/mol' is no unit of ki",
                 "'nM' is no unit of pki (right: none, or M)", "'>10' is no number",
                 "-1 nM as a constant", "row 8: 'f' has a value already", "'F' and 'f' differ in case",
                 "no constant of a ligand", "no affinity", "pic50 of 400 is none",
                 "'pic40' is no kind of affinity (right: dg, ki"):  # fmt: skip
        assert said in str(caught.value)


@pytest.mark.parametrize("header", ["ligand,ki", "ligand,value", "ligand,dg", "ligand,value,unit"])
def test_no_unit_no_value(tmp_path: Path, header: str) -> None:
    with pytest.raises(InputError, match="no column with a measured affinity and its unit"):
        read(tmp_path, f"{header}\na,1,nM\n" if header.count(",") > 1 else f"{header}\na,1\n")


def test_two_values_in_one_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'a' has 2 values"):
        read(tmp_path, "ligand,ki_nM,ic50_nM\na,1,2\n")


def test_logarithms_in_columns(tmp_path: Path) -> None:
    measured, notes, warnings = read(tmp_path, "ligand,pIC50,ki_uM\na,7,\nb,,0.1\nc,5e-9,\n")
    assert measured.dg_kcal_per_mol["a"] == pytest.approx(measured.dg_kcal_per_mol["b"])
    assert any("IC50 is taken for a Ki" in note for note in notes)
    assert any("IC50 beside ki" in text for text in warnings)
    assert any("'c': a constant of 1 mol/L" in text for text in warnings)  # a constant given as its logarithm


def test_doubts(tmp_path: Path) -> None:
    _, _, warnings = read(tmp_path, "ligand,kind,value,unit\na,dg,7.9,kcal/mol\nb,ki,5,M\nc,ic50,1,nM\n")
    assert (
        len(warnings) == 3
        and "does not bind" in warnings[0]
        and "5 mol/L" in warnings[1]
        and "IC50 beside" in warnings[2]
    )
