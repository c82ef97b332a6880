"""Two campaigns side by side: differences of what both have computed, with errors, and what they did otherwise."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from gibbsflow.config.modes import COMPARING, MODES
from gibbsflow.errors import InputError, Problem, StateError, one_line, shown
from gibbsflow.report.page import environment
from gibbsflow.report.tables.cells import cell
from gibbsflow.version import __version__
from gibbsflow.workflow.files import atomic_open, read_json
from gibbsflow.workflow.input_files import DATA_BYTES, require_file

TABLE, PAGE, RESULTS = "comparison.csv", "comparison.html", "results.parquet"
FAR_Z = 2.0
"""Combined errors beyond which two values are called different; of equal ones, about 5 % are by chance."""
_NEEDED = ("ligand", "mode", "status", "verdict", "dg_kcal_per_mol", "dg_error_kcal_per_mol")
_SECTIONS = ("md", "equil", "fe", "analysis")
_OTHERS = (("param", "ligand_ff"), ("param", "charge_method"))


@dataclass(frozen=True)
class Compared:
    """One ligand (or edge) in both campaigns, or in one.

    Attributes
    ----------
    ligand
        Its name.
    a_dg_kcal_per_mol, a_error_kcal_per_mol, b_dg_kcal_per_mol, b_error_kcal_per_mol
        Value and standard error in each; None where there is none.
    ddg_kcal_per_mol
        Second less first.
    ddg_error_kcal_per_mol
        Of it, the two taken to be independent: the root of the sum of both squares.
    z
        Their ratio; None without an error.
    a_verdict, b_verdict
        In each; empty where it has no such row.
    remark
        ``different`` where |z| is above 2, a change of verdict, or which campaign lacks it and why; what it is called
        in the second where that has another name for the molecule, or which two molecules have one name.
    """

    ligand: str
    a_dg_kcal_per_mol: float | None = None
    a_error_kcal_per_mol: float | None = None
    b_dg_kcal_per_mol: float | None = None
    b_error_kcal_per_mol: float | None = None
    ddg_kcal_per_mol: float | None = None
    ddg_error_kcal_per_mol: float | None = None
    z: float | None = None
    a_verdict: str = ""
    b_verdict: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two campaigns side by side.

    Attributes
    ----------
    mode
        Of both.
    rows
        By ligand: those of the first in its order, then those of the second alone.
    settings
        Setting, value in the first, value in the second, where these differ.
    both
        How many have a value in both.
    mean_kcal_per_mol, rms_kcal_per_mol
        Mean and root mean square of the differences; None where there is none.
    far
        How many are more than two combined errors apart.
    """

    mode: str
    rows: Sequence[Compared]
    settings: Sequence[tuple[str, str, str]]
    both: int
    mean_kcal_per_mol: float | None
    rms_kcal_per_mol: float | None
    far: int


def compare_campaigns(a: Path, b: Path) -> Comparison:
    """Compare the results of two campaigns.

    Parameters
    ----------
    a, b
        Folders of their results.

    Returns
    -------
    Comparison
        Second less first.

    Raises
    ------
    InputError
        For folders without results of free energies, or of two modes.
    """
    first, second = _rows(a), _rows(b)
    modes = [{str(row["mode"]) for row in rows.values()} for rows in (first, second)]
    if modes[0] != modes[1] or len(modes[0]) != 1:
        told = ", ".join(f"{folder}: {' and '.join(sorted(mode))}" for folder, mode in zip((a, b), modes, strict=True))
        raise InputError(Problem(told, "results of unlike kinds", "two campaigns of one mode", field="mode"))
    mode = modes[0].pop()
    if mode not in MODES or not MODES[mode].free_energies:
        raise InputError(Problem(f"{a}, {b}", f"mode {shown(mode)}", "campaigns that have free energies", field="mode"))
    molecules = _molecules(a), _molecules(b)
    joined = _joined(first, second, *molecules)
    elsewhere = {*joined.values()}  # in the row of their molecule in A
    rows = []
    for name in dict.fromkeys([*first, *second]):
        if name in elsewhere:
            continue
        other, known = joined.get(name, name), [of[name] for of in molecules if name in of]
        if name in first and name in second and len(known) > 1 and known[0] != known[1]:
            rows.append(_two_molecules(name, first[name], second[name], *known))
            continue
        turned = other != name and _runs_back(name, other, *molecules)
        row = _compared(name, first.get(name), _turned(second[other]) if turned else second.get(other))
        if other != name:
            said = f"{other} in B" + (", turned round" if turned else "")
            row = replace(row, remark="; ".join([said, *([row.remark] if row.remark else [])]))
        rows.append(row)
    differences = [row.ddg_kcal_per_mol for row in rows if row.ddg_kcal_per_mol is not None]
    return Comparison(
        mode=mode,
        rows=rows,
        settings=_differing(a, b),
        both=len(differences),
        mean_kcal_per_mol=fmean(differences) if differences else None,
        rms_kcal_per_mol=math.sqrt(fmean(one * one for one in differences)) if differences else None,
        far=sum(_is_far(row.z) for row in rows),
    )


def write_comparison(found: Comparison, a: Path, b: Path, out: Path) -> None:
    """Write ``comparison.csv`` and ``comparison.html``.

    Parameters
    ----------
    found
        The comparison.
    a, b
        What the page calls the two campaigns.
    out
        Folder to write into.
    """
    names = [field.name for field in fields(Compared)]
    with atomic_open(Path(out) / TABLE, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(getattr(row, name)) for name in names] for row in found.rows)
    html = environment().get_template("comparison.html.j2").render(
        found=found, a=str(a), b=str(b), mode=MODES[found.mode], version=__version__, far_z=FAR_Z,
        chart_style="",
    )  # fmt: skip
    with atomic_open(Path(out) / PAGE, "w") as file:
        file.write(html)


def comparison_text(found: Comparison) -> str:
    """Lay a comparison out for a terminal.

    Parameters
    ----------
    found
        The comparison.

    Returns
    -------
    str
        A line for each row, settings that differ, and the whole in a line.
    """
    lines = [f"{'':20}{'A':>16}{'B':>16}{'B - A, kcal/mol':>18}{'z':>7}"]
    for row in found.rows:
        values = (
            _value(row.a_dg_kcal_per_mol, row.a_error_kcal_per_mol),
            _value(row.b_dg_kcal_per_mol, row.b_error_kcal_per_mol),
            _value(row.ddg_kcal_per_mol, row.ddg_error_kcal_per_mol),
        )
        z = "" if row.z is None else f"{row.z:.1f}"
        name, remark = one_line(row.ligand, 60), one_line(row.remark, 200)  # from files of others
        lines.append(f"{name:20}{values[0]:>16}{values[1]:>16}{values[2]:>18}{z:>7}  {remark}".rstrip())
    lines += [one_line(f"{name}: {one} | {other}", 500) for name, one, other in found.settings]
    if found.mean_kcal_per_mol is not None and found.rms_kcal_per_mol is not None:
        whole = (
            f"{found.both} in both: mean {found.mean_kcal_per_mol:+.2f}, root mean square {found.rms_kcal_per_mol:.2f}"
        )
        lines.append(f"{whole} kcal/mol; {found.far} beyond {FAR_Z:g} combined errors")
    else:
        lines.append("no ligand has a value in both")
    return "\n".join(lines)


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Rows of a campaign's table by ligand, unrounded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    right = "a folder of results of a binding campaign"
    if Path(folder).is_file():
        raise InputError(Problem(str(folder), "is a file", f"{right} (a table of edges: analysis network --edges)"))
    require_file(Path(folder) / RESULTS, right, DATA_BYTES)
    try:
        table = pq.read_table(Path(folder) / RESULTS)
    except (OSError, pa.ArrowException) as error:
        where = f"{folder}/{RESULTS}"
        raise InputError(Problem(where, f"cannot be read ({one_line(str(error), 200)})", right)) from error
    if lacking := [name for name in _NEEDED if name not in table.column_names]:
        raise InputError(Problem(f"{folder}/{RESULTS}", f"has no {', '.join(lacking)}", right))
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(table.to_pylist(), start=1):
        for name in ("dg_kcal_per_mol", "dg_error_kcal_per_mol"):
            value = row[name]
            if value is not None and (not isinstance(value, int | float) or not math.isfinite(value)):
                what = f"{name} is {shown(value)}"
                raise InputError(Problem(f"{folder}/{RESULTS}", what, "a number", row=number, field=name))
        if not isinstance(row["ligand"], str) or row["ligand"] in found:
            raise InputError(
                Problem(f"{folder}/{RESULTS}", f"{shown(row['ligand'])} twice, or no name", "each once", row=number,
                        field="ligand")
            )  # fmt: skip
        found[row["ligand"]] = row
    if not found:
        raise InputError(Problem(f"{folder}/{RESULTS}", "has no rows", right))
    return found


def _compared(name: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> Compared:
    values = {
        f"{which}_{short}_kcal_per_mol": row[f"{long}_kcal_per_mol"]
        for which, row in (("a", a), ("b", b))
        for short, long in (("dg", "dg"), ("error", "dg_error"))
        if row is not None
    }
    verdicts: dict[str, Any] = {
        f"{which}_verdict": str(row["verdict"]) for which, row in (("a", a), ("b", b)) if row is not None
    }
    remarks = [
        "not in A" if which == "a" else "not in B" if row is None else f"{which.upper()}: {row['status']}"
        for which, row in (("a", a), ("b", b))
        if row is None or row["dg_kcal_per_mol"] is None
    ]
    z = difference = error = None
    if not remarks:
        difference = values["b_dg_kcal_per_mol"] - values["a_dg_kcal_per_mol"]
        errors = (values["a_error_kcal_per_mol"], values["b_error_kcal_per_mol"])
        if None not in errors:
            error = math.hypot(*errors)
            z = difference / error if error > 0 else None
    if _is_far(z):
        remarks.append("different")
    if a is not None and b is not None and a["verdict"] != b["verdict"]:
        remarks.append(f"{a['verdict']} → {b['verdict']}")
    return Compared(
        name, **values, **verdicts, ddg_kcal_per_mol=difference, ddg_error_kcal_per_mol=error, z=z,
        remark="; ".join(remarks),
    )  # fmt: skip


def _joined(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    ours: Mapping[str, tuple[str, ...]],
    theirs: Mapping[str, tuple[str, ...]],
) -> dict[str, str]:
    """Names in A alone and in B alone that are of one molecule (edges: of one pair, either way), and of no other.

    Edges that molecules do not tell apart (records without SMILES, poses of one molecule) are found by their names.
    """
    alone = [name for name in first if name not in second], [name for name in second if name not in first]
    found: dict[str, str] = {}
    for name in alone[0]:
        pair = sorted(ours.get(name, ()))
        same = [
            [one for one in names if pair and sorted(of.get(one, ())) == pair]
            for names, of in ((alone[0], ours), (alone[1], theirs))
        ]
        if len(same[0]) == len(same[1]) == 1 and len({*pair}) == len(pair):
            found[name] = same[1][0]
    for name in set(alone[0]) - found.keys():
        back = _back(name)
        known = [sorted(of[one]) for of, one in ((ours, name), (theirs, back)) if one in of]
        if back in alone[1] and back not in found.values() and all(pair == known[0] for pair in known):
            found[name] = back
    return found


def _back(name: str) -> str:
    """What an edge is called that is run the other way."""
    return "~".join(reversed(name.split("~")))


def _runs_back(
    name: str, other: str, ours: Mapping[str, tuple[str, ...]], theirs: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether an edge of B runs from the second ligand of A's to its first: by molecules where these differ."""
    one, two = ours.get(name, ()), theirs.get(other, ())
    return one != two if one and two and len({*one}) == len(one) else other == _back(name)


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    value = row["dg_kcal_per_mol"]
    return {**row, "dg_kcal_per_mol": None if value is None else -value}


def _two_molecules(
    name: str, a: Mapping[str, Any], b: Mapping[str, Any], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> Compared:
    """A row of values that have nothing to do with each other: no difference is made of them."""
    what = f"two molecules of one name: {' to '.join(ours)} in A, {' to '.join(theirs)} in B"
    row = _compared(name, a, b)
    return replace(row, ddg_kcal_per_mol=None, ddg_error_kcal_per_mol=None, z=None, remark=what)


def _molecules(folder: Path) -> dict[str, tuple[str, ...]]:
    """Canonical SMILES of each row, where its record says it: one of a ligand, two of an edge."""
    from rdkit import Chem

    found: dict[str, set[tuple[str, ...]]] = {}
    for path in sorted(Path(folder).glob("record.*.json")):
        try:
            record = read_json(path)
            told = record.get("smiles") or [record.get("settings", {}).get("ligand_smiles")]
            known = [Chem.MolFromSmiles(text) for text in told if isinstance(text, str) and text]
            edge = record.get("mode") in COMPARING
            if record.get("ligand") and len(known) == 1 + edge and None not in known:
                found.setdefault(str(record["ligand"]), set()).add(tuple(map(Chem.MolToSmiles, known)))
        except (StateError, AttributeError, TypeError) as error:
            what = f"no record of a transformation ({one_line(str(error), 200)})"
            raise InputError(Problem(str(path), what, "as the campaign wrote it")) from error
    return {name: next(iter(of)) for name, of in found.items() if len(of) == 1}


def _is_far(z: float | None) -> bool:
    return z is not None and abs(z) > FAR_Z


def _differing(a: Path, b: Path) -> list[tuple[str, str, str]]:
    """Settings whose values differ, each campaign's values of all its records in one text."""
    both = [_settings(folder) for folder in (a, b)]
    found = []
    for name in dict.fromkeys([*both[0], *both[1]]):
        one, other = (" or ".join(sorted(of.get(name, {"–"}))) for of in both)
        if one != other:
            found.append((name, one, other))
    return found


def _settings(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted(Path(folder).glob("record.*.json")):
        try:
            record = read_json(path)
            settings = record.get("settings", {})
            told = {
                f"{section}.{key}": value for section in _SECTIONS for key, value in settings.get(section, {}).items()
            }
            told |= {f"{part}.{key}": settings[part][key] for part, key in _OTHERS if key in settings.get(part, {})}
            told |= {key: settings[key] for key in ("receptor_name",) if key in settings}
            told |= {f"version of {name}": text for name, text in record.get("run_versions", {}).items()}
            told |= {"seed": record["seed"]} if record.get("seed") is not None else {}
        except (StateError, AttributeError, TypeError) as error:
            what = f"no record of a transformation ({one_line(str(error), 200)})"
            raise InputError(Problem(str(path), what, "as the campaign wrote it")) from error
        for name, value in told.items():
            found.setdefault(name, set()).add(value if isinstance(value, str) else json.dumps(value))
    return found


def _value(value: float | None, error: float | None) -> str:
    return "" if value is None else f"{value:.2f}" + ("" if error is None else f" ± {error:.2f}")


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else cell(value)
