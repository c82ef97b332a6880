"""What is wrong with a molecule, before it is known which row of which file it belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is wrong with a molecule, before it is known which row it belongs to.

    Attributes
    ----------
    field
        Column it concerns: ``structure``, ``smiles``, ``charge`` or ``pose``; ``receptor`` for a host.
    what, right
        As in :class:`gibbsflow.errors.Problem`.
    """

    field: str
    what: str
    right: str


class MoleculeError(ValueError):
    """A molecule that cannot be used; caught where the row is known and turned into an InputError.

    Parameters
    ----------
    faults
        All that is wrong.
    """

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{f.field}: {f.what}" for f in faults))
