"""Protocols of free energies: each a table of the legs of its thermodynamic cycle.

Phases ask the table, not the name of a leg: what to simulate (`fe prepare`), and how the legs sum up (`analysis`). A
new protocol is a new table, with parts that `facts.TopologyFacts.parts` knows and a schedule in section ``fe``, and a
row in `PROTOCOLS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gibbsflow.binding.alchemy.finite_size.terms import PERMITTIVITY
from gibbsflow.config.binding import Fe, Md
from gibbsflow.engines.choice.engine_choice import choose_engine
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
    relative
        Whether the ligand turns into another one, in place of vanishing.
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
    relative: bool = False

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
SDR: tuple[LegSpec, ...] = (
    LegSpec(
        name="sdr",
        topology="sdr_prmtop",
        parts=("receptor", "ligand", "copy", "environment"),
        alchemical=("ligand", "copy"),
        schedule="sdr_schedule",
        restrained=True,
        sign=-1,
        named_schedule="sdr_41",
    ),
)
"""Simultaneous decoupling and recoupling: ΔG°bind = −ΔG(sdr) − ΔG(release) (docs/methods/explicit_solvent.md).

What keeps the copy away is the same in both ends and acts on its centre alone, so that its volume drops out.
"""
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

RELATIVE: tuple[LegSpec, ...] = tuple(
    replace(leg, restrained=False, sign=-leg.sign, named_schedule="rbfe_11", relative=True) for leg in DOUBLE_DECOUPLING
)
"""ΔΔG(A→B) = ΔG(complex) − ΔG(solvent), each from ligand A to ligand B: ΔG°bind of B less that of A."""
RELATIVE_IN_WATER: tuple[LegSpec, ...] = tuple(
    replace(leg, restrained=False, sign=-leg.sign, named_schedule="rbfe_11", relative=True)
    for leg in DOUBLE_DECOUPLING_IN_WATER
)
"""The same in explicit solvent."""
RELATIVE_SOLVATION: tuple[LegSpec, ...] = tuple(
    replace(leg, sign=-leg.sign, named_schedule="rbfe_11", relative=True) for leg in SOLVATION
)
"""ΔΔG(A→B) of solvation = ΔG(solvent) − ΔG(vacuum), each from ligand A to ligand B."""

PROTOCOLS: dict[str, tuple[LegSpec, ...]] = {
    "abfe": DOUBLE_DECOUPLING,
    "asfe": SOLVATION,
    "rbfe": RELATIVE,
    "rsfe": RELATIVE_SOLVATION,
}
"""By the mode that carries it out."""
IN_EXPLICIT_SOLVENT: dict[str, tuple[LegSpec, ...]] = {
    "abfe": DOUBLE_DECOUPLING_IN_WATER,
    "rbfe": RELATIVE_IN_WATER,
}
"""By mode, where explicit solvent needs another table."""
OF_CHARGED: Mapping[str, str] = {
    "complex_in_water_24": "complex_with_ions_32",
    "water_17": "water_with_ions_29",
}
"""λ schedules by those of neutral ligands: a net charge takes more steps, with an ion that goes as well or without."""
OF_HARD_EDGES: Mapping[str, str] = {"rbfe_11": "rbfe_21"}
"""λ schedules by those that do while few atoms change: hard maps, whole ligands, a net charge that changes."""
EDGE_WITH_IONS = {False: "rbfe_with_ion_25", True: "dual_with_ion_33"}
"""Of an edge in whose box ions make up for the charge, by whether the ligands are there as a whole."""
RELEASE = "release"
"""The term of letting a restrained, decoupled ligand go; no leg is called so."""
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


def protocol_of(mode: str, *, explicit: bool = False, fe: Fe | None = None) -> tuple[LegSpec, ...]:
    """Look up the legs of a mode.

    Parameters
    ----------
    mode
        Of the campaign.
    explicit
        Whether the solvent is made of molecules.
    fe
        Which protocol of binding, and whether ligands have a net charge that is made up for, by ions that change with
        them or otherwise; None for double decoupling of neutral ones.

    Returns
    -------
    tuple of LegSpec
        Those of :func:`mode_of_legs`.
    """
    legs = mode_of_legs(mode)
    if legs == "abfe" and fe is not None and fe.abfe_protocol == "sdr":
        return SDR
    if not explicit:
        return PROTOCOLS[legs]
    table = IN_EXPLICIT_SOLVENT.get(legs, PROTOCOLS[legs])
    if fe is None or not fe.charge_correction or any(leg.relative for leg in table):
        return table  # ions of an edge are waters of its box: what they turn into is up to each edge
    table = tuple(replace(leg, named_schedule=OF_CHARGED.get(leg.named_schedule, leg.named_schedule)) for leg in table)
    return with_counter_ions(table) if fe.charge_correction == "counter_ion" else table


def of_edge(
    protocol: Sequence[LegSpec], *, hard: bool, dual: bool, charge_changes: bool, explicit: bool
) -> tuple[LegSpec, ...]:
    """Choose λ schedules by what changes on an edge.

    Parameters
    ----------
    protocol
        The table of edges.
    hard
        Whether its atom map is hard.
    dual
        Whether both ligands are there as a whole.
    charge_changes
        Whether their net charges differ.
    explicit
        Whether the solvent has a box.

    Returns
    -------
    tuple of LegSpec
        The table, with those schedules where the settings say ``auto``.
    """
    if not (hard or dual or charge_changes):
        return tuple(protocol)

    changed = []
    for leg in protocol:
        with_ions = charge_changes and explicit and leg.medium == "solvent"
        hard_schedule = OF_HARD_EDGES.get(leg.named_schedule, leg.named_schedule)
        changed.append(replace(leg, named_schedule=EDGE_WITH_IONS[dual] if with_ions else hard_schedule))
    return tuple(changed)


def protocol_of_legs(mode: str, legs: Collection[str]) -> tuple[LegSpec, ...]:
    """Look up the table that a result was made by.

    Parameters
    ----------
    mode
        Of the campaign.
    legs
        Names of its legs.

    Returns
    -------
    tuple of LegSpec
        The one with these legs; without any, that of the mode.
    """
    tables = (protocol_of(mode), SDR) if mode_of_legs(mode) == "abfe" else (protocol_of(mode),)
    return next((table for table in tables if set(leg_names(table)) == set(legs)), tables[0])


def with_counter_ions(protocol: Sequence[LegSpec]) -> tuple[LegSpec, ...]:
    """Let ions of the box change with the ligand in all legs in solvent.

    Their work drops out where :func:`ions_drop_out` says so.

    Parameters
    ----------
    protocol
        The table.

    Returns
    -------
    tuple of LegSpec
        The table with part ``ions`` in those legs.
    """
    return tuple(
        replace(
            leg,
            parts=(*leg.parts[:-1], "ions", leg.parts[-1]),
            alchemical=(*leg.alchemical, "ions"),
        )
        if leg.medium == "solvent"
        else leg
        for leg in protocol
    )


def ions_drop_out(protocol: Sequence[LegSpec]) -> bool:
    """Say whether the work of ions that change in each leg in solvent drops out: that of an ion in bulk, in each.

    Parameters
    ----------
    protocol
        The table.

    Returns
    -------
    bool
        True where legs in solvent have opposite signs.
    """
    return math.fsum(leg.sign for leg in protocol if leg.medium == "solvent") == 0


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
    terms = cycle_terms(protocol)
    legs = math.fsum(sign * legs_kcal_per_mol[name] for name, sign in terms if name != RELEASE)
    return legs + math.fsum(sign * release_kcal_per_mol for name, sign in terms if name == RELEASE)


def cycle_terms(protocol: Sequence[LegSpec]) -> list[tuple[str, int]]:
    """List the terms of a cycle with their signs: the one table of them.

    Parameters
    ----------
    protocol
        The table.

    Returns
    -------
    list of (str, int)
        Each leg by its name, then `RELEASE` for each leg that is restrained.
    """
    legs = [(leg.name, leg.sign) for leg in protocol]
    return legs + [(RELEASE, leg.sign) for leg in protocol if leg.restrained]


def cycle_doubts(
    protocol: Sequence[LegSpec], md: Md, ligand_charge: int, *, where: str, fe: Fe | None = None
) -> Account:
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
    fe
        Which protocol, and what makes up for a charge; None for double decoupling and nothing.

    Returns
    -------
    Account
        Not yet settled: refusals, and what is worth a warning.
    """
    account, fe = Account(where), fe or Fe()
    from_vacuum = any(leg.medium == "vacuum" for leg in protocol)
    twice = any("copy" in leg.alchemical for leg in protocol)
    relative = any(leg.relative for leg in protocol)  # which charges an edge has is its own matter
    if twice and not md.explicit:
        what = f"sdr couples a copy of the ligand in the water of its box, and {md.solvent} has none"
        account.refuse(what, "a water model, or abfe_protocol double_decoupling", field="abfe_protocol")
    if relative and md.explicit:
        if fe.charge_correction == "analytic":
            what = "analytic knows a charge that vanishes, and none that an edge changes"
            right = "ligands of one net charge" if from_vacuum else "charge_correction counter_ion"
            account.refuse(what, right, field="charge_correction")
        elif fe.charge_correction and not ions_drop_out(protocol):
            account.refuse(_ONE_LEG, "none, and ligands of one net charge", field="charge_correction")
    elif fe.charge_correction and (twice or not md.explicit):
        why = "the box of sdr is neutral in all states" if md.explicit else f"{md.solvent} has no periodic box"
        what = f"{fe.charge_correction}, but {why}: there is nothing to correct"
        account.refuse(what, "no charge_correction", field="charge_correction")
    elif fe.charge_correction and ligand_charge:
        _CORRECTIONS[fe.charge_correction](account, protocol, md)
    elif md.explicit and ligand_charge and not twice:
        what = f"the free energy of a charge of {ligand_charge:+d} e depends on the size of its periodic box"
        engine = choose_engine(md).engine
        alone = "obc2" if engine == "openmm" else "--engine openmm with obc2"
        right = f"charge_correction analytic, or {alone}" if from_vacuum else _MAKES_UP[engine]
        account.refuse(what, right, field="charge_correction")
    if from_vacuum and md.solvent == "vacuum":
        account.refuse("nothing is solvated in vacuum", "a water model, or obc2", field="solvent")
    elif from_vacuum and not md.explicit:
        account.warn("OBC2 knows no work of opening a cavity: this is the electrostatic part alone", "a water model")
    return account


_MAKES_UP: Mapping[str, str] = {
    "openmm": "charge_correction counter_ion or analytic, abfe_protocol sdr, or obc2",
    "gromacs": "charge_correction counter_ion or analytic, or --engine openmm with abfe_protocol sdr or obc2",
    "amber": "charge_correction analytic, abfe_protocol sdr, or --engine openmm with counter_ion or obc2",
}
"""What makes up for a charge in binding, by what each engine takes."""
_ONE_LEG = "counter_ion: the ion's own work in water drops out between two legs in water, and here is only one"


def _doubts_of_counter_ion(account: Account, protocol: Sequence[LegSpec], _: Md) -> None:
    if not ions_drop_out(protocol):
        account.refuse(_ONE_LEG, "charge_correction analytic", field="charge_correction")


def _doubts_of_analytic(account: Account, protocol: Sequence[LegSpec], md: Md) -> None:
    if md.solvent not in PERMITTIVITY:
        what = f"analytic, but the permittivity of the water of {md.solvent} topologies is not known"
        account.refuse(what, f"water of {', '.join(PERMITTIVITY)}", field="charge_correction")
        return
    corrected = " and ".join(leg.name for leg in protocol if leg.medium == "solvent")
    account.note(
        f"analytic finite-size correction of the charge in the {corrected}: NET, USV, SCR, RIP, EMP and DSC, "
        "for a solute in water and ions, well within its box"
    )
    if any(leg.medium == "vacuum" for leg in protocol):
        account.note("the free energy of one ion holds for a bulk potential of zero (DSC), without a surface of water")


_CORRECTIONS: Mapping[str, Callable[[Account, Sequence[LegSpec], Md], None]] = {
    "counter_ion": _doubts_of_counter_ion,
    "analytic": _doubts_of_analytic,
}
"""What each correction of a charge refuses, by its name in section ``fe``."""
