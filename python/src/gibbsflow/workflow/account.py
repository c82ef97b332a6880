"""The account of what came in: what was read, what became of it, and every doubt on the way, judged in one place.

A reader never decides by itself how bad something is; it enters a doubt with its weight:

=========  ===========================================================================================================
weight     what follows
=========  ===========================================================================================================
note       said in the log, the record and the report: an assumption, or something added or left out that is usual
warn       the same, and the verdict of whatever is computed from it becomes WARN: a grave assumption
refuse     nothing is computed (exit code 65): a contradiction, or something that cannot be what was meant
=========  ===========================================================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from gibbsflow.errors import InputError, Problem, StateError

log = logging.getLogger(__name__)
Weight = Literal["note", "warn", "refuse"]


@dataclass(frozen=True)
class Doubt:
    """One thing that is not quite what was given, or cannot be what was meant.

    Attributes
    ----------
    weight
        ``note``, ``warn`` or ``refuse``.
    problem
        Where, what, and what would be right.
    """

    weight: Weight
    problem: Problem

    def __str__(self) -> str:
        return str(self.problem)


@dataclass
class Account:
    """What was read of one input, and the doubts about it.

    Attributes
    ----------
    where
        File or item that doubts are about unless they name another.
    facts
        What was read, what was made of it: counts and names, JSON-serialisable, units in the keys.
    doubts
        In the order in which they were entered.
    """

    where: str
    facts: dict[str, Any] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def note(self, what: str, *, row: int | None = None, field: str | None = None) -> None:
        """Enter an assumption, or something that was added or left out as is usual.

        Parameters
        ----------
        what
            In words.
        row, field
            Where in the file.
        """
        self._enter("note", what, "", row, field)

    def warn(self, what: str, right: str = "", *, row: int | None = None, field: str | None = None) -> None:
        """Enter a grave assumption: whatever is computed from it gets the verdict WARN.

        Parameters
        ----------
        what, right
            What was found, and how the doubt would be settled.
        row, field
            Where in the file.
        """
        self._enter("warn", what, right, row, field)

    def refuse(self, what: str, right: str, *, row: int | None = None, field: str | None = None) -> None:
        """Enter what must not be computed; :meth:`settle` raises it, with all others.

        Parameters
        ----------
        what, right
            What was found, and what would be right.
        row, field
            Where in the file.
        """
        self._enter("refuse", what, right, row, field)

    def _enter(self, weight: Weight, what: str, right: str, row: int | None, field: str | None) -> None:
        doubt = Doubt(weight, Problem(self.where, what, right, row, field))
        if doubt not in self.doubts:
            self.doubts.append(doubt)

    def take(self, other: Account, key: str | None = None) -> None:
        """Take in another account: its doubts, and its facts under a key.

        Parameters
        ----------
        other
            Of a part of this input.
        key
            For its facts; None leaves them out.
        """
        self.doubts += [doubt for doubt in other.doubts if doubt not in self.doubts]
        if key is not None:
            self.facts[key] = dict(other.facts)

    def of_weight(self, weight: Weight) -> list[Problem]:
        """Doubts of one weight.

        Parameters
        ----------
        weight
            ``note``, ``warn`` or ``refuse``.

        Returns
        -------
        list of Problem
            In the order in which they were entered.
        """
        return [doubt.problem for doubt in self.doubts if doubt.weight == weight]

    def settle(self) -> None:
        """Refuse the input where anything speaks against it; else say all notes and warnings in the log.

        Raises
        ------
        InputError
            With all refusals at once.
        """
        if refused := self.of_weight("refuse"):
            raise InputError(refused)
        for doubt in self.doubts:
            log.log(logging.WARNING if doubt.weight == "warn" else logging.INFO, "%s", doubt)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON-serialisable form, for ``result.json``, ``record.json`` and data-set cards.

        Returns
        -------
        dict
            ``facts``, ``notes`` and ``warnings``, the last two as sentences.
        """
        return {"facts": self.facts, "notes": _sentences(self, "note"), "warnings": _sentences(self, "warn")}

    def as_figures(self) -> dict[str, Any]:
        """Return the same for a ``result.json``, where the facts are called an account.

        Returns
        -------
        dict
            ``account``, ``notes`` and ``warnings``.
        """
        content = self.as_dict()
        return {"account": content["facts"], "notes": content["notes"], "warnings": content["warnings"]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, where: str, file: Path | None = None) -> Account:
        """Read an account that an earlier phase left; its sentences stand for their doubts.

        Parameters
        ----------
        content
            As :meth:`as_dict` made it.
        where
            What it is of, as when it was written.
        file
            What holds it, for messages; None for `where`.

        Returns
        -------
        Account
            Without refusals, as an earlier phase settled those.

        Raises
        ------
        StateError
            Where it has another form.
        """
        facts = content.get("facts", {})
        if not isinstance(facts, dict):
            raise StateError(f"{file or where}: account.facts holds no names with values")
        account = cls(where, dict(facts))
        for weight, key in (("note", "notes"), ("warn", "warnings")):
            said = content.get(key, [])
            if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
                raise StateError(f"{file or where}: account.{key} is no list of sentences")
            for text in said:
                account._enter(weight, text, "", None, None)  # type: ignore[arg-type]  # one of the literals above
        return account


def _sentences(account: Account, weight: Weight) -> list[str]:
    said = []
    for problem in account.of_weight(weight):
        place = "" if problem.where == account.where and problem.row is None and not problem.field else f"{problem}"
        said.append(place or problem.what + (f" (right: {problem.right})" if problem.right else ""))
    return said


def heaviest(doubts: Iterable[Doubt]) -> Weight | None:
    """Return the greatest weight among doubts.

    Parameters
    ----------
    doubts
        Any number of them.

    Returns
    -------
    str or None
        ``note``, ``warn`` or ``refuse``; None where there are none.
    """
    order: tuple[Weight, ...] = get_args(Weight)
    return max((doubt.weight for doubt in doubts), key=order.index, default=None)
