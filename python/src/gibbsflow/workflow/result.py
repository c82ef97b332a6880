"""`result.json`: what every verb says of what it did."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gibbsflow.version import __version__
from gibbsflow.workflow.files import read_json, write_json

FILE_NAME = "result.json"
Status = Literal["finished", "partial", "failed", "unbound", "unconverged"]


@dataclass
class Result:
    """Outcome of one verb.

    Parameters
    ----------
    status
        ``finished``, ``partial``, ``failed``, ``unbound`` or ``unconverged``.
    cause
        Class of the failure (:attr:`gibbsflow.errors.GibbsflowError.cause`), empty where finished.
    message
        The failure in words.
    inputs_hash
        Hash of inputs, settings and physics version.
    seed
        Random seed, None where nothing is random.
    timings
        Wall-clock seconds by part (``total_s``, ``engine_s``, ...).
    figures
        Numbers of this verb at the top level of the file, each with its unit in its name.
    versions
        Version by program.
    """

    status: Status = "finished"
    cause: str = ""
    message: str = ""
    inputs_hash: str = ""
    seed: int | None = None
    timings: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Flat content of the file."""
        fixed = {k: v for k, v in vars(self).items() if k not in ("figures", "versions")}
        clash = fixed.keys() & self.figures.keys()
        if clash:
            raise ValueError(f"figures must not be named {', '.join(sorted(clash))}")
        return {**fixed, "versions": {**versions(), **self.versions}, **self.figures}

    def write(self, folder: Path) -> Path:
        """Write ``result.json`` into a folder, atomically."""
        path = Path(folder) / FILE_NAME
        write_json(path, self.as_dict())
        return path


def read(folder: Path) -> Mapping[str, Any]:
    """Read the ``result.json`` of a folder."""
    content: Mapping[str, Any] = read_json(Path(folder) / FILE_NAME)
    return content


def versions(*packages: str) -> dict[str, str]:
    """Versions of gibbsflow, Python and the packages named, as installed."""
    return {
        "gibbsflow": __version__,
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }
