"""Which engine the settings stand for on this machine; settled once for a system, and kept with its state."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber.choice import amber_problems
from gibbsflow.engines.gromacs.programs import RIGHT, gromacs_fault, version
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.engines.md_engines import EQUILIBRATES, WHOLE_RUNS, engine_for
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import read_json, write_json

log = logging.getLogger(__name__)
RECORD = "engine.json"


@dataclass(frozen=True)
class Choice:
    """An engine, and why.

    Attributes
    ----------
    engine
        ``openmm``, ``gromacs`` or ``amber``.
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
    if md.engine == EQUILIBRATES and programs:
        return amber_problems(md, where)
    if md.engine != WHOLE_RUNS:
        return []
    if not md.explicit:
        what = f"gromacs in {md.solvent}: GROMACS has had no implicit solvent since 2019, and needs a box"
        return [Problem(where, what, "openmm, or a water model (solvent)", field="engine")]
    fault = gromacs_fault() if programs else ""
    return [Problem(where, f"gromacs, and {fault}", RIGHT, field="engine")] if fault else []


def equilibrating_engine(md: Md) -> MdEngine:
    """Load the engine that equilibrates.

    Parameters
    ----------
    md
        Settings.

    Returns
    -------
    MdEngine
        AMBER where it is asked for; else that of `md_engines.engine_for`.
    """
    if md.engine != EQUILIBRATES:
        return engine_for(md)
    from gibbsflow.engines.amber.amber_engine import AMBER

    return AMBER


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


def settled(md: Md, state: Path | None) -> tuple[Md, Choice]:
    """Put the engine that `auto` stands for in its place: what an earlier call has settled, or what is there now.

    Parameters
    ----------
    md
        Settings asked for.
    state
        State folder of the item, which remembers; None for none.

    Returns
    -------
    md
        With an engine that has a name.
    choice
        It, and why.

    Raises
    ------
    InputError
        For one that was named and cannot be used here.
    """
    if md.engine != "auto":
        require_engine(md, "md")
        return md, Choice(md.engine)
    record = None if state is None else Path(state) / RECORD
    choice = _recalled(record) or choose_engine(md)
    log.info("engine: %s (%s)", choice.engine, choice.because)
    if record is not None and not record.exists():
        record.parent.mkdir(parents=True, exist_ok=True)
        write_json(record, asdict(choice))
    return md.model_copy(update={"engine": choice.engine}), choice


def _recalled(record: Path | None) -> Choice | None:
    if record is None or not record.exists():
        return None
    try:
        found = Choice(**read_json(record))
        if found.engine not in ("openmm", WHOLE_RUNS):
            raise TypeError(f"auto never stands for {found.engine!r}")
    except (StateError, TypeError) as error:
        log.warning("%s: %s; the engine is chosen anew", record, error)
        record.unlink()
        return None
    return found


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
