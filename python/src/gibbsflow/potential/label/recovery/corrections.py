"""What a handler of failed runs is: `check` says whether it knows the error, `correct` what to try next.

The shape is custodian's (Ong et al., Comput. Mater. Sci. 68, 314 (2013)): small handlers that know one failure each, a
bound on how often each may act, and a trail of what they did. custodian itself has no handlers for pw.x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings


@dataclass(frozen=True)
class Case:
    """What of a label and its structure counts for what is tried.

    Attributes
    ----------
    own
        Settings that the config asks for.
    anisotropic
        Whether the charge may slosh: a slab, a molecule, or a cell much longer in one direction.
    free_moment_ub
        Total starting moment in μB where spin is computed and the moment is free; else None.
    """

    own: ScfSettings
    anisotropic: bool = False
    free_moment_ub: float | None = None


@dataclass(frozen=True)
class Attempt:
    """A run that failed, and those before it.

    Attributes
    ----------
    scf, outcome
        Its settings, and what came of it.
    case
        The label.
    earlier
        Settings of all runs of this label up to this one.
    """

    scf: ScfSettings
    outcome: Outcome
    case: Case
    earlier: Sequence[ScfSettings] = ()

    @property
    def origin(self) -> str:
        """Say in words where the next run starts.

        Returns
        -------
        str
            From the charge density where it is worth it, else from scratch.
        """
        return "from its charge density" if self.outcome.good_density else "from scratch"

    def change(self, action: str, **changes: Any) -> Correction:
        """Change settings; the next run starts from the charge density where that is worth it.

        Parameters
        ----------
        action
            What is changed, in words.
        **changes
            Settings by name.

        Returns
        -------
        Correction
            As the words and the settings say.
        """
        density = changes.pop("from_density", self.outcome.good_density)
        scf = replace(self.scf, **{"restart": False, "from_density": density, **changes})
        return Correction(scf, action)


@dataclass(frozen=True)
class Correction:
    """What is tried next.

    Attributes
    ----------
    scf
        Settings of the next run.
    action
        What they change, in words.
    """

    scf: ScfSettings
    action: str

    @property
    def kept(self) -> str:
        """Say what of the run before the next one uses.

        Returns
        -------
        str
            In words.
        """
        if self.scf.restart:
            return "charge density, wavefunctions and mixing history"
        return "charge density" if self.scf.from_density else "nothing"


def _always(attempt: Attempt) -> bool:  # noqa: ARG001 - whatever it was
    return True


@dataclass(frozen=True)
class Handler:
    """One kind of failure and what mends it; knows nothing of other handlers.

    Attributes
    ----------
    name
        As the trail has it.
    errors
        What it answers to.
    most
        How often it may act on one label.
    correct
        Says what to try next; None where it has nothing left.
    where
        Whether it is one for a run with such an error.
    """

    name: str
    errors: frozenset[ScfError]
    most: int
    correct: Callable[[Attempt], Correction | None]
    where: Callable[[Attempt], bool] = _always

    def check(self, attempt: Attempt) -> bool:
        """Say whether a failure is one that this handler knows.

        Parameters
        ----------
        attempt
            The run that failed.

        Returns
        -------
        bool
            Whether `correct` is to be asked.
        """
        return attempt.outcome.error in self.errors and self.where(attempt)
