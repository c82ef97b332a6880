"""Parameters of the pipeline, as a user gives them to Nextflow, against their schema: all that is wrong, in words."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gibbsflow.config.launch.samplesheet_columns import brings_receptors
from gibbsflow.config.section import nearest_name
from gibbsflow.workflow.credentials import holds_password

_MOST_CHARACTERS = 1_000_000
_SLIP = 0.88
"""Likeness (difflib) above which a foreign name is a slip: windows_ps for window_ps, but not max_jobs for max_cpus."""
_OF_INSTITUTIONS = {"clusterOptions", "config_profile_contact_email"}
"""Parameters that files of nf-core/configs set for other pipelines, and that are near to ours."""
_KINDS = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
_LINE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?")
_BOUNDS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, Decimal),
}


def accepted(item: Mapping[str, Any]) -> str:
    """Say in one line what a parameter takes, for ``--help`` and refusals.

    Parameters
    ----------
    item
        Its schema.

    Returns
    -------
    str
        Its choices, or type and range with its unit: ``number > 0 <= 5 fs``.
    """
    bounds = [f"{sign} {item[key]}" for key, sign in _BOUNDS.items() if key in item]
    words = " | ".join(item["enum"]) if "enum" in item else " ".join([_KINDS[item["type"]], *bounds])
    return f"{words} {item['unit']}" if item.get("unit") else words


def parameter_problems(given: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Check parameters, all at once.

    Parameters
    ----------
    given
        Parameters by name, typed where their text could be (numbers with a point as `Decimal`, so that messages repeat
        them as they were given). What is not given is absent or None.
    schema
        Schema of each parameter by name, in the order of the messages.

    Returns
    -------
    list of str
        One line a problem: the parameter, what is wrong, what would be right.
    """
    strange = [key for key in given if key not in schema]
    problems = [f"--{_shown(key)}: unknown parameter (right: {_meant(key, schema)})" for key in strange]
    values = {key: given[key] for key in schema if given.get(key) is not None}
    for key, value in values.items():
        if fault := _fault(value, schema[key]):
            right = schema[key].get("errorMessage") or f"right: {accepted(schema[key])}"
            problems.append(f"--{key}: {fault} ({right})")
    solvated = brings_receptors(Path(str(values.get("input", ""))))
    for key, item in schema.items():
        spared = key == "receptor" and solvated
        if values.get("mode") in item.get("requiredIn", ()) and key not in values and not spared:
            problems.append(f"--{key}: missing (right: {item['description']})")
    for key, value in values.items():
        if schema[key].get("exists") and not os.path.exists(str(value)):  # false, too, for what is no name
            problems.append(f"--{key}: no such file {_shown(str(value))}")
    windows = values.get("windows_per_task")
    if values.get("sampler") == "exchange" and isinstance(windows, int) and windows > 1:
        what = f"{windows} means nothing with --sampler exchange, which samples all windows of a leg in one task"
        problems.append(f"--windows_per_task: {what} (right: --sampler independent, or leave it out)")
    return problems


def password_problems(given: Mapping[str, Any]) -> list[str]:
    """Find passwords, which logs, reports and records would repeat.

    Parameters
    ----------
    given
        Parameters by name. Of those that name a file its text is looked at, too.

    Returns
    -------
    list of str
        One line a problem, without the password.
    """
    right = "right: none; docs/supply.md says where they belong, and PostgreSQL reads its own from ~/.pgpass"
    texts = {key: str(value) for key, value in given.items() if isinstance(value, str)}
    found = [f"--{key}: holds a password ({right})" for key, text in texts.items() if holds_password(text)]
    return found + [
        f"--{key}: {text} holds a password ({right})" for key, text in texts.items() if holds_password(_settings(text))
    ]


def _settings(name: str) -> str:
    """Text of a file of settings or of a table; empty for all else, which its reader will refuse."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml", ".json", ".csv", ".tsv") or not path.is_file():
        return ""
    with open(path, errors="replace") as file:
        return file.read(_MOST_CHARACTERS)


def foreign_parameters(names: Collection[str], schema: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Judge names that no parameter has, in settings that an institution shares between pipelines.

    Parameters
    ----------
    names
        The names.
    schema
        Schema of each parameter by name.

    Returns
    -------
    slips
        Those so near to a parameter's that they are taken for one misspelt.
    notes
        What is said of the others, which mean nothing here.
    """
    strange = set(names) - _OF_INSTITUTIONS
    slips = [name for name in names if name in strange and get_close_matches(name, schema, 1, cutoff=_SLIP)]
    others = sorted(set(names) - set(slips))
    return slips, [
        f"{', '.join(others)} in a settings file: parameters of other pipelines, which mean nothing here"
    ] * bool(others)


def sections_of(given: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sort parameters into the sections that a file of settings has.

    Parameters
    ----------
    given
        Parameters by name.
    groups
        Names of the parameters of each section wanted.

    Returns
    -------
    dict
        By section and name; what is not given is left out, and takes its default.
    """
    return {name: {key: given[key] for key in group if given.get(key) is not None} for name, group in groups.items()}


def _meant(name: str, known: Mapping[str, Any]) -> str:
    close = nearest_name(name, known)
    return f"did you mean --{close}?" if close else "see --help for the names"


def _shown(text: str) -> str:
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    return line if len(line) <= 100 else f"{line[:100]}..."


def _as_given(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(value: Any, item: Mapping[str, Any]) -> str | None:
    shown = "what was given" if item.get("writeOnly") else f"'{_shown(_as_given(value))}'"
    fits = isinstance(value, _TYPES[item["type"]]) and isinstance(value, bool) == (item["type"] == "boolean")
    if fits and isinstance(value, str):
        if not _LINE.fullmatch(value):
            return f"{shown} is not usable, empty or with blanks at its ends or control characters"
        fits = value in item.get("enum", [value]) and re.fullmatch(item.get("pattern", ".*"), value, re.A) is not None
    if not fits:
        return f"{shown} is not usable"
    if isinstance(value, int | Decimal):
        number = float(value)  # as bounds are
        inside = (number > item.get("exclusiveMinimum", -math.inf), number >= item.get("minimum", -math.inf),
                  number < item.get("exclusiveMaximum", math.inf), number <= item.get("maximum", math.inf))  # fmt: skip
        return None if all(inside) else f"{value} is out of range"
    return None
