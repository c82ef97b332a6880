"""The list of label engines; which of them is taken where the settings leave it open; where Quantum ESPRESSO lies."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

Engine = Literal["quantum_espresso", "gpaw", "tblite"]
"""Names of all label engines, as settings give them; `potential/label/engines.py` says where each is made."""
ENGINE_WORDS = " or ".join(", ".join(get_args(Engine)).rsplit(", ", 1))
PW = "pw.x"
_TABLE = Path(__file__).parents[1] / "potential/label/pseudopotentials/pseudo_table.json"


def embedded_pw() -> Path | None:
    """Find ``pw.x`` of the set-up (``make setup-qe``), in an environment beside this Python's.

    Returns
    -------
    Path or None
        The program; None where it is not there.
    """
    path = Path(sys.prefix).parent / "programs" / "qe" / "bin" / PW
    return path if os.access(path, os.X_OK) else None


def find_pw(command: str = PW) -> str | None:
    """Find pw.x: the program of that name on PATH, or that path; then, for ``pw.x``, the one of the set-up.

    Parameters
    ----------
    command
        ``dft.pw_command``.

    Returns
    -------
    str or None
        Absolute path; None where there is none.
    """
    if found := shutil.which(command):
        return str(Path(found).absolute())
    own = embedded_pw() if command == PW else None
    return str(own) if own is not None else None


def choose_engine(elements: Sequence[str] = (), dft: Mapping[str, Any] | None = None) -> tuple[Engine, str]:
    """Choose the engine that ``engine: auto`` stands for on this machine.

    Parameters
    ----------
    elements
        Chemical symbols; of those without a pseudopotential Quantum ESPRESSO can make no label.
    dft
        Unchecked settings of the section *dft*, as far as they are given.

    Returns
    -------
    engine : str
        Quantum ESPRESSO where there is a pw.x, else GPAW where it is installed, else tblite. GPAW comes before a pw.x
        without pseudopotentials; tblite does not, since tight binding is no DFT: that is left to be asked for.
    why : str
        Reason, in words that are the same wherever the programs lie.
    """
    espresso = ""
    if shutil.which(PW):
        espresso = "pw.x is on PATH"
    elif embedded_pw() is not None:
        espresso = "no pw.x on PATH; the set-up's own (PyPI's qepy, serial, run as a program) is there"
    gpaw = importlib.util.find_spec("gpaw") is not None
    if espresso:
        lacking = _without_pseudopotential(elements, dft or {}) if gpaw else ""
        return ("gpaw", f"{espresso}, but {lacking}; GPAW is installed") if lacking else ("quantum_espresso", espresso)
    none = "no pw.x, neither on PATH nor from `make setup-qe`"
    if gpaw:
        return "gpaw", f"{none}; GPAW is installed"
    return "tblite", f"{none}, and no GPAW; tight binding at the Γ point is no DFT: good for a trial only"


def _without_pseudopotential(elements: Sequence[str], dft: Mapping[str, Any]) -> str:
    """Say which elements have none; empty where all have one, or where the settings are for pseudopotentials."""
    if dft.get("pseudopotentials") or dft.get("pseudo_library") or dft.get("pseudo_dir"):
        return ""
    functional = dft.get("functional", "pbe")
    rows = json.loads(_TABLE.read_text())
    having = {row["element"] for row in rows if (row["library"], row["functional"]) == ("debian", functional)}
    lacking = [element for element in elements if element not in having]
    return f"there is no {functional} pseudopotential of {', '.join(lacking)}" if lacking else ""
