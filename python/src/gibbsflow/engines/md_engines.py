"""The MD engines by their names: the one place that knows which there are, and which one `auto` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs.programs import RIGHT, gromacs_fault, version
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.errors import InputError, Problem


def _openmm() -> MdEngine:
    from gibbsflow.engines.openmm_engine import OPENMM

    return OPENMM


MD_ENGINES: Mapping[str, Callable[[], MdEngine]] = {"openmm": _openmm}
"""What loads each engine that is asked step by step, its program with it."""
WHOLE_RUNS = "gromacs"
"""The engine that is no such: it takes a window for a whole segment, from files (`binding.sample.gromacs_windows`)."""


@dataclass(frozen=True)
class Choice:
    """An engine, and why.

    Attributes
    ----------
    engine
        ``openmm`` or ``gromacs``.
    because
        Why `auto` stands for it; empty where it was named.
    """

    engine: str
    because: str = ""


def choose_engine(md: Md) -> Choice:
    """Say which engine the settings stand for on this machine.

    Parameters
    ----------
    md
        Engine, solvent and platform.

    Returns
    -------
    Choice
        What was named, and for ``auto`` what is there.
    """
    if md.engine != "auto":
        return Choice(md.engine)
    if not md.explicit:
        return Choice("openmm", f"GROMACS has no {md.solvent}")
    if md.platform == "CUDA":
        return Choice("openmm", "platform: CUDA")
    if fault := gromacs_fault():
        return Choice("openmm", fault)
    return Choice(WHOLE_RUNS, f"GROMACS {version()} is here, and no platform: CUDA")


def engine_problems(md: Md, where: str, *, programs: bool = True) -> list[Problem]:
    """Say what is wrong with an engine that was named.

    Parameters
    ----------
    md
        Engine and solvent.
    where
        What messages call the settings.
    programs
        Whether what is to run must be on this machine.

    Returns
    -------
    list of Problem
        Empty where it can be used.
    """
    if md.engine != WHOLE_RUNS:
        return []
    if not md.explicit:
        what = f"gromacs in {md.solvent}: GROMACS has had no implicit solvent since 2019, and needs a box"
        return [Problem(where, what, "openmm, or a water model (solvent)", field="engine")]
    fault = gromacs_fault() if programs else ""
    return [Problem(where, f"gromacs, and {fault}", RIGHT, field="engine")] if fault else []


def require_engine(md: Md, where: str) -> None:
    """Refuse an engine that cannot be used here.

    Parameters
    ----------
    md
        Engine and solvent.
    where
        What messages call the settings.

    Raises
    ------
    InputError
        Naming what is missing.
    """
    if problems := engine_problems(md, where):
        raise InputError(problems)


def engine_for(md: Md) -> MdEngine:
    """Load the engine that is asked step by step: for equilibration, for what has no box, and to read topologies.

    Parameters
    ----------
    md
        Settings.

    Returns
    -------
    MdEngine
        OpenMM also where GROMACS runs the windows: what both are to agree in is read once.
    """
    return MD_ENGINES.get(md.engine, MD_ENGINES["openmm"])()


def engine_versions(md: Md) -> dict[str, str]:
    """Look up versions of engines that are no Python packages.

    Parameters
    ----------
    md
        Settings.

    Returns
    -------
    dict
        Version by name; empty for OpenMM alone.
    """
    return {"gromacs": version()} if md.engine == WHOLE_RUNS and md.explicit else {}
