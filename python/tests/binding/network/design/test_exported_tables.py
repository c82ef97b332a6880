"""Tables of other programs: one set a table, and columns that may be meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gibbsflow.binding.network.design.exported_tables import OTHERS, UNLIKE, check_one_system, meant
from gibbsflow.binding.network.design.sheet import SheetRow
from gibbsflow.binding.network.edge_row import COLUMNS
from gibbsflow.errors import InputError


def test_a_table_holds_one_system() -> None:
    of_one = [SheetRow(line, {"system_group": "jacs", "system": "cdk2"}) for line in (2, 3)]
    check_one_system(of_one, Path("e.csv"))
    check_one_system([SheetRow(2, {})], Path("e.csv"))
    with pytest.raises(InputError, match="edges of 2 systems: 'jacs cdk2', 'jacs tyk2'"):
        check_one_system([*of_one, SheetRow(4, {"system_group": "jacs", "system": "tyk2"})], Path("e.csv"))


def test_columns_that_may_be_meant_are_named() -> None:
    rows = [SheetRow(2, {}, unread=("ddG (kcal/mol)", "stdev", "comment"))]
    assert meant(rows) == "; is 'ddG (kcal/mol)' meant?" and meant(rows, error=True) == "; is 'stdev' meant?"
    assert meant([]) == "" == meant([SheetRow(2, {})])


def test_columns_of_others_are_ours_and_no_sound_header_is_taken_for_another_table() -> None:
    assert set(OTHERS.values()) <= {*COLUMNS, "ddg_sd_kcal_per_mol", "system_group", "system"}
    for header in (",".join(COLUMNS), "ligand_i\tligand_j\tDDG(i->j) (kcal/mol)\tuncertainty (kcal/mol)"):
        assert not any(re.match(form, header, re.IGNORECASE) for form in UNLIKE)
