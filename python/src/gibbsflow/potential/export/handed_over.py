"""What is there to hand over: a potential's folder, the figures of its fit, its settings and its labelled frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_training import DEFAULT_BACKEND
from gibbsflow.config.section import read_section
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.labels import require_one_settings_hash
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.train.fit import fingerprint, load_potential
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.inputs import POTENTIAL
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.workflow.files import as_written, read_json
from gibbsflow.workflow.result import FILE_NAME

if TYPE_CHECKING:
    from ase import Atoms

SETS = {"train": "dataset/train.extxyz", "holdout": "dataset/holdout.extxyz"}
"""Data set of a loop's folder, by the part that it is."""
_MARK, _CONFIG, _METRICS = "potential.json", "config.json", "metrics.json"


@dataclass(frozen=True)
class Source:
    """A potential with what is known of it.

    Attributes
    ----------
    folder
        Of the potential's own files.
    potential
        As its trainer reads it.
    grader
        Its grade; None where it has none.
    figures
        Of its fit; empty where they are not there.
    config
        Settings of the loop; None where there was none.
    frames
        Labelled frames, by part: ``train``, ``holdout``.
    """

    folder: Path
    potential: Potential
    grader: Grader | None
    figures: Mapping[str, Any]
    config: PotentialConfig | None
    frames: Mapping[str, Sequence[Atoms]] = field(default_factory=dict)

    @classmethod
    def find(cls, begin: Path, train: Path | None = None, holdout: Path | None = None) -> Source:
        """Find all that a folder has.

        Parameters
        ----------
        begin
            Folder of a potential, of ``train fit``, of a generation, or of a loop's results.
        train, holdout
            Labelled frames, in place of those beside it.

        Returns
        -------
        Source
            With the labels of one setting.

        Raises
        ------
        InputError
            Where there is no potential, a file is missing, or labels of several settings are mixed.
        """
        begin = Path(begin)
        folder = begin if (begin / _MARK).is_file() else begin / POTENTIAL
        home = begin.parent if folder == begin else begin
        if not (folder / _MARK).is_file():
            right = "a folder of `train fit`, a generation, the results of a loop, or a potential"
            raise InputError(Problem(str(begin), "holds no potential", right))
        try:
            potential = load_potential(folder)
            grader = Grader.read(folder / ACTIVE_SET) if (folder / ACTIVE_SET).exists() else None
        except StateError as error:
            raise InputError(f"{error} (right: a folder as `train fit` wrote it)") from error
        given = {"train": train, "holdout": holdout}
        paths = {name: given[name] or home / file for name, file in SETS.items()}
        wanted = {name: path for name, path in paths.items() if given[name] is not None or path.exists()}
        if missing := [path for path in wanted.values() if not path.is_file()]:
            raise InputError([Problem(str(path), "no such file", "labelled frames (extxyz)") for path in missing])
        frames = {name: read_frames(path) for name, path in wanted.items()}
        require_one_settings_hash((f for own in frames.values() for f in own), where=str(begin))
        return cls(folder, potential, grader, _figures(home), _config(home), frames)

    @property
    def labelled(self) -> list[Atoms]:
        """All labelled frames.

        Returns
        -------
        list of Atoms
            Those of training first.
        """
        return [frame for own in self.frames.values() for frame in own]

    @property
    def backend(self) -> str:
        """Name of its trainer.

        Returns
        -------
        str
            As in ``training.backend``.
        """
        return str(_object(self.folder / _MARK, "`train fit`").get("backend", DEFAULT_BACKEND))

    @property
    def settings_hash(self) -> str:
        """Key of the settings that the labels were made with.

        Returns
        -------
        str
            Empty where the labels are from elsewhere, or not there.
        """
        return str(next((frame.info.get("settings_hash") or "" for frame in self.labelled), ""))

    def require_grade(self) -> Grader:
        """Give the grade, which not every trainer makes.

        Returns
        -------
        Grader
            As it lies beside the potential.

        Raises
        ------
        InputError
            Where there is none.
        """
        if self.grader is None:
            what = "has no active set, so that nothing could tell where it does not hold"
            raise InputError(Problem(str(self.folder), what, "a potential of `train fit --backend pod`"))
        return self.grader


def _figures(home: Path) -> Mapping[str, Any]:
    """Figures of the fit: beside it, in a generation's metrics, or in the last generation of a loop's results."""
    # two digits, and more where there are more generations: the longer name is the later one
    found = home.glob(f"generation_*/{_METRICS}")
    generations = sorted(found, key=lambda path: (len(path.parent.name), path.parent.name), reverse=True)
    for path in (home / _METRICS, *generations):
        if path.is_file():
            content = read_json(path)
            with as_written(path, "`infer decide`"):
                return dict(content["fit"])
    result = _object(home / FILE_NAME, "`train fit`") if (home / FILE_NAME).is_file() else {}
    return result if "coefficients" in result else {}


def _object(path: Path, by: str) -> dict[str, Any]:
    content = read_json(path)
    with as_written(path, by):
        return dict(content)


def _config(home: Path) -> PotentialConfig | None:
    path = home / _CONFIG
    return read_section(PotentialConfig, read_json(path), where=str(path)) if path.is_file() else None


def read_verdict(folder: Path, source: Source) -> Mapping[str, Any]:
    """Read what a validation came to.

    Parameters
    ----------
    folder
        Folder that it wrote, or its ``result.json``.
    source
        The potential that it must have been of.

    Returns
    -------
    Mapping
        With ``verdict`` and ``reasons``, one of them where it does not say which potential it was of.

    Raises
    ------
    InputError
        Where there is no verdict, or that of another potential.
    """
    path = Path(folder) / FILE_NAME if Path(folder).is_dir() else Path(folder)
    content = _object(path, "`train validate`") if path.is_file() else {}
    if not isinstance(content.get("verdict"), str):
        raise InputError(Problem(str(path), "holds no verdict", "the result.json of a validation", field="verdict"))
    was_of = content.get("potential_sha256")
    if was_of is None:
        content["reasons"] = [*content.get("reasons", []), "it does not say which potential it was of"]
    elif was_of != fingerprint(source.folder):
        what = f"is of another potential than {source.folder}"
        raise InputError(Problem(str(path), what, "`train validate --potential` of this one", field="potential_sha256"))
    return content
