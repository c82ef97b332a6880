"""`train validate`: properties of a potential against the engine that labelled, or against a file of references."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gibbsflow.cli.options import Config, Json, Out, State, TimeBudget, parse_duration_s, remark, say, verb
from gibbsflow.config.label_engines import ENGINE_WORDS
from gibbsflow.errors import InputError, Problem

if TYPE_CHECKING:
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.validate.engine_labels import EngineLabels
    from gibbsflow.workflow.account import Account

_MODEL = "potential"


def validate(
    potential: Annotated[Path, typer.Option("--potential", help="Folder that `train fit` wrote (DIR/potential).")],
    out: Out,
    structure: Annotated[
        Path | None, typer.Option("--structure", help="Crystal or molecule; default: that of --data, or of --config.")
    ] = None,
    frame: Annotated[int, typer.Option("--frame", help="Number of its frame, from 0.")] = 0,
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled structures, of which the ground state is taken.")
    ] = None,
    config: Config = None,
    state: State = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Property to measure; repeat for several. Default: config's.")
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option("--references", help="YAML: values and radial distributions, each with unit and source."),
    ] = None,
    against_engine: Annotated[
        bool, typer.Option("--against-engine", help="Measure the same by the engine of section dft.")
    ] = False,
    engine: Annotated[str | None, typer.Option("--engine", help=f"{ENGINE_WORDS}; default: config's.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Labels at a time; default: config's")] = None,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a dask scheduler, instead.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed labels in --state again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many labels an engine would make, counted with the potential.")
    ] = False,
    time_budget: TimeBudget = None,
    as_json: Json = False,
) -> None:
    """Measure a battery of properties, compare them, and give a verdict; the page is DIR/validation.html."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.config.section import read_section
        from gibbsflow.potential.explore.calculator import PotentialCalculator, read_potential
        from gibbsflow.potential.train.fit import fingerprint
        from gibbsflow.potential.validate.battery import PHYSICS, PROPERTIES, Battery, Model
        from gibbsflow.potential.validate.properties.plans import by_calculator
        from gibbsflow.potential.validate.reference_files import read_references
        from gibbsflow.potential.validate.subjects import find_subject
        from gibbsflow.potential.validate.validating import engine_cost, md_of
        from gibbsflow.potential.validate.validating import validate as judged
        from gibbsflow.report.validation_page import write_validation
        from gibbsflow.workflow.account import Account
        from gibbsflow.workflow.files import inputs_hash
        from gibbsflow.workflow.result import versions
        from gibbsflow.workflow.state.segments import Stopper

        if structure is not None and data is not None:
            raise InputError(Problem("train validate", "--structure and --data", "one of them"))
        settings = PotentialConfig.of_verb(config, engine=engine).beside(config)
        known = read_potential(potential).species
        chosen = settings.validation.model_dump(exclude_unset=True) | ({"properties": tuple(only)} if only else {})
        beside = read_references(references) if references is not None else None
        if beside is not None:
            beside.beside(chosen, settings.validation.references, settings.validation.rdf_references)
        section = read_section(type(settings.validation), chosen, where="--only" if only else str(config))
        settings = settings.model_copy(update={"validation": section})
        account = Account(str(structure or data or config))
        subject = find_subject(settings, account, species=known, structure=structure, frame=frame, data=data)
        if beside is not None:
            beside.require(subject)
        model_key = inputs_hash(files={"potential": potential}, settings={}, physics=PHYSICS)
        home = state or out / "state"
        result.inputs_hash = inputs_hash(
            files={"potential": potential},
            settings={"subject": subject.key, "validation": section.model_dump(mode="json")},
            physics=PHYSICS,
        )
        result.versions = versions("phonopy", "spglib")
        with Stopper(parse_duration_s(time_budget)) as stopper:
            against = None
            if against_engine or section.against_engine or dry_run:
                against = _engine(settings, known, subject.atoms, account, home, out)
                against.workers, against.scheduler = workers or settings.labels.workers, scheduler
                against.stopper, against.retry_failed = stopper, retry_failed
            account.settle()
            calculator = PotentialCalculator(potential)
            battery = Battery(subject, tuple(known), section, home, stopper)
            possible = battery.applicable(section.properties)
            if only and (out_of_place := [name for name in only if name not in possible]):
                what = f"{', '.join(out_of_place)} of a {subject.kind}"
                raise InputError(
                    Problem("--only", what, f"what it has: {', '.join(battery.applicable(tuple(PROPERTIES)))}")
                )
            md = md_of(calculator.potential, model_key, home / "md", stopper, possible, str(potential))
            model = Model(_MODEL, model_key, by_calculator(calculator), md=md)
            try:
                if dry_run and against is not None:
                    result.figures = {"cost": engine_cost(battery, model, against)}
                    say(_cost_text(result.figures["cost"]), as_json)
                    return
                found = judged(battery, model, engine=against)
            finally:
                calculator.close()
                result.timings["engine_s"] = round(stopper.elapsed_s, 3)
        told = {key: value for key, value in account.as_figures().items() if key != "account" and value}
        result.figures = {**found.figures(), "notes": [*found.notes, *told.get("notes", [])],
                          "warnings": told.get("warnings", []), "reused": battery.reused,
                          "potential_sha256": fingerprint(potential)}  # fmt: skip
        if against is not None:
            result.figures["labels"] = {"made": against.made, "reused": against.reused}
            result.versions |= against.programs
        write_validation(found, result.figures, out)
        for one in found.judged:
            remark(f"{one.verdict}  {one.name}{': ' if one.reasons else ''}{'; '.join(one.reasons)}")
        remark(f"{found.verdict}: {subject.name}; page: {out / 'validation.html'}")


def _engine(
    settings: PotentialConfig, species: tuple[str, ...], atoms: Any, account: Account, home: Path, out: Path
) -> EngineLabels:
    """Make the engine that labels, checked with the structure."""
    from gibbsflow.potential.label.engines import check_electrons, make_engine
    from gibbsflow.potential.validate.engine_labels import EngineLabels

    made = make_engine(settings.target.elements or species, settings.dft, settings.labels)
    check_electrons(made, [atoms], account)
    return EngineLabels(made, settings.dft, settings.labels, home / "labels", out / "failed")


def _cost_text(cost: dict[str, Any]) -> str:
    lines = [f"{row['property']:<18} {row['labels']:>5} labels of {row['atoms_least']} to {row['atoms_most']} atoms"
             for row in cost["of"]]  # fmt: skip
    hours = f"about {cost['core_hours']:.2g} core hours" if cost["core_hours"] is not None else "of unknown time"
    return "\n".join([*lines, f"{cost['engine']}: {cost['labels']} labels, {hours}"])
