"""Labels as a database holds them, those that an audit holds back included."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gibbsflow.potential.data.formats.backends import frame_of_row
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import LabelResult

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_SAME_EV_PER_ATOM = 1e-4
AUDIT = "audit"
"""Key of a row's data, and first word of the cause of what is held."""


@dataclass(frozen=True)
class KnownLabel:
    """A label that an engine made and that was accepted.

    Attributes
    ----------
    atoms
        Structure with its tags, charge and spin.
    figures
        ``energy`` in eV, ``forces`` in eV/Å, ``stress`` in eV/Å³, as far as they are there.
    settings_hash
        Of the settings that made it.
    result
        What is known of its run; empty where it was added with its label.
    held_for
        Words by check, of what holds it; empty where it counts.
    released
        Checks that somebody has overruled.
    """

    atoms: Atoms
    figures: Mapping[str, Any]
    settings_hash: str
    result: Mapping[str, Any] = field(default_factory=dict)
    held_for: Mapping[str, str] = field(default_factory=dict)
    released: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Give its id.

        Returns
        -------
        str
            ``gibbsflow_id``.
        """
        return str(self.atoms.info["gibbsflow_id"])

    @classmethod
    def of_row(cls, row: Any) -> KnownLabel:
        """Read it from a row.

        Parameters
        ----------
        row
            Of a label, or of one that is held.

        Returns
        -------
        KnownLabel
            As it stands there.
        """
        found = row.toatoms().calc
        said = row.data.get(AUDIT) or {}
        held = said.get("held", {}) if row.status == RowStatus.HELD else {}
        figures = dict(found.results) if found is not None else {}
        return cls(
            frame_of_row(row), figures, row.get("settings_hash", ""), row.data.get("result") or {}, held,
            tuple(said.get("released", ())),
        )  # fmt: skip


def is_held_label(row: Any) -> bool:
    """Say whether a row is a label that an audit holds, and not a structure that waits.

    Parameters
    ----------
    row
        Of the database.

    Returns
    -------
    bool
        True for a label.
    """
    return bool(row.status == RowStatus.HELD and (row.data.get(AUDIT) or {}).get("held"))


def held_cause(checks: Sequence[str]) -> str:
    """Name the cause of what is held.

    Parameters
    ----------
    checks
        Names of the checks.

    Returns
    -------
    str
        ``AUDIT(check, check)``.
    """
    return f"{AUDIT.upper()}({', '.join(sorted(checks))})"


def audit_after(row: Any, words: Mapping[str, str], released: Iterable[str]) -> dict[str, Any] | None:
    """Say what a row's record of audits becomes.

    Parameters
    ----------
    row
        Of a label.
    words
        By check, what holds it from now on.
    released
        Checks that are overruled from now on.

    Returns
    -------
    dict or None
        ``held`` and ``released``; None where nothing changes.
    """
    before = row.data.get(AUDIT) or {"held": {}, "released": []}
    said = {"held": dict(words), "released": sorted({*before["released"], *released})}
    return None if said == before else said


def say_difference(row: Any, result: LabelResult) -> None:
    """Say in the log where a second label is another than the one that stands.

    Parameters
    ----------
    row
        Of the structure.
    result
        The second label.
    """
    if row.status == RowStatus.LABELLED and result.energy_ev is not None:
        if abs(row.energy - result.energy_ev) > _SAME_EV_PER_ATOM * row.natoms:
            what = "%s: its label in the database stands (%.6f eV), and a second one is another (%.6f eV)"
            log.warning(what, result.gibbsflow_id, row.energy, result.energy_ev)
