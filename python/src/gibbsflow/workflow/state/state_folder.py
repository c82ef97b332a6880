"""Whose a state folder is: held by one process, made from today's inputs, with a record of every attempt.

What happens to what is found there:

========================================  ==========================================================================
found                                     done
========================================  ==========================================================================
state of other inputs, or of unknown      set aside in ``superseded-NNN``, never deleted; log and result name the change
the last attempt failed (the science)     the next attempt: state set aside, next safer settings, other random numbers
the last attempt failed (unreadable       state set aside, begun again with the same settings and random numbers: the
state)                                    same samples
it failed otherwise (disk, defect),       goes on from the last checkpoint
was stopped, or killed
it failed as often as there are settings  the same failure at once, until `clean-failures` clears it
========================================  ==========================================================================
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gibbsflow.errors import GibbsflowError, LockedError, ScienceError, StateError, StoppedEarly, one_line
from gibbsflow.workflow.files import inputs_hash, read_json, remove_temporaries, sha256_path, write_json
from gibbsflow.workflow.folders.places import ASIDE
from gibbsflow.workflow.state import attempts, sentinels
from gibbsflow.workflow.state.attempts import Attempt, recall_attempts, write_attempts
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import failed_sentinel, valid_sentinel

log = logging.getLogger(__name__)
INPUTS = "inputs.json"
LOCK = ".lock"
_STAYS = (LOCK, attempts.FILE_NAME)
_ASK_AGAIN_S = 1.0


class FailedBeforeError(ScienceError):
    """It has failed as often as there are settings to try.

    Parameters
    ----------
    cause
        Cause of the last failure, which is this one's too.
    message
        The last failure in words.
    """

    what_to_do = "Look into the cause; `gibbsflow clean-failures DIR` or --clean_failures has it tried again."

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self._cause = cause

    @property
    def cause(self) -> str:
        """Cause of the last failure.

        Returns
        -------
        str
            As in its sentinel.
        """
        return self._cause


class StateFolder:
    """A state folder, held while this is open as a context manager.

    Parameters
    ----------
    folder
        State folder.
    files
        Input files by role.
    settings
        Settings that change results.
    physics
        Version of the physics.
    settings_of_attempt
        Settings that an attempt, counted from 1, uses in place of those asked for; for the record.
    most_attempts
        Failures after which the failure stands; None for no limit.
    stopper
        Where it has a time budget, a folder that another process holds is waited for within it.

    Raises
    ------
    LockedError
        On entering, where another process holds the folder.
    StoppedEarly
        The same, after the stopper's time budget.
    FailedBeforeError
        On entering, where it has failed too often.
    """

    def __init__(
        self,
        folder: Path,
        *,
        files: Mapping[str, Path],
        settings: Mapping[str, Any],
        physics: int,
        settings_of_attempt: Callable[[int], Mapping[str, Any]] = lambda _: {},
        most_attempts: int | None = None,
        stopper: Stopper | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.settings = dict(settings)
        self.inputs_hash = inputs_hash(files=files, settings=self.settings, physics=physics)
        self.attempt = 1
        self.segments_done = 0
        self.set_aside = ""
        self.failed_before = ""
        self._settings_of_attempt, self._most, self._stopper = settings_of_attempt, most_attempts, stopper
        self._described = {
            **{f"setting {key}": value for key, value in self.settings.items()},
            **{f"file {role}": sha256_path(path) for role, path in files.items()},
            "physics": physics,
        }
        self._history: list[Attempt] = []
        self._stack = ExitStack()

    @property
    def settings_used(self) -> Mapping[str, Any]:
        """Settings that this attempt uses in place of those asked for.

        Returns
        -------
        Mapping
            Values by setting; empty in the first attempt.
        """
        return self._settings_of_attempt(self.attempt)

    @property
    def finished(self) -> sentinels.Sentinel | None:
        """The FINISHED sentinel, where it stands for today's inputs.

        Returns
        -------
        Sentinel or None
            None also for one that cannot be read.
        """
        try:
            return valid_sentinel(self.folder, "FINISHED", self.inputs_hash)
        except StateError as error:  # what it stood for is seen from the checkpoints
            log.warning("%s; it does not count", error)
            return None

    def facts(self) -> dict[str, Any]:
        """Tell what was done with what was found.

        Returns
        -------
        dict
            Figures for ``result.json``: ``attempt``, ``settings_used``, and where they apply ``set_aside`` and
            ``failed_before``.
        """
        told = {"set_aside": self.set_aside, "failed_before": self.failed_before}
        return {
            "attempt": self.attempt,
            "settings_used": dict(self.settings_used),
            **{k: v for k, v in told.items() if v},
        }

    def __enter__(self) -> Self:
        self._hold()
        try:
            remove_temporaries(self.folder)
            self._history = recall_attempts(self.folder)
            self._settle()
            if self.finished is None:
                began = Attempt(self.attempt, self.inputs_hash, self.settings_used, set_aside=self.set_aside)
                self._history.append(began)
                write_attempts(self.folder, self._history)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, GibbsflowError) and error.of_item:
                failed_sentinel(error, self.inputs_hash).write(self.folder)
                error.recorded = True
            if error is not None and not (self._history and not self._history[-1].end):
                # what had finished before failed only now
                self._history.append(Attempt(self.attempt, self.inputs_hash, self.settings_used))
            if self._history and not self._history[-1].end:
                self._history[-1] = self._history[-1].closed(error, self.segments_done)
                write_attempts(self.folder, self._history)
        except OSError as full:
            if error is None:
                raise
            log.error("%s: how this attempt ended could not be written down (%s)", self.folder, full)
        finally:
            self._stack.close()

    def _hold(self) -> None:
        """Lock the folder; whoever has a time budget waits for another holder, such as a task whose head has died."""
        waiting = False
        while True:
            try:
                self._stack.enter_context(folder_lock(self.folder))
                return
            except LockedError as error:
                if self._stopper is None or self._stopper.time_budget_s is None:
                    raise
                if not waiting:
                    log.warning("%s; waiting for it to end", error)
                waiting = True
                if reason := self._stopper.reason():
                    raise StoppedEarly(f"{reason}; still {error}") from error
            time.sleep(_ASK_AGAIN_S)

    def _settle(self) -> None:
        """Make the folder belong to today's inputs and to the right attempt."""
        path = self.folder / INPUTS
        before = self._inputs(path)
        if before is None:
            pass
        elif before["inputs_hash"] != self.inputs_hash:
            self._move_aside("made from other inputs. Changed: " + "; ".join(self._changes(before["described"])))
            before = None
        else:
            self.attempt = int(before.get("attempt", 1))
            self.failed_before = str(before.get("failed_before", ""))
            before = self._after_failure(before)
        (self.folder / "FAILED").unlink(missing_ok=True)
        if before is None:
            content = {
                "attempt": self.attempt,
                "settings_used": dict(self.settings_used),
                "failed_before": self.failed_before,
            }
            write_json(path, {"inputs_hash": self.inputs_hash, **content, "described": self._described})

    def _inputs(self, path: Path) -> Mapping[str, Any] | None:
        """What the folder was made from; state of which that is not known is set aside."""
        why = f"{INPUTS} is missing"
        if path.exists():
            try:
                content: Mapping[str, Any] = read_json(path)
                if isinstance(content["inputs_hash"], str) and isinstance(content["described"], dict):
                    return content
                why = f"{INPUTS} holds something else"
            except (StateError, KeyError, TypeError) as error:
                why = f"{INPUTS} cannot be read: {error}"
        if any(self._movable()):
            self._move_aside(f"made from unknown inputs: {why}")
        return None

    def _after_failure(self, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Take the next safer settings where the last attempt failed; None where the folder is to begin anew."""
        mine = [one for one in self._history if one.inputs_hash == self.inputs_hash]
        if not mine or mine[-1].end != "failed":
            return before
        last = mine[-1]
        if last.number != self.attempt:  # killed before the next one had begun
            return before
        failure = f"{last.cause}: {last.message}"
        failures = sum(one.end == "failed" and one.then == "safer" for one in mine)
        if last.then == "safer" and self._most is not None and failures >= self._most:
            raise FailedBeforeError(last.cause, f"{last.message} (failed {failures} times, no safer settings are left)")
        log.warning("%s failed before (%s) and is tried again: %s", self.folder, failure, last.then)
        if last.then == "go on":
            return before
        if last.then == "safer":
            self.attempt += 1
            self.failed_before = failure
        self._move_aside(f"left by attempt {last.number}, which failed ({failure})")
        return None

    def _changes(self, old: Mapping[str, Any]) -> list[str]:
        return _differences(old, _as_json(self._described))

    def _movable(self) -> list[Path]:
        items = sorted(self.folder.iterdir())
        return [item for item in items if item.name not in _STAYS and item.name != "FAILED" and not item.is_dir()]

    def _move_aside(self, why: str) -> None:
        taken = [int(n) for p in self.folder.glob(f"{ASIDE}*") if (n := p.name.removeprefix(ASIDE)).isdecimal()]
        target = self.folder / f"{ASIDE}{max(taken, default=-1) + 1:03d}"
        target.mkdir()
        for item in self._movable():
            item.rename(target / item.name)
        self.set_aside = f"{target.name}: {why}"
        log.warning("%s holds state %s; moved to %s", self.folder, why, target.name)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], within: str = "") -> list[str]:
    """What differs, key by key of what lies within, each value on one short line."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        before, now = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            found += _differences(before, now, f"{within}{key}.")
        elif before != now:
            told = (one_line(str(values.get(key, "absent"))) for values in (old, new))
            found.append(f"{within}{key}: {' -> '.join(told)}")
    return found


def window_folder(window: int) -> str:
    """Name the folder of a window's state.

    Parameters
    ----------
    window
        Number of the window, from 0.

    Returns
    -------
    str
        Such as ``window_03``.
    """
    return f"window_{window:02d}"


def is_aside(path: Path) -> bool:
    """Say whether a path is of state that was set aside, or lies in it.

    Parameters
    ----------
    path
        The path; only its parts count.

    Returns
    -------
    bool
        Whether it is.
    """
    return any(part.startswith(ASIDE) for part in path.parts)


def _as_json(value: Any) -> Any:
    """A value as it comes back from JSON, for comparison."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value
