"""SimSystem: what is simulated, handed from phase to phase, never changed in place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from gibbsflow.binding.facts import AccountFacts, Facts
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import read_json, within, write_json

FILE_NAME = "system.json"
F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class SimSystem:
    """A receptor with one ligand (or either alone), its files and what is known of it.

    Attributes
    ----------
    name
        Name of the transformation; safe in file names.
    root
        Folder that the artifact paths are relative to.
    artifacts
        Relative path of each file, by role (``receptor``, ``ligand``, ``complex_prmtop``, ...).
    meta
        What is known of it, as in ``system.json``; `facts` reads it with its types.
    """

    name: str
    root: Path
    artifacts: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root))
        object.__setattr__(self, "artifacts", MappingProxyType(dict(self.artifacts)))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    def path(self, role: str) -> Path:
        """Path of an artifact.

        Parameters
        ----------
        role
            Its name among the artifacts.

        Returns
        -------
        Path
            Below the root; absolute where the root is.

        Raises
        ------
        StateError
            Where the system has no such artifact, or its file is gone.
        """
        if role not in self.artifacts:
            has = ", ".join(sorted(self.artifacts)) or "none"
            raise StateError(f"{self.root / FILE_NAME}, system {self.name}: no artifact {role!r} (it has {has})")
        path = within(self.root, self.artifacts[role])
        if not path.exists():
            raise StateError(f"{self.root / FILE_NAME}, system {self.name}: artifact {role!r} is missing at {path}")
        return path

    def facts(self, kind: type[F]) -> F:
        """Read what a phase has found out.

        Parameters
        ----------
        kind
            Which facts, one of the classes in `binding.facts`.

        Returns
        -------
        Facts
            Of that class.

        Raises
        ------
        StateError
            Where the phase that writes them has not been.
        InputError
            For values that cannot be.
        """
        if absent := kind.absent_from(self.meta):
            lacking = f"system {self.name}: {self.root / FILE_NAME} lacks {', '.join(absent)}"
            raise StateError(f"{lacking}; right: the folder written by `{kind.written_by}`")
        return kind.from_meta(self.meta, where=f"{self.root}/{FILE_NAME}")

    def find(self, kind: type[F]) -> F | None:
        """Read what a phase has found out, where it has been.

        Parameters
        ----------
        kind
            Which facts, one of the classes in `binding.facts`.

        Returns
        -------
        Facts or None
            None where the phase that writes them has not been.

        Raises
        ------
        InputError
            For values that cannot be.
        """
        return None if kind.absent_from(self.meta) else self.facts(kind)

    def with_facts(self, *facts: Facts) -> SimSystem:
        """Add what a phase has found out.

        Parameters
        ----------
        *facts
            Each replaces the keys of its class; others stay.

        Returns
        -------
        SimSystem
            A copy.
        """
        return self.with_meta(**{key: value for found in facts for key, value in found.as_meta().items()})

    def with_meta(self, **meta: Any) -> SimSystem:
        """Add facts of which no class knows.

        Parameters
        ----------
        **meta
            JSON-serialisable values, added or replaced.

        Returns
        -------
        SimSystem
            A copy.
        """
        return replace(self, meta={**self.meta, **meta})

    def account(self) -> Account:
        """Read the account of what came in.

        Returns
        -------
        Account
            Empty where no phase has written one.

        Raises
        ------
        StateError
            Where it has another form.
        """
        held = self.facts(AccountFacts).account or {}
        return Account.from_dict(held, where=self.name, file=self.root / FILE_NAME)

    def with_account(self, account: Account) -> SimSystem:
        """Add to the account of what came in.

        Parameters
        ----------
        account
            Of one phase, settled; its facts replace those of the same names.

        Returns
        -------
        SimSystem
            A copy.
        """
        whole = self.account()
        whole.take(account)
        whole.facts.update(account.facts)
        return self.with_facts(AccountFacts(account=whole.as_dict()))

    def with_artifacts(self, **artifacts: str | Path) -> SimSystem:
        """Add files, or replace them.

        Parameters
        ----------
        **artifacts
            Paths by role, relative to the root, or below it and absolute or relative to the current folder.

        Returns
        -------
        SimSystem
            A copy, with relative paths.
        """
        relative = {role: _relative(Path(path), self.root) for role, path in artifacts.items()}
        return replace(self, artifacts={**self.artifacts, **relative})

    def copy_to(self, root: Path) -> SimSystem:
        """Put all files into another folder, hard-linked where the file system allows.

        Parameters
        ----------
        root
            The folder; files of the same names are replaced.

        Returns
        -------
        SimSystem
            A copy with that root; ``system.json`` is not yet written.

        Raises
        ------
        StateError
            Where a file is gone.
        """
        root = Path(root)
        for role, relative in self.artifacts.items():
            source, target = self.path(role), root / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            try:
                os.link(source.resolve(), target)
            except OSError:  # another file system, or one without hard links
                shutil.copy2(source, target)
        return replace(self, root=root)

    def write(self) -> Path:
        """Write ``system.json`` into the root.

        Returns
        -------
        Path
            The file.
        """
        path = self.root / FILE_NAME
        write_json(
            path,
            {
                "name": self.name,
                "artifacts": dict(self.artifacts),
                "meta": dict(self.meta),
            },
        )
        return path

    @classmethod
    def read(cls, folder: Path) -> SimSystem:
        """Read the system of a folder.

        Parameters
        ----------
        folder
            The root, wherever it was moved to.

        Returns
        -------
        SimSystem
            As it was written.

        Raises
        ------
        InputError
            Where there is none.
        StateError
            Where it cannot be read.
        """
        file = Path(folder) / FILE_NAME
        if not file.exists() and not file.is_symlink():
            right = "a folder that `system_prep system`, or a phase after it, has written"
            raise InputError(Problem(str(folder), f"holds no {FILE_NAME}", right))
        content = read_json(file)
        name, artifacts, meta = (
            content.get(key) if isinstance(content, dict) else None for key in ("name", "artifacts", "meta")
        )
        if not (isinstance(name, str) and isinstance(artifacts, dict) and isinstance(meta, dict)):
            raise StateError(f"{file}: no system of gibbsflow (right: name, artifacts, meta, as a phase writes it)")
        if strange := [role for role, path in artifacts.items() if not isinstance(path, str)]:
            raise StateError(f"{file}, artifacts: {', '.join(strange)}: no path")
        return cls(name, Path(folder), artifacts, meta)


def _relative(path: Path, root: Path) -> str:
    if not path.is_absolute() and ((root / path).exists() or not path.resolve().is_relative_to(root.resolve())):
        return path.as_posix()
    return path.resolve().relative_to(root.resolve()).as_posix()
