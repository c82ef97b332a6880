"""Tables of a network: ``edges.csv``, ``ligands.csv``, ``cycles.csv``, and Parquet beside them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.binding.network.analyse_network import LIGAND_COLUMNS, LigandRow, NetworkAnalysis
from gibbsflow.binding.network.closures import Cycle
from gibbsflow.binding.network.edge_row import EdgeRow, columns_of
from gibbsflow.binding.network.maximum_likelihood import ALPHA
from gibbsflow.report.tables.cells import cell
from gibbsflow.report.tables.results_table import DECIMALS
from gibbsflow.workflow.files import atomic_open

_WHOLE = ("rank", "component", "edges", "complex_repeats", "solvent_repeats", "vacuum_repeats")
CYCLE_COLUMNS = ("ligands", "edges", "closure_kcal_per_mol", "error_kcal_per_mol", "z", "verdict")


def write_tables(analysis: NetworkAnalysis, folder: Path) -> list[Path]:
    """Write the tables of a network.

    Parameters
    ----------
    analysis
        What they show.
    folder
        Where to.

    Returns
    -------
    list of Path
        What was written.
    """
    folder, written = Path(folder), []
    for name, columns, rows in (
        ("edges", columns_of(analysis.edges), analysis.edges),
        ("ligands", LIGAND_COLUMNS, analysis.ligands),
    ):
        write_csv(rows, columns, folder / f"{name}.csv")
        write_parquet(rows, columns, folder / f"{name}.parquet")
        written += [folder / f"{name}.csv", folder / f"{name}.parquet"]
    with atomic_open(folder / "cycles.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CYCLE_COLUMNS)
        for cycle in analysis.cycles:
            figures = (cycle.closure_kcal_per_mol, cycle.error_kcal_per_mol, cycle.z)
            verdict = "WARN" if open_cycle(cycle, len(analysis.cycles)) else "PASS"
            writer.writerow(map(_text, (str(cycle), len(cycle.ligands), *figures, verdict)))
    return [*written, folder / "cycles.csv"]


def open_cycle(cycle: Cycle, cycles: int) -> bool:
    """Whether a cycle fails to close.

    Parameters
    ----------
    cycle
        The cycle.
    cycles
        How many there are.

    Returns
    -------
    bool
        True where one of so many would do so in fewer than one network of twenty.
    """
    return cycle.p(cycles) < ALPHA


def write_csv(rows: Sequence[EdgeRow] | Sequence[LigandRow], columns: Sequence[str], path: Path) -> None:
    """Write rows: numbers to four decimals, empty where not known, no cell that is taken for a formula.

    Parameters
    ----------
    rows, columns
        The table.
    path
        File to write.
    """
    with atomic_open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(getattr(row, name)) for name in columns] for row in rows)


def write_parquet(rows: Sequence[EdgeRow] | Sequence[LigandRow], columns: Sequence[str], path: Path) -> None:
    """Write the same rows, unrounded, with types.

    Parameters
    ----------
    rows, columns
        The table.
    path
        File to write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def _type(name: str) -> pa.DataType:
        return pa.float64() if name.endswith("per_mol") or name == "overlap" else _words(name)

    def _words(name: str) -> pa.DataType:
        return pa.int32() if name in _WHOLE else pa.string()

    schema = pa.schema([(name, _type(name)) for name in columns])
    table = pa.table({name: [getattr(row, name) for row in rows] for name in columns}, schema=schema)
    with atomic_open(path) as file:
        pq.write_table(table, file)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DECIMALS}f}" if isinstance(value, float) else str(cell(" ".join(str(value).split())))


def ligand_text(analysis: NetworkAnalysis) -> str:
    """Lay the ranking out for a terminal.

    Parameters
    ----------
    analysis
        Of the network.

    Returns
    -------
    str
        A line a ligand below a head, and then what was found of the network.
    """
    longest = max([len(row.ligand) for row in analysis.ligands] + [6])
    lines = [f"{'ligand':{longest}}{'ΔG':>9}{'error':>8}{'exp.':>8}  edges  verdict   (kcal/mol)"]
    component = None
    for row in analysis.ligands:
        if row.component != component and component is not None:
            lines.append("")
        component = row.component
        numbers = [row.dg_kcal_per_mol, row.dg_error_kcal_per_mol, row.experimental_dg_kcal_per_mol]
        shown = [f"{'' if n is None else format(n, '.2f'):>{w}}" for n, w in zip(numbers, (9, 8, 8), strict=True)]
        lines.append(f"{row.ligand:{longest}}{''.join(shown)}{row.edges:7d}  {row.verdict:7} {row.cause}".rstrip())
    found = analysis.figures
    lines.append(
        f"{found['edges_used']} of {found['edges']} edges, {found['cycles']['independent']} independent cycles"
    )
    for said in found["agreement"]["ligands"]:
        tau = said["kendall_tau"]
        text = f"component {said['component']}, centred, {said['count']} ligands: "
        text += f"RMSE {_interval(said['rmse_kcal_per_mol'])}, MUE {_interval(said['mue_kcal_per_mol'])} kcal/mol"
        lines.append(text + (f", Kendall's tau {_interval(tau)}" if tau else ""))
    lines.append("\n  ".join([f"network: {found['verdict']}", *found["reasons"]]))
    return "\n".join(lines)


def _interval(said: dict[str, float]) -> str:
    return f"{said['value']:.3f} [{said['low']:.2f}, {said['high']:.2f}]"
