"""`train`: fits potentials to labelled structures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gibbsflow.cli import export, potential_config, validate
from gibbsflow.cli.options import Config, Json, Out, TimeBudget, new_app, parse_duration_s, remark, verb
from gibbsflow.config.potential_training import BACKEND_WORDS

app = new_app("train", "Train machine-learned potentials on labelled structures.")


app.command()(potential_config.config)
app.command()(validate.validate)
app.add_typer(export.app, name="export")


@app.command()
def fit(
    train: Annotated[Path, typer.Option("--train", help="Labelled structures to fit to (extxyz; eV, eV/Å, eV/Å^3).")],
    test: Annotated[Path, typer.Option("--test", help="Labelled structures that are only predicted (extxyz).")],
    out: Out,
    backend: Annotated[
        str | None, typer.Option("--backend", help=f"{BACKEND_WORDS}; default: training.backend of the settings.")
    ] = None,
    goal: Annotated[
        str | None, typer.Option("--goal", help="accuracy, balanced or speed (of MD); default: training.goal.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="State folder: keeps the finished potential for the same inputs.")
    ] = None,
    config: Config = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the validation split.")] = 2026,
    time_budget: TimeBudget = None,
    as_json: Json = False,
) -> None:
    """Fit a potential: cutoff, size, weights and penalty are chosen by validation within the time budget.

    The time budget shapes the search, of which the best potential is kept: a longer one tries larger bases. Default:
    15 min.
    A finished fit is not repeated where it has a state folder: its results are written to --out again.
    """
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.workflow.state.segments import Stopper

        clock = Stopper()  # before what takes long to import
        from contextlib import nullcontext

        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import StoppedEarly
        from gibbsflow.potential.train import fit as training
        from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs, processes
        from gibbsflow.potential.train.training_card import errors_in_words, labels_text
        from gibbsflow.report.fit_files import FIT_FILES, write_fit_files
        from gibbsflow.workflow.files import inputs_hash
        from gibbsflow.workflow.hours.budgeted_work import BudgetedWork
        from gibbsflow.workflow.hours.pace import Held
        from gibbsflow.workflow.state import finished_output
        from gibbsflow.workflow.state.state_folder import StateFolder

        chosen = PotentialConfig.of_verb(config)
        wanted = chosen.convergence.force_mae_ev_per_angstrom if config is not None else None
        settings = chosen.training.aimed_at(goal).wanting(wanted)
        backend = backend or settings.backend
        physics = training.trainer(backend).physics
        inputs = Inputs.look_at(train, test)
        remark(labels_text(inputs.account))
        inputs.account.settle()
        budget_s = parse_duration_s(time_budget) or 60 * settings.time_budget_min
        content = {**settings.model_dump(mode="json"), "backend": backend, "seed": seed, "time_budget_s": budget_s}
        files, content = {"train": train, "test": test}, content | inputs.read_otherwise
        described: dict[str, Any] = {"files": files, "settings": content, "physics": physics}
        # a fit under way may outlive its head: it is waited for, longer than it can take
        home = StateFolder(state, **described, stopper=Stopper(2 * budget_s)) if state is not None else None
        result.inputs_hash = home.inputs_hash if home is not None else inputs_hash(**described)
        result.seed = seed
        try:
            with home or nullcontext():
                if home is not None and home.finished is not None:
                    result.figures = {**finished_output.restore(home, out), **inputs.figures()}
                else:
                    kept = home.folder if home is not None else None
                    bound_s = budget_s if training.trainer(backend).keeps_time else 0.0
                    work = BudgetedWork(kept, Held(processes(settings)), bound_s, clock.elapsed_s)
                    with clock as stopper, work:
                        try:
                            made = training.fit(
                                inputs, settings, backend=backend, seed=seed, stopper=stopper, budget_s=budget_s,
                                out=out, kept=kept,
                            )  # fmt: skip
                            made.figures.update(inputs.figures())
                            write_fit_files(made, inputs, out)
                        finally:
                            result.timings["engine_s"] = round(stopper.elapsed_s, 3)
                    result.figures = made.figures
                    if made.stopped_by:
                        raise StoppedEarly(f"{made.stopped_by}: the best potential so far lies in {out / POTENTIAL}")
                    if home is not None:
                        finished_output.keep(home, out, (POTENTIAL, *FIT_FILES), result.figures)
        finally:
            if version := result.figures.pop("lammps", ""):
                result.versions["lammps"] = version
        remark(f"test: {errors_in_words(result.figures['test'])}; potential in {out / POTENTIAL}")


@app.command()
def audit(
    data: Annotated[Path, typer.Argument(help="Labelled structures to fit to (extxyz; eV, eV/Å, eV/Å^3).")],
    test: Annotated[Path | None, typer.Option("--test", help="Labelled structures that are only predicted.")] = None,
    as_json: Json = False,
) -> None:
    """Say what is in labelled data, and what speaks against it: exits 65 where a fit would refuse. Fits nothing.

    (For labels in a database, which may be held or made again: `dft audit`.)
    """
    with verb(None, as_json=as_json) as result:
        from gibbsflow.potential.train.shared.inputs import Inputs
        from gibbsflow.potential.train.training_card import account_text

        inputs = Inputs.look_at(data, test)
        result.figures = inputs.figures()
        if not as_json:
            typer.echo(account_text(inputs.account))
        inputs.account.settle()


if __name__ == "__main__":
    app()
