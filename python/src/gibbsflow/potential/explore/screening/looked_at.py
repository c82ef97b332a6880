"""What a cheap model has said of structures, kept line by line: a screening that was killed goes on after the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ase import Atoms

from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.electronic_state import key_of


class LookedAt:
    """A file of one model, ``MODEL.jsonl``, that is only added to; what a kill has cut in half is not read.

    Parameters
    ----------
    folder
        State folder; None keeps nothing.
    identity
        Of the model: what another one said lies beside and is never read.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        self._path = Path(folder) / f"{identity[:32]}.jsonl" if folder is not None else None
        self._known: dict[str, dict[str, Any]] = {}
        if self._path is None or not self._path.exists():
            return
        lines = self._path.read_bytes().split(b"\n")
        for line in lines:
            try:
                entry = dict(json.loads(line))
                self._known[str(entry.pop("of"))] = entry
            except (ValueError, KeyError, TypeError):
                continue
        if lines[-1]:
            self._add(b"")  # half a line ends here, and not in the next one

    def get(self, atoms: Atoms, how: str = "") -> dict[str, Any] | None:
        """Read what was said.

        Parameters
        ----------
        atoms
            The structure.
        how
            What it depends on beside structure and model, such as the limits of a relaxation.

        Returns
        -------
        dict or None
            As it was kept; None where there is nothing.
        """
        return self._known.get(_name(atoms, how))

    def keep(self, atoms: Atoms, said: dict[str, Any], how: str = "") -> dict[str, Any]:
        """Keep what was said.

        Parameters
        ----------
        atoms
            The structure.
        said
            JSON-serialisable.
        how
            As for `get`.

        Returns
        -------
        dict
            The same.
        """
        name = _name(atoms, how)
        self._known[name] = said
        self._add(json.dumps({"of": name, **said}).encode())
        return said

    def _add(self, line: bytes) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, "ab") as file:
                file.write(line + b"\n")


def _name(atoms: Atoms, how: str) -> str:
    """Id, charge and spin, and how it was looked at."""
    return " ".join(filter(None, (structure_id(atoms), key_of(Electrons.of(atoms)), how)))
