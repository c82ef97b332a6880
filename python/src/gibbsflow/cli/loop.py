"""`infer start`, `record`, `decide`, `report` and `loop`: the learning loop, a verb a turn of its manager."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibbsflow.cli.options import Json, Out, remark, verb

if TYPE_CHECKING:
    from gibbsflow.potential.loop.manager import WorkflowManager
    from gibbsflow.workflow.result import Result

From = Annotated[Path, typer.Option("--from", help="State folder of the loop (with checkpoint.json).")]
Settings = Annotated[Path, typer.Option("--config", help="Settings, short or whole (YAML, JSON).")]


def start(
    config: Settings,
    out: Out,
    structures: Annotated[Path | None, typer.Option("--structures", help="Folder of `system_prep structures`.")] = None,
    holdout: Annotated[Path | None, typer.Option("--holdout", help="The same, of its --holdout.")] = None,
    begin: Annotated[Path | None, typer.Option("--from", help="Instead: generation_NN/ to go on from.")] = None,
    as_json: Json = False,
) -> None:
    """Make the state that the loop starts from: what to label first, and the trajectories of the first generation."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.potential.loop.manager import WorkflowManager

        settings = PotentialConfig.expand(config)
        if begin is not None and structures is None and holdout is None:
            manager = WorkflowManager.resume(begin, settings, out, target=settings.beside(config).target)
        elif begin is None and structures is not None and holdout is not None:
            name = "structures.extxyz"
            manager = WorkflowManager.begin(settings, structures / name, holdout / name, out)
        else:
            raise InputError(Problem("infer start", "no start given", "--structures and --holdout, or --from"))
        _describe(result, manager)


def record(
    begin: From,
    labels: Annotated[list[Path], typer.Option("--labels", help="Folder of `dft label`; one for each batch.")],
    out: Out,
    as_json: Json = False,
) -> None:
    """Take labels in, each with its fate, and write the data set: dataset/train.extxyz and dataset/holdout.extxyz."""
    with verb(out, as_json=as_json) as result:
        _describe(result, _open(begin).record(labels, out))


def decide(
    begin: From,
    fit: Annotated[Path, typer.Option("--fit", help="Folder of `train fit`.")],
    explored: Annotated[list[Path], typer.Option("--explored", help="Folder of `infer explore`; one a trajectory.")],
    out: Out,
    validated: Annotated[
        Path | None, typer.Option("--validated", help="Folder of `train validate`, where the settings ask for it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide whether the loop goes on; where it does, select what the next generation labels."""
    with verb(out, as_json=as_json) as result:
        manager = _open(begin).decide(fit, explored, out, validated=validated)
        _describe(result, manager)
        remark(f"generation {len(manager.checkpoint.history) - 1}: {manager.checkpoint.reason}")


def report(
    begin: From,
    out: Out,
    state: Annotated[
        Path | None, typer.Option("--state", help="State folder of the campaign, for the hours of fits and MD.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what a loop came to: the potential, the data-set card, the learning curve, hours and the page."""
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.report.potential_page import write_loop_results

        manager = _open(begin)
        write_loop_results(manager, out, state=state)
        _describe(result, manager)


def loop(
    config: Settings,
    out: Out,
    state: Annotated[
        Path, typer.Option("--state", help="Finished labels, MD under way and the steps of each generation.")
    ],
    local: Annotated[
        bool, typer.Option("--local", help="Run the whole loop on this machine, without Nextflow.")
    ] = False,
    begin: Annotated[Path | None, typer.Option("--from", help="generation_NN/ to go on from.")] = None,
    as_json: Json = False,
) -> None:
    """Run the whole learning loop; the same command goes on after an interruption."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.potential.loop.run_local import LocalLoop
        from gibbsflow.report.potential_page import write_loop_results

        if not local:
            right = "--local, or ./nextfloww run main.nf --mode potential --config FILE"
            raise InputError(Problem("infer loop", "nothing says where it shall run", right))
        manager = LocalLoop(config, PotentialConfig.expand(config), out, state).run(begin)
        write_loop_results(manager, out, state=state, nextflow=False)
        _describe(result, manager)
        remark(f"{manager.checkpoint.stopped_by}: {manager.checkpoint.reason}\npotential: {out / 'potential'}")


def register(app: typer.Typer) -> None:
    """Give these verbs to a program."""
    for command in (start, record, decide, report, loop):
        app.command()(command)


def _open(folder: Path) -> WorkflowManager:
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop.manager import WorkflowManager
    from gibbsflow.potential.loop.state import CONFIG

    return WorkflowManager(folder, PotentialConfig.expand(folder / CONFIG))


def _describe(result: Result, manager: WorkflowManager) -> None:
    from dataclasses import asdict

    point = manager.checkpoint
    result.seed = point.seed
    result.figures = {
        "generation": point.generation,
        "phase": point.phase,
        "stopped_by": point.stopped_by,
        "reason": point.reason,
        "history": [asdict(record) for record in point.history],
        **({"screenings": list(point.screenings)} if point.screenings else {}),
    }
