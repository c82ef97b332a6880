"""Protonation by residue: one table for all records of a campaign whose protein was prepared in the same way."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError
from gibbsflow.report.tables.cells import cell
from gibbsflow.workflow.files import atomic_open

COLUMNS = ("chain", "number", "residue", "group", "state", "at_ph", "decided_by", "bonded_to")


@dataclass(frozen=True)
class ProtonationTable:
    """What a preparation made of the groups that can take or lose a proton.

    Attributes
    ----------
    number
        Which of the campaign's, from 1.
    ph
        The pH that was asked for.
    groups
        Rows with :data:`COLUMNS` (docs/contracts.md), all of them text.
    names
        Ligands or edges whose records have it; grows while records are read.
    """

    number: int
    ph: float
    groups: tuple[Mapping[str, str], ...]
    names: list[str]

    @property
    def striking(self) -> list[Mapping[str, str]]:
        """Rows to look at.

        Returns
        -------
        list of mapping
            Those that are not as the pH alone would have them, and all histidines: no pH decides their tautomer.
        """
        return [
            row for row in self.groups if row["at_ph"] and (row["state"] != row["at_ph"] or row["residue"] == "HIS")
        ]

    @property
    def file_name(self) -> str:
        """Name of its CSV.

        Returns
        -------
        str
            ``titratable_groups.csv`` of the first, ``titratable_groups_2.csv`` of the second.
        """
        return "titratable_groups.csv" if self.number == 1 else f"titratable_groups_{self.number}.csv"

    @property
    def csv(self) -> str:
        """All rows as CSV.

        Returns
        -------
        str
            With a head; the pH is its first column.
        """
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("ph", *COLUMNS))
        writer.writerows([f"{self.ph:g}", *(cell(row[name]) for name in COLUMNS)] for row in self.groups)
        return text.getvalue()


def take_in(tables: list[ProtonationTable], name: str, record: Mapping[str, Any]) -> int | None:
    """Find the table of a record among those of a campaign, or add it.

    Parameters
    ----------
    tables
        Those so far; grows.
    name
        Of the record's ligand or edge.
    record
        Content of a ``record.json``.

    Returns
    -------
    int or None
        Number of its table; None for records without one: of hosts, of systems that came with their topology, of
        earlier versions.

    Raises
    ------
    StateError
        Where it has another form.
    """
    receptor = record.get("preparation", {}).get("facts", {}).get("receptor")
    told = receptor.get("titratable_groups") if isinstance(receptor, Mapping) else None
    if told is None:
        return None
    try:
        ph = float(told["ph"])
        groups = tuple({key: str(row.get(key, "")) for key in COLUMNS} for row in told["groups"])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise StateError(f"preparation: titratable_groups is no table ({error!r})") from error
    same = json.dumps([ph, groups])
    found = next((one for one in tables if json.dumps([one.ph, one.groups]) == same), None)
    if found is None:
        found = ProtonationTable(len(tables) + 1, ph, groups, [])
        tables.append(found)
    found.names.append(name)
    return found.number


def write_protonation(tables: Sequence[ProtonationTable], folder: Path) -> list[Path]:
    """Write the tables of a campaign.

    Parameters
    ----------
    tables
        From :func:`take_in`.
    folder
        Where to.

    Returns
    -------
    list of Path
        What was written.
    """
    written = []
    for table in tables:
        with atomic_open(path := folder / table.file_name, "w") as file:
            file.write(table.csv)
        written.append(path)
    return written
