"""What a campaign leaves: table, records, figures, report and their manifest. One record is in memory at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from gibbsflow.binding.analyse.transformation import FILE_NAME as RECORD
from gibbsflow.binding.analyse.transformation import analyse_md
from gibbsflow.binding.prepare.samplesheet import read_ligands
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.report.page import Item, write_page
from gibbsflow.report.tables import results_table
from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow import artifacts
from gibbsflow.workflow.files import read_json, write_json


def write_campaign(
    samplesheet: Path, folders: Sequence[Path], config: BindingConfig, state: Path | None, out: Path
) -> list[TableRow]:
    """Write everything that a campaign leaves.

    Parameters
    ----------
    samplesheet
        CSV; it decides the rows and their order.
    folders
        Outputs of `analysis transformation`, or of `equil analyse` in mode md.
    config
        Settings of the campaign.
    state
        State folder of the campaign, for the causes of failures.
    out
        Folder to write into.

    Returns
    -------
    list of TableRow
        One for each row of the samplesheet.

    Raises
    ------
    InputError
        For a samplesheet or records that cannot be used.
    """
    out = Path(out).absolute()  # the store takes relative paths as relative to itself
    ligands = read_ligands(samplesheet)
    index = results_table.index_records(folders)
    failed = results_table.failures(state)
    (out / artifacts.FILE_NAME).unlink(missing_ok=True)
    store = artifacts.ArtifactStore(out)
    rows: list[TableRow] = []
    notes = dict.fromkeys((ligand for ligand, _ in ligands), "")
    for ligand, experiment in ligands:
        if ligand not in index:
            rows.append(results_table.failed_row(ligand, config.run.mode, experiment, failed.get(ligand)))
            continue
        record = _take_over(index[ligand], experiment, out)
        name = record["transformation"]
        store.add(f"{name}/record", out / f"record.{name}.json", "record", status=record["status"])
        for figure, file in record.get("figures", {}).items():
            store.add(f"{name}/{figure}", out / file, "figure")
        rows.append(results_table.record_row(record))
        notes[ligand] = _note(record)
    results_table.write_csv(rows, out / "results.csv")
    results_table.write_parquet(rows, out / "results.parquet")
    write_page(rows, _records(rows, index, out), notes, config, out)
    store.add("results", out / "results.csv", "table")
    store.add("results.parquet", out / "results.parquet", "table")
    store.add("report", out / "report.html", "report")
    store.write()
    return rows


def terminal_table(rows: Sequence[TableRow]) -> str:
    """Lay the table out for a terminal.

    Parameters
    ----------
    rows
        The campaign's table.

    Returns
    -------
    str
        Plain text; without free energies where all rows are of mode md.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    md = all(row.mode == "md" for row in rows)
    names = ["ligand", "status", "verdict"]
    names += [] if md else ["ΔG kcal/mol", "error", "MBAR error", "repl.", "experiment"]
    shown = Table(*names, "cause", box=box.SIMPLE)
    for row in rows:
        numbers = (row.dg_kcal_per_mol, row.dg_error_kcal_per_mol, row.mbar_error_kcal_per_mol)
        experiment = _text(row.experimental_dg_kcal_per_mol)
        cells = [] if md else [*(_text(value) for value in numbers), str(row.replicates or ""), experiment]
        shown.add_row(row.ligand, row.status, row.verdict, *cells, row.cause)
    text = StringIO()
    Console(file=text, width=140).print(shown)
    return text.getvalue().rstrip()


def _take_over(folder: Path, experiment: float | None, out: Path) -> dict[str, Any]:
    if (folder / RECORD).exists():
        record: dict[str, Any] = read_json(folder / RECORD)
        figures: Mapping[str, str] = record.get("figures", {})
        sources = {name: folder / file for name, file in figures.items()}
    else:
        system = SimSystem.read(folder)
        record = analyse_md(system)
        sources = {"equilibration": system.path("equil_plot")} if "equil_plot" in system.artifacts else {}
    name = record["transformation"]
    record["figures"] = {}
    for figure, source in sources.items():
        relative = Path("figures") / name / f"{figure}.svg"
        (out / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, out / relative)
        record["figures"][figure] = relative.as_posix()
    if experiment is not None:
        record["experimental_dg_kcal_per_mol"] = experiment
    write_json(out / f"record.{name}.json", record)
    return record


def _records(rows: Sequence[TableRow], known: Mapping[str, Path], out: Path) -> Iterator[Item]:
    for row in rows:
        # by the records given now: one left in the folder by an earlier analysis must not stand in
        yield row, read_json(out / f"record.{row.transformation}.json") if row.ligand in known else None


def _note(record: Mapping[str, Any]) -> str:
    reasons = record["reasons"]
    if not reasons and record["mode"] == "md":
        distance = record["ligand_site_distance_angstrom"]
        return "stayed in its site" + (f", {distance:.2f} Å from its centre" if distance is not None else "")
    return reasons[0] + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "") if reasons else ""


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
