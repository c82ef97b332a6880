"""ArtifactStore: a manifest of what was put out, with hashes, that survives being moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError, shown
from gibbsflow.workflow.files import read_json, sha256_path, write_json

FILE_NAME = "manifest.json"
VERSION = 1


@dataclass(frozen=True)
class Artifact:
    """One file or folder put out by a phase.

    Attributes
    ----------
    name
        Name, unique in the store; ``/`` makes groups (``b2/record``).
    path
        Path relative to the store's root.
    kind
        What it is: ``table``, ``record``, ``figure``, ``report``, ``energies``, ...
    sha256
        Hash of the content, for folders over all files in them.
    size
        Bytes.
    meta
        JSON-serialisable remainder.
    """

    name: str
    path: str
    kind: str
    sha256: str
    size: int
    meta: Mapping[str, Any] = field(default_factory=dict)


class ArtifactStore:
    """The artifacts below one root.

    Parameters
    ----------
    root
        Folder that paths are relative to; its ``manifest.json`` is read where there is one.

    Raises
    ------
    StateError
        For a manifest that cannot be read, is of another version, or lists what lies outside the root.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._artifacts: dict[str, Artifact] = {}
        if (self.root / FILE_NAME).exists():
            content = read_json(self.root / FILE_NAME)
            if content.get("version") != VERSION:
                raise StateError(f"{self.root / FILE_NAME}: version {content.get('version')}, expected {VERSION}")
            for row in content["artifacts"]:
                if Path(row["path"]).is_absolute() or ".." in Path(row["path"]).parts:
                    raise StateError(f"{self.root / FILE_NAME}: {shown(row['path'])} leads out of it")
                self._artifacts[row["name"]] = Artifact(**row)

    def __len__(self) -> int:
        return len(self._artifacts)

    def __getitem__(self, name: str) -> Artifact:
        try:
            return self._artifacts[name]
        except KeyError:
            raise StateError(f"{self.root}: no artifact {name!r}") from None

    def add(self, name: str, path: Path, kind: str, **meta: Any) -> Artifact:
        """Hash a file or folder below the root and list it.

        Parameters
        ----------
        name
            Name in the store; an artifact that has it is replaced.
        path
            Where it lies, absolute or relative to the root.
        kind
            What it is (:attr:`Artifact.kind`).
        **meta
            Further facts, JSON-serialisable.

        Returns
        -------
        Artifact
            As listed.

        Raises
        ------
        StateError
            Where it is missing, lies outside the root, or holds a link that leads out of it.
        """
        full = path if Path(path).is_absolute() else self.root / path
        if not full.exists():
            raise StateError(f"artifact {name!r}: {full} is missing")
        try:
            relative = full.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            raise StateError(f"artifact {name!r}: {full} lies outside {self.root}") from None
        if out := next((p for p in full.rglob("*") if not p.resolve().is_relative_to(self.root.resolve())), None):
            raise StateError(f"artifact {name!r}: {out} leads out of {self.root}")
        size = sum(p.stat().st_size for p in full.rglob("*") if p.is_file()) if full.is_dir() else full.stat().st_size
        artifact = Artifact(name, relative, kind, sha256_path(full), size, meta)
        self._artifacts[name] = artifact
        return artifact

    def path(self, name: str) -> Path:
        """Find where an artifact lies now.

        Parameters
        ----------
        name
            Its name.

        Returns
        -------
        Path
            Below the root; whether it is there is not looked at.

        Raises
        ------
        StateError
            For a name that is not listed.
        """
        return self.root / self[name].path

    def list_artifacts(self, prefix: str = "", kind: str | None = None) -> list[Artifact]:
        """List artifacts by name.

        Parameters
        ----------
        prefix
            What their names start with.
        kind
            What they are; None for all.

        Returns
        -------
        list of Artifact
            Sorted by name.
        """
        return [
            artifact
            for name, artifact in sorted(self._artifacts.items())
            if name.startswith(prefix) and (kind is None or artifact.kind == kind)
        ]

    def verify(self) -> list[str]:
        """Look for artifacts that are missing or changed.

        Returns
        -------
        list of str
            A sentence for each; empty where all are as listed.
        """
        faults = []
        for artifact in self.list_artifacts():
            path = self.root / artifact.path
            if not path.exists():
                faults.append(f"{artifact.name}: missing at {path}")
            elif sha256_path(path) != artifact.sha256:
                faults.append(f"{artifact.name}: changed since it was listed ({path})")
        return faults

    def rebase(self, root: Path) -> ArtifactStore:
        """List the same artifacts below another root, after a move or copy.

        Parameters
        ----------
        root
            The other root.

        Returns
        -------
        ArtifactStore
            A new store; this one stays as it is.
        """
        moved = ArtifactStore.__new__(ArtifactStore)
        moved.root = Path(root)
        moved._artifacts = dict(self._artifacts)
        return moved

    def write(self) -> Path:
        """Write the manifest into the root.

        Returns
        -------
        Path
            The manifest.
        """
        path = self.root / FILE_NAME
        write_json(
            path,
            {
                "version": VERSION,
                "artifacts": [asdict(a) for a in self.list_artifacts()],
            },
        )
        return path
