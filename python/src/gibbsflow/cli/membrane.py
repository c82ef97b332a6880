"""The verb ``system_prep membrane``: a protein with its ligand put into a bilayer."""

from __future__ import annotations

from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Out, State, System, verb


def membrane(
    system: System,
    out: Out,
    membrane_lipid: Annotated[
        str, typer.Option("--membrane_lipid", help="POPC, POPE, DOPC, DLPC, DLPE, DMPC or DPPC.")
    ] = "POPC",
    membrane_padding_angstrom: Annotated[
        float, typer.Option("--membrane_padding_angstrom", help="Between the protein and each face of the box, Å.")
    ] = 10.0,
    membrane_orientation: Annotated[
        str,
        typer.Option(
            "--membrane_orientation", help="given: normal z, middle z = 0, as OPM has it; search: hydropathy."
        ),
    ] = "given",
    config: Config = None,
    state: State = None,
) -> None:
    """Put a parametrised protein with its ligand into a bilayer of lipid21: a system that comes solvated."""
    with verb(out, state=state) as result:
        from gibbsflow.binding.forcefield.patch.building import MembraneChoice, build_membrane
        from gibbsflow.binding.forcefield.solvation import SALT_MOL_PER_L
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        salt = settings.md.salt_mol_per_l
        choice = MembraneChoice(
            membrane_lipid,
            membrane_padding_angstrom,
            membrane_orientation,
            SALT_MOL_PER_L[True] if salt is None else salt,
        )
        result.seed = settings.run.seed
        built, facts = build_membrane(SimSystem.read(system), choice, out, seed=settings.run.seed)
        built.write()
        result.figures.update(facts)
