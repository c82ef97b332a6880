"""What failed in a campaign: why, what its log said last, and what to type to try it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow.result import failed_status
from gibbsflow.workflow.state.sentinels import Sentinel

AGAIN = "the command of the campaign again (Nextflow: with -resume)"


@dataclass(frozen=True)
class FailedItem:
    """An item without a whole result.

    Attributes
    ----------
    name, status, cause
        As in the table.
    time
        When it failed, UTC; empty where it is not known.
    log
        The last lines of its log; none where it cannot be read, or the item never began.
    clean
        Command that makes it begin with its first settings; empty where it has no state.
    """

    name: str
    status: str
    cause: str
    time: str
    log: tuple[str, ...]
    clean: str


def failed_items(rows: Sequence[TableRow], failures: Mapping[str, Sentinel], state: Path | None) -> list[FailedItem]:
    """Gather what failed.

    Parameters
    ----------
    rows
        The campaign's table.
    failures
        From :func:`gibbsflow.report.tables.results_table.failures`.
    state
        State folder of the campaign; None for none.

    Returns
    -------
    list of FailedItem
        Rows that are not finished, in their order, then ligands that are no rows (of a network) and failed.
    """
    named = [(row.ligand, row.status, row.cause) for row in rows if row.status != "finished"]
    seen = {row.ligand for row in rows}
    others = [(name, one) for name, one in failures.items() if name not in seen]
    named += [(name, str(failed_status(one.cause)), f"{one.cause}: {one.message}") for name, one in others]
    found = []
    for name, status, cause in named:
        failure = failures.get(name)
        found.append(
            FailedItem(
                name=name,
                status=status,
                cause=" ".join(cause.split()),
                time=failure.time if failure else "",
                log=tuple(failure.log) if failure else (),
                clean=_clean(name, state),
            )
        )
    return found


def _clean(name: str, state: Path | None) -> str:
    folders = [] if state is None else [one / name for one in sorted(Path(state).iterdir()) if (one / name).is_dir()]
    return "; ".join(f"bin/gibbsflow clean-failures {shlex.quote(str(folder))}" for folder in folders)
