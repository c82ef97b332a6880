"""Whether a run goes on with the state that the results in its folder were made with, or would begin beside it.

The state lies below the launch folder unless ``--state_dir`` says otherwise: from another one it is another state, and
all MD would be run again, its results written over those that are there.

=====================================  ==========================  =============================================
state that the results were made with  state of this run           done
=====================================  ==========================  =============================================
the same                               there                       goes on
the same                               gone                        said: what no cache has is computed anew
another one, which is there            of these results, too       said which of the two it goes on with
another one, which is there            new, or of other results    refused: says what to type to go on
another one, which is gone             there                       said: it was moved, and goes on
another one, which is gone             new                         refused: says how to begin anew
not known (of an earlier version)      new                         refused: says how to begin anew
=====================================  ==========================  =============================================
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from gibbsflow.errors import Problem, StateError, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.folders.published import MadeFrom
from gibbsflow.workflow.state.locks import head_holds


def state_doubts(outdir: Path, state: Path) -> tuple[list[Problem], list[str]]:
    """Hold the state of a run against that which the results in its folder were made with.

    Parameters
    ----------
    outdir
        Folder of the results; it need not be there.
    state
        State folder of the campaign as this run would take it; it need not be there.

    Returns
    -------
    problems : list of Problem
        At most one, where the run would begin anew what is computed.
    notes : list of str
        What is to be known of a run that may begin.
    """
    before = MadeFrom.read(outdir)
    if before is None:
        return [], []
    here, then = Path(os.path.abspath(state)), Path(before.state)
    results = _shown(outdir)
    right = "--state_dir, and --campaign, of where it lies now; another --outdir to begin anew"
    if not before.state or _one(here, then):
        made = next((path for pattern in ("phases/*/*", "generation_*") for path in outdir.glob(pattern)), None)
        if _begun(here) or made is None:
            return [], []
        if not before.state:
            what = f"{results} holds results of an earlier version, which did not note where their state lies: not in "
            return [Problem("--state_dir", what + _shown(here), right)], []
        return [], [f"the state of {results} is gone from {_shown(here)}: what Nextflow has not kept is computed anew"]
    if _begun(then) or head_holds(then):  # never asked of `here`, whose lock this process may hold and would lose
        if _notes(here, outdir):
            return [], [f"goes on with the state {_shown(here)}; {results} was last made with {_shown(then)}"]
        named = f"--state_dir {shlex.quote(str(then.parent))}"
        named += f" --campaign {shlex.quote(then.name)}" if then.name != here.name else ""
        what = f"{results} was made with the state {_shown(then)}, and this run would begin anew in "
        typed = f"{one_line(named, 800)} to go on with it, of run-local in section io; another --outdir to begin anew"
        return [Problem("--state_dir", what + _shown(here), typed)], []
    if _begun(here):
        return [], [f"goes on with the state {_shown(here)}; {results} was made with {_shown(then)}, which is gone"]
    what = f"{results} was made with the state {_shown(then)}, which is not there any more, nor is "
    return [Problem("--state_dir", what + _shown(here), right)], []


def _begun(state: Path) -> bool:
    """Whether anything was computed in a state folder, whose head leaves nothing but files."""
    return state.is_dir() and any(path.is_dir() for path in state.iterdir())


def _one(here: Path, then: Path) -> bool:
    """Whether two paths are one folder, by name or, where both are there, on the disk."""
    if os.path.realpath(here) == os.path.realpath(then):
        return True
    return here.is_dir() and then.is_dir() and here.samefile(then)


def _notes(state: Path, outdir: Path) -> bool:
    """Whether a head has noted that this state makes these results."""
    try:
        note = CampaignNote.read(state)
    except StateError:
        return False
    return note is not None and any(_one(Path(one.outdir), Path(os.path.abspath(outdir))) for one in note.results)


def _shown(path: Path) -> str:
    return one_line(str(path), 400)
