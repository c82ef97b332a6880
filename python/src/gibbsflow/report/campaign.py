"""What a campaign leaves: table, records, figures, report and their manifest. One record is in memory at a time."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from gibbsflow.binding.analyse.ensemble.pose_sum import OF_POSE, combine_poses
from gibbsflow.binding.analyse.transformation import FILE_NAME as RECORD
from gibbsflow.binding.analyse.transformation import analyse_md
from gibbsflow.binding.campaign.edges import NETWORK
from gibbsflow.binding.network.campaign_network import (
    analyse_campaign_network,
    lost_edge,
    row_of_record,
    with_differences,
)
from gibbsflow.binding.network.design.links import Edge
from gibbsflow.binding.network.design.network_files import read_network
from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.binding.prepare.samplesheet import read_ligands, read_pose_groups
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.errors import StateError, shown
from gibbsflow.report.costs import FILE_NAME as COSTS
from gibbsflow.report.costs import campaign_costs, write_costs
from gibbsflow.report.figures.figure_data import figure_data
from gibbsflow.report.figures.leg_figures import record_figures
from gibbsflow.report.figures.svg import svg_file
from gibbsflow.report.network import write_analysis
from gibbsflow.report.page import MAX_DRAWN_BYTES, draw_item, write_page
from gibbsflow.report.summary import methods_text
from gibbsflow.report.summary.multiqc import write_multiqc
from gibbsflow.report.tables import results_table
from gibbsflow.report.tables.failed_items import failed_items
from gibbsflow.report.tables.protonation_table import ProtonationTable, take_in, write_protonation
from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow import artifacts
from gibbsflow.workflow.files import atomic_open, read_json, within, write_json
from gibbsflow.workflow.folders.places import folder_fault
from gibbsflow.workflow.state.sentinels import Sentinel

log = logging.getLogger(__name__)

_KIND = {".csv": "table", ".parquet": "table", ".svg": "figure"}


def write_campaign(
    samplesheet: Path,
    folders: Sequence[Path],
    config: BindingConfig,
    state: Path | None,
    out: Path,
    network: Path | None = None,
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
    network
        Output of `network edges` whose edges are the rows, in a mode of edges; None for none.

    Returns
    -------
    list of TableRow
        One for each row of the samplesheet, then one for each ligand whose poses are rows; or one for each edge.

    Raises
    ------
    InputError
        For a samplesheet that cannot be used. A record that cannot be used fails its ligand, and no other.
    """
    out = Path(out).absolute()  # the store takes relative paths as relative to itself
    asked = read_ligands(samplesheet)
    relative = MODES[config.run.mode].compares
    edges = {} if network is None else {str(edge): edge for edge in read_network(network / NETWORK, whole=False).edges}
    ligands = asked if not relative else with_differences(edges.values(), asked)
    index, unknown = results_table.index_records(folders)
    strays = [
        f"{name}: a record of no {'edge' if relative else 'ligand'} of {network if relative else samplesheet}"
        for name in index.keys() - {name for name, _ in ligands}
    ]
    for stray in [*unknown, *sorted(strays)]:
        log.warning("%s", stray)
    failed = results_table.failures(state)
    groups = {} if relative or not MODES[config.run.mode].free_energies else read_pose_groups(samplesheet)
    pose_of = {name: ligand for ligand, names in groups.items() for name in names}
    records_of_poses: dict[str, dict[str, Any]] = {}
    items = len(ligands) + len(groups)
    costs = campaign_costs(state, config.md, config.costs)
    (out / artifacts.FILE_NAME).unlink(missing_ok=True)
    store = artifacts.ArtifactStore(out)
    rows: list[TableRow] = []
    edge_rows: dict[str, EdgeRow] = {}
    notes: dict[str, str] = {}
    methods = methods_text.Campaign()
    protonation: list[ProtonationTable] = []
    drawn_bytes, sites = 0, False
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / f"{number}.html" for number in range(items)]
        for place, (ligand, experiment) in enumerate(ligands):
            failure = failed.get(ligand) or (_why_lost(edges[ligand], failed) if relative else None)
            row = results_table.failed_row(ligand, config.run.mode, experiment, failure, unknown)
            record, drawn, notes[ligand] = None, None, ""
            if ligand in index:
                try:
                    record, figures = _read_record(index[ligand], experiment)
                    finished = results_table.record_row(record)
                    if finished.ligand != ligand or any(
                        finished.transformation == other.transformation for other in rows
                    ):
                        raise ValueError(f"{finished.transformation} of {finished.ligand} is another's name")
                    cost = costs.items.get(ligand) if costs else None
                    draw = drawn_bytes < MAX_DRAWN_BYTES
                    number = take_in(protonation, ligand, record)
                    drawn = draw_item(
                        finished, record, figures, config, items, draw=draw, cost=cost, protonation=number
                    )
                    drawn_bytes, sites = drawn_bytes + len(drawn), sites or bool(record.get("site"))
                    row, notes[ligand] = finished, _note(record)
                    edge_rows |= {ligand: row_of_record(record)} if relative else {}
                    methods_text.Campaign().add(record)  # one that it cannot be asked of is damaged, as above
                except Exception as error:  # noqa: BLE001 - whatever a record holds, its row says so, and the others stand
                    drawn = None
                    row = results_table.unusable_row(ligand, config.run.mode, experiment, index[ligand], error)
                    log.warning("%s: %s", ligand, row.cause)
            if drawn is not None and record is not None:
                _take_over(record, figures, out, store)
                methods.add(record)
                if ligand in pose_of:
                    records_of_poses[ligand] = {key: record.get(key) for key in OF_POSE}
            with atomic_open(parts[place], "w") as part:  # its error names the file where there is no room
                part.write(drawn or draw_item(row, None, {}, config, items))
            rows.append(row)
        for place, (ligand, names) in enumerate(groups.items(), start=len(ligands)):
            row, record, figures = _summed(ligand, names, rows, records_of_poses, config.run.mode, Path(folder))
            with atomic_open(parts[place], "w") as part:
                part.write(draw_item(row, record, {}, config, items))
            notes[ligand] = "" if record is None else _note(record)
            if record is not None:
                _take_over(record, figures, out, store)
            rows.append(row)
        found = None
        if relative:
            of_edges = [edge_rows.get(r.ligand) or lost_edge(edges[r.ligand], r.status, r.cause) for r in rows]
            lost = {name: f"{one.cause}: {one.message}" for name, one in failed.items()}
            found = analyse_campaign_network(of_edges, dict(asked), lost, config.relative.anchor, config.run.seed)
            for path in write_analysis(found, out):
                store.add(path.stem if path.suffix != ".parquet" else path.name, path, _KIND[path.suffix])
        results_table.write_csv(rows, out / "results.csv")
        results_table.write_parquet(rows, out / "results.parquet")
        write_page(
            rows, (part.read_text() for part in parts), notes, config, out, pose_of, found,
            failed=failed_items(rows, failed, state), costs=costs, sites=sites,
            protonation=protonation,
        )  # fmt: skip
        for path in write_protonation(protonation, out):
            store.add(path.stem, path, "table")
        if costs is not None:
            write_costs(costs, out / COSTS)
            store.add("costs", out / COSTS, "table")
    store.add("results", out / "results.csv", "table")
    store.add("results.parquet", out / "results.parquet", "table")
    store.add("report", out / "report.html", "report")
    with atomic_open(out / methods_text.FILE_NAME, "w") as file:
        file.write(methods_text.methods_text(methods))
    store.add("methods", out / methods_text.FILE_NAME, "report")
    for path in write_multiqc(rows, out, "campaign" if state is None else Path(state).absolute().name):
        store.add(path.stem, path, "table")
    store.write()
    return rows


def _why_lost(edge: Edge, failed: Mapping[str, Sentinel]) -> Sentinel | None:
    """Why an edge that never began is lost: what has become of one of its ligands, or what the plan says."""
    name = next((name for name in (edge.ligand_a, edge.ligand_b) if name in failed), None)
    if name is not None:
        return replace(failed[name], message=f"{name}: {failed[name].message}")
    return Sentinel("FAILED", "", cause="Input", message=edge.cause) if edge.cause else None


def terminal_table(rows: Sequence[TableRow]) -> str:
    """Lay the table out for a terminal.

    Parameters
    ----------
    rows
        The campaign's table.

    Returns
    -------
    str
        Plain text; without free energies where no row is of a mode that has them.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    md = not any(MODES[row.mode].free_energies for row in rows)
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


def _read_record(folders: Sequence[Path], experiment: float | None) -> tuple[dict[str, Any], dict[str, Path]]:
    """Record of a ligand, and the files of its figures by name."""
    if len(folders) > 1:
        raise StateError(f"{len(folders)} records of it: {', '.join(map(str, folders))}")
    folder = folders[0]
    if (folder / RECORD).exists():
        record: dict[str, Any] = read_json(folder / RECORD)
        figures = {name: within(folder, file) for name, file in record.get("figures", {}).items()}
    else:
        system = SimSystem.read(folder)
        record = analyse_md(system)
        figures = {"equilibration": system.path("equil_plot")} if "equil_plot" in system.artifacts else {}
    for name, file in figures.items():
        if not file.is_file() or folder_fault(name):
            log.warning("%s: the figure %s is gone", folder, shown(name))
    figures = {name: file for name, file in figures.items() if file.is_file() and not folder_fault(name)}
    record["figures"] = {name: f"figures/{record['transformation']}/{name}.svg" for name in figures}
    if experiment is not None:
        record["experimental_dg_kcal_per_mol"] = experiment
    json.dumps(record, allow_nan=False)  # it will be written
    return record, figures


def _summed(
    ligand: str,
    names: Sequence[str],
    rows: Sequence[TableRow],
    records: Mapping[str, Mapping[str, Any]],
    mode: str,
    folder: Path,
) -> tuple[TableRow, dict[str, Any] | None, dict[str, Path]]:
    """Row, record and figures of a ligand whose poses are rows; without a record where they cannot be summed up."""
    of_poses = [row for row in rows if row.ligand in names]
    measured = [row.experimental_dg_kcal_per_mol for row in of_poses if row.experimental_dg_kcal_per_mol is not None]
    experiment = measured[0] if measured else None
    lost = {row.ligand: row.cause for row in of_poses if row.dg_kcal_per_mol is None}
    try:
        if any(row.ligand == ligand for row in rows):
            raise ValueError(f"{ligand} is the name of a row")
        record = combine_poses(ligand, names, records, lost, mode)
        record["experimental_dg_kcal_per_mol"] = experiment
        figures = {}
        for name, svg in record_figures(record).items():
            figures[name] = folder / f"{ligand}.{name}.svg"
            figures[name].write_text(svg_file(svg))
        record["figures"] = {name: f"figures/{ligand}/{name}.svg" for name in figures}
        return results_table.record_row(record), record, figures
    except Exception as error:  # noqa: BLE001 - whatever the records hold, this row says so, and the others stand
        row = results_table.unusable_row(ligand, mode, experiment, [Path(name) for name in names], error)
        log.warning("%s: %s", ligand, row.cause)
        return row, None, {}


def _take_over(
    record: Mapping[str, Any], figures: Mapping[str, Path], out: Path, store: artifacts.ArtifactStore
) -> None:
    name = record["transformation"]
    for figure, source in figures.items():
        target = out / record["figures"][figure]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # not through a link
        shutil.copyfile(source, target)
        store.add(f"{name}/{figure}", target, "figure")
    for figure, text in figure_data(record).items():
        if figure in figures:
            with atomic_open(beside := out / Path(record["figures"][figure]).with_suffix(".csv"), "w") as file:
                file.write(text)
            store.add(f"{name}/{figure}.csv", beside, "table")
    write_json(out / f"record.{name}.json", record)
    store.add(f"{name}/record", out / f"record.{name}.json", "record", status=record["status"])


def _note(record: Mapping[str, Any]) -> str:
    reasons = record["reasons"]
    if not reasons and "ligand_site_distance_angstrom" in record:
        distance = record["ligand_site_distance_angstrom"]
        return "stayed in its site" + (f", {distance:.2f} Å from its centre" if distance is not None else "")
    return reasons[0] + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "") if reasons else ""


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
