"""The MD engines by their names: the one place that knows which there are (see `choice.engine_choice`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import MdEngine


def _openmm() -> MdEngine:
    from gibbsflow.engines.openmm_engine import OPENMM

    return OPENMM


MD_ENGINES: Mapping[str, Callable[[], MdEngine]] = {"openmm": _openmm}
"""What loads each engine that is asked step by step, its program with it."""
EQUILIBRATES = "amber"
"""The engine that has no λ states: ``sander`` equilibrates; windows are ``pmemd.cuda``'s (`binding.sample.amber`)."""
WHOLE_RUNS = "gromacs"
"""The engine that is no such: it takes a window for a whole segment, from files (`binding.sample.gromacs_windows`)."""


def engine_for(md: Md) -> MdEngine:
    """Load the engine that is asked step by step: for λ states, for what has no box, and to read topologies.

    Parameters
    ----------
    md
        Settings.

    Returns
    -------
    MdEngine
        OpenMM also where GROMACS runs the windows or AMBER equilibrates: what both are to agree in is read once.
    """
    return MD_ENGINES.get(md.engine, MD_ENGINES["openmm"])()
