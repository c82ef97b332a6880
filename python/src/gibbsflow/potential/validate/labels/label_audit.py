"""The audit of a database: all checks of all labels; what speaks against one holds it, what is overruled lets it in."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.force_checks import check_copied_forces, check_zero_forces
from gibbsflow.potential.validate.labels.set_checks import (
    check_duplicates,
    check_moments,
    check_outliers,
    check_settings,
)
from gibbsflow.potential.validate.labels.single_checks import check_alone
from gibbsflow.potential.validate.labels.work_checks import check_work
from gibbsflow.potential.validate.labels.zero_checks import ZERO

log = logging.getLogger(__name__)
CHECKS = (
    "convergence", "net_force", "no_force", "copied", "threshold", "stress", "settings", "duplicate", "moment",
    "energy", "force", "work", ZERO, "relabel",
)  # fmt: skip
"""Names of all checks, in the order in which reasons are told."""
RELABEL = "relabel"
_SHOWN = 20


@dataclass
class LabelAudit:
    """What an audit found.

    Attributes
    ----------
    labels
        All labels of the database, with their findings.
    facts
        What was measured of all together.
    changed
        Ids of labels that it has held or let in.
    """

    labels: list[Audited]
    facts: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    @property
    def held(self) -> list[Audited]:
        """Give the labels that something speaks against.

        Returns
        -------
        list of Audited
            Those that nobody has overruled.
        """
        return [label for label in self.labels if label.standing]

    def hold(self, database: DatabaseManager) -> None:
        """Hold what something speaks against, and let in again what nothing does any more.

        Parameters
        ----------
        database
            Whose labels these are.
        """
        reasons = {
            label.name: _in_order(label.standing) for label in self.labels if label.standing != label.known.held_for
        }
        self.changed = database.hold(reasons, "audit")

    def compared(self) -> list[tuple[bool, str]]:
        """Say how labels compare with tighter settings.

        Returns
        -------
        list of tuple
            Of each kind of figure whether it is within the stated error, and words; empty where none were made again.
        """
        told = self.facts.get(RELABEL) or {}
        return [
            (
                own["within"],
                f"{kind} against tighter settings: {own['largest']:.3g} at most, "
                f"{'within' if own['within'] else 'NOT within'} the stated {own['stated']:g}",
            )
            for kind, own in told.items()
            if isinstance(own, dict) and "within" in own
        ]

    def figures(self) -> dict[str, Any]:
        """Say in figures what was found.

        Returns
        -------
        dict
            ``labels``, ``held``, ``released`` (overruled), ``checks`` (labels by check), ``reasons`` (words by id and
            check), ``changed``, ``warnings`` (of settings that are off their stated error), and the facts.
        """
        return {
            "labels": len(self.labels),
            "held": len(self.held),
            "released": sum(bool(set(label.reasons) & set(label.known.released)) for label in self.labels),
            "checks": counts_of(self.held),
            "reasons": {label.name: _in_order(label.standing) for label in self.held},
            "changed": self.changed,
            "warnings": [words for within, words in self.compared() if not within],
            **self.facts,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Give the table: one row a label.

        Returns
        -------
        list of dict
            Id, config_type, formula, what holds it, and what was measured.
        """
        columns = (
            "energy_ev_per_atom", "energy_z", "largest_force_ev_per_angstrom", "force_z", "net_force_ev_per_angstrom",
            "largest_stress_gpa", "absolute_moment_ub_per_atom", "work_mev_per_atom", "work_z",
            "relabel_energy_mev_per_atom", "relabel_force_ev_per_angstrom", "relabel_stress_gpa",
        )  # fmt: skip
        return [
            {
                "gibbsflow_id": label.name,
                "config_type": label.known.atoms.info.get("config_type", ""),
                "formula": label.known.atoms.get_chemical_formula(),
                "status": "held" if label.standing else "labelled",
                "checks": ", ".join(_in_order(label.standing)),
                "overruled": ", ".join(sorted(set(label.reasons) & set(label.known.released))),
                "reasons": "; ".join(_in_order(label.standing).values()),
                **{name: label.figures.get(name, "") for name in columns},
            }
            for label in self.labels
        ]


def audit_labels(database: DatabaseManager, settings: Audit, labels: Labels) -> LabelAudit:
    """Look through all labels of a database, those that are held included; nothing is written.

    Parameters
    ----------
    database
        Whose labels are looked through.
    settings
        Section ``audit``.
    labels
        Section ``labels``: thresholds that hold of every label.

    Returns
    -------
    LabelAudit
        What was found; the same of the same labels, whichever of them are held.
    """
    found = audited(database.labels())
    for label in found:
        check_alone(label, settings, labels)
        # what tighter settings or a fit's checks said of a label stands until they are asked again
        label.reasons |= {c: label.known.held_for[c] for c in (ZERO, RELABEL) if c in label.known.held_for}
    check_settings(found)
    alike = [label for label in found if label.frame is not None and "settings" not in label.reasons]
    check_duplicates(alike, settings)
    check_zero_forces(alike)
    check_copied_forces(alike)
    check_moments(alike, settings)
    facts = {"work": check_work(alike, settings)}
    check_outliers(alike, settings)
    unsaid = sum(not label.known.result for label in found)
    if unsaid:
        facts["without_a_record_of_their_run"] = unsaid  # type: ignore[assignment]
    return LabelAudit(found, facts)


def in_words(found: LabelAudit) -> str:
    """Say what an audit found, for people.

    Parameters
    ----------
    found
        The audit.

    Returns
    -------
    str
        A line for all, and one for each label that is held, twenty at most.
    """
    lines = [f"{len(found.labels)} labels, {len(found.held)} held"]
    lines += [f"{label.name}: {'; '.join(_in_order(label.standing).values())}" for label in found.held[:_SHOWN]]
    if len(found.held) > _SHOWN:
        lines.append(f"and {len(found.held) - _SHOWN} more, in audit.csv")
    return "\n".join([*lines, *(words for _, words in found.compared())])


def hold_labels(database: DatabaseManager, settings: Audit, labels: Labels) -> dict[str, int]:
    """Audit a database and hold what something speaks against: a held label is not among those that count.

    Parameters
    ----------
    database
        Whose labels are looked through.
    settings, labels
        As of :func:`audit_labels`.

    Returns
    -------
    dict
        Labels that are held now, by check; one may count in several.
    """
    found = audit_labels(database, settings, labels)
    found.hold(database)
    for name in found.changed:
        label = next(label for label in found.labels if label.name == name)
        log.info("audit: %s %s", name, f"is held: {'; '.join(label.standing.values())}" if label.standing else "counts")
    return counts_of(found.held)


def held_counts(database: DatabaseManager) -> dict[str, int]:
    """Count the labels that are held in a database.

    Parameters
    ----------
    database
        After an audit.

    Returns
    -------
    dict
        By check; a label may count in several.
    """
    return dict(sorted(Counter(check for label in database.labels() for check in label.held_for).items()))


def release(database: DatabaseManager, names: Iterable[str]) -> list[str]:
    """Let held labels in, whatever the checks that held them say from now on.

    Parameters
    ----------
    database
        That holds them.
    names
        Their ids.

    Returns
    -------
    list of str
        Those that were held.

    Raises
    ------
    InputError
        For an id that is no label's; nothing is written.
    """
    wanted = list(dict.fromkeys(names))
    known = {label.name: label for label in database.labels()}
    if strange := [name for name in wanted if name not in known]:
        what = f"{strange[0]!r} is no label of the database"
        raise InputError(Problem("--release", what, "the id of a label that an audit holds"))
    held = [name for name in wanted if known[name].held_for]
    for name in held:
        database.hold({name: {}}, "released by hand", released=known[name].held_for)
    return held


def counts_of(labels: Iterable[Audited]) -> dict[str, int]:
    """Count labels by what holds them.

    Parameters
    ----------
    labels
        Those that are held.

    Returns
    -------
    dict
        By check, in alphabetical order; a label may count in several.
    """
    return dict(sorted(Counter(check for label in labels for check in label.standing).items()))


def _in_order(reasons: Mapping[str, str]) -> dict[str, str]:
    return {check: reasons[check] for check in CHECKS if check in reasons}
