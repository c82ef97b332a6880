"""`gibbsflow launch`: what Nextflow asks before its first task, in one call; subworkflows/launch acts on the answer."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.launch_checks import CHECKS, Answer, look_for_gpu, refusal, take_in_hand
from gibbsflow.cli.options import verb
from gibbsflow.errors import EXIT_INPUT, GibbsflowError


def launch(
    params: Annotated[Path, typer.Option("--params", help="Parameters by name, with values of their types (JSON).")],
    state: Annotated[Path, typer.Option("--state", help="State folder of the campaign.")],
    containers: Annotated[
        bool, typer.Option("--containers", help="Tasks run in images: their programs are not looked for here.")
    ] = False,
    here: Annotated[bool, typer.Option("--here", help="MD runs on this machine, so its GPU is looked for.")] = False,
    project: Annotated[Path | None, typer.Option("--project", help="Folder of the pipeline.")] = None,
    nextflow: Annotated[
        int | None, typer.Option("--nextflow", help="Process of Nextflow, which names -params-file.")
    ] = None,
    elsewhere: Annotated[
        list[str] | None, typer.Option("--elsewhere", help="Name of a parameter that only a settings file has given.")
    ] = None,
) -> None:
    """Check all that a run is given, say who holds its campaign, and forget failures where that is asked for.

    Prints one line of JSON: `problem` (text, null where nothing is wrong), `notes`, `rows` of the samplesheet, and,
    where nothing is wrong, of the campaign's head `refusal`, `takeover` and `runs_elsewhere`, and `campaign`: what it
    shall note in its state; of a dry run `plan`, in words, and nothing is changed. Exit code 65 where there is a
    problem.
    """
    answer: Answer = {"problem": None, "notes": [], "rows": []}
    with verb(None):
        from gibbsflow.config.binding import Io, Run
        from gibbsflow.config.launch.generate import nextflow_schema
        from gibbsflow.config.launch.parameters import foreign_parameters, parameter_problems, password_problems
        from gibbsflow.config.launch.params_file import check_params_file, files_of_process
        from gibbsflow.config.modes import MODES
        from gibbsflow.errors import InputError
        from gibbsflow.workflow.care.start.state_of_results import state_doubts
        from gibbsflow.workflow.folders.places import place_problems
        from gibbsflow.workflow.folders.published import other_campaign
        from gibbsflow.workflow.settings_file import parse_json

        sections = {name: group["properties"] for name, group in nextflow_schema()["$defs"].items()}
        schema = {key: item for section in sections.values() for key, item in section.items()}
        given = {"outdir": str(Io().outdir), **parse_json(params.read_text(), params, number=Decimal)}
        slips, foreign = foreign_parameters(elsewhere or (), schema)
        if faults := password_problems(given) or parameter_problems(dict.fromkeys(slips) | given, schema):
            count = f"{len(faults)} problems in the parameters:\n  " if len(faults) > 1 else ""
            answer["problem"] = count + "\n  ".join([*faults, "Nothing was started; --help_full lists all parameters."])
        else:
            try:
                for file in files_of_process(nextflow) if nextflow is not None else ():
                    check_params_file(file, schema)
                outdir = Path(given["outdir"])
                if problems := place_problems(outdir, state=state, cache=given.get("param_cache"), project=project):
                    raise InputError(problems)
                half = MODES[given.get("mode", Run().mode)].half
                found = CHECKS[half](given, sections, containers, state)
                answer |= found.answer | {"notes": foreign + found.answer["notes"]}
                if found.made is not None and here and not containers and half == "binding":
                    answer["notes"] += look_for_gpu(given)
                if found.made is not None:  # what is refused leaves state and results as they are
                    begun, doubts = state_doubts(outdir, state)
                    if problems := other_campaign(outdir, found.made) or begun:
                        raise InputError(problems)
                    answer["notes"] += doubts
                    if not given.get("dry_run"):
                        answer["notes"] += take_in_hand(state, given, found, answer)
            except GibbsflowError as error:
                if error.exit_code != EXIT_INPUT:
                    raise
                answer["problem"] = refusal(error)
        typer.echo(json.dumps(answer))
    if answer["problem"]:
        raise typer.Exit(EXIT_INPUT)
