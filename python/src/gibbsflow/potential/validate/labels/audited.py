"""A label under audit, and what the checks find of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.data.labelled_frames import LabelledFrame, bare


@dataclass
class Audited:
    """One label and its findings.

    Attributes
    ----------
    known
        As the database holds it.
    frame
        The same as checks of data sets take it; None where a figure is missing or not finite.
    electrons
        Charge and spin that the structure says, as text: labels of others are not compared.
    figures
        What was measured, by column of the table.
    reasons
        Words by check, of what speaks against it.
    linked
        Whether its energy differs from that of a like structure as forces and stresses say: then it is no outlier.
    """

    known: KnownLabel
    frame: LabelledFrame | None
    electrons: str
    figures: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    linked: bool = False

    @property
    def name(self) -> str:
        """Give its id.

        Returns
        -------
        str
            ``gibbsflow_id``.
        """
        return self.known.name

    @property
    def energy_ev_per_atom(self) -> float:
        """Give its energy an atom.

        Returns
        -------
        float
            In eV.
        """
        assert self.frame is not None  # noqa: S101 - asked of whole labels alone
        return self.frame.energy_ev / len(self.frame.atoms)

    @property
    def standing(self) -> dict[str, str]:
        """Give the reasons that nobody has overruled.

        Returns
        -------
        dict
            Words by check.
        """
        return {check: words for check, words in self.reasons.items() if check not in self.known.released}


def audited(labels: Sequence[KnownLabel]) -> list[Audited]:
    """Prepare labels for the checks.

    Parameters
    ----------
    labels
        Of a database.

    Returns
    -------
    list of Audited
        In the same order.
    """
    return [Audited(known, _frame(known, row), _electrons(known)) for row, known in enumerate(labels, 1)]


def _frame(known: KnownLabel, row: int) -> LabelledFrame | None:
    energy, forces = known.figures.get("energy"), np.asarray(known.figures.get("forces", []), dtype=float)
    stress = known.figures.get("stress")
    atoms = known.atoms
    if energy is None or not np.isfinite(energy) or forces.shape != (len(atoms), 3) or not np.isfinite(forces).all():
        return None
    tensor = None if stress is None else np.asarray(stress, dtype=float)
    if tensor is not None and tensor.shape == (3, 3):
        tensor = tensor.ravel()[[0, 4, 8, 5, 2, 1]]
    if tensor is not None and (tensor.shape != (6,) or not np.isfinite(tensor).all()):
        return None
    info: Mapping[str, Any] = atoms.info
    return LabelledFrame(
        bare(atoms), float(energy), forces, tensor, np.ones(len(atoms), dtype=bool),
        str(info.get("config_type", "unknown")), str(info.get("parent", "")), known.name, known.settings_hash, row,
    )  # fmt: skip


def _electrons(known: KnownLabel) -> str:
    try:
        return str(Electrons.of(known.atoms))
    except ValueError as error:
        return str(error)
