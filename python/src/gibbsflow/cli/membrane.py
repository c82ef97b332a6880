"""The verb ``system_prep membrane``: a protein with its ligand put into a bilayer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Out, State, System, verb


def membrane(
    system: System,
    out: Out,
    membrane_lipid: Annotated[
        str,
        typer.Option(
            "--membrane_lipid",
            help="POPC, POPE, DOPC, DLPC, DLPE, DMPC or DPPC; a mixture as POPC:CHL1 (packmol-memgen).",
        ),
    ] = "POPC",
    membrane_ratio: Annotated[
        str | None, typer.Option("--membrane_ratio", help="How many of each in a mixture, as 3:1.")
    ] = None,
    membrane_pdb: Annotated[
        Path | None,
        typer.Option(
            "--membrane_pdb", help="A prepared bilayer without topology: PDB with CRYST1, lipid21's or CHARMM's names."
        ),
    ] = None,
    membrane_padding_angstrom: Annotated[
        float, typer.Option("--membrane_padding_angstrom", help="Between the protein and each face of the box, Å.")
    ] = 10.0,
    membrane_orientation: Annotated[
        str,
        typer.Option(
            "--membrane_orientation",
            help="given: by OPM's dummy atoms, else normal z and middle z = 0; search: hydropathy.",
        ),
    ] = "given",
    config: Config = None,
    state: State = None,
) -> None:
    """Put a parametrised protein with its ligand into a bilayer of lipid21: a system that comes solvated."""
    with verb(out, state=state) as result:
        from gibbsflow.binding.forcefield.patch.building import build_membrane
        from gibbsflow.binding.forcefield.patch.choice import MembraneChoice
        from gibbsflow.binding.forcefield.solvation import SALT_MOL_PER_L
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        salt = settings.md.salt_mol_per_l
        choice = MembraneChoice(
            lipid=membrane_lipid,
            ratio=membrane_ratio,
            padding_angstrom=membrane_padding_angstrom,
            orientation=membrane_orientation,
            salt_mol_per_l=SALT_MOL_PER_L[True] if salt is None else salt,
            pdb=membrane_pdb,
        )
        result.seed = settings.run.seed
        built, facts = build_membrane(SimSystem.read(system), choice, out, seed=settings.run.seed)
        built.write()
        result.figures.update(facts)
