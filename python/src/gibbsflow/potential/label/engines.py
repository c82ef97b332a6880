"""Label engines: what each of them must be able to do, and the table of those that there are.

A new engine is a module in this folder with a class that follows `LabelEngine`, its row in `ENGINES`, and its name in
`config/label_engines.py`, by which settings know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.potential.data.labels import LabelResult

if TYPE_CHECKING:
    from ase import Atoms

ENGINES: Mapping[Engine, tuple[str, str]] = {
    "quantum_espresso": ("quantum_espresso", "QuantumEspresso"),
    "gpaw": ("gpaw", "Gpaw"),
    "tblite": ("tblite", "Tblite"),
}
"""By name: module in this folder and class, imported only where they are asked for."""


class LabelEngine(Protocol):
    """What makes labels: knows its settings, takes any structure, and never raises for a bad one.

    It travels to the workers of a `TaskQueue`, and so must be picklable.

    Attributes
    ----------
    name
        Name of the engine in settings and labels.
    settings_hash
        Hash of all that changes a label (`hash_settings`).
    """

    name: str
    settings_hash: str

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        """Label one structure.

        Parameters
        ----------
        atoms
            The structure; it stays as it is.
        folder
            Where inputs and outputs are kept if it fails; default: they are not.

        Returns
        -------
        LabelResult
            The label, or the failure with its cause.
        """
        ...

    def describe(self) -> dict[str, str]:
        """Say what would make labels, in words.

        Returns
        -------
        dict
            `program`, `version`, `settings_hash`, and what else deserves to be known before anything starts.

        Raises
        ------
        MissingProgramError
            Where the program is there and does not start.
        """
        ...


def make_engine(elements: Sequence[str], dft: Dft, labels: Labels) -> LabelEngine:
    """Make the engine that the settings name, with program and pseudopotentials checked.

    Parameters
    ----------
    elements
        All elements of the whole data set, since cutoffs are the largest over them.
    dft, labels
        Settings.

    Returns
    -------
    LabelEngine
        Ready to label.

    Raises
    ------
    MissingProgramError
        Where the program is not installed.
    InputError
        Where a pseudopotential is missing or wrong.
    """
    module, name = ENGINES[dft.engine]
    made: Any = getattr(import_module(f"{__package__}.{module}"), name)
    engine: LabelEngine = made(elements, dft, labels)
    return engine
