"""`dft audit` and `dft converge`: are the labels right, and which settings make them so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, say, verb

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Labels at a time; default: config's.")]
Kept = Annotated[
    Path | None, typer.Option("--state", help="Where finished labels are kept; default: OUT/state. Goes on from there.")
]


def audit(
    database: Annotated[str, typer.Argument(metavar="DB", help="Database file, or a postgresql:// address.")],
    out: Out,
    config: Config = None,
    release: Annotated[
        list[str] | None, typer.Option("--release", metavar="ID", help="Let a held label in; repeat for more.")
    ] = None,
    relabel: Annotated[
        int | None, typer.Option("--relabel", min=1, help="Number of labels that are made again at tighter settings.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample that is made again.")] = 2026,
    state: Kept = None,
    workers: Workers = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be held, and hold nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Check every label of a database; hold those that something speaks against, each with its reasons.

    A held label is in no data set. It counts again where its reasons are gone, or where --release overrules them. The
    same command does nothing twice. Exit 70 where no label is left that counts. (For labelled files: `train audit`.)
    """
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import InputError, Problem, ScienceError
        from gibbsflow.potential.data.database import existing
        from gibbsflow.potential.validate.labels import label_audit, relabelling
        from gibbsflow.report.label_quality import write_audit
        from gibbsflow.workflow.state.segments import Stopper

        settings = PotentialConfig.of_verb(config)
        manager = existing(database)
        if dry_run and release:
            raise InputError(Problem("dft audit", "--release beside --dry-run", "one of them"))
        where = str(config) if config is not None else "--config"
        if relabel is not None and release:
            # a call that is refused has let nothing in
            relabelling.require_settings(manager.labels(), settings, where=where)
        released = label_audit.release(manager, release or ())
        found = label_audit.audit_labels(manager, settings.audit, settings.labels)
        if not found.labels:
            raise InputError(Problem(database, "holds no label", "labels, as `dft label --database` writes them"))
        result.seed = seed
        settled = not dry_run
        try:
            if relabel is not None:
                with Stopper() as stopper:
                    found.facts["relabel"] = relabelling.relabel(
                        found, settings, relabel, seed, state or out / "state", workers=workers,
                        where=where, stopper=stopper,
                    )  # fmt: skip
        except InputError:
            settled = False  # with other settings than those of the labels nothing was asked
            raise
        finally:
            if settled:
                found.hold(manager)
            result.figures = {**found.figures(), "let_in": released}
            write_audit(found, result.figures, out)
        if found.held:
            result.status = "partial"
        say(label_audit.in_words(found), as_json)
        if len(found.held) == len(found.labels):
            raise ScienceError("every label is held", what_to_do="See audit.csv: it may be the settings of the audit.")


def converge(
    input: Annotated[Path, typer.Option("--input", help="Structures to converge for (extxyz, or any format of ASE).")],
    out: Out,
    config: Config = None,
    energy: Annotated[
        float, typer.Option("--energy-mev-per-atom", help="Stated error of energies an atom, meV.")
    ] = 1.0,
    force: Annotated[float, typer.Option("--force-ev-per-angstrom", help="Stated error of forces, eV/Å.")] = 0.01,
    stress: Annotated[float, typer.Option("--stress-gpa", help="Stated error of stresses, GPa.")] = 0.1,
    state: Kept = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Find the coarsest cutoffs and k spacing with which labels have a stated error, and write them as settings.

    Cutoffs are raised, then k points, until two finer values change nothing beyond the errors; all of them together are
    then held against the next finer of all. --out gets settings.yaml, a table and a plot. Exit 70 where a ladder ends.
    """
    with verb(out, as_json=as_json) as result:
        from math import isfinite

        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.potential.data.structures import read_frames
        from gibbsflow.potential.label.convergence.ladders import Errors
        from gibbsflow.potential.label.convergence.settings_search import SettingsSearch
        from gibbsflow.potential.label.engines import engine_for
        from gibbsflow.report.label_quality import write_convergence
        from gibbsflow.workflow.account import Account
        from gibbsflow.workflow.state.segments import Stopper

        for option, value in (
            ("energy-mev-per-atom", energy),
            ("force-ev-per-angstrom", force),
            ("stress-gpa", stress),
        ):
            if not (isfinite(value) and value > 0):
                raise InputError(Problem(f"--{option}", f"{value:g} is not usable", "a number above 0"))
        settings = PotentialConfig.of_verb(config)
        account = Account(str(input))
        frames = read_frames(input, account)
        if not frames:
            raise InputError(Problem(str(input), "holds no structure", "at least one"))
        stated = Errors(energy, force, stress)
        with Stopper() as stopper:
            search = SettingsSearch(
                frames, settings, stated, state or out / "state", account, workers=workers, stopper=stopper
            )
            engine_for(frames, settings, account)
            account.settle()
            found = search.run()
        write_convergence(found, stated, config, out)
        result.figures = {**found.figures(), **account.as_figures()}
        said = ", ".join(f"{key}: {value:g}" for key, value in found.values.items())
        say(f"dft: {said}\nsettings: {out / 'settings.yaml'}", as_json)


def register(app: typer.Typer) -> None:
    """Give these verbs to a program."""
    for command in (audit, converge):
        app.command()(command)
