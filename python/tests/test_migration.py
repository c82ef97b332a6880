"""The page for those who come from other programs: what it calls gibbsflow's is in the code, by that name."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from test_commands import PARAMETERS, unknown_words

from gibbsflow import PotentialConfig

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "migration.md"
MODES_OF_NEXTFLOW = {"-resume", "-params-file", "-profile gpu", "-profile slurm"}


@cache
def source() -> str:
    """What defines names: the core, the pipeline, the samplesheet's schema."""
    paths = [*(ROOT / "python" / "src").rglob("*.py"), *ROOT.glob("workflows/**/*.nf"), *ROOT.glob("conf/*.config")]
    return "\n".join(path.read_text() for path in paths) + (ROOT / "assets" / "schema_input.json").read_text()


@cache
def choices() -> dict[str, set[str]]:
    """Values that parameters take, where these are a list."""
    parts = json.loads((ROOT / "nextflow_schema.json").read_text())["$defs"].values()
    return {name: set(field["enum"]) for part in parts for name, field in part["properties"].items() if "enum" in field}


def unknown(name: str) -> str | None:
    """What of a name there is not; None where all of it is."""
    if name in MODES_OF_NEXTFLOW:
        return None
    if name.startswith("--"):
        words = re.findall(r"--(\w+)(?: ([\w.]+))?", name)
        lost = [key for key, _ in words if key not in PARAMETERS]
        lost += [f"{key} {value}" for key, value in words if value and value not in choices().get(key, {value})]
        return ", ".join(lost) or None
    if " " in name:
        return ", ".join(unknown_words(name)) or None
    section, _, key = name.partition(".")
    if key and section in PotentialConfig.model_fields:
        known = PotentialConfig.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
        return None if key in known else name
    # a file may have a part that is filled in
    plain = re.sub(r"<\w+>|NN$", "", name).replace("..", ".")
    return None if re.search(rf"\b{re.escape(plain.split('.')[0])}", source()) else name


def rows() -> list[tuple[str, str]]:
    """Line and middle cell of each row of a table."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [(line, line.split(" | ")[1]) for line in lines if not line.startswith("| there")]


def test_names_are_those_of_the_code() -> None:
    assert len(rows()) > 90
    names = [name for _, cell in rows() for name in re.findall(r"`([^`]+)`", cell)]
    assert [said for name in names if (said := unknown(name))] == []
    assert all(name for name in names)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("--mode rbfe", None),
        ("--mode rfbe", "mode rfbe"),
        ("--moon", "moon"),
        ("fe run", None),
        ("fe walk", "fe walk"),
        ("train validate --only phonons", None),
        ("train validate --moon", "train validate --moon"),
        ("selection.budget", None),
        ("selection.moon", "selection.moon"),
        ("solvent_topology", None),
        ("moonlit_topology", "moonlit_topology"),
        ("record.<transformation>.json", None),
    ],
)
def test_what_there_is_not_is_told(name: str, said: str | None) -> None:
    assert unknown(name) == said
