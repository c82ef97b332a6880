"""system_prep: check a campaign's input; prepare one receptor with one ligand."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, State, new_app, verb
from gibbsflow.cli.structures import structures

app = new_app("Read, check, protonate and place a receptor (or host) and a ligand.")
log = logging.getLogger(__name__)
app.command()(structures)

Receptor = Annotated[Path, typer.Option("--receptor", help="Host (SDF, MOL2) or protein (PDB).")]


@app.command()
def check(
    input: Annotated[Path, typer.Option("--input", help="Samplesheet (CSV).")],
    receptor: Receptor,
    config: Config = None,
    outdir: Annotated[Path | None, typer.Option("--outdir", help="Folder of the results: is it writable?")] = None,
    json: Json = False,
) -> None:
    """Check everything that comes in and print all problems at once: exit 65 where there are any."""
    with verb(None, as_json=json) as result:
        from gibbsflow.binding.campaign.check import check_campaign
        from gibbsflow.errors import InputError

        found = check_campaign(input, receptor, config, outdir)
        result.figures["warnings"] = [str(note) for note in found.warnings]
        result.figures["problems"] = [vars(problem) for problem in found.problems]
        for note in found.warnings:
            typer.echo(f"note: {note}", err=True)
        if found.problems:
            raise InputError(found.problems)
        result.figures["rows"] = [row.as_dict() for row in found.rows]
        if not json:
            typer.echo(f"{input}: {len(found.rows)} ligands, receptor {receptor}: nothing wrong")


@app.command()
def system(
    receptor: Receptor,
    ligand: Annotated[str, typer.Option("--ligand", help="Name of the ligand.")],
    out: Out,
    structure: Annotated[Path | None, typer.Option("--structure", help="SDF or MOL2 with 3-D coordinates.")] = None,
    smiles: Annotated[str | None, typer.Option("--smiles", help="SMILES, protonated as in the complex.")] = None,
    charge: Annotated[int | None, typer.Option("--charge", help="Net charge in e, as a check.")] = None,
    pose: Annotated[str | None, typer.Option("--pose", help="given, place, or a file with the bound pose.")] = None,
    config: Config = None,
    state: State = None,
) -> None:
    """Prepare one receptor with one ligand: receptor and ligand files in one frame, and system.json."""
    with verb(out, state=state) as result:
        from gibbsflow.binding.facts import PreparedFacts
        from gibbsflow.binding.prepare.complex import preparation_hash, prepare_system, row_from_options
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        row = row_from_options(ligand, structure, smiles, charge, pose)
        result.inputs_hash = preparation_hash(row, receptor, settings)
        result.seed = settings.run.seed
        prepared, facts = prepare_system(row, receptor, settings, out)
        prepared.write()
        result.figures.update(facts)
        known = prepared.facts(PreparedFacts)
        log.info("%s: ligand %s, charge %+d", prepared.name, known.ligand_smiles, known.ligand_charge)


def main() -> None:
    """Run the program."""
    app()


if __name__ == "__main__":
    main()
