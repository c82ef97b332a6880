"""A folder of results holds today's: what was made from other inputs is set aside in it, another campaign's refused.

``pipeline_info/campaign.json`` says what the results in a folder were made from. What the next run finds there:

===========================================  =======================================================================
found                                        done
===========================================  =======================================================================
made from the same                           stays; what is made again replaces it
ligands that are gone, or given otherwise    what is theirs, and the tables, go to ``superseded-NNN``, never deleted
made with other settings, or files, or       all results go there
from inputs of which nothing is known
of a campaign with other inputs              refused
===========================================  =======================================================================
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from gibbsflow.errors import Problem, StateError
from gibbsflow.workflow.artifacts import FILE_NAME as MANIFEST
from gibbsflow.workflow.files import read_json, sha256_path, write_json
from gibbsflow.workflow.folders.places import ASIDE, folder_fault

IDENTITY = Path("pipeline_info") / "campaign.json"
_TABLES = (
    "results.csv", "results.parquet",
    "edges.csv", "edges.parquet", "ligands.csv", "ligands.parquet", "cycles.csv",
    "network", "network.svg", "experiment_ligands.svg", "experiment_edges.svg",
    "report.html", "result.json", "manifest.json", "ro-crate-metadata.json",
    "pipeline_info/run.json", "pipeline_info/versions.yml", "pipeline_info/inputs", "pipeline_info/workflow",
)  # fmt: skip
_WRITTEN_INTO = ("pipeline_info", "phases", "phases/*")
_OF_ITEM = tuple(
    place.format(name)
    for name in ("{0}", "{0}~*", "*~{0}")  # a ligand, and edges that it is an end of
    for place in ("phases/{0}", "record.{0}.json", "figures/{0}")
)
_ALL = (
    "phases", "record.*.json", "figures", "generation_[0-9]*", "checkpoint.json", "potential",
    "pipeline_info/settings.json",
)  # fmt: skip


@dataclass(frozen=True)
class MadeFrom:
    """What the results in a folder are made from.

    Attributes
    ----------
    campaign
        Name of the campaign.
    files
        Absolute path and SHA-256 of each file that was given, by parameter.
    settings
        Hash of all settings that change results, and of the files that they name.
    items
        Hash of what is given of each ligand, by name; none for a potential.
    remarks
        Hash of what else the tables repeat.
    state
        Absolute path of the state folder; empty where that is not known, as of an earlier version.
    """

    campaign: str
    files: Mapping[str, tuple[str, str]]
    settings: str
    items: Mapping[str, str]
    remarks: str = ""
    state: str = ""

    @classmethod
    def read(cls, outdir: Path) -> Self | None:
        """Read what the results in a folder were made from.

        Parameters
        ----------
        outdir
            The folder.

        Returns
        -------
        MadeFrom or None
            None where that is not known.
        """
        try:
            content = read_json(outdir / IDENTITY)
            files = {key: (str(path), str(digest)) for key, (path, digest) in content.pop("files").items()}
            found = cls(files=files, **content)
            odd = any(folder_fault(name) or name != glob.escape(name) for name in found.items)
            return None if odd or not isinstance(found.state, str) else found
        except (StateError, OSError, AttributeError, KeyError, TypeError, ValueError):
            return None


def name_new_state(outdir: Path, state: Path, *, before: Path | None = None) -> bool:
    """Have the results in a folder say where the state that they were made with lies now.

    Parameters
    ----------
    outdir
        Folder of the results.
    state
        State folder of their campaign.
    before
        Where it lay; results that were last made with another state stay as they are. None for any.

    Returns
    -------
    bool
        Whether they say so now.

    Raises
    ------
    OSError
        Where they cannot be written.
    """
    made = MadeFrom.read(outdir)
    if made is None or (outdir / IDENTITY).parent.is_symlink():
        return False
    if before is not None and (not made.state or os.path.realpath(made.state) != os.path.realpath(before)):
        return False
    write_json(outdir / IDENTITY, asdict(replace(made, state=str(state))))
    return True


def file_given(path: Path) -> tuple[str, str]:
    """Describe a file, or folder, that was given.

    Parameters
    ----------
    path
        It.

    Returns
    -------
    path, digest
        Its absolute path, and the SHA-256 of its content.
    """
    return str(Path(path).resolve()), sha256_path(path)


def digest(content: Any) -> str:
    """Hash settings.

    Parameters
    ----------
    content
        JSON-serialisable.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def other_campaign(outdir: Path, today: MadeFrom) -> list[Problem]:
    """Say whether a folder holds the results of a campaign with other inputs.

    It is the same campaign where its inputs are the same; or where its name is, and each file is the same by path or
    content, or a samplesheet with a ligand in common.

    Parameters
    ----------
    outdir
        Folder of the results.
    today
        What will be made from.

    Returns
    -------
    list of Problem
        At most one: also for a link in the place of a folder that results are written into.
    """
    links = (path for pattern in _WRITTEN_INTO for path in outdir.glob(pattern))
    if link := next((path for path in links if path.is_symlink()), None):
        what = f"{link} is a link to {os.path.realpath(link)}, and results would be written there"
        return [Problem("--outdir", what, "a folder without it, or --outdir where they should go")]
    before = MadeFrom.read(outdir)
    if before is None or _same(before, today):
        return []
    known = before.campaign == today.campaign and before.files.keys() == today.files.keys()
    for key, given in today.files.items():
        if known and not set(given) & set(before.files[key]):
            known = key == "input" and bool(before.items.keys() & today.items.keys())
    if known:
        return []
    told = ", ".join(f"{key} {path}" for key, (path, _) in before.files.items())
    what = f"{outdir} holds the results of another campaign ({before.campaign}: {told})"
    return [Problem("--outdir", what, "another folder, or that one moved away: nothing in it was touched")]


def set_aside(outdir: Path, today: MadeFrom, *, keep: Iterable[Path] = ()) -> list[str]:
    """Set aside what an earlier run has left in a folder of results and today's will not make, and sign it.

    Parameters
    ----------
    outdir
        Folder of the results; it need not be there. Its campaign is held by the caller.
    today
        What will be made from.
    keep
        What is read from the folder, and stays.

    Returns
    -------
    list of str
        What was done, in words; empty where nothing was.
    """
    before = MadeFrom.read(outdir)
    if before is not None and before.settings == today.settings and before.files.keys() == today.files.keys():
        changed = {name for name, given in before.items.items() if today.items.get(name) != given}
        patterns = [pattern.format(name) for name in changed for pattern in _OF_ITEM]
        if changed or before.items.keys() != today.items.keys() or before.remarks != today.remarks:
            patterns += _TABLES
        why = "ligands that are gone or given otherwise: " + ", ".join(sorted(changed)) if changed else "another table"
    else:
        patterns = [*_ALL, *_TABLES, *_listed(outdir)]
        why = (
            "made with other settings or files" if before is not None else "made from inputs of which nothing is known"
        )
    kept = {path.resolve() for path in keep}
    ways = {_until_link(outdir, path) for pattern in patterns for path in outdir.glob(pattern)}
    whole = {path for path in ways if path.resolve() not in kept}
    found = sorted(path for path in whole if not whole & set(path.parents))  # a folder takes along what is in it
    told = []
    if found:
        target = _next(outdir)
        for path in found:
            place = target / path.relative_to(outdir)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)
        told = [f"{outdir}: earlier results moved to {target.name}/ ({why})"]
    write_json(outdir / IDENTITY, asdict(today))
    return told


def set_strays_aside(outdir: Path) -> list[str]:
    """Set aside records and figures that a finished campaign's manifest does not list: an earlier run has left them.

    Parameters
    ----------
    outdir
        Folder of the results.

    Returns
    -------
    list of str
        What was done, in words; empty where nothing was.
    """
    listed = _listed(outdir)
    found = [*outdir.glob("record.*.json"), *(path for path in outdir.glob("figures/*") if path.is_dir())]
    mine = {path.relative_to(outdir).as_posix() for path in found if _until_link(outdir, path) == path}
    strays = sorted(path for path in mine if not any(name == path or name.startswith(f"{path}/") for name in listed))
    if not strays or not listed:
        return []
    target = _next(outdir)
    for name in strays:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (outdir / name).rename(target / name)
    return [f"{outdir}: left by an earlier run, moved to {target.name}/: {', '.join(strays)}"]


def _same(before: MadeFrom, today: MadeFrom) -> bool:
    contents = [{key: digest for key, (_, digest) in made.files.items()} for made in (before, today)]
    return contents[0] == contents[1] and (before.settings, before.items) == (today.settings, today.items)


def _until_link(outdir: Path, path: Path) -> Path:
    """Cut a path in a folder at the first link on the way: what lies behind one is not the folder's to move."""
    ways = (outdir / way for way in reversed(path.relative_to(outdir).parents[:-1]))
    return next((way for way in ways if way.is_symlink()), path)


def _listed(outdir: Path) -> list[str]:
    """Paths that the manifest lists, none of which leads out of the folder."""
    try:
        names = [str(row["path"]) for row in read_json(outdir / MANIFEST)["artifacts"]]
    except (StateError, OSError, KeyError, TypeError):
        return []
    return [glob.escape(name) for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


def _next(outdir: Path) -> Path:
    taken = [int(n) for path in outdir.glob(f"{ASIDE}*") if (n := path.name.removeprefix(ASIDE)).isdecimal()]
    return outdir / f"{ASIDE}{max(taken, default=-1) + 1:03d}"
