"""The table of a campaign: one row for every row of the samplesheet, also for those that failed."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from gibbsflow.binding.analyse.enough.rounds import KEY as SAMPLING
from gibbsflow.binding.analyse.enough.rounds import StoppedBy
from gibbsflow.binding.analyse.entropy.split import FIGURES as FIGURES_OF_SPLIT
from gibbsflow.binding.analyse.entropy.split import KEY as SPLIT
from gibbsflow.binding.campaign.phases import ANALYSIS
from gibbsflow.config.launch.samplesheet_columns import NAME_PATTERN
from gibbsflow.config.modes import COMPARING, MODES
from gibbsflow.errors import GibbsflowError, StateError, one_line, shown
from gibbsflow.report.tables.cells import cell
from gibbsflow.workflow.files import atomic_open, read_json
from gibbsflow.workflow.result import Status, failed_status
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.state.attempts import read_attempts
from gibbsflow.workflow.state.killed import read_killed
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.state_folder import is_aside
from gibbsflow.workflow.watch.log_tails import tail

NOT_FINISHED = "not finished"
DECIMALS = 4


@dataclass(frozen=True)
class TableRow:
    """One row of ``results.csv``, columns in its order (docs/contracts.md).

    Attributes
    ----------
    transformation, ligand, mode, status, verdict
        As in ``record.json``; the ligand's name stands for a transformation that has no record.
    dg_kcal_per_mol, dg_error_kcal_per_mol, mbar_error_kcal_per_mol
        Standard binding free energy, its standard error (replicates and within them), and MBAR's own, kcal/mol.
    replicates
        Repeats that the value rests on.
    experimental_dg_kcal_per_mol
        Measured binding free energy, kcal/mol, from the samplesheet.
    cause
        Of a failure; in a finished row, what was begun anew.
    notes
        How many assumptions the record names (``preparation``: notes and warnings).
    ci95_low_kcal_per_mol, ci95_high_kcal_per_mol
        Ends of the 95 % interval, kcal/mol.
    stopped_by
        Why legs were not sampled longer, where an error was to be reached: ``target``, ``budget``, ``no progress``,
        ``rounds`` or ``failure``.
    dh_kcal_per_mol, dh_error_kcal_per_mol, minus_tds_kcal_per_mol, minus_tds_error_kcal_per_mol
        Enthalpy and −TΔS with their standard errors; columns that are there where a record has them (`entropy`).
    """

    transformation: str
    ligand: str
    mode: str
    status: str
    verdict: str = ""
    dg_kcal_per_mol: float | None = None
    dg_error_kcal_per_mol: float | None = None
    mbar_error_kcal_per_mol: float | None = None
    replicates: int | None = None
    experimental_dg_kcal_per_mol: float | None = None
    cause: str = ""
    notes: int | None = None
    ci95_low_kcal_per_mol: float | None = None
    ci95_high_kcal_per_mol: float | None = None
    stopped_by: str = ""
    dh_kcal_per_mol: float | None = None
    dh_error_kcal_per_mol: float | None = None
    minus_tds_kcal_per_mol: float | None = None
    minus_tds_error_kcal_per_mol: float | None = None


_ALL = tuple(field.name for field in fields(TableRow))
COLUMNS = tuple(name for name in _ALL if name not in FIGURES_OF_SPLIT)
_TYPES: Mapping[str, type | tuple[type, ...]] = {"replicates": int, "notes": int} | {
    name: (int, float) for name in _ALL if name.endswith("per_mol")
}
_WORDS: dict[str, Collection[str]] = {
    "mode": MODES,
    "status": get_args(Status),
    "verdict": ("", "PASS", "WARN", "FAIL"),
    "stopped_by": ("", *get_args(StoppedBy)),
}


def failures(state: Path | None) -> dict[str, sentinels.Sentinel]:
    """Find the newest failure of each item below the state folder of a campaign.

    That is a FAILED sentinel; where there is none, what an attempt that did not finish has left in ``attempts.json``,
    or the head of the run has noted of a task that was killed, whichever is newer. An analysis that fails may do so for
    want of what had failed before it, so that the newest of that is told with it.

    Parameters
    ----------
    state
        Folder of the campaign's state; None for none.

    Returns
    -------
    dict
        By the ligand's name, which is that of the second folder below the campaign's.
    """
    found: dict[str, sentinels.Sentinel] = {}
    if state is None:
        return found
    unfinished: dict[str, sentinels.Sentinel] = {}
    analyses: dict[str, sentinels.Sentinel] = {}
    for folder, below, names in os.walk(state):
        below[:] = [name for name in below if not is_aside(Path(name))]
        told, into = (_failure(Path(folder)), found) if "FAILED" in names else (_unfinished(Path(folder)), unfinished)
        if told is None:
            continue
        parts = Path(folder).relative_to(state).parts
        if into is found and parts[2:] == (ANALYSIS,):
            into = analyses
        for ligand in parts[1:2]:
            if ligand not in into or into[ligand].time <= told.time:
                into[ligand] = told
    for ligand, told in analyses.items():
        before = found.get(ligand)
        if before is None:
            found[ligand] = told
        elif before.time <= told.time:
            found[ligand] = replace(told, message=f"{told.message}; before it {before.cause}: {before.message}")
    for one in read_killed(state):
        ligand = one.item.partition(" ")[0]
        if ligand not in unfinished or unfinished[ligand].time <= one.at:
            said = tail(one.log_file).text.splitlines() if one.log_file is not None and one.log_file.is_file() else []
            told = sentinels.Sentinel("FAILED", "", cause=one.cause, message=one.text, time=one.at, log=said)
            unfinished[ligand] = told
    return unfinished | found


def _failure(folder: Path) -> sentinels.Sentinel | None:
    try:
        return read_sentinel(folder, "FAILED")
    except StateError as error:
        return sentinels.Sentinel("FAILED", "", cause="State", message=f"{folder}/FAILED: {error}", time="")


def _unfinished(folder: Path) -> sentinels.Sentinel | None:
    """How the last attempt ended, where it did not finish."""
    try:
        history = read_attempts(folder)
    except StateError as error:
        return sentinels.Sentinel("FAILED", "", cause="State", message=str(error), time="")
    if not history or history[-1].end == "finished":
        return None
    last = history[-1]
    cause = {"": "Lost", "lost": "Lost", "stopped": "Stopped"}.get(last.end, last.cause)
    message = last.message or f"{last.by} was killed"
    return sentinels.Sentinel("FAILED", last.inputs_hash, cause=cause, message=message, time=last.ended or last.began)


def failed_row(
    ligand: str,
    mode: str,
    experiment: float | None,
    sentinel: sentinels.Sentinel | None,
    unknown: Sequence[str] = (),
) -> TableRow:
    """Make the row of a ligand without a record.

    Parameters
    ----------
    ligand
        Its name.
    mode
        Mode of the campaign.
    experiment
        Measured binding free energy, kcal/mol; None where there is none.
    sentinel
        Its failure, from :func:`failures`; None where none was recorded.
    unknown
        What is wrong with records of which nothing tells the ligand: one may be this ligand's.

    Returns
    -------
    TableRow
        With verdict FAIL and the failure's cause.
    """
    status: str = "failed"
    cause = f"{NOT_FINISHED} (or its record is: {unknown[0]})" if unknown else NOT_FINISHED
    if sentinel is not None:
        status = failed_status(sentinel.cause)
        cause = one_line(f"{sentinel.cause}: {' '.join(sentinel.message.split())}", 2000)
    return TableRow(ligand, ligand, mode, status, "FAIL", experimental_dg_kcal_per_mol=experiment, cause=cause)


def unusable_row(
    ligand: str, mode: str, experiment: float | None, folders: Sequence[Path], error: Exception
) -> TableRow:
    """Make the row of a ligand whose record cannot be used.

    Parameters
    ----------
    ligand, mode, experiment
        As in :func:`failed_row`.
    folders
        Where its record lies.
    error
        What was raised on reading it.

    Returns
    -------
    TableRow
        With verdict FAIL, and the fault as its cause.
    """
    what = str(error) if isinstance(error, GibbsflowError) else f"{type(error).__name__}: {error}"
    cause = f"Record: {folders[0]} is damaged or of another version ({one_line(what, 300)})"
    return TableRow(ligand, ligand, mode, "failed", "FAIL", experimental_dg_kcal_per_mol=experiment, cause=cause)


def record_row(record: Mapping[str, Any]) -> TableRow:
    """Make the row of a record, whose values are of the types that the table has.

    Parameters
    ----------
    record
        Content of a ``record.json``.

    Returns
    -------
    TableRow
        With the record's values.

    Raises
    ------
    KeyError, TypeError, ValueError
        For what is no record of today's form.
    """
    values: dict[str, Any] = {name: record.get(name) for name in COLUMNS}
    preparation = record.get("preparation", {})
    values["notes"] = len(preparation.get("notes", [])) + len(preparation.get("warnings", []))
    values["cause"] = record.get("cause") or "; ".join(_anew(item) for item in record.get("begun_anew", []))
    values["stopped_by"] = record.get(SAMPLING, {}).get("stopped_by", "")
    values |= {name: record.get(SPLIT, {}).get(name) for name in FIGURES_OF_SPLIT}
    values = {name: value for name, value in values.items() if value is not None}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, _TYPES.get(name, str)):
            raise TypeError(f"{name} is {shown(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}")
    for name, known in _WORDS.items():
        if values.get(name, "") not in known:
            raise ValueError(f"{name} is {shown(values.get(name))}")
    edge = values["mode"] in COMPARING  # an edge is a~b
    for name in ("ligand", "transformation"):
        ends = str(values[name]).split("~") if edge else [values[name]]
        if len(ends) != 1 + edge or not all(re.fullmatch(NAME_PATTERN, end) for end in ends):
            raise ValueError(f"{name} is {shown(values[name])}")
    return TableRow(**values)


def _anew(item: Mapping[str, Any]) -> str:
    """What was begun anew, in words, such as ``complex replicate 0: attempt 2 with a time step of 2 fs``."""
    text = f"{item['what']}: attempt {item['attempt']} with a time step of {item['settings_used']['timestep_fs']:g} fs"
    before = item.get("failed_before") or item.get("set_aside")
    return text + (f", after {' '.join(before.split())}" if before else "")


def _columns(rows: Sequence[TableRow]) -> tuple[str, ...]:
    """Columns of the table: those of a split where any row has one."""
    return _ALL if any(row.dh_kcal_per_mol is not None for row in rows) else COLUMNS


def write_csv(rows: Sequence[TableRow], path: Path) -> None:
    """Write ``results.csv``: numbers to four decimals, empty where not known, no cell that is taken for a formula.

    Parameters
    ----------
    rows
        The campaign's table.
    path
        File to write.
    """
    with atomic_open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns := _columns(rows))
        writer.writerows([_text(getattr(row, name)) for name in columns] for row in rows)


def write_parquet(rows: Sequence[TableRow], path: Path) -> None:
    """Write ``results.parquet``: the same rows, unrounded, with types.

    Parameters
    ----------
    rows
        The campaign's table.
    path
        File to write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"replicates": pa.int32(), "notes": pa.int32()} | {
        name: pa.float64() for name in _ALL if name.endswith("per_mol")
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in _columns(rows)])
    table = pa.table({name: [getattr(row, name) for row in rows] for name in schema.names}, schema=schema)
    with atomic_open(path) as file:
        pq.write_table(table, file)


def index_records(folders: Sequence[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    """Find the record of each ligand; the records themselves are not kept.

    Parameters
    ----------
    folders
        Outputs of `analysis transformation`, or of `equil analyse` in mode md.

    Returns
    -------
    index
        Folders by ligand; one, where all is well.
    unknown
        What is wrong with each folder of which nothing tells the ligand.
    """
    index: dict[str, list[Path]] = {}
    unknown: list[str] = []
    for folder in map(Path, folders):
        try:
            content = read_json(folder / ("record.json" if (folder / "record.json").exists() else "system.json"))
            ligand = content.get("ligand") or content.get("meta", {}).get("ligand") or content["name"]
            index.setdefault(ligand if isinstance(ligand, str) else shown(ligand), []).append(folder)
        except (StateError, OSError, AttributeError, KeyError, TypeError) as error:
            told = str(error) if isinstance(error, StateError | OSError) else f"{folder}: names no ligand"
            unknown.append(one_line(told, 300))
    return index, unknown


def leg_text(figures: Mapping[str, Any]) -> str:
    """Lay the estimates of a leg out for a terminal, with the errors of each, and the error and verdict of the leg.

    Parameters
    ----------
    figures
        Figures of `analysis leg`: ``mbar``, ``bar`` and ``ti``, each in kT and kcal/mol or with the reason why not.

    Returns
    -------
    str
        A line an estimator, below a head; after them the verdict, and a line a reason.
    """
    lines = [f"{'':6}{'ΔG/kT':>10}{'error':>9}{'kcal/mol':>11}{'error':>9}"]
    for name in ("mbar", "bar", "ti"):
        values = [figures[name][key] for key in ("dg_kt", "dg_error_kt", "dg_kcal_per_mol", "dg_error_kcal_per_mol")]
        if values[0] is None:
            lines.append(f"{name.upper():6}{figures[name]['reason']}")
        else:
            rule = figures[name].get("integration_error_kcal_per_mol")
            spacing = f"  and {rule:.4f} by the spacing of states" if rule is not None else ""
            lines.append(f"{name.upper():6}{values[0]:10.4f}{values[1]:9.4f}{values[2]:11.4f}{values[3]:9.4f}{spacing}")
    if (error := figures.get("dg_error_kcal_per_mol")) is not None:
        value = figures["mbar"]["dg_kcal_per_mol"]
        lines.append(f"{'leg':6}{'':19}{value:11.4f}{error:9.4f}  by {figures['dg_error_method']}")
    if split := figures.get(SPLIT):
        for name, words in (("dh", "ΔH"), ("minus_tds", "−TΔS")):
            value, error = split[f"{name}_kcal_per_mol"], split[f"{name}_error_kcal_per_mol"]
            lines.append(f"{words:6}{'':19}{value:11.4f}{error:9.4f}")
    if motion := figures.get("slow_motion"):
        lines.append(
            f"slow motion: the halves of its windows differ with p = {motion['p']:.2g} (below 0.02 it is a doubt);"
        )
        lines.append("  what a window never left shows in other replicates alone: `analysis transformation`")
    lines += [f"verdict: {figures['verdict']}", *(f"  {reason}" for reason in figures["reasons"])]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DECIMALS}f}" if isinstance(value, float) else str(cell(" ".join(str(value).split())))
