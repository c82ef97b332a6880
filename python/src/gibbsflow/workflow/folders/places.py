"""Names and places of folders: none leads out of where it is put, or is taken for something else that lies there."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

from gibbsflow.errors import Problem

ASIDE = "superseded-"
"""How the name begins of what was set aside and is never deleted: state, and results of other inputs."""
LABELS = "labels"
"""Folder of the labels of a potential, within the state of its campaign."""
GENERATION = "generation_"
"""How names of folders of generations begin, in state and results of a learning loop."""
FITS = ("fit", "fitting")
"""Folders of the fit within the state of a generation: that of a loop in Nextflow, and of one on this machine."""
CACHE = "param_cache"
"""The cache of parameters that all campaigns in a state folder share."""
LONGEST_NAME = 100
RIGHT = f"at most {LONGEST_NAME} bytes, not beginning with '.' or '{ASIDE}', and not '{CACHE}'"


def folder_fault(name: str) -> str | None:
    """Say why a name cannot be that of a campaign's or a system's folder.

    Parameters
    ----------
    name
        The name.

    Returns
    -------
    str or None
        What is wrong with it, for a message; None where nothing is.
    """
    if not name:
        return "no name"
    if "/" in name or not name.isprintable():
        return "holds what no folder's name may hold"
    if name.startswith("."):
        return "begins with a dot"
    if name.lower().startswith(ASIDE):
        return "is what state that was set aside is called"
    if name.lower() == CACHE:
        return "is the name of the cache of parameters"
    if len(name.encode(errors="surrogateescape")) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} bytes"
    return None


_SOURCES = (
    ".git", ".gibbsflow", "assets", "benchmarks", "bin", "conf", "containers", "docs", "modules", "python", "setup",
    "subworkflows", "tests", "workflows",
)  # fmt: skip
_OF_RESULTS = ("phases", "network", "figures", "potential", "generation_*", "pipeline_info", f"{ASIDE}*")
"""Folders in that of the results, whose content is made anew or set aside."""


def place_problems(
    outdir: Path, *, state: Path | None = None, cache: Path | str | None = None, project: Path | None = None
) -> list[Problem]:
    """Say whether results would be put where something else lies, and the campaign's name can be a folder's.

    Parameters
    ----------
    outdir
        Folder of the results, as the user named it; it need not exist.
    state
        State folder of the campaign; None for no such check.
    cache
        Cache of parameters; None for the usual one.
    project
        Folder of the pipeline; None for where this package lies.

    Returns
    -------
    list of Problem
        Empty where all is well.
    """
    problems = []
    project = project or Path(__file__).parents[4]
    fault = next((fault for way in _ways(outdir) if (fault := _outdir_fault(outdir, way, state, project))), None)
    if fault:
        problems.append(Problem("--outdir", f"{outdir} is {fault}", "a folder of its own for the results"))
    if state is not None and (wrong := folder_fault(state.name)):
        what = f"the campaign's name {wrong}"
        problems.append(Problem("--campaign", what, f"a name of its own ({RIGHT}); without one, that of --outdir"))
    if state is not None and cache is not None and any(way.is_relative_to(_real(state)) for way in _ways(Path(cache))):
        problems.append(Problem("--param_cache", f"{cache} lies in the campaign's state {state}", "a folder beside it"))
    for key, folder in (("--state_dir", state), ("--param_cache", None if cache is None else Path(cache))):
        if folder is not None and _among_results(folder, outdir):
            problems.append(Problem(key, f"{folder} lies among the results in {outdir}", "a folder beside them"))
    return problems


def _among_results(folder: Path, outdir: Path) -> bool:
    inside = [
        way.relative_to(home).parts for home in _ways(outdir) for way in _ways(folder) if way.is_relative_to(home)
    ]
    return any(fnmatchcase(parts[0], name) for parts in inside if parts for name in _OF_RESULTS)


def _outdir_fault(given: Path, way: Path, state: Path | None, project: Path) -> str | None:
    launch, home, project = Path.cwd(), _real(Path("~").expanduser()), _real(project)
    if way == Path("/"):
        return "the root of all folders"
    if home.is_relative_to(way):
        return "the home folder, or one that holds it"
    if way == launch or (".." in given.parts and launch.is_relative_to(way)):
        return "the launch folder, or one that holds it"
    if (project / "main.nf").is_file():
        if project.is_relative_to(way):
            return "the folder of the pipeline, or one that holds it"
        if way.is_relative_to(project) and way.relative_to(project).parts[0] in _SOURCES:
            return "among the sources of the pipeline"
    if state is not None and way.is_relative_to(_real(state)):
        return f"the campaign's state ({state}), or in it"
    return None


def _ways(path: Path) -> tuple[Path, ...]:
    """Where a path leads, with `..` taken along links and by its words alone: Nextflow and the kernel differ."""
    return _real(path), Path(os.path.normpath(Path(path).absolute()))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
