"""What `launch` looks at in each half, and what it does with a campaign that may begin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.errors import GibbsflowError
from gibbsflow.workflow.credentials import without_passwords

if TYPE_CHECKING:
    from gibbsflow.workflow.folders.published import MadeFrom

Answer = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    answer
        ``problem``, ``notes`` and ``rows``, where there is something to say of them.
    made
        What the results will be made from; None where there is a problem.
    record
        Notes in the state what was left out; None where nothing was, and nothing had been.
    """

    answer: Answer
    made: MadeFrom | None = None
    record: Callable[[], None] | None = None


def check_binding(given: Mapping[str, Any], sections: Mapping[str, Any], containers: bool, state: Path) -> Checked:
    """Check samplesheet, structures, receptor and settings of a binding campaign."""
    import tempfile

    from gibbsflow.binding.campaign.check import ALONE, FOLDER, check_campaign, made_from
    from gibbsflow.config.binding import BindingConfig
    from gibbsflow.config.launch.parameters import sections_of
    from gibbsflow.errors import InputError

    own = {name: section for name, section in sections.items() if name not in ("io", "nextflow", "institution")}
    sheet = Path(given["input"])
    receptor = Path(given["receptor"]) if given.get("receptor") is not None else None
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.json"
        settings.write_text(json.dumps(sections_of(given, own), default=float))
        config = BindingConfig.read(settings)
        found = check_campaign(
            sheet, receptor, settings, Path(given["outdir"]), on_failure=config.run.on_failure, programs=not containers,
            called="settings",
        )  # fmt: skip
    made = None if found.problems else made_from(found.rows, sheet, receptor, config, state.name)
    answer = {
        "problem": refusal(InputError(found.problems)) if found.problems else None,
        "notes": found.notes if found.problems else [*found.notes, *found.charges],
        "rows": [row.as_dict() for row in found.rows],
    }
    if given.get("dry_run") and not found.problems:
        from gibbsflow.binding.campaign.foreseen.expected_cost import estimate

        windows_per_task = int(given.get("windows_per_task", 1))
        told = estimate(found.rows, receptor, config, contents=found.contents, windows_per_task=windows_per_task)
        answer["plan"] = told.text()
    home = state / (receptor.stem if receptor else ALONE)
    noted = found.left_out or any(home.glob(f"*/{FOLDER}/FAILED"))
    return Checked(answer, made, partial(found.record, home) if noted else None)


def check_potential(given: Mapping[str, Any], _sections: Mapping[str, Any], containers: bool, state: Path) -> Checked:
    """Check settings and files of a potential, and its programs where tasks run on this machine."""
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop import preflight
    from gibbsflow.potential.loop import state as loop_state
    from gibbsflow.potential.train.fit import graded_trainer

    settings = PotentialConfig.expand(Path(given["config"]))
    # in an image it is TRAIN_CONFIG that looks for programs, and chooses
    because = "" if containers else settings.dft.engine_because
    notes = [f"labels are made by {settings.dft.engine}: {because}"] if because else []
    graded_trainer(settings.training)
    if given.get("resume_from"):
        loop_state.batches(Path(given["resume_from"]))
    if not containers:
        preflight.check(settings, given["config"])
    made = preflight.made_from(settings, Path(given["config"]), given.get("resume_from"), state.name)
    return Checked({"notes": notes}, made)


def look_for_gpu(given: Mapping[str, Any]) -> list[str]:
    """Try the platform that MD was told to use, where that is no CPU's; a dry run notes that it is not here."""
    from gibbsflow.config.binding import Md

    platform = given.get("platform", Md().platform)
    if platform in ("CPU", "Reference"):
        return []
    from gibbsflow.engines.openmm_systems import platform_notes

    return platform_notes(platform, dry_run=bool(given.get("dry_run")))


CHECKS = {"binding": check_binding, "potential": check_potential}


def take_in_hand(state: Path, given: Mapping[str, Any], found: Checked, answer: Answer) -> list[str]:
    """Say whose the campaign is and what to note of it, clean it, note what was left out, set other results aside.

    Its lock is then Nextflow's to take, for it ends with its process; where it is held now, Nextflow will be refused.
    """
    from contextlib import ExitStack, suppress

    from gibbsflow.config.binding import Run
    from gibbsflow.errors import LockedError
    from gibbsflow.workflow.care.campaign_note import todays_note
    from gibbsflow.workflow.folders.published import set_aside
    from gibbsflow.workflow.state.cleaning import clean_failures
    from gibbsflow.workflow.state.locks import campaign_head, campaign_lock

    assert found.made is not None  # nothing is taken in hand that was refused
    answer |= vars(campaign_head(state))
    outdir, begin, notes = Path(given["outdir"]), Path(given.get("resume_from") or "/"), []
    with suppress(LockedError), ExitStack() as stack:
        if state.is_dir() or found.record is not None:
            stack.enter_context(campaign_lock(state))
            if given.get("clean_failures"):
                clean_failures(state)
            if found.record is not None:
                found.record()
        mode, cache = given.get("mode", Run().mode), given.get("param_cache")
        answer["campaign"] = asdict(todays_note(state, mode=mode, outdir=outdir, param_cache=cache))
        inside = begin.resolve().is_relative_to(outdir.resolve())
        made = replace(found.made, state=str(state.absolute()))
        notes = set_aside(outdir, made, keep=outdir.glob("generation_*") if inside else ())
    return notes


def refusal(error: GibbsflowError) -> str:
    """Say what is wrong and what to do, without passwords."""
    return f"error: {without_passwords(str(error))}\nwhat to do: {error.what_to_do}"
