"""`gibbsflow launch`: what Nextflow asks before its first task, in one call; subworkflows/launch acts on the answer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from gibbsflow.cli.options import verb
from gibbsflow.errors import EXIT_INPUT, GibbsflowError

Answer = dict[str, Any]


def launch(
    params: Annotated[Path, typer.Option("--params", help="Parameters by name, with values of their types (JSON).")],
    state: Annotated[Path, typer.Option("--state", help="State folder of the campaign.")],
    containers: Annotated[
        bool, typer.Option("--containers", help="Tasks run in images: their programs are not looked for here.")
    ] = False,
) -> None:
    """Check all that a run is given, say who holds its campaign, and forget failures where that is asked for.

    Prints one line of JSON: `problem` (text, null where nothing is wrong), `notes`, `rows` of the samplesheet, and,
    where nothing is wrong, of the campaign's head `refusal`, `takeover` and `runs_elsewhere`. Exit code 65 where
    there is a problem.
    """
    import json

    answer: Answer = {"problem": None, "notes": [], "rows": []}
    with verb(None):
        from gibbsflow.config.binding import MODES, Run
        from gibbsflow.config.launch.generate import nextflow_schema
        from gibbsflow.config.launch.parameters import parameter_problems

        sections = {name: group["properties"] for name, group in nextflow_schema()["$defs"].items()}
        schema = {key: item for section in sections.values() for key, item in section.items()}
        given = json.loads(params.read_text(), parse_float=Decimal)
        if faults := parameter_problems(given, schema):
            count = f"{len(faults)} problems in the parameters:\n  " if len(faults) > 1 else ""
            answer["problem"] = count + "\n  ".join([*faults, "Nothing was started; --help lists all parameters."])
        else:
            try:
                half = MODES[given.get("mode", Run().mode)].half
                answer |= _CHECKS[half](given, sections, containers)
                if answer["problem"] is None:  # what is refused leaves the state as it is
                    answer |= _take_in_hand(state, clean=given.get("clean_failures", False))
            except GibbsflowError as error:
                if error.exit_code != EXIT_INPUT:
                    raise
                answer["problem"] = _refusal(error)
        typer.echo(json.dumps(answer))
    if answer["problem"]:
        raise typer.Exit(EXIT_INPUT)


def _check_campaign(given: Mapping[str, Any], sections: Mapping[str, Any], _containers: bool) -> Answer:
    """Check samplesheet, structures, receptor and settings of a binding campaign."""
    import json
    import tempfile

    from gibbsflow.binding.campaign.check import check_campaign
    from gibbsflow.config.launch.parameters import sections_of
    from gibbsflow.errors import InputError

    own = {name: section for name, section in sections.items() if name not in ("io", "nextflow")}
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.json"
        settings.write_text(json.dumps(sections_of(given, own), default=float))
        receptor = Path(given["receptor"]) if given.get("receptor") is not None else None
        found = check_campaign(Path(given["input"]), receptor, settings, Path(given["outdir"]))
    return {
        "problem": _refusal(InputError(found.problems)) if found.problems else None,
        "notes": [str(note) for note in found.warnings],
        "rows": [row.as_dict() for row in found.rows],
    }


def _check_potential(given: Mapping[str, Any], _sections: Mapping[str, Any], containers: bool) -> Answer:
    """Check settings and files of a potential, and its programs where tasks run on this machine."""
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop import preflight
    from gibbsflow.potential.train.fit import graded_trainer

    settings = PotentialConfig.expand(Path(given["config"]))
    because = settings.dft.engine_because
    notes = [f"labels are made by {settings.dft.engine}: {because}"] if because else []
    graded_trainer(settings.training)
    if not containers:
        preflight.check(settings, given["config"])
    return {"notes": notes}


_CHECKS = {"binding": _check_campaign, "potential": _check_potential}


def _take_in_hand(state: Path, *, clean: bool) -> Answer:
    """Say whose the campaign is, and clean it; its lock is then Nextflow's to take, for it ends with its process."""
    from contextlib import suppress

    from gibbsflow.errors import LockedError
    from gibbsflow.workflow.state.cleaning import clean_failures
    from gibbsflow.workflow.state.locks import campaign_head, campaign_lock

    head = campaign_head(state)
    if clean and state.is_dir():
        with suppress(LockedError), campaign_lock(state):  # where it is held, Nextflow will be refused as well
            clean_failures(state)
    return vars(head)


def _refusal(error: GibbsflowError) -> str:
    return f"error: {error}\nwhat to do: {error.what_to_do}"
