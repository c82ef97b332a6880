"""Protocols of free energies: each a table of the legs of its thermodynamic cycle.

Phases ask the table, not the name of a leg: what to simulate (`fe prepare`), and how the legs sum up (`analysis`). A
new protocol is a new table, with parts that `facts.TopologyFacts.parts` knows and a schedule in section ``fe``, and a
row in `PROTOCOLS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gibbsflow.config.binding import Md
from gibbsflow.workflow.account import Account


@dataclass(frozen=True)
class LegSpec:
    """One leg of a cycle, from its first λ state to its last.

    Attributes
    ----------
    name
        As in folders, ``leg.json`` and tables.
    topology
        Artifact of the system with the leg's AMBER topology.
    parts
        What of the equilibrated complex is in it, in the order of the topology.
    alchemical
        The parts that change with λ.
    schedule
        Setting of section ``fe`` that names its λ states.
    restrained
        Whether its last state holds the alchemical parts in the site. Letting them go into 1 mol/L then belongs to the
        leg, and has its sign.
    sign
        +1 or −1: how G(last) − G(first) enters the result.
    medium
        ``solvent`` for that of the settings, or ``vacuum``.
    frames
        Artifact of the system with the frames that it starts from.
    named_schedule
        The λ schedule where the settings say ``auto``.
    """

    name: str
    topology: str
    parts: tuple[str, ...]
    alchemical: tuple[str, ...]
    schedule: str
    restrained: bool
    sign: int
    medium: Literal["solvent", "vacuum"] = "solvent"
    frames: str = "equil_frames"
    named_schedule: str = ""

    def md(self, md: Md) -> Md:
        """Put the leg into its medium; what has no box is OpenMM's.

        Parameters
        ----------
        md
            Settings of the system.

        Returns
        -------
        Md
            Those of the leg.
        """
        return md if self.medium == "solvent" else md.model_copy(update={"solvent": "vacuum", "engine": "openmm"})


DOUBLE_DECOUPLING: tuple[LegSpec, ...] = (
    LegSpec(
        name="complex",
        topology="complex_prmtop",
        parts=("receptor", "ligand"),
        alchemical=("ligand",),
        schedule="complex_schedule",
        restrained=True,
        sign=-1,
        named_schedule="complex_16",
    ),
    LegSpec(
        name="solvent",
        topology="ligand_prmtop",
        parts=("ligand",),
        alchemical=("ligand",),
        schedule="solvent_schedule",
        restrained=False,
        sign=+1,
        named_schedule="solvent_6",
    ),
)
"""ΔG°bind = ΔG(solvent) − ΔG(complex) − ΔG(release) (Gilson, Given, Bush, McCammon, Biophys. J. 72, 1047 (1997))."""

_IN_WATER = replace(
    DOUBLE_DECOUPLING[1],
    topology="solvent_prmtop",
    parts=("ligand", "environment"),
    frames="solvent_equil_frames",
    named_schedule="water_17",
)
DOUBLE_DECOUPLING_IN_WATER: tuple[LegSpec, ...] = (
    replace(DOUBLE_DECOUPLING[0], parts=("receptor", "ligand", "environment"), named_schedule="complex_in_water_24"),
    _IN_WATER,
)
"""The same in explicit solvent, where the ligand alone has a box of its own."""
SOLVATION: tuple[LegSpec, ...] = (
    replace(_IN_WATER, sign=-1),
    LegSpec(
        name="vacuum",
        topology="ligand_prmtop",
        parts=("ligand",),
        alchemical=("ligand",),
        schedule="vacuum_schedule",
        restrained=False,
        sign=+1,
        medium="vacuum",
        frames="solvent_equil_frames",
        named_schedule="vacuum_5",
    ),
)
"""ΔG(solvation) = ΔG(vacuum) − ΔG(solvent), each from coupled to decoupled; 1 mol/L of gas into 1 mol/L of solution."""

PROTOCOLS: dict[str, tuple[LegSpec, ...]] = {"abfe": DOUBLE_DECOUPLING, "asfe": SOLVATION}
"""By the mode that carries it out."""
IN_EXPLICIT_SOLVENT: dict[str, tuple[LegSpec, ...]] = {"abfe": DOUBLE_DECOUPLING_IN_WATER}
"""By mode, where explicit solvent needs another table."""
GONE_ON_WITH = "abfe"
"""What a system of a mode without legs can be gone on with by hand."""


def mode_of_legs(mode: str) -> str:
    """Name the mode whose legs a system is given.

    Parameters
    ----------
    mode
        Of the campaign.

    Returns
    -------
    str
        A key of `PROTOCOLS`: the mode itself, or for one that ends before the legs `GONE_ON_WITH`.
    """
    return mode if mode in PROTOCOLS else GONE_ON_WITH


def protocol_of(mode: str, *, explicit: bool = False) -> tuple[LegSpec, ...]:
    """Look up the legs of a mode.

    Parameters
    ----------
    mode
        Of the campaign.
    explicit
        Whether the solvent is made of molecules.

    Returns
    -------
    tuple of LegSpec
        Those of :func:`mode_of_legs`.
    """
    legs = mode_of_legs(mode)
    return IN_EXPLICIT_SOLVENT.get(legs, PROTOCOLS[legs]) if explicit else PROTOCOLS[legs]


def restrains(protocol: Sequence[LegSpec]) -> bool:
    """Say whether a protocol holds something in a site: it then needs a restraint, and the cycle a standard state.

    Parameters
    ----------
    protocol
        The table.

    Returns
    -------
    bool
        True for binding.
    """
    return any(leg.restrained for leg in protocol)


def leg_names(protocol: Sequence[LegSpec]) -> tuple[str, ...]:
    """Name the legs.

    Parameters
    ----------
    protocol
        The table.

    Returns
    -------
    tuple of str
        In its order.
    """
    return tuple(leg.name for leg in protocol)


def cycle_sum(
    protocol: Sequence[LegSpec], legs_kcal_per_mol: Mapping[str, float], release_kcal_per_mol: float
) -> float:
    """Sum up a cycle.

    Parameters
    ----------
    protocol
        The table.
    legs_kcal_per_mol
        G(last) − G(first) of each leg, by name.
    release_kcal_per_mol
        Free energy of letting the restrained, decoupled ligand go into 1 mol/L; of no account where none is restrained.

    Returns
    -------
    float
        kcal/mol.
    """
    legs = math.fsum(leg.sign * legs_kcal_per_mol[leg.name] for leg in protocol)
    return legs + math.fsum(leg.sign * release_kcal_per_mol for leg in protocol if leg.restrained)


def cycle_doubts(protocol: Sequence[LegSpec], md: Md, ligand_charge: int, *, where: str) -> Account:
    """Say what a cycle in the solvent that is asked for leaves out.

    Parameters
    ----------
    protocol
        The table.
    md
        Its solvent.
    ligand_charge
        Net charge of what is decoupled, in e.
    where
        What messages call it.

    Returns
    -------
    Account
        Not yet settled: refusals, and what is worth a warning.
    """
    account = Account(where)
    from_vacuum = any(leg.medium == "vacuum" for leg in protocol)
    if md.explicit and ligand_charge:
        what = f"the free energy of a charge of {ligand_charge:+d} e depends on the size of its periodic box"
        account.refuse(what, "obc2; corrections for it are not there yet", field="solvent")
    if from_vacuum and md.solvent == "vacuum":
        account.refuse("nothing is solvated in vacuum", "a water model, or obc2", field="solvent")
    elif from_vacuum and not md.explicit:
        account.warn("OBC2 knows no work of opening a cavity: this is the electrostatic part alone", "a water model")
    return account
