"""SimSystem: what is simulated, handed from phase to phase, never changed in place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gibbsflow.errors import StateError
from gibbsflow.workflow.files import read_json, write_json

FILE_NAME = "system.json"


@dataclass(frozen=True)
class SimSystem:
    """A receptor with one ligand (or either alone), its files and what is known of it.

    Parameters
    ----------
    name
        Name of the transformation; safe in file names.
    root
        Folder that the artifact paths are relative to.
    artifacts
        Relative path of each file, by role (``receptor``, ``ligand``, ``complex_prmtop``, ...).
    meta
        JSON-serialisable facts: charge, SMILES, anchors, settings.
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
        """Absolute or root-relative path of an artifact.

        Raises
        ------
        StateError
            Where the system has no such artifact, or its file is gone.
        """
        if role not in self.artifacts:
            raise StateError(f"system {self.name}: no artifact {role!r} (it has {', '.join(sorted(self.artifacts))})")
        path = self.root / self.artifacts[role]
        if not path.exists():
            raise StateError(f"system {self.name}: artifact {role!r} is missing at {path}")
        return path

    def with_meta(self, **meta: Any) -> SimSystem:
        """Return a copy with facts added or replaced."""
        return replace(self, meta={**self.meta, **meta})

    def with_artifacts(self, **artifacts: str | Path) -> SimSystem:
        """Return a copy with artifacts added or replaced; absolute paths below the root become relative."""
        relative = {role: _relative(Path(path), self.root) for role, path in artifacts.items()}
        return replace(self, artifacts={**self.artifacts, **relative})

    def carry(self, root: Path) -> SimSystem:
        """Return a copy whose files are in another folder, hard-linked where the file system allows."""
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
        """Write ``system.json`` into the root."""
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
        """Read the system of a folder; its root is that folder, wherever it was moved to.

        Raises
        ------
        StateError
            Where there is none, or it cannot be read.
        """
        content = read_json(Path(folder) / FILE_NAME)
        return cls(content["name"], Path(folder), content["artifacts"], content["meta"])


def _relative(path: Path, root: Path) -> str:
    if not path.is_absolute():
        return path.as_posix()
    return path.resolve().relative_to(root.resolve()).as_posix()
