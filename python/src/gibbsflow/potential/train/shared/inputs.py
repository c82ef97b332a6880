"""What every trainer is given: checked frames, the account of what was read, and the machine's share of processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import InputError
from gibbsflow.potential.data.labelled_frames import ISOLATED, LabelledFrame, counts, read_with_account
from gibbsflow.potential.train.checks.consistency import hold_against, look_at
from gibbsflow.potential.train.checks.frame_checks import check_pair, look_through
from gibbsflow.potential.train.checks.work import judge_work
from gibbsflow.workflow.account import Account

POTENTIAL = "potential"
"""Folder of the potential beside a fit's ``result.json``."""


@dataclass(frozen=True)
class Inputs:
    """Checked frames of one fit.

    Attributes
    ----------
    train, test
        Labelled frames.
    account
        What was read, from the frames that are fitted; its facts hold one part for ``train`` and one for ``test``.
    """

    train: list[LabelledFrame]
    test: list[LabelledFrame]
    account: Account = field(default_factory=lambda: Account("labelled frames"))

    @classmethod
    def read(cls, train: Path, test: Path) -> Inputs:
        """Read and check both files.

        Parameters
        ----------
        train
            Labelled frames to fit to: extended XYZ in eV, eV/Å and eV/Å^3.
        test
            Labelled frames that are only predicted.

        Returns
        -------
        Inputs
            Without the training frames that the test set has too.

        Raises
        ------
        InputError
            With all problems of both files at once.
        """
        inputs = cls.look_at(train, test)
        inputs.account.settle()
        return inputs

    @classmethod
    def look_at(cls, train: Path, test: Path | None = None) -> Inputs:
        """Read and check files, and leave it to the caller to settle what is wrong with them.

        Parameters
        ----------
        train
            Labelled frames to fit to.
        test
            Labelled frames that are only predicted, or None.

        Returns
        -------
        Inputs
            Frames whose labels can be read, and the account with all refusals.
        """
        whole = Account(str(train))
        frames, own = _read(train)
        if frames and not own.of_weight("refuse"):
            look_through(frames, own, train=True)
        seen = None
        if frames and not own.of_weight("refuse"):
            seen = look_at(frames, own, judge_work(frames, own))
        apart: list[LabelledFrame] = []
        if test is not None:
            apart, other = _read(test)
            if apart and frames:
                before = len(frames), len(apart)
                frames, apart = check_pair(frames, apart, other, train_name=str(train))
                own.facts |= {**counts(frames), "in_test_too": before[0] - len(frames)}
                other.facts |= {**counts(apart), "copies_of_training": before[1] - len(apart)}
            if apart and not other.of_weight("refuse"):
                look_through(apart, other, train=False)
                judge_work(apart, other)
            if seen is not None and apart and not other.of_weight("refuse"):
                hold_against(seen, apart, other)
            _same_labels(own, other)
        whole.take(own, "train")
        if test is not None:
            whole.take(other, "test")
        return cls(frames, apart, whole)

    @property
    def species(self) -> tuple[str, ...]:
        """Elements of the training set, alphabetically.

        Returns
        -------
        tuple of str
            Chemical symbols.
        """
        return tuple(sorted({s for frame in self.train for s in frame.atoms.get_chemical_symbols()}))

    @property
    def read_otherwise(self) -> dict[str, Any]:
        """Say what is read otherwise than by versions that knew no families of labels, weights or geometry of atoms.

        Returns
        -------
        dict
            Part of the hash of a fit's inputs; empty for files that those versions read alike.
        """
        changed: dict[str, Any] = {}
        for name, frames in (("train", self.train), ("test", self.test)):
            facts = self.account.facts.get(name, {})
            first = [str(key).lower() for key in facts.get("labels", [])]
            if facts.get("labels_not_used") or any(key not in _KNOWN_BEFORE for key in first):
                changed[f"{name}_labels"] = facts["labels"]
            if facts.get("weight_zero") or facts.get("weighted"):
                changed[f"{name}_weights"] = [facts["weight_zero"], facts["weighted"]]
            if facts.get("copies_of_training"):
                changed[f"{name}_frames"] = [frame.row for frame in frames]
            if alone := [f.row for f in frames if f.isolated and f.config_type.lower() not in ISOLATED]:
                changed[f"{name}_isolated"] = alone
        return changed

    def figures(self) -> dict[str, Any]:
        """Give what a result says of the data.

        Returns
        -------
        dict
            ``labels`` by set, ``account``, ``notes`` and ``warnings``.
        """
        labels = {name: facts.get("labels", []) for name, facts in self.account.facts.items()}
        return {"labels": labels, **self.account.as_figures()}


_KNOWN_BEFORE = ("energy", "forces", "stress")


def _read(path: Path) -> tuple[list[LabelledFrame], Account]:
    try:
        return read_with_account(path)
    except InputError as error:
        account = Account(str(path))
        for problem in error.problems:
            account.refuse(problem.what, problem.right, row=problem.row, field=problem.field)
        return [], account


def _same_labels(train: Account, test: Account) -> None:
    """Warn where the two sets are labelled under different names."""
    own: Sequence[str] = train.facts.get("labels", [])
    other: Sequence[str] = test.facts.get("labels", [])
    # what one of them does not have at all is no other name
    pairs = [[next((k.lower() for k in names if what in k.lower()), "") for what in ("energy", "force")]
             for names in (own, other)]  # fmt: skip
    if any(one != two for one, two in zip(*pairs, strict=True) if one and two):
        test.warn(f"labels are {', '.join(other)}, and those of training {', '.join(own)}", "labels of one level")


def processes(settings: Training) -> int:
    """Count the processes to run side by side.

    Parameters
    ----------
    settings
        Section ``training``.

    Returns
    -------
    int
        As set, or one for each core that this process may use.
    """
    return settings.processes or len(os.sched_getaffinity(0))
