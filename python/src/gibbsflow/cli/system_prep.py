"""system_prep: check a campaign's input; prepare one receptor with one ligand."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from gibbsflow.cli import solvated_options as given
from gibbsflow.cli.membrane import membrane
from gibbsflow.cli.options import Config, Json, Out, State, new_app, remark, verb
from gibbsflow.cli.structures import structures

app = new_app("system_prep", "Read, check, protonate and place a receptor (or host) and a ligand.")
log = logging.getLogger(__name__)
app.command()(structures)
app.command()(membrane)

Receptor = Annotated[
    Path | None, typer.Option("--receptor", help="Host (SDF, MOL2) or protein (PDB, mmCIF); none for solvation.")
]
Protonation = Annotated[
    Path | None, typer.Option("--protonation", help="CSV or YAML with the state of residues: A:64,HIP.")
]
Altloc = Annotated[str | None, typer.Option("--altloc", help="Alternate locations to take: A:64=B,...")]
Keep = Annotated[str | None, typer.Option("--keep", help="Kept beside a protein: residue names or CHAIN:NUMBER,...")]
Parameters = Annotated[
    list[Path] | None, typer.Option("--parameters", help="AMBER parameters of what is kept: mol2, lib, frcmod; again.")
]
LigandResidue = Annotated[
    str | None,
    typer.Option("--ligand_residue", help="Ligand in the receptor's file or in topologies: NAME[:CHAIN:NUMBER]."),
]


@app.command()
def check(
    input: Annotated[Path, typer.Option("--input", help="Samplesheet (CSV).")],
    receptor: Receptor = None,
    config: Config = None,
    outdir: Annotated[Path | None, typer.Option("--outdir", help="Folder of the results: is it writable?")] = None,
    protonation: Protonation = None,
    altloc: Altloc = None,
    keep: Keep = None,
    parameters: Parameters = None,
    as_json: Json = False,
) -> None:
    """Check everything that comes in and print all problems at once: exit 65 where there are any."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.binding.campaign.check import check_campaign
        from gibbsflow.errors import InputError

        chosen = _chosen(protonation, altloc, keep, parameters)
        found = check_campaign(input, receptor, config, outdir, chosen)
        result.figures |= {"warnings": [*map(str, found.warnings)], "problems": [*map(vars, found.problems)]}
        for note in found.warnings:
            remark(f"note: {note}")
        if found.problems:
            raise InputError(found.problems)
        result.figures |= {"rows": [row.as_dict() for row in found.rows], "charges": found.charges}
        if not as_json:
            held = f"receptor {receptor}" if receptor else "no receptor"
            first = f"{input}: {len(found.rows)} ligand{'s' * (len(found.rows) != 1)}, {held}: nothing wrong"
            typer.echo("\n".join([first, *found.charges]))


@app.command()
def system(
    ligand: Annotated[str, typer.Option("--ligand", help="Name of the ligand.")],
    out: Out,
    receptor: Receptor = None,
    structure: Annotated[Path | None, typer.Option("--structure", help="SDF or MOL2 with 3-D coordinates.")] = None,
    smiles: Annotated[str | None, typer.Option("--smiles", help="SMILES, protonated as in the complex.")] = None,
    charge: Annotated[int | None, typer.Option("--charge", help="Net charge in e, as a check.")] = None,
    pose: Annotated[str | None, typer.Option("--pose", help="given, place, or a file with the bound pose.")] = None,
    aligned_to: Annotated[
        str | None, typer.Option("--aligned_to", help="Ligand whose pose that file holds, to be laid on.")
    ] = None,
    ligand_residue: LigandResidue = None,
    symmetry_number: Annotated[
        int | None, typer.Option("--symmetry_number", help="Equivalent poses of which a Boresch restraint holds one.")
    ] = None,
    protonation: Protonation = None,
    altloc: Altloc = None,
    keep: Keep = None,
    parameters: Parameters = None,
    complex_topology: given.ComplexTopology = None,
    complex_coordinates: given.ComplexCoordinates = None,
    complex_includes: given.ComplexIncludes = None,
    solvent_topology: given.SolventTopology = None,
    solvent_coordinates: given.SolventCoordinates = None,
    solvent_includes: given.SolventIncludes = None,
    config: Config = None,
    state: State = None,
) -> None:
    """Prepare one receptor with one ligand: receptor and ligand files in one frame, and system.json."""
    with verb(out, state=state) as result:
        from gibbsflow.binding.facts import PreparedFacts
        from gibbsflow.binding.prepare.complex import ligand_pose, preparation_hash, prepare_system, row_from_options
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        settings = settings.with_system(_chosen(protonation, altloc, keep, parameters))
        bound, free = (complex_topology, complex_coordinates), (solvent_topology, solvent_coordinates)
        others = {"structure": structure, "smiles": smiles, "charge": charge is not None, "receptor": receptor}
        if boxes := given.given_boxes((*bound, complex_includes), (*free, solvent_includes), others):
            given.prepare_solvated(ligand, boxes, ligand_residue, settings, out, result, symmetry_number)
            return
        if receptor is None:
            row = row_from_options(ligand, structure, smiles, charge, pose, symmetry_number, aligned_to)
            _prepare_alone(row, settings, out, result)
            return
        taken = None
        if ligand_residue is not None:
            taken = ligand_pose(receptor, ligand_residue, smiles, pose, settings.system.altloc, out)
            smiles, pose = taken.smiles, str(taken.pose)
        row = row_from_options(ligand, structure, smiles, charge, pose, symmetry_number, aligned_to)
        result.inputs_hash, result.seed = preparation_hash(row, receptor, settings), settings.run.seed
        prepared, facts = prepare_system(row, receptor, settings, out, taken=taken)
        prepared.write()
        result.figures.update(facts)
        log.info("%s: ligand %s", prepared.name, prepared.facts(PreparedFacts).ligand_smiles)


def _prepare_alone(row: Any, settings: Any, out: Path, result: Any) -> None:
    """Prepare a ligand without a receptor."""
    from gibbsflow.binding.prepare.complex import prepare_solute, solute_hash

    result.inputs_hash, result.seed = solute_hash(row, settings), settings.run.seed
    prepared, facts = prepare_solute(row, settings, out)
    prepared.write()
    result.figures.update(facts)


def _chosen(
    protonation: Path | None, altloc: str | None, keep: str | None, parameters: list[Path] | None
) -> dict[str, Any]:
    chosen = {"protonation": protonation, "altloc": altloc, "keep": keep}
    return chosen | {"parameters": ",".join(map(str, parameters)) if parameters else None}


def main() -> None:
    """Run the program."""
    app()


if __name__ == "__main__":
    main()
