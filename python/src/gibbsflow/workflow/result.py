"""`result.json`: what every verb says of what it did."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gibbsflow.errors import StateError
from gibbsflow.version import __version__
from gibbsflow.workflow.files import read_json, write_json

FILE_NAME = "result.json"
Status = Literal["finished", "partial", "failed", "unbound", "unconverged"]


def failed_status(cause: str) -> Status:
    """Say which status a failure has, in results and tables.

    Parameters
    ----------
    cause
        Class of the failure (:attr:`gibbsflow.errors.GibbsflowError.cause`).

    Returns
    -------
    str
        ``unbound``, ``unconverged``, or ``failed`` for all others.
    """
    return "unbound" if cause == "Unbound" else "unconverged" if cause == "Unconverged" else "failed"


@dataclass
class Result:
    """Outcome of one verb.

    Attributes
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
        """Give the content of the file, figures at its top level.

        Returns
        -------
        dict
            Values by key; the versions of gibbsflow and Python are added.

        Raises
        ------
        ValueError
            For a figure with the name of another key.
        """
        fixed = {k: v for k, v in vars(self).items() if k not in ("figures", "versions")}
        clash = fixed.keys() & self.figures.keys()
        if clash:
            raise ValueError(f"figures must not be named {', '.join(sorted(clash))}")
        return {**fixed, "versions": {**versions(), **self.versions}, **self.figures}

    def write(self, folder: Path) -> Path:
        """Write ``result.json`` atomically.

        Parameters
        ----------
        folder
            Folder to write into.

        Returns
        -------
        Path
            The file.
        """
        path = Path(folder) / FILE_NAME
        write_json(path, self.as_dict())
        return path


def read_result(folder: Path) -> Mapping[str, Any]:
    """Read a ``result.json``.

    Parameters
    ----------
    folder
        Folder that a verb has written into.

    Returns
    -------
    Mapping
        Its content by key.

    Raises
    ------
    StateError
        Where it is missing, unreadable, or not as verbs write it.
    """
    content = read_json(Path(folder) / FILE_NAME)
    if not isinstance(content, dict) or not isinstance(content.get("versions", {}), dict):
        raise StateError(f"{Path(folder) / FILE_NAME}: damaged, not as a verb writes it")
    return content


def read_results(folders: Iterable[Path]) -> dict[Path, Mapping[str, Any]]:
    """Read each ``result.json`` that is there.

    Parameters
    ----------
    folders
        Folders that verbs have written into; those without one are passed by.

    Returns
    -------
    dict
        Contents by path.

    Raises
    ------
    StateError
        Where one is unreadable, or not as verbs write it.
    """
    return {path: read_result(path.parent) for one in folders if (path := Path(one) / FILE_NAME).exists()}


def versions(*packages: str) -> dict[str, str]:
    """Look up versions, as installed.

    Parameters
    ----------
    *packages
        Names of distributions.

    Returns
    -------
    dict
        Version by name: of gibbsflow, Python and the packages named.
    """
    return {
        "gibbsflow": __version__,
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }
