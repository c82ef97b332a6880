"""`dft`: label structures, and ask what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli import label_quality
from gibbsflow.cli.options import Config, Json, Out, State, new_app, say, verb
from gibbsflow.config.label_engines import ENGINE_WORDS
from gibbsflow.errors import InputError, Problem

app = new_app("dft", "Label structures with energies, forces and stresses by DFT, and say what became of each.")

Database = Annotated[str, typer.Option("--database", help="Database file, or a postgresql:// address.")]
Engine = Annotated[str | None, typer.Option("--engine", help=f"{ENGINE_WORDS}; default: config's.")]


@app.command()
def label(
    input: Annotated[Path, typer.Option("--input", help="Structures (extxyz, or any format of ASE).")],
    out: Out,
    config: Config = None,
    engine: Engine = None,
    state: State = None,
    database: Annotated[str | None, typer.Option("--database", help="Also record results here as they come.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Labels at a time; default: config's")] = None,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a dask scheduler, instead.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed labels in --state again.")] = False,
    as_json: Json = False,
) -> None:
    """Label every structure of a file; a failed label never stops the others. Exit 70 where none succeeded."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.database import existing
        from gibbsflow.potential.data.structures import read_frames
        from gibbsflow.potential.label import batch as labelling
        from gibbsflow.potential.label.engines import engine_for
        from gibbsflow.workflow.account import Account
        from gibbsflow.workflow.files import inputs_hash
        from gibbsflow.workflow.state.segments import Stopper

        settings = PotentialConfig.of_verb(config, engine=engine)
        account = Account(str(input))
        frames = read_frames(input, account)
        maker = engine_for(frames, settings, account)
        account.settle()
        result.figures = {"engine": maker.name, "settings_hash": maker.settings_hash, **account.as_figures()}
        result.inputs_hash = inputs_hash(
            files={"input": input}, settings={"dft": maker.settings_hash}, physics=labelling.PHYSICS
        )
        manager = existing(database, made=True) if database is not None else None
        if manager is not None:
            manager.require_setting(maker.settings_hash)
            manager.add(frames)
        batch = labelling.Batch(frames)
        try:
            with Stopper() as stopper:
                labelling.label_batch(
                    batch, maker, settings.labels,
                    store=labelling.LabelStore(state, maker.settings_hash) if state is not None else None,
                    record=(lambda label: manager.record([label])) if manager is not None else None,
                    workers=workers or settings.labels.workers, scheduler=scheduler,
                    retry_failed=retry_failed, logs=out / "failed", stopper=stopper,
                )  # fmt: skip
        finally:
            batch.write(out)
            result.figures |= batch.figures() | {"notes": [*result.figures["notes"], *batch.notes()]}
            result.timings["engine_s"] = result.figures["label_s"]
        if result.figures["counts"]["failed"]:
            result.status = "partial"
        result.versions.update(batch.programs())


@app.command()
def check(config: Config = None, engine: Engine = None, as_json: Json = False) -> None:
    """Say which program, version, pseudopotentials and surrogate would be used; exit 65 naming what is missing."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.explore.screening.surrogate_check import check_surrogate
        from gibbsflow.potential.label.engines import make_engine
        from gibbsflow.workflow.account import Account

        settings = PotentialConfig.of_verb(config, engine=engine).beside(config)
        if not settings.target.elements:
            raise InputError(Problem(str(config), "no elements", "elements: [Si]", field="target.elements"))
        account = Account(str(config))
        result.figures |= make_engine(settings.target.elements, settings.dft, settings.labels).describe()
        result.figures |= check_surrogate(settings, account)
        account.settle()
        for key, value in ({} if as_json else result.figures).items():
            typer.echo(f"{key}: {value}")


@app.command()
def status(database: Database, as_json: Json = False) -> None:
    """Count the structures in each status, and the failures by cause."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.potential.data.database import existing

        manager = existing(database)
        result.figures = {"counts": manager.counts(), "causes": manager.causes()}
        causes = {f"  {cause}": count for cause, count in manager.causes().items()}
        for name, count in ({} if as_json else manager.counts() | causes).items():
            typer.echo(f"{name:<12} {count}")


@app.command()
def retry(
    database: Database,
    failed: Annotated[bool, typer.Option("--failed", help="All failed structures wait again.")] = False,
    cause: Annotated[str | None, typer.Option("--cause", help="Only those that failed of this cause.")] = None,
    as_json: Json = False,
) -> None:
    """Have failed structures wait for another try."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.potential.data.database import existing

        if not failed and cause is None:
            raise InputError(Problem("dft retry", "nothing named", "--failed, or --cause CAUSE"))
        result.figures["ids"] = existing(database).retry_failed(cause)
        say(f"{len(result.figures['ids'])} structures wait again", as_json)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="ID", help="gibbsflow_id of a structure.")],
    database: Database,
    as_json: Json = False,
) -> None:
    """Say all that is known of one structure: origin, status, cause, corrections, history."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.potential.data.database import existing

        known = existing(database).explain(name)
        result.figures["structure"] = known
        if not as_json:
            for key, value in known.items():
                if key in ("history", "corrections"):
                    told = [[str(word) for word in event.values()] for event in value or []]
                    value = "".join(f"\n  {' '.join(words[:-1])}: {words[-1]}" for words in told)
                typer.echo(f"{key}: {value}")


label_quality.register(app)

if __name__ == "__main__":
    app()
