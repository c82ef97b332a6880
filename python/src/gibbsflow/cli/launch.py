"""`gibbsflow launch`: what Nextflow asks before its first task, in one call; subworkflows/launch acts on the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gibbsflow.cli.options import verb
from gibbsflow.errors import EXIT_INPUT, GibbsflowError
from gibbsflow.workflow.credentials import without_passwords

if TYPE_CHECKING:
    from gibbsflow.workflow.published import MadeFrom

Answer = dict[str, Any]


def launch(
    params: Annotated[Path, typer.Option("--params", help="Parameters by name, with values of their types (JSON).")],
    state: Annotated[Path, typer.Option("--state", help="State folder of the campaign.")],
    containers: Annotated[
        bool, typer.Option("--containers", help="Tasks run in images: their programs are not looked for here.")
    ] = False,
    project: Annotated[Path | None, typer.Option("--project", help="Folder of the pipeline.")] = None,
    nextflow: Annotated[
        int | None, typer.Option("--nextflow", help="Process of Nextflow, which names -params-file.")
    ] = None,
) -> None:
    """Check all that a run is given, say who holds its campaign, and forget failures where that is asked for.

    Prints one line of JSON: `problem` (text, null where nothing is wrong), `notes`, `rows` of the samplesheet, and,
    where nothing is wrong, of the campaign's head `refusal`, `takeover` and `runs_elsewhere`. Exit code 65 where
    there is a problem.
    """
    answer: Answer = {"problem": None, "notes": [], "rows": []}
    with verb(None):
        from gibbsflow.config.binding import MODES, Io, Run
        from gibbsflow.config.launch.generate import nextflow_schema
        from gibbsflow.config.launch.parameters import parameter_problems, password_problems
        from gibbsflow.config.launch.params_file import check_params_file, files_of_process
        from gibbsflow.errors import InputError
        from gibbsflow.workflow.places import place_problems
        from gibbsflow.workflow.published import other_campaign
        from gibbsflow.workflow.settings_file import parse_json

        sections = {name: group["properties"] for name, group in nextflow_schema()["$defs"].items()}
        schema = {key: item for section in sections.values() for key, item in section.items()}
        given = {"outdir": str(Io().outdir), **parse_json(params.read_text(), params, number=Decimal)}
        if faults := password_problems(given) or parameter_problems(given, schema):
            count = f"{len(faults)} problems in the parameters:\n  " if len(faults) > 1 else ""
            answer["problem"] = count + "\n  ".join([*faults, "Nothing was started; --help lists all parameters."])
        else:
            try:
                for file in files_of_process(nextflow) if nextflow is not None else ():
                    check_params_file(file, schema)
                outdir = Path(given["outdir"])
                if problems := place_problems(outdir, state=state, cache=given.get("param_cache"), project=project):
                    raise InputError(problems)
                half = MODES[given.get("mode", Run().mode)].half
                found, made = _CHECKS[half](given, sections, containers, state.name)
                answer |= found
                if made is not None:  # what is refused leaves state and results as they are
                    if problems := other_campaign(outdir, made):
                        raise InputError(problems)
                    answer["notes"] += _take_in_hand(state, given, made, answer)
            except GibbsflowError as error:
                if error.exit_code != EXIT_INPUT:
                    raise
                answer["problem"] = _refusal(error)
        typer.echo(json.dumps(answer))
    if answer["problem"]:
        raise typer.Exit(EXIT_INPUT)


def _check_campaign(
    given: Mapping[str, Any], sections: Mapping[str, Any], _containers: bool, campaign: str
) -> tuple[Answer, MadeFrom | None]:
    """Check samplesheet, structures, receptor and settings of a binding campaign."""
    import tempfile

    from gibbsflow.binding.campaign.check import check_campaign, made_from
    from gibbsflow.config.binding import BindingConfig
    from gibbsflow.config.launch.parameters import sections_of
    from gibbsflow.errors import InputError

    own = {name: section for name, section in sections.items() if name not in ("io", "nextflow")}
    sheet, receptor = Path(given["input"]), Path(given["receptor"])
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.json"
        settings.write_text(json.dumps(sections_of(given, own), default=float))
        found = check_campaign(sheet, receptor, settings, Path(given["outdir"]))
        config = BindingConfig.read(settings)
        made = None if found.problems else made_from(found.rows, sheet, receptor, config, campaign)
    return {
        "problem": _refusal(InputError(found.problems)) if found.problems else None,
        "notes": [str(note) for note in found.warnings],
        "rows": [row.as_dict() for row in found.rows],
    }, made


def _check_potential(
    given: Mapping[str, Any], _sections: Mapping[str, Any], containers: bool, campaign: str
) -> tuple[Answer, MadeFrom | None]:
    """Check settings and files of a potential, and its programs where tasks run on this machine."""
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop import preflight
    from gibbsflow.potential.loop import state as loop_state
    from gibbsflow.potential.train.fit import graded_trainer

    settings = PotentialConfig.expand(Path(given["config"]))
    because = settings.dft.engine_because
    notes = [f"labels are made by {settings.dft.engine}: {because}"] if because else []
    graded_trainer(settings.training)
    if given.get("resume_from"):
        loop_state.batches(Path(given["resume_from"]))
    if not containers:
        preflight.check(settings, given["config"])
    return {"notes": notes}, preflight.made_from(settings, Path(given["config"]), given.get("resume_from"), campaign)


_CHECKS = {"binding": _check_campaign, "potential": _check_potential}


def _take_in_hand(state: Path, given: Mapping[str, Any], made: MadeFrom, answer: Answer) -> list[str]:
    """Say whose the campaign is, clean it, and set aside what the folder of results holds of other inputs.

    Its lock is then Nextflow's to take, for it ends with its process; where it is held now, Nextflow will be refused.
    """
    from contextlib import ExitStack, suppress

    from gibbsflow.errors import LockedError
    from gibbsflow.workflow.published import set_aside
    from gibbsflow.workflow.state.cleaning import clean_failures
    from gibbsflow.workflow.state.locks import campaign_head, campaign_lock

    answer |= vars(campaign_head(state))
    outdir, begin, notes = Path(given["outdir"]), Path(given.get("resume_from") or "/"), []
    with suppress(LockedError), ExitStack() as stack:
        if state.is_dir():
            stack.enter_context(campaign_lock(state))
            if given.get("clean_failures"):
                clean_failures(state)
        inside = begin.resolve().is_relative_to(outdir.resolve())
        notes = set_aside(outdir, made, keep=outdir.glob("generation_*") if inside else ())
    return notes


def _refusal(error: GibbsflowError) -> str:
    return f"error: {without_passwords(str(error))}\nwhat to do: {error.what_to_do}"
