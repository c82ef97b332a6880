"""The list of label engines; which of them is taken where the settings leave it open; where Quantum ESPRESSO lies."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Literal, get_args

Engine = Literal["quantum_espresso", "gpaw", "tblite"]
"""Names of all label engines, as settings give them; `potential/label/engines.py` says where each is made."""
ENGINE_WORDS = " or ".join(", ".join(get_args(Engine)).rsplit(", ", 1))
PW = "pw.x"


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


def choose_engine() -> tuple[Engine, str]:
    """Choose the engine that ``engine: auto`` stands for on this machine.

    Returns
    -------
    engine : str
        Quantum ESPRESSO where there is a pw.x, else GPAW where it is installed, else tblite.
    why : str
        Reason, in words that are the same wherever the programs lie.
    """
    if shutil.which(PW):
        return "quantum_espresso", "pw.x is on PATH"
    if embedded_pw() is not None:
        return "quantum_espresso", "no pw.x on PATH; the set-up's own (PyPI's qepy, serial, run as a program) is there"
    none = "no pw.x, neither on PATH nor from `make setup-qe`"
    if importlib.util.find_spec("gpaw"):
        return "gpaw", f"{none}; GPAW is installed"
    return "tblite", f"{none}, and no GPAW; tight binding at the Γ point is no DFT: good for a trial only"
