"""`analysis standard-state`: the free energy of releasing a restraint."""

from __future__ import annotations

from typing import Annotated

import typer

from gibbsflow.cli.options import Json, say, verb


def standard_state(
    temperature: Annotated[float, typer.Option(help="Temperature, K.")],
    r0: Annotated[float, typer.Option(help="Reference distance, Å.")] = 0.0,
    theta_a: Annotated[float, typer.Option(help="Reference angle P2-P1-L1, degrees.")] = 90.0,
    theta_b: Annotated[float, typer.Option(help="Reference angle P1-L1-L2, degrees.")] = 90.0,
    k_r: Annotated[float, typer.Option(help="K of the distance, kcal/mol/Å², U = 1/2 K x².")] = 10.0,
    k_angle: Annotated[float, typer.Option(help="K of both angles, kcal/mol/rad².")] = 100.0,
    k_dihedral: Annotated[
        float | None, typer.Option(help="K of the dihedrals, kcal/mol/rad²; default: that of the angles.")
    ] = None,
    com: Annotated[bool, typer.Option("--com", help="Centre-of-mass restraint, --k, U = 1/2 K (r - r0)².")] = False,
    k: Annotated[float, typer.Option("--k", help="K of the centre-of-mass restraint, kcal/mol/Å².")] = 10.0,
    as_json: Json = False,
) -> None:
    """Free energy of releasing a Boresch (or centre-of-mass) restraint to 1 mol/L, analytic and numeric."""
    with verb(None, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.restraint import standard_state as terms

        point = {"r0_angstrom": r0, "temperature_k": temperature}
        if com:
            point |= {"k": k}
            terms.check_values(**point, least_r0_angstrom=0.0)
            analytic, numeric = terms.com_analytic_kcal_per_mol(**point), terms.com_numeric_kcal_per_mol(**point)
        else:
            point |= {"theta_a_deg": theta_a, "theta_b_deg": theta_b, "k_r": k_r, "k_angle": k_angle}
            point |= {"k_dihedral": k_angle if k_dihedral is None else k_dihedral}
            terms.check_values(**point)
            analytic = terms.boresch_analytic_kcal_per_mol(**point)
            numeric = terms.boresch_numeric_kcal_per_mol(**point)
        result.figures = {"analytic_kcal_per_mol": analytic, "numeric_kcal_per_mol": numeric}
        lines = [f"analytic {analytic:.4f} kcal/mol", f"numeric  {numeric:.4f} kcal/mol"]
        say("\n".join(lines + [note for note in [terms.differ(analytic, numeric)] if note]), as_json)
