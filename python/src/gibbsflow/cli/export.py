"""`train export`: hands a potential over: to LAMMPS and ASE, as a card, with its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, new_app, remark, verb

app = new_app("train export", "Hand a potential over: to LAMMPS and ASE with its grade, as a model card, with data.")
From = Annotated[
    Path,
    typer.Option("--from", help="A potential, or a folder of `train fit`, of a generation or of a loop's results."),
]
Train = Annotated[Path | None, typer.Option("--train", help="Its labelled frames, where they do not lie beside it.")]
Holdout = Annotated[Path | None, typer.Option("--test", help="The same of its hold-out.")]
Licence = Annotated[str, typer.Option("--licence", help="Under which it is handed on, such as CC-BY-4.0.")]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Who made it; may be repeated.")]


@app.command()
def lammps(
    begin: From,
    out: Out,
    structure: Annotated[
        Path | None, typer.Option("--structure", help="Structure that the example run starts from.")
    ] = None,
    config: Config = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Steps between two looks at the grade.")] = 50,
    seed: Annotated[int, typer.Option("--seed", min=1, max=900_000_000, help="Seed of the example run.")] = 2026,
    as_json: Json = False,
) -> None:
    """Write a folder for LAMMPS (`include in.potential`, `include in.grade`) and ASE: the run halts where it guesses.

    The grade is computed by LAMMPS itself, of which the package ML-POD is needed and nothing else.
    """
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import read_frames
        from gibbsflow.potential.export.folder import write_folder
        from gibbsflow.potential.export.handed_over import Source

        settings = PotentialConfig.of_verb(config).exploration
        source = Source.find(begin)
        start = read_frames(structure)[0] if structure is not None else None
        result.seed = seed
        result.figures = write_folder(source, out, settings, interval=every, seed=seed, start=start)
        remark(f"halts from grade {result.figures['upper_grade']:.3g} on; how to use it: {out / 'README.md'}")


@app.command()
def card(
    begin: From,
    out: Out,
    train: Train = None,
    holdout: Holdout = None,
    validation: Annotated[
        Path | None, typer.Option("--validation", help="Folder of a validation, whose verdict the card tells.")
    ] = None,
    licence: Licence = "",
    title: Annotated[str, typer.Option("--title", help="Name of the potential.")] = "",
    author: Authors = None,
    as_json: Json = False,
) -> None:
    """Write the model card as Markdown and JSON: range, data, errors, thresholds, verdict, licence, how to cite."""
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.potential.export.handed_over import Source, read_verdict
        from gibbsflow.potential.export.model_card import card as make_card
        from gibbsflow.potential.export.model_card import card_text
        from gibbsflow.workflow.files import atomic_open, write_json

        source = Source.find(begin, train, holdout)
        verdict = read_verdict(validation, source) if validation is not None else None
        content = make_card(source, licence=licence, title=title, authors=author or (), validation=verdict)
        write_json(out / "model_card.json", content)
        with atomic_open(out / "model_card.md", "w") as file:
            file.write(card_text(content))
        result.figures = {"card": content}


@app.command()
def data(
    begin: From,
    out: Out,
    train: Train = None,
    holdout: Holdout = None,
    licence: Licence = "",
    author: Authors = None,
    as_json: Json = False,
) -> None:
    """Write the labelled frames for other tools: extended XYZ, ase.db, OPTIMADE's structures, and what they are."""
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.potential.export.data_files import write_data
        from gibbsflow.potential.export.handed_over import Source

        source = Source.find(begin, train, holdout)
        result.figures = write_data(source, out, licence=licence, authors=author or ())
