"""Label engines: what each of them must be able to do, and the table of those that there are.

A new engine is a module in this folder with a class that follows `LabelEngine`, its row in `ENGINES`, and its name in
`config/label_engines.py`, by which settings know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.potential.data.labels import LabelResult

if TYPE_CHECKING:
    from ase import Atoms


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


Kind = Callable[[Sequence[str], Dft, Labels], LabelEngine]
"""Class of an engine: made of the elements of the whole data set and of the settings."""


@dataclass(frozen=True)
class EngineRow:
    """What is known of an engine before it is asked for.

    Attributes
    ----------
    load
        Imports its class.
    settings
        Keys of section ``dft`` that define its labels, as the data-set card lists them.
    """

    load: Callable[[], Kind]
    settings: tuple[str, ...]


def _quantum_espresso() -> Kind:
    from gibbsflow.potential.label.quantum_espresso import QuantumEspresso

    return QuantumEspresso


def _gpaw() -> Kind:
    from gibbsflow.potential.label.gpaw import Gpaw

    return Gpaw


def _tblite() -> Kind:
    from gibbsflow.potential.label.tblite import Tblite

    return Tblite


_PLANE_WAVES = ("engine", "functional", "kspacing_per_angstrom", "smearing", "degauss_ry")
ENGINES: Mapping[Engine, EngineRow] = {
    "quantum_espresso": EngineRow(
        _quantum_espresso, (*_PLANE_WAVES, "pseudo_library", "ecutwfc_ry", "ecutrho_ry", "conv_thr_ry")
    ),
    "gpaw": EngineRow(_gpaw, (*_PLANE_WAVES, "gpaw_cutoff_ev")),
    "tblite": EngineRow(_tblite, ("engine", "tblite_method")),
}
"""By name in the settings."""


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
    return ENGINES[dft.engine].load()(elements, dft, labels)
