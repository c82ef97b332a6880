"""A system that comes solvated, through the phases: read and checked, its force field kept, topologies handed on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.facts import (
    MoleculeParameters,
    Parametrisation,
    ParamFacts,
    PreparedFacts,
    SolvationFacts,
    TopologyFacts,
)
from gibbsflow.binding.forcefield.given.canonical import without_others
from gibbsflow.binding.forcefield.given.components import ligand_differences
from gibbsflow.binding.forcefield.given.smiles import smiles_of
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles, SolvatedBox, read_box
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.forcefield.topology import build_topologies
from gibbsflow.binding.forcefield.topology_file import sections
from gibbsflow.binding.prepare.solvated.includes import flattened
from gibbsflow.binding.solvated_facts import GivenBox, SolvatedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Fe, Md, Param
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash

PHYSICS = 1
"""Raised by hand when the same files would be taken for another system."""
AS_GIVEN = "given"
"""Stands for the force field of what was not parametrised here."""
BREATHES = 0.98
"""At constant pressure an equilibrated box shrinks to this at times."""


def read_boxes(
    files: Sequence[BoxFiles], residue: str | None, scratch: Path, name: str
) -> tuple[dict[str, SolvatedBox], Account]:
    """Read the boxes of a system and hold the ligand of one against that of the other.

    Parameters
    ----------
    files
        Of the complex, of the ligand alone, or of both.
    residue
        Name of the ligand's residue; None to find it.
    scratch
        Folder that takes the topologies in AMBER's form.
    name
        Of the system.

    Returns
    -------
    boxes
        By ``complex`` and ``solvent``.
    account
        With notes and doubts.

    Raises
    ------
    InputError
        With all that is wrong with a box, or where the ligands differ.
    """
    boxes: dict[str, SolvatedBox] = {}
    account = Account(name)
    for given in sorted(files, key=lambda box: box.role != "solvent"):
        own = residue if given.role == "complex" or residue is None else residue.split(":")[0]  # its place is another
        boxes[given.role] = read_box(given, own, boxes.get("solvent"), scratch, seen=account)
    if len(boxes) == 2:  # noqa: PLR2004
        bound, free = boxes["complex"], boxes["solvent"]
        if told := ligand_differences(bound.terms, bound.components.ligand, free.terms, free.components.ligand):
            what = f"its ligand is not that of {free.files.topology.name}: {'; '.join(told[:4])}"
            right = "the same ligand with the same parameters in both boxes"
            raise InputError(Problem(str(bound.files.topology), what, right, field="complex_topology"))
        if bound.water_model != free.water_model:
            other = f"of {free.files.topology.name} {free.water_model}"
            what = f"water of {bound.files.topology.name} is {bound.water_model}, {other}"
            raise InputError(
                Problem(str(bound.files.topology), what, "one water model in both", field="complex_topology")
            )
    return boxes, account


def solvated_hash(files: Sequence[BoxFiles], residue: str | None, site: str | None) -> str:
    """Hash of all that decides a system that comes solvated: the files' content, not their names.

    Parameters
    ----------
    files
        Of its boxes.
    residue
        Name of the ligand's residue.
    site
        Residues of the binding site.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content: dict[str, Any] = {"ligand_residue": residue, "site": site}
    held = {f"{box.role}_coordinates": box.coordinates for box in files}
    for box in files:
        if box.topology.suffix.lower() == ".top":
            content[f"{box.role}_topology"] = flattened(box.topology, box.includes, field=f"{box.role}_topology")[0]
        else:
            held[f"{box.role}_topology"] = box.topology
    return inputs_hash(files=held, settings=content, physics=PHYSICS)


def take_solvated(
    name: str, files: Sequence[BoxFiles], residue: str | None, site: str | None, out: Path
) -> tuple[SimSystem, dict[str, Any]]:
    """Read a system that comes solvated, and write it into a folder.

    Parameters
    ----------
    name
        Of the ligand.
    files
        Of its boxes.
    residue
        Name of the ligand's residue; None to find it.
    site
        Residues of the binding site, by name or number in the topology; None for those near the ligand.
    out
        Folder that takes its files.

    Returns
    -------
    system
        Not yet written, with ``given_complex_prmtop``, ``given_complex_inpcrd``, the same of ``solvent``, and
        ``given_ligand_prmtop``, ``given_ligand_inpcrd``.
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-given-") as scratch:
        boxes, account = read_boxes(files, residue, Path(scratch), name)
        for role, box in boxes.items():
            prmtop, inpcrd = out / f"given_{role}.prmtop", out / f"given_{role}.inpcrd"
            prmtop.write_text(box.text)
            write_inpcrd(inpcrd, box.positions_angstrom, box.coordinates.box_angstrom)
            _check_runs(prmtop, box)
            artifacts |= {f"given_{role}_prmtop": prmtop.name, f"given_{role}_inpcrd": inpcrd.name}
        role = "solvent" if "solvent" in boxes else "complex"
        own = boxes[role]
        atoms = list(own.components.ligand)
        without_others(out / f"given_{role}.prmtop", atoms, out / "given_ligand.prmtop")
        write_inpcrd(out / "given_ligand.inpcrd", own.positions_angstrom[atoms], ())
        artifacts |= {"given_ligand_prmtop": "given_ligand.prmtop", "given_ligand_inpcrd": "given_ligand.inpcrd"}
    facts = {role: box.facts(site if role == "complex" else None) for role, box in boxes.items()}
    bound = facts.get("complex")
    account.note("taken solvated as given, with its own force field")
    account.facts["solvated"] = {role: _told(box, facts[role]) for role, box in boxes.items()}
    known = PreparedFacts(
        receptor_kind=boxes["complex"].components.receptor_kind if bound else None,  # type: ignore[arg-type]
        receptor_charge=bound.receptor_charge_e if bound else None,
        receptor_name=_receptor_name(boxes["complex"]) if bound else "",
        ligand_charge=facts[role].ligand_charge_e,
        ligand_smiles=smiles_of(own.terms, atoms, own.positions_angstrom[atoms], facts[role].ligand_charge_e),
        site=site,
        pose="given",
    )
    account.settle()
    system = SimSystem(name, out).with_artifacts(**artifacts).with_facts(known, SolvatedFacts(solvated=facts))
    told = account.as_dict()
    figures = {"notes": [*told["notes"], *told["warnings"]], "warnings": told["warnings"], "account": account.facts}
    return system.with_account(account), figures


def _told(box: SolvatedBox, facts: GivenBox) -> dict[str, Any]:
    counts = {key: getattr(facts, key) for key in ("water_model", "waters", "ions", "cosolvent", "ligand_charge_e")}
    atoms = {"ligand_atoms": len(facts.ligand_atoms), "receptor_atoms": len(facts.receptor_atoms)}
    ligand = box.terms.labels[int(box.terms.residue_of[box.components.ligand[0]])]
    return {"atoms": len(box.terms.elements), **atoms, "ligand_residue": ligand, **counts}


def _receptor_name(box: SolvatedBox) -> str:
    if box.components.receptor_kind == "host":
        return box.terms.labels[int(box.terms.residue_of[box.components.receptor[0]])]
    return box.files.topology.stem


def _check_runs(prmtop: Path, box: SolvatedBox) -> None:
    """Let the engine make its System of it, and see that it has the forces, constraints and sites that are meant."""
    where, column = str(box.files.topology), f"{box.files.role}_topology"
    width = float(np.diag(box.coordinates.vectors_angstrom).min())
    try:
        system = create_system(prmtop, Md(solvent="tip3p", cutoff_angstrom=max(7.0, min(9.0, width / 2 - 0.1))))
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        right = "a prmtop that OpenMM reads"
        raise InputError(Problem(where, f"OpenMM makes no System of it ({error})", right, field=column)) from error
    strange = [force.getName() for force in system.getForces() if force.getName().startswith("Custom")]
    if strange:
        raise InputError(Problem(where, f"has a {', '.join(strange)}", "a force field of pairs, in PME", field=column))
    sites = sum(system.isVirtualSite(atom) for atom in range(system.getNumParticles()))
    if sites != (wanted := int((box.terms.elements <= 0).sum())):
        what = f"{wanted} virtual sites, of which OpenMM knows {sites}"
        raise InputError(Problem(where, what, "sites of water called EP or EPW", field=column))
    light = [
        i
        for i in range(system.getNumParticles())
        if box.terms.elements[i] > 0 and system.getParticleMass(i)._value < 0.5
    ]
    if light:
        what = f"{box.terms.called(light[0])} would have too little mass left"
        raise InputError(Problem(where, what, "masses of the elements, or repartitioned once", field=column))


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
        As there, and for settings that would put something into a box that is taken as it is.
    """
    if not is_solvated(system):
        return build_topologies(system, md, out, seed=seed, fe=fe)
    if fe is not None and (problems := added_problems(fe, where=system.name)):
        raise InputError(problems)
    return hand_on_topologies(system, md, out)


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
    comes = is_solvated(system) and md.solvent == "obc2"
    return md.model_copy(update={"solvent": AS_GIVEN}) if comes else md


def added_problems(fe: Fe, *, where: str) -> list[Problem]:
    """Name settings that put something into a box, which cannot be where the box is taken as it is.

    Parameters
    ----------
    fe
        The settings.
    where
        What messages call the system.

    Returns
    -------
    list of Problem
        At most two.
    """
    given = "is put into a box that is built here, and this one is taken as it is"
    problems = []
    if fe.abfe_protocol == "sdr":
        problems.append(Problem(where, f"the copy of sdr {given}", "double_decoupling", field="abfe_protocol"))
    if fe.charge_correction == "counter_ion":
        problems.append(Problem(where, f"a counter-ion {given}", "analytic", field="charge_correction"))
    return problems


def solvent_of(boxes: Mapping[str, str | None], md: Md, *, where: str) -> Md:
    """Settings of MD with the solvent that is in the files.

    Parameters
    ----------
    boxes
        Water model of each box; None for one that is not known.
    md
        As asked for; obc2, the default, stands for whatever there is.
    where
        What messages call it.

    Returns
    -------
    Md
        A copy.

    Raises
    ------
    InputError
        Where another solvent is asked for.
    """
    found = next(iter(boxes.values()))
    if md.solvent not in ("obc2", AS_GIVEN, found):
        what = f"solvent {md.solvent} is asked for, and the water of the topologies is {found or 'another'}"
        raise InputError(Problem(where, what, "no solvent in the settings: it is what the files hold", field="solvent"))
    named = found if found in Md.model_fields["solvent"].annotation.__args__ else AS_GIVEN  # type: ignore[union-attr]
    return md.model_copy(update={"solvent": named})


def cutoff_problems(widths_angstrom: Mapping[str, float], md: Md, *, where: str) -> list[Problem]:
    """Say which boxes are too small for the cutoff.

    Parameters
    ----------
    widths_angstrom
        Least width of each box, by role.
    md
        The cutoff.
    where
        What messages call it.

    Returns
    -------
    list of Problem
        Empty where it fits into half of each.
    """
    problems = []
    for role, width in widths_angstrom.items():
        if width * BREATHES < 2 * md.cutoff_angstrom:
            what = f"the {role}'s box of {width:.1f} Å is too small for a cutoff of {md.cutoff_angstrom:g} Å"
            right = f"a larger box, or cutoff_angstrom of {width * BREATHES / 2:.1f} at most"
            problems.append(Problem(where, what, right, field="cutoff_angstrom"))
    return problems


def width_angstrom(box_angstrom: Sequence[float]) -> float:
    """Least width of a box.

    Parameters
    ----------
    box_angstrom
        Lengths in Å and angles in degrees.

    Returns
    -------
    float
        Å.
    """
    from gibbsflow.binding.forcefield.given.coordinate_files import BoxedCoordinates

    return float(np.diag(BoxedCoordinates(np.empty((0, 3)), tuple(box_angstrom)).vectors_angstrom).min())


def hand_on_topologies(system: SimSystem, md: Md, out: Path) -> SimSystem:
    """Give a system that came solvated the names and facts that equilibration and legs go by.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    md
        Settings; the solvent is that of the files.
    out
        Folder that takes all its files.

    Returns
    -------
    SimSystem
        In `out`; not yet written.

    Raises
    ------
    InputError
        For another solvent in the settings, or a cutoff that does not fit.
    """
    boxes = system.facts(SolvatedFacts).solvated
    effective = solvent_of({role: box.water_model for role, box in boxes.items()}, md, where=system.name)
    widths = {role: width_angstrom(box.box_angstrom) for role, box in boxes.items()}
    if problems := cutoff_problems(widths, effective, where=system.name):
        raise InputError(problems)
    carried = system.copy_to(Path(out))
    files = {}
    for role in (*boxes, "ligand"):
        for suffix in ("prmtop", "inpcrd"):
            shutil.copyfile(carried.path(f"given_{role}_{suffix}"), Path(out) / f"{role}.{suffix}")
            files[f"{role}_{suffix}"] = f"{role}.{suffix}"
    bound, free = boxes.get("complex"), boxes.get("solvent")
    main = bound or free
    if main is None:
        raise StateError(f"system {system.name}: no box")
    first = free.ligand_atoms if free is not None else None
    facts = TopologyFacts(
        md=effective,
        receptor_atoms=main.receptor_atoms,
        ligand_atoms=main.ligand_atoms,
        site_atoms=main.site_atoms if bound else (),
        solvation={role: _solvation(carried.path(f"given_{role}_prmtop"), box) for role, box in boxes.items()},
        solvent_ligand_atoms=first,
    )
    return carried.with_artifacts(**files).with_facts(facts)


def _solvation(prmtop: Path, box: GivenBox) -> SolvationFacts:
    """What is in a box, as for one that is built here; ions by the sign of their charge."""
    found = sections(prmtop)
    charges: Floats = np.array(found["CHARGE"].split(), dtype=float)
    sizes = np.array(found["ATOMS_PER_MOLECULE"].split(), dtype=int)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    single = [int(s) for s, size in zip(starts, sizes, strict=True) if size == 1 and s not in box.ligand_atoms]
    return SolvationFacts(
        waters=box.waters,
        cations=sum(charges[s] > 1 for s in single),
        anions=sum(charges[s] < -1 for s in single),
        box_angstrom=box.box_angstrom,
    )
