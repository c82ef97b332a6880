"""What `dft audit` and `dft converge` leave: a table, figures, the same as JSON, and settings to run with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_config import structure_of
from gibbsflow.report.figures.learning.label_figures import audit_plot, convergence_plot
from gibbsflow.report.potential_page import write_table
from gibbsflow.workflow.files import atomic_open, write_json
from gibbsflow.workflow.settings_file import read_mapping

if TYPE_CHECKING:
    from gibbsflow.potential.label.convergence.ladders import Errors
    from gibbsflow.potential.label.convergence.settings_search import Converged
    from gibbsflow.potential.validate.labels.label_audit import LabelAudit


def write_audit(found: LabelAudit, figures: Mapping[str, Any], out: Path) -> None:
    """Write ``audit.json``, ``audit.csv``, ``audit.svg`` and ``audit.png``.

    Parameters
    ----------
    found
        The audit.
    figures
        The same in figures.
    out
        Folder to write into.
    """
    rows = found.rows()
    write_json(out / "audit.json", {**figures, "rows": rows})
    write_table(out / "audit.csv", rows)
    told = found.facts.get("relabel") or {}
    audit_plot(rows, {kind: own["stated"] for kind, own in told.items() if _compared(own)}, out / "audit")


def _compared(told: Any) -> bool:
    return isinstance(told, Mapping) and "stated" in told


def write_convergence(found: Converged, stated: Errors, config: Path | None, out: Path) -> None:
    """Write ``settings.yaml``, ``convergence.json``, ``convergence.csv``, ``convergence.svg`` and ``convergence.png``.

    Parameters
    ----------
    found
        Settings that are converged.
    stated
        Errors that were allowed.
    config
        Settings that were started from: what they say else stands in ``settings.yaml`` too.
    out
        Folder to write into.
    """
    import yaml

    rows = found.rows()
    write_json(out / "convergence.json", {**found.figures(), "stated": asdict(stated), "rows": rows})
    write_table(out / "convergence.csv", rows)
    convergence_plot(rows, asdict(stated), out / "convergence")
    content = dict(read_mapping(config)) if config is not None else {}
    content["dft"] = {**content.get("dft", {}), **found.values}
    _beside(content, config, out)
    errors = asdict(found.together)
    with atomic_open(out / "settings.yaml", "w") as file:
        file.write("# Converged by dft converge: largest differences from the next finer settings of all at once are\n")
        file.write(f"# {', '.join(f'{name} {value:.3g}' for name, value in errors.items())}.\n")
        yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)


def _beside(content: dict[str, Any], config: Path | None, out: Path) -> None:
    """Have a structure file that lies beside the settings be found from the new ones."""
    if config is None:
        return
    target = content.get("target")
    short = content.get("structure")
    if isinstance(short, str) and "structure_file" in structure_of(short, str(config)):
        content["structure"] = _path(short, config, out)
    if isinstance(target, Mapping) and target.get("structure_file"):
        content["target"] = {**target, "structure_file": _path(str(target["structure_file"]), config, out)}


def _path(name: str, config: Path, out: Path) -> str:
    return name if Path(name).is_absolute() else os.path.relpath(config.parent / name, out)
