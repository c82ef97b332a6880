"""The rules that choose settings by what a potential is for, and what has no effect beside it.

What a user gives always stands; where it would do nothing, that is said, or refused where it would mislead.

docs/potential.md shows them as a table; a test holds it against this module.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Dft, Generator, Target
from gibbsflow.config.potential_training import Exploration, usual_timestep_fs
from gibbsflow.config.section import Section
from gibbsflow.config.structures.molecules import molecular_ions, of_molecules
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_STOICHIOMETRY: Mapping[str, tuple[float, float]] = {
    "zincblende": (1, 1), "rocksalt": (1, 1), "cesiumchloride": (1, 1), "wurtzite": (1, 1), "fluorite": (1, 2),
}  # fmt: skip
_METALS = frozenset("Li Na Be Mg Al".split())
"""Of the molecules that ASE knows, those with one of these have the formula of a crystal (NaCl, LiF, LiH, AlF3)."""
_OF_ENGINES: Mapping[str, tuple[str, ...]] = {
    "gpaw_cutoff_ev": ("gpaw",),
    "tblite_method": ("tblite",),
    **dict.fromkeys(("functional", "kspacing_per_angstrom", "smearing", "degauss_ry"), ("quantum_espresso", "gpaw")),
    **dict.fromkeys(
        ("pseudo_library", "pseudopotentials", "ecutwfc_ry", "ecutrho_ry", "bands", "conv_thr_ry", "pw_command",
         "pseudo_dir", "electron_maxstep", "mixing_beta", "diagonalization"), ("quantum_espresso",)
    ),
}  # fmt: skip

_PHYSICS: Mapping[str, tuple[str, ...]] = dict.fromkeys(("dispersion", "hubbard_u_ev"), ("quantum_espresso",))
"""Settings that other engines cannot compute, and that would be taken for the label's."""
# without those that a rule sets, whether or not its method is there
_OF_METHODS: Mapping[str, tuple[str, ...]] = {
    "cell_strain_max": ("strain",),
    **dict.fromkeys(("rattle_count", "rattle_strain_max"), ("rattle",)),
    **dict.fromkeys(("sqs_atoms_max", "sqs_composition_step", "sqs_steps"), ("sqs",)),
    **dict.fromkeys(("antisites", "defects_max", "interstitial_distance_angstrom"), ("defect",)),
    **dict.fromkeys(("surface_indices", "surface_layers", "surface_vacuum_angstrom"), ("surface",)),
    "box_angstrom": ("dimer", "isolated_atom"),
}  # fmt: skip


@dataclass(frozen=True)
class RuleFacts:
    """What the rules look at.

    Attributes
    ----------
    goal
        ``loop.goal``.
    elements
        ``target.elements``.
    molecule
        Whether the target is a molecule: by name, or a file whose structures are periodic nowhere.
    of_molecules
        Whether the target is a file of liquids or crystals that consist of molecules.
    engine
        ``dft.engine``.
    lowest_k, highest_k
        Lowest and highest temperature asked for, in K.
    constant_volume
        Whether ``exploration.ensemble`` is given as nvt.
    committee
        Whether a committee is to tell the unknown.
    share_given
        Whether ``convergence.fraction_above`` is given.
    molecular_ions
        Whether the target is a file of which a structure has molecular ions among other atoms.
    liquid
        Whether the target is a file of liquids: all consist of molecules, and none has any symmetry.
    """

    goal: str = "md"
    elements: tuple[str, ...] = ()
    molecule: bool = False
    of_molecules: bool = False
    engine: str = "quantum_espresso"
    lowest_k: float = 300.0
    highest_k: float = 300.0
    constant_volume: bool = False
    committee: bool = False
    share_given: bool = False
    molecular_ions: bool = False
    liquid: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Mapping[str, Any]], structure: Path | None = None) -> RuleFacts:
        """Read them from sections that are not yet checked; what is unusable is left to the check.

        Parameters
        ----------
        given
            Values by section and key.
        structure
            The structure file that they name, where it lies; None where none is named, or it is not there.

        Returns
        -------
        RuleFacts
            With defaults where nothing usable is given.
        """
        target, exploration = given.get("target", {}), given.get("exploration", {})
        frames = _frames(structure) if structure is not None else []
        elements = target.get("elements", ())
        values = [exploration.get("temperature_k", 300.0), exploration.get("temperature_end_k")]
        kelvin = [number for number in map(_number, values) if number is not None] or [300.0]
        return cls(
            goal=str(given.get("loop", {}).get("goal", "md")),
            elements=tuple(map(str, elements)) if isinstance(elements, list | tuple) else (),
            molecule=bool(target.get("molecule")) or (bool(frames) and not any(frame.pbc.any() for frame in frames)),
            of_molecules=bool(frames) and all(map(of_molecules, frames)),
            liquid=bool(frames) and all(map(_liquid, frames)),
            molecular_ions=any(molecular_ions(frame) is not None for frame in frames),
            engine=str(given.get("dft", {}).get("engine", "quantum_espresso")),
            lowest_k=min(kelvin),
            highest_k=max(kelvin),
            constant_volume=exploration.get("ensemble") == "nvt",
            committee=exploration.get("uncertainty") == "committee",
            share_given="fraction_above" in given.get("convergence", {}),
        )


def _frames(file: Path) -> list[Atoms]:
    """Structures of a file; one that cannot be read is refused where its structures are taken."""
    from ase.io import read

    try:
        return list(read(file, ":"))
    except Exception as error:  # noqa: BLE001 - ASE's formats raise what they like
        log.info("%s says nothing of what it is before it is read (%s)", file, error)
        return []


def _liquid(atoms: Atoms) -> bool:
    """Say whether a structure consists of molecules in a cell without symmetry: a liquid to validation."""
    import spglib

    if not of_molecules(atoms) or not atoms.pbc.all():
        return False
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)  # type: ignore[no-untyped-call]
    return getattr(spglib.get_symmetry_dataset(cell, symprec=1e-2), "number", 0) == 1


def _number(value: Any) -> float | None:
    """Read a number, as the sections do; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _thirds(facts: RuleFacts) -> tuple[float, ...]:
    return tuple(sorted({facts.lowest_k, (facts.lowest_k + facts.highest_k) / 2, facts.highest_k}))


def _ends(facts: RuleFacts) -> tuple[float, ...]:
    return tuple(sorted({facts.lowest_k, facts.highest_k}))


Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Rule:
    """One rule; of two that set the same key, the later one holds.

    Attributes
    ----------
    when
        Condition in words.
    holds
        The same as a function.
    sets
        Settings by section, or a function of the facts.
    why
        Reason.
    """

    when: str
    holds: Callable[[RuleFacts], bool]
    sets: Settings | Callable[[RuleFacts], Settings]
    why: str

    def settings(self, facts: RuleFacts) -> Settings:
        """Give what the rule sets.

        Parameters
        ----------
        facts
            What the settings may depend on; whether the rule holds is not asked here.

        Returns
        -------
        mapping
            Values by section and key.
        """
        return self.sets(facts) if callable(self.sets) else self.sets


RULES: tuple[Rule, ...] = (
    Rule(
        "a crystal of one element", lambda f: not f.molecule and len(f.elements) < 2,
        {"generator": {"methods": ("bulk", "strain", "rattle")}},
        "volume, shape and displacements around the crystal",
    ),
    Rule(
        "a crystal of several elements", lambda f: not f.molecule and len(f.elements) > 1,
        {
            "generator": {
                "methods": ("bulk", "sqs", "strain", "rattle", "defect"),
                "defect_kinds": ("vacancy", "antisite"),
            }
        },
        "the target and neighbouring compositions, and atoms in each other's place",
    ),
    Rule(
        "a molecule, or a file of structures that are periodic nowhere", lambda f: f.molecule,
        {
            "generator": {
                "methods": ("bulk", "normal_mode", "rattle", "dimer"), "mode_count": 20,
                "rattle_sigma_angstrom": (0.02, 0.05, 0.1), "dimer_count": 3, "dimer_range_angstrom": (0.5, 2.0),
            }
        },
        "thermal displacements along normal modes first of all, and for the core pairs of atoms up to their bonds",
    ),
    Rule(
        "a file of crystals of which one has molecular ions (OH, CO3, ...)", lambda f: f.molecular_ions,
        {"generator": {"rattle_sigma_angstrom": (0.02, 0.05, 0.1)}},
        "bonds within them bear small displacements alone",
    ),
    Rule(
        "a file of periodic structures that consist of molecules", lambda f: f.of_molecules,
        {
            "generator": {
                "methods": ("bulk", "strain", "rattle", "dimer"), "rattle_sigma_angstrom": (0.02, 0.05, 0.1),
                "dimer_count": 3, "dimer_range_angstrom": (0.5, 2.0),
            }
        },
        "bonds bear small displacements alone; a molecule without an atom, or with another, is another substance",
    ),
    Rule(
        "a file of liquids: such structures without any symmetry", lambda f: f.liquid,
        {
            "generator": {"methods": ("bulk", "strain", "rattle", "molecules", "dimer"), "dimer_count": 6},
            "loop": {"overheating": 2.0, "initial_labels": 115},
        },
        "molecules alone, in pairs and pressed: MD meets closer contacts and longer bonds than a box shows, and hot MD "
        "more of them",
    ),
    Rule(
        "a molecule, temperature_k", lambda f: f.molecule,
        lambda f: {"generator": {"mode_temperatures_k": _thirds(f), "thermal_temperatures_k": _ends(f)}},
        "modes are sampled where MD will be, at first, middle and last temperature; the hold-out at first and last",
    ),
    Rule(
        "a crystal, temperature_k", lambda f: not f.molecule,
        lambda f: {"generator": {"thermal_temperatures_k": _ends(f)}},
        "the hold-out is sampled where MD will be: first and last temperature",
    ),
    Rule(
        "goal elastic", lambda f: f.goal == "elastic",
        {
            "generator": {"cell_strain_count": 8, "volume_steps": 9, "rattle_sigma_angstrom": (0.02, 0.05, 0.1)},
            "convergence": {"force_mae_ev_per_angstrom": 0.05, "stress_mae_gpa": 0.3},
        },
        "small strains and small forces decide",
    ),
    Rule(
        "goal melt_quench", lambda f: f.goal == "melt_quench",
        {"loop": {"trajectories": 6}, "convergence": {"force_mae_ev_per_angstrom": 0.15, "stress_mae_gpa": 2.0}},
        "far from the crystal from the start; every second trajectory cools from the last temperature to the first",
    ),
    Rule(
        "goal melt_quench, not a liquid", lambda f: f.goal == "melt_quench" and not f.liquid,
        {"generator": {"rattle_sigma_angstrom": (0.05, 0.15, 0.3, 0.5)}},
        "atoms far from their places; bonds of a liquid bear no such displacements",
    ),
    Rule(
        "goal phase_diagram", lambda f: f.goal == "phase_diagram",
        lambda f: {
            "generator": {"volume_strain_max": 0.2, "volume_steps": 9},
            "exploration": {} if f.constant_volume
            else {"ensemble": "npt", "pressure_bar": 0.0, "pressure_end_bar": 100_000.0},
            "loop": {"trajectories": 6},
        },
        "volume is free, and pressure goes up to 10 GPa unless pressure_bar says otherwise",
    ),
    Rule(
        "engine tblite, a crystal that does not consist of molecules",
        lambda f: f.engine == "tblite" and not f.molecule and not f.of_molecules,
        {"generator": {"supercell": (2, 2, 2)}},
        "it has the Γ point only, which small cells are too coarse for",
    ),
    Rule(
        "hydrogen among the elements", lambda f: "H" in f.elements,
        {"exploration": {"timestep_fs": usual_timestep_fs(["H"])}},
        "its vibrations have periods of about 10 fs",
    ),
    Rule(
        "exploration.uncertainty: committee", lambda f: f.committee,
        {"training": {"committee": True}},
        "it has to be there",
    ),
    Rule(
        "convergence.fraction_above is given", lambda f: f.share_given,
        {"convergence": {"labels_may_vouch": False}},
        "a share that was asked for is the one that counts",
    ),
)  # fmt: skip


def apply_rules(facts: RuleFacts) -> dict[str, dict[str, Any]]:
    """Give the settings of all rules that hold.

    Parameters
    ----------
    facts
        What the rules look at.

    Returns
    -------
    dict
        Values by section and key.
    """
    result: dict[str, dict[str, Any]] = {}
    for rule in RULES:
        if rule.holds(facts):
            for section, values in rule.settings(facts).items():
                result.setdefault(section, {}).update(values)
    return result


def table() -> str:
    """Show the rules as docs/potential.md does.

    Returns
    -------
    str
        A table in Markdown, with 300 and 900 K in the place of `temperature_k`.
    """
    lines = ["| where | is set to | why |", "|---|---|---|"]
    sample = RuleFacts(lowest_k=300.0, highest_k=900.0)  # stands for temperature_k: [300, 900]
    for rule in RULES:
        each = [
            f"`{section}.{key}: {_plain(value)}`"
            for section, values in rule.settings(sample).items()
            for key, value in values.items()
        ]
        shown = ", ".join(each)
        lines.append(f"| {rule.when} | {shown} | {rule.why} |")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return (
        f"[{', '.join(map(_plain, value))}]"
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def judge(target: Target, dft: Dft, exploration: Exploration, generator: Generator, where: str) -> Account:
    """Look for settings that have no effect beside the others; what has its default is never one of them.

    Parameters
    ----------
    target, dft, exploration, generator
        Sections, checked.
    where
        File they came from, for messages.

    Returns
    -------
    Account
        Refusals for what would be taken for the result's: a pressure at constant volume, a composition of what has its
        own, two structures, moments without magnetism, physics that the engine cannot compute. A warning for a
        density's cutoff below what its wavefunctions need. Notes for the rest.
    """
    account = Account(where)
    _structure(target, account)
    if exploration.ensemble == "nvt":
        for key in ("pressure_bar", "pressure_end_bar"):
            if value := getattr(exploration, key):
                right = "goal: phase_diagram or exploration: {ensemble: npt}, or no pressure"
                account.refuse(f"{value:g} bar has no effect at constant volume", right, field=f"exploration.{key}")
    for key, engines in _OF_ENGINES.items():
        if dft.engine not in engines and _given(dft, key):
            account.note(f"has no effect with engine {dft.engine}", field=f"dft.{key}")
    for key, engines in _PHYSICS.items():
        if dft.engine not in engines and _given(dft, key):
            right = f"engine {' or '.join(engines)}, or without it"
            account.refuse(f"cannot be computed by engine {dft.engine}", right, field=f"dft.{key}")
    if dft.dispersion == "none" and not dft.dispersion_three_body:
        account.note("has no effect with dispersion none", field="dft.dispersion_three_body")
    _elements(target, dft, account)
    for key, methods in _OF_METHODS.items():
        in_use = set(methods) & set(generator.methods) or (key == "box_angstrom" and target.molecule)
        if _given(generator, key) and not in_use:
            account.note(f"has no effect without {' or '.join(methods)} in methods", field=f"generator.{key}")
    return account


def _given(section: Section, key: str) -> bool:
    return bool(getattr(section, key) != type(section).model_fields[key].get_default())


def _elements(target: Target, dft: Dft, account: Account) -> None:
    """Enter what is said of spins that are not computed, of elements that are not there, and of cutoffs that clash."""
    if dft.magnetism == "none" and any(dft.moments_ub.values()):
        account.refuse("has no effect with magnetism none", "magnetism: auto, or no moments", field="dft.moments_ub")
    for key in ("moments_ub", "pseudopotentials"):
        strange = [symbol for symbol in getattr(dft, key) if symbol not in target.elements]
        if target.elements and strange:
            right = f"elements are {', '.join(target.elements)}"
            account.note(f"has no effect for {', '.join(strange)}: {right}", field=f"dft.{key}")
    if target.elements and (absent := [symbol for symbol in dft.hubbard_u_ev if symbol not in target.elements]):
        what = f"names {', '.join(absent)}, which would be computed without a U where another element was meant"
        account.refuse(what, f"elements are {', '.join(target.elements)}", field="dft.hubbard_u_ev")
    pairs = {"dft": (dft.ecutwfc_ry, dft.ecutrho_ry)} | {
        f"dft.pseudopotentials.{symbol}": (own.ecutwfc_ry, own.ecutrho_ry)
        for symbol, own in dft.pseudopotentials.items()
    }
    for where, (wfc, rho) in pairs.items():
        if wfc is not None and rho is not None and rho < 4 * wfc:
            what = f"{rho:g} Ry cuts the density of wavefunctions up to {wfc:g} Ry: forces and stress get noise"
            account.warn(what, f"{4 * wfc:g} Ry or more", field=f"{where}.ecutrho_ry")


def _structure(target: Target, account: Account) -> None:
    """Enter what a target says twice, or of something that has it by itself."""
    named = [key for key in ("structure_file", "molecule", "crystal") if getattr(target, key) is not None]
    if len(named) > 1:
        account.refuse(f"beside {named[1]}, of which it takes the place", "one of them", field=f"target.{named[0]}")
    if target.lattice_constant_angstrom is not None and named and named[0] != "crystal":
        right = f"without it: a {named[0]} has its own cell"
        account.refuse("has no effect", right, field="target.lattice_constant_angstrom")
    if target.molecule is not None and _METALS & set(target.elements) and len(target.elements) > 1:
        what = f"{target.molecule!r} is taken for a molecule in vacuum, not for a crystal of that formula"
        account.warn(what, "a crystal by its name, such as rocksalt, or a structure file", field="target.molecule")
    own = _own_composition(target, named[0]) if named else None
    if own is not None and any(abs(target.composition[symbol] - share) > 1e-5 for symbol, share in own.items()):
        equal = 1 / len(target.elements)
        if any(abs(share - equal) > 1e-5 for share in target.composition.values()):
            what = f"has no effect: the composition is that of the {target.crystal or named[0]}"
            account.refuse(what, "without it", field="target.composition")


def _own_composition(target: Target, named: str) -> dict[str, float] | None:
    """Share of each element that the structure itself sets; equal parts, the default, where only a file can tell."""
    if not target.elements:
        return None
    if named != "crystal":
        return dict.fromkeys(target.elements, 1 / len(target.elements))
    parts = _STOICHIOMETRY.get(str(target.crystal))
    if parts is None or len(target.elements) != len(parts):
        return None
    return {symbol: part / sum(parts) for symbol, part in zip(target.elements, parts, strict=True)}
