"""A row of edges.csv: turned round, and which columns a table has."""

from __future__ import annotations

from gibbsflow.binding.network.edge_row import COLUMNS, EdgeRow, columns_of, reversed_row


def test_reversed_row() -> None:
    row = EdgeRow(
        "a", "b", 1.0, 0.1, complex_kcal_per_mol=3.0, solvent_kcal_per_mol=2.0, experimental_ddg_kcal_per_mol=0.5
    )
    turned = reversed_row(row)
    assert (turned.ligand_a, turned.ddg_kcal_per_mol, turned.ddg_error_kcal_per_mol) == ("b", -1.0, 0.1)
    assert turned.complex_kcal_per_mol == -3 and turned.experimental_ddg_kcal_per_mol == -0.5
    assert reversed_row(turned) == row and row.name == "a~b" and row.pair == turned.pair


def test_a_table_has_the_columns_of_its_legs() -> None:
    of_binding = EdgeRow("a", "b", 1.0, 0.1, complex_kcal_per_mol=3.0, solvent_kcal_per_mol=2.0)
    of_solvation = EdgeRow("a", "b", 1.0, 0.1, solvent_kcal_per_mol=3.0, vacuum_kcal_per_mol=2.0)
    for rows, missing in (([of_binding], "vacuum_"), ([EdgeRow("a", "b"), of_solvation], "complex_"), ([], "vacuum_")):
        columns = columns_of(rows)
        assert set(COLUMNS) - set(columns) == {name for name in COLUMNS if name.startswith(missing)}
