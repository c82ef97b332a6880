"""What a campaign's head notes in its state folder: its mode, and which results it writes to."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from gibbsflow.errors import StateError
from gibbsflow.version import __version__
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.folders.places import CACHE, GENERATION, LABELS

log = logging.getLogger(__name__)
FILE_NAME = ".campaign.json"
DAMAGED = ".campaign.damaged.json"


def generations(folder: Path) -> dict[int, Path]:
    """Tell the generations of a learning loop by their folders.

    Parameters
    ----------
    folder
        State or results of a campaign.

    Returns
    -------
    dict
        Folder of each by its number, sorted; empty where there is no loop.
    """
    found = {
        int(number): path
        for path in folder.glob(f"{GENERATION}*")
        if (number := path.name.removeprefix(GENERATION)).isdecimal() and path.is_dir()
    }
    return dict(sorted(found.items()))


def mode_by_folders(folder: Path) -> str:
    """Tell what a campaign is that no head has noted.

    Parameters
    ----------
    folder
        Its state folder.

    Returns
    -------
    str
        ``potential`` or ``binding``.
    """
    return "potential" if (folder / LABELS).is_dir() or generations(folder) else "binding"


@dataclass(frozen=True)
class Results:
    """A folder that a campaign has written results to.

    Attributes
    ----------
    outdir
        Absolute path.
    began, last_run
        When a run first and last wrote there (UTC, ISO 8601).
    version
        Version of gibbsflow of the last run.
    """

    outdir: str
    began: str
    last_run: str
    version: str


@dataclass(frozen=True)
class CampaignNote:
    """What is noted of a campaign.

    Attributes
    ----------
    mode
        Mode of the last run, such as ``abfe``.
    param_cache
        Absolute path of its cache of parameters.
    results
        Folders of results, in the order of their first run.
    """

    mode: str
    param_cache: str
    results: tuple[Results, ...] = ()

    @classmethod
    def read(cls, state: Path) -> Self | None:
        """Read what is noted.

        Parameters
        ----------
        state
            State folder of the campaign.

        Returns
        -------
        CampaignNote or None
            None for state of before there was such a note, or of a head without the core.

        Raises
        ------
        StateError
            Where the note is there and cannot be read.
        """
        path = Path(state) / FILE_NAME
        if not path.exists():
            return None
        content = read_json(path)
        try:
            results = tuple(Results(**{key: str(text) for key, text in row.items()}) for row in content["results"])
            return cls(str(content["mode"]), str(content["param_cache"]), results)
        except (KeyError, TypeError, AttributeError) as error:
            raise StateError(f"{path}: holds something else ({error!r})") from error

    def write(self, state: Path) -> None:
        """Write the note, whole or not at all.

        Parameters
        ----------
        state
            State folder of the campaign, held by the caller.
        """
        write_json(Path(state) / FILE_NAME, asdict(self))

    def rebased(self, places: dict[str, Path]) -> CampaignNote:
        """Give the results other places.

        Parameters
        ----------
        places
            Where they lie now, by where they lay.

        Returns
        -------
        CampaignNote
            A new note; results of no new place keep theirs.
        """
        moved = (replace(one, outdir=str(places.get(one.outdir, one.outdir))) for one in self.results)
        return replace(self, results=tuple(moved))


def todays_note(state: Path, *, mode: str, outdir: Path, param_cache: Path | str | None) -> CampaignNote:
    """Tell what a head that begins now shall note.

    Parameters
    ----------
    state
        State folder of the campaign, which need not be there; where it is, the caller holds it. A note in it that
        cannot be read is kept under another name.
    mode
        Mode of the run.
    outdir
        Folder of its results.
    param_cache
        Its cache of parameters; None for the usual one.

    Returns
    -------
    CampaignNote
        With the results of earlier runs.
    """
    try:
        before = CampaignNote.read(state)
    except StateError as error:
        log.warning("%s; kept as %s and begun anew", error, DAMAGED)
        (state / FILE_NAME).replace(state / DAMAGED)
        before = None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    where = str(Path(outdir).absolute())
    known = {one.outdir: one for one in (before.results if before else ())}
    began = known[where].began if where in known else now
    known[where] = Results(where, began, now, __version__)
    cache = Path(param_cache) if param_cache is not None else Path(state).parent / CACHE
    return CampaignNote(mode, str(cache.absolute()), tuple(known.values()))
