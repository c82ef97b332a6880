"""Force field and topologies of a system that comes solvated, handed on with the names of those that are built."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.facts import (
    MoleculeParameters,
    Parametrisation,
    ParamFacts,
    RemoteFacts,
    SolvationFacts,
    TopologyFacts,
)
from gibbsflow.binding.forcefield.given.box_settings import (
    AS_GIVEN,
    as_given,
    cutoff_problems,
    medium_problems,
    solvent_of,
    width_angstrom,
)
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.binding.forcefield.given.rebuilt.counter_ions import with_counter_ions
from gibbsflow.binding.forcefield.given.rebuilt.longer_box import longer_box, strange_molecules
from gibbsflow.binding.forcefield.given.solvated_system import PHYSICS
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.remote import uncharged
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.forcefield.topology import build_topologies
from gibbsflow.binding.solvated_facts import GivenBox, SolvatedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Fe, Md, Param
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.seeds import derive_seed


def is_solvated(system: SimSystem) -> bool:
    """Say whether a system came solvated.

    Parameters
    ----------
    system
        As left by ``system_prep system``.

    Returns
    -------
    bool
        False where it is parametrised and solvated here.
    """
    return system.find(SolvatedFacts) is not None


def keep_parameters(system: SimSystem, out: Path) -> tuple[SimSystem, dict[str, Any]]:
    """Hand a system on whose force field is its own.

    Parameters
    ----------
    system
        As left by :func:`take_solvated`.
    out
        Folder that takes all its files.

    Returns
    -------
    system
        In `out`; not yet written.
    facts
        Figures for ``result.json``.
    """
    digest = inputs_hash(files={"ligand": system.path("given_ligand_prmtop")}, settings={}, physics=PHYSICS)
    own = MoleculeParameters(hash=digest, charge_correction_e=0.0, largest_penalty=0.0)
    param = Parametrisation(ligand_ff=AS_GIVEN, charge_method=AS_GIVEN, ligand=own)
    facts = {"hash": digest, "ligand_ff": AS_GIVEN, "charge_method": AS_GIVEN, "cache_hit": {}, "warnings": []}
    return system.copy_to(Path(out)).with_facts(ParamFacts(param=param, protein_ff=AS_GIVEN)), facts


def parameters_of(system: SimSystem, settings: Param, *, cache: Path, out: Path) -> tuple[SimSystem, dict[str, Any]]:
    """Parametrise a system, or keep the force field that it came with.

    Parameters
    ----------
    system
        As left by ``system_prep system``.
    settings, cache, out
        As for :func:`.parametrise_system`.

    Returns
    -------
    system
        In `out`; not yet written.
    facts
        Figures for ``result.json``.
    """
    if is_solvated(system):
        return keep_parameters(system, out)
    return parametrise_system(system, settings, cache=cache, out=out)


def topologies_of(system: SimSystem, md: Md, out: Path, *, seed: int = 0, fe: Fe | None = None) -> SimSystem:
    """Build the topologies of a system, or hand on those that it came with.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    md, out, seed, fe
        As for :func:`.build_topologies`.

    Returns
    -------
    SimSystem
        In `out`; not yet written.

    Raises
    ------
    InputError
        As there, and for boxes in which what changes far from the ligand has no place.
    """
    if not is_solvated(system):
        return build_topologies(system, md, out, seed=seed, fe=fe)
    return hand_on_topologies(system, md, out, seed=seed, fe=fe)


def md_of(system: SimSystem, md: Md) -> Md:
    """Settings of MD as they are for a system, before its topologies are read.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    md
        As asked for; obc2, the default, stands for whatever a system comes in.

    Returns
    -------
    Md
        With solvent ``given`` for a system that comes solvated.
    """
    return as_given(md) if is_solvated(system) else md


def hand_on_topologies(system: SimSystem, md: Md, out: Path, *, seed: int = 0, fe: Fe | None = None) -> SimSystem:
    """Give a system that came solvated the names and facts that equilibration and legs go by.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    md
        Settings; the solvent is that of the files.
    out
        Folder that takes all its files.
    seed
        Of the choice of ions.
    fe
        Of this what changes far from the ligand: a copy of it for sdr, in a longer box, or ions of its own box; None
        for neither.

    Returns
    -------
    SimSystem
        In `out`; not yet written.

    Raises
    ------
    InputError
        For another solvent in the settings, a cutoff that does not fit, or what has no place in a box.
    """
    boxes = system.facts(SolvatedFacts).solvated
    main = boxes.get("complex") or boxes.get("solvent")
    if main is None:
        raise StateError(f"system {system.name}: no box")
    effective = solvent_of({role: box.water_model for role, box in boxes.items()}, md, where=system.name)
    given = {role: _parts(system, role, box) for role, box in boxes.items()}
    account = Account(system.name)
    parts, remote, notes = _with_far(given, main.ligand_charge_e, effective, fe, seed, system.name)
    for note in notes:
        account.note(note)
    widths = {role: width_angstrom(box.box_angstrom) for role, box in parts.items()}
    problems = cutoff_problems(widths, effective, where=system.name)
    problems += medium_problems(given, main.ligand_charge_e, effective, fe, where=system.name)
    if problems:
        raise InputError(problems)
    out = Path(out)
    carried = system.copy_to(out)
    files = _write(carried, parts, remote, out)
    bound, free = parts.get("complex"), parts.get("solvent")
    whole = bound or free
    assert whole is not None
    place = dict(zip(main.receptor_atoms, whole.receptor, strict=True))
    facts = TopologyFacts(
        md=effective,
        receptor_atoms=whole.receptor,
        ligand_atoms=whole.ligand,
        site_atoms=tuple(place[atom] for atom in main.site_atoms) if bound else (),
        solvation={role: _solvation(box) for role, box in parts.items()},
        solvent_ligand_atoms=free.ligand if free is not None else None,
        remote=remote or None,
    )
    return carried.with_artifacts(**files).with_facts(facts).with_account(account)


def boxes_kept(roles: Iterable[str], fe: Fe | None) -> tuple[str, ...]:
    """Say which of the boxes that a system came in are computed, and first equilibrated.

    Parameters
    ----------
    roles
        The boxes, ``complex`` and ``solvent``.
    fe
        Of this whether a copy of the ligand is in the complex's box; None for none.

    Returns
    -------
    tuple of str
        With such a copy the complex alone; else all.
    """
    given = tuple(roles)
    return ("complex",) if _twice(given, fe) else given


def _twice(roles: Collection[str], fe: Fe | None) -> bool:
    return fe is not None and fe.abfe_protocol == "sdr" and "complex" in roles


def far_problems(
    boxes: Mapping[str, BoxParts], ligand_charge_e: int, md: Md, fe: Fe, *, where: str, seed: int
) -> list[Problem]:
    """Say why what would change far from the ligand has no place in a box, without changing it.

    Parameters
    ----------
    boxes
        By role.
    ligand_charge_e
        Of the ligand, in e.
    md, fe
        The settings.
    where
        Name of the system.
    seed
        Of the choice of ions, which `where` and the box go into, as for :func:`hand_on_topologies`.

    Returns
    -------
    list of Problem
        Empty where it has.
    """
    if fe.abfe_protocol == "sdr":
        return strange_molecules(boxes["complex"], where=where) if "complex" in boxes else []
    try:
        _with_far(boxes, ligand_charge_e, md, fe, seed, where)
    except InputError as error:
        return list(error.problems)
    return []


def _parts(system: SimSystem, role: str, box: GivenBox) -> BoxParts:
    prmtop, inpcrd = (system.path(f"given_{role}_{suffix}") for suffix in ("prmtop", "inpcrd"))
    return BoxParts.read(prmtop, inpcrd, box.box_angstrom, box.receptor_atoms, box.ligand_atoms)


def _with_far(
    given: Mapping[str, BoxParts], charge_e: int, md: Md, fe: Fe | None, seed: int, name: str
) -> tuple[dict[str, BoxParts], dict[str, RemoteFacts], list[str]]:
    """Boxes with what changes far from the ligand, what that is, and what is to be said of it."""
    if _twice(given, fe):
        made = longer_box(given["complex"], md, derive_seed(seed, name, "complex"), where=name)
        edges = " × ".join(f"{edge:.1f}" for edge in made.parts.box_angstrom[:3])
        told = f"complex: a box of {edges} Å with a copy of the ligand, {len(made.parts.waters)} waters"
        told += f", {made.pairs} pairs of ions more" if made.pairs else ""
        return {"complex": made.parts}, {"complex": made.remote}, [f"{told}; the force field as given"]
    if fe is None or fe.charge_correction != "counter_ion" or not charge_e:
        return dict(given), {}, []
    seeds = {role: derive_seed(seed, name, role) for role in given}
    chosen = with_counter_ions(given, charge_e, md, seeds, where=name)
    notes = []
    for role, box in chosen.items():
        told = f"{role}: {len(box.remote.ion_atoms)} {box.kind} of the box changes with the ligand, kept "
        told += f"{box.remote.gap_angstrom:.1f} Å from the solute's sphere"
        told += f"; {box.exchanged} pairs of ions in place of waters" if box.exchanged else ""
        told += f"; {box.moved} changed places with a water" if box.moved else ""
        notes.append(told)
    return (
        {role: box.parts for role, box in chosen.items()},
        {role: box.remote for role, box in chosen.items()},
        notes,
    )


def _write(
    system: SimSystem, parts: Mapping[str, BoxParts], remote: Mapping[str, RemoteFacts], out: Path
) -> dict[str, str]:
    """Files of each box, and of the ligand alone; with a copy of the ligand one without its charges, and one with."""
    files = {}
    for suffix in ("prmtop", "inpcrd"):
        shutil.copyfile(system.path(f"given_ligand_{suffix}"), out / f"ligand.{suffix}")
        files[f"ligand_{suffix}"] = f"ligand.{suffix}"
    for role, box in parts.items():
        its_copy = remote[role].copy_atoms if role in remote else ()
        if its_copy:
            (out / "sdr.prmtop").write_text(box.text)
            files["sdr_prmtop"] = "sdr.prmtop"
        (out / f"{role}.prmtop").write_text(uncharged(box.text, its_copy) if its_copy else box.text)
        write_inpcrd(out / f"{role}.inpcrd", box.positions_angstrom, box.box_angstrom)
        files |= {f"{role}_{suffix}": f"{role}.{suffix}" for suffix in ("prmtop", "inpcrd")}
    return files


def _solvation(box: BoxParts) -> SolvationFacts:
    """What is in a box, as for one that is built here; ions by the sign of their charge."""
    single = [int(box.starts[molecule]) for molecule in box.others if box.sizes[molecule] == 1]
    charges = np.round(box.charges_e[single])
    return SolvationFacts(
        waters=len(box.waters),
        cations=int((charges > 0).sum()),
        anions=int((charges < 0).sum()),
        box_angstrom=box.box_angstrom,
    )
