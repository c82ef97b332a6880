"""The MD engines by their names: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import MdEngine


def _openmm() -> MdEngine:
    from gibbsflow.engines.openmm_engine import OPENMM

    return OPENMM


MD_ENGINES: Mapping[str, Callable[[], MdEngine]] = {"openmm": _openmm}
"""What loads each engine, its program with it, by the name in section ``md``."""


def engine_for(md: Md) -> MdEngine:
    """Load the engine that the settings name.

    Parameters
    ----------
    md
        Its `md_engine` is looked at.

    Returns
    -------
    MdEngine
        Ready to make systems.
    """
    return MD_ENGINES[md.md_engine]()
