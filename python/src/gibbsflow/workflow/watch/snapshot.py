"""What is known of a campaign at one time, as plain data: what every front end of the live view shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

STATES = ("failed", "pruned", "unreadable", "running", "lost", "stopped", "stale", "waiting", "finished")
"""States of items, those first that want a look: an item has the first of these that any part of it has."""


@dataclass(frozen=True)
class ItemRow:
    """A ligand, an edge between two, or a generation of a learning loop.

    Attributes
    ----------
    name
        Its name.
    system
        Receptor that it belongs to; empty where there is none.
    state
        One of :data:`STATES`. ``pruned``: failed, and the campaign goes on, or has ended, without it.
    phase
        Phase that it has come to.
    parts
        Windows, equilibrations and phases of it by status, as `fe status` has them.
    done_ns, total_ns
        MD done and asked for.
    ns_per_day
        Speed of what runs now; None where nothing does.
    segments_per_h
        The same in stretches between two checkpoints.
    left_s
        Estimated seconds that its longest calculation has left at its speed of late, or of its time budget; None where
        that is not known.
    left_at_most
        Whether that is the rest of a time budget, before the end of which a fit may be through.
    engine_h
        Hours that MD and fits have taken so far, added up over calculations, failed attempts included.
    cpu_h, gpu_h
        The same times the cores, and the part of a GPU, that were held: those of the report; None where none is known.
    dg_kcal_per_mol, dg_error_kcal_per_mol
        Free energy of its last record; None without one.
    verdict
        Of that record.
    overlap
        Smallest overlap of neighbouring windows in it; None where it is not known.
    under_way_ns
        MD since the last checkpoints of what runs, which is not saved yet: estimated by the clock.
    cause
        Why it failed or stopped.
    """

    name: str
    system: str = ""
    state: str = "waiting"
    phase: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    done_ns: float = 0.0
    total_ns: float = 0.0
    ns_per_day: float | None = None
    segments_per_h: float | None = None
    left_s: float | None = None
    left_at_most: bool = False
    engine_h: float = 0.0
    cpu_h: float | None = None
    gpu_h: float | None = None
    dg_kcal_per_mol: float | None = None
    dg_error_kcal_per_mol: float | None = None
    verdict: str = ""
    overlap: float | None = None
    under_way_ns: float = 0.0
    cause: str = ""


@dataclass(frozen=True)
class PhaseRow:
    """How many items have come how far.

    Attributes
    ----------
    name
        The phase.
    finished
        Items that are through with it.
    states
        Items that have come to it, by state.
    """

    name: str
    finished: int
    states: Mapping[str, int]


@dataclass(frozen=True)
class Learning:
    """How far a learning loop is.

    Attributes
    ----------
    generation
        The last one begun; None before any.
    phase
        Phase that comes next, by its checkpoint; empty where there is none yet.
    stopped_by, reason
        Why it stopped, or how it stands, in its own words.
    labels
        Labels by ``finished`` and ``failed``.
    labels_per_h
        Labels of the last hour, and an estimate of as much from less; None where there is none so new.
    labels_to_do
        Structures of this generation without a label or a failure; None where labels are not what comes next, or it is
        not known which are asked for.
    labels_left_s
        What they take at that rate, s; None where it is not known.
    failed_labels
        Labels that failed and why, at most 50.
    history
        Of each finished generation: ``generation``, ``labels``, ``failures``, ``force_mae_ev_per_angstrom``,
        ``energy_mae_mev_per_atom``, ``fraction_above``.
    """

    generation: int | None
    phase: str
    stopped_by: str
    reason: str
    labels: Mapping[str, int]
    labels_per_h: float | None
    labels_to_do: int | None
    labels_left_s: float | None
    failed_labels: Sequence[str]
    history: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Snapshot:
    """A campaign at one time.

    Attributes
    ----------
    campaign
        Its name.
    mode
        As its head noted it; else by its folders.
    folder
        Its state folder.
    at
        When it was looked at (UTC, ISO 8601).
    held_by
        Who runs it now; empty where nobody does, or it runs on another host that the lock does not reach.
    items
        All items, by name.
    counts
        Items by state.
    parts
        Their parts by status.
    phases
        How far they are, in the order of the phases.
    ns_per_day
        Speed of all that runs.
    left_s
        Estimated seconds that what is under way has left, each calculation with its own speed: the longest; None where
        that is not known.
    left_at_most
        As of the item that it is of.
    engine_h, cpu_h, gpu_h
        As of items, added up.
    learning
        Of a learning loop; else None.
    remarks
        What is odd, damaged or not known.
    """

    campaign: str
    mode: str
    folder: str
    at: str
    held_by: str
    items: Sequence[ItemRow]
    counts: Mapping[str, int]
    parts: Mapping[str, int]
    phases: Sequence[PhaseRow]
    ns_per_day: float
    left_s: float | None
    left_at_most: bool
    engine_h: float
    cpu_h: float | None
    gpu_h: float | None
    learning: Learning | None
    remarks: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        """Give it the form of JSON.

        Returns
        -------
        dict
            All fields.
        """
        return asdict(self)


@dataclass(frozen=True)
class LogTail:
    """The end of a log.

    Attributes
    ----------
    path
        The log.
    text
        Its last lines; why it cannot be read where it cannot.
    """

    path: str
    text: str


@dataclass(frozen=True)
class ItemDetail:
    """All that is known of one item.

    Attributes
    ----------
    item
        The item.
    parts
        Its windows, equilibrations and phases: fields of :class:`gibbsflow.workflow.state.status.StatusRow`.
    rounds
        Free energies as they grew: ``round``, ``dg_kcal_per_mol``, ``dg_error_kcal_per_mol``, ``sampled_ns``.
    legs
        Of its last record: ``leg``, ``replicate``, ``dg_kcal_per_mol``, ``overlap``.
    logs
        Ends of logs of what failed or was killed.
    again
        What has it tried again; empty where nothing failed.
    """

    item: ItemRow
    parts: Sequence[Mapping[str, Any]]
    rounds: Sequence[Mapping[str, Any]]
    legs: Sequence[Mapping[str, Any]]
    logs: Sequence[LogTail]
    again: str

    def as_dict(self) -> dict[str, Any]:
        """Give it the form of JSON.

        Returns
        -------
        dict
            All fields.
        """
        return asdict(self)
