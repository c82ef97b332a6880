"""The restraint of a bound complex: which kind, on which atoms, and why; and what symmetry adds.

**Symmetry number.** A bound ligand that its own symmetry, or its host's, takes into σ poses which differ in nothing but
the numbers of their atoms has all of them. Where a restraint of its orientation holds one, and the simulation does not
come to the others, ΔG°bind lacks −kT ln σ (Gilson, Given, Bush, McCammon, Biophys. J. 72, 1047 (1997); Boresch et al.,
J. Phys. Chem. B 107, 9535 (2003)). Restraints of distances alone hold no orientation, and need none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.restraint.equivalent_poses import equivalent_poses
from gibbsflow.binding.alchemy.restraint.restraints import (
    BoreschRestraint,
    CentreOfMassRestraint,
    FlatBottomRestraint,
    Restraint,
    harmonic_terms,
    reach_angstrom,
    restraint_from_dict,
)
from gibbsflow.binding.anchor_facts import AnchorCandidate, AnchorFacts
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import (
    bends_deg,
    line_problems,
    name_problems,
    named_atoms,
    split_names,
)
from gibbsflow.binding.equilibrate.anchoring.anchors import ANGLE_RANGE_DEG, MOST_TURN_DEG, TRIPLE_RANGE_DEG
from gibbsflow.binding.equilibrate.equil_analysis import anchor_search
from gibbsflow.binding.facts import BoundFacts, LegFacts, PreparedFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.geometry import boresch_geometry
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.small_molecule.symmetry import self_mappings, self_maps
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Fe
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, kt_kcal_per_mol
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import read_arrays

CENTRED_ANGSTROM = 1.0
"""A ligand whose centre is nearer to its site's than this is held at distance 0; another one where it was."""
FLAT_MARGIN_ANGSTROM = 1.0
"""What a flat bottom without a radius of its own has beyond the largest distance of the equilibration."""
COLLINEAR_MARGIN_KT = 10.0
"""What bending an angle of a Boresch restraint into a line must cost at the least, in kT, for the dihedrals over it to
stay defined, as OpenFE (``check_angle_not_flat``) and BioSimSpace's search ask."""
FEW_FRAMES = 10
"""Frames of the equilibration below which what fluctuates least is chance: a spread of 10 has an error of a quarter."""
FORMULA = "-kT ln(symmetry_number), added to the binding free energy"
SCORE = (
    "kT ln[r0^2 sin(theta_A) sin(theta_B) (2 pi)^3 prod(sd) / (8 pi^2 V0)]: release of a restraint as tight as the "
    "motion (Boresch 2003, eq. 32 with K = kT/sd^2); the least is taken"
)


def symmetry_kcal_per_mol(number: int, temperature_k: float) -> float:
    """Free energy that a symmetry number adds to that of binding.

    Parameters
    ----------
    number
        σ, equivalent poses of which one is held.
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        −kT ln σ, kcal/mol.
    """
    return -kt_kcal_per_mol(temperature_k) * math.log(number) if number > 1 else 0.0


def symmetry_problems(number: int, kind: str | None, molecules: Sequence[Any], *, where: str) -> list[Problem]:
    """Say where a symmetry number is senseless.

    Parameters
    ----------
    number
        σ as asked for; 1 for none.
    kind
        Restraint that holds the ligand; None where none does.
    molecules
        Ligand, and the host where there is one; empty where they could not be read.
    where
        What messages call the complex.

    Returns
    -------
    list of Problem
        At most one.
    """
    if number == 1:
        return []
    field = "symmetry_number"
    if kind != "boresch":
        held = "nothing is restrained" if kind is None else f"a restraint of kind {kind} holds no orientation"
        return [Problem(where, f"{number}, but {held}", "1, or restraint boresch", field=field)]
    ways = math.prod(self_mappings(mol) for mol in molecules)
    if molecules and ways % number:
        right = f"a divisor of {ways}" if ways > 1 else "1"
        what = f"{number}, but ligand and receptor map onto themselves in {ways} way{'s' if ways > 1 else ''}"
        return [Problem(where, what, right, field=field)]
    return []


@dataclass(frozen=True)
class Held:
    """A restraint, and all that is to be said of it.

    Attributes
    ----------
    restraint
        Atoms of the complex.
    symmetry_number
        Equivalent poses of which it holds one.
    candidates
        Sets of anchors that were there, the one taken first; empty without anchors.
    asked
        The kind in the settings.
    account
        Doubts, not yet settled.
    """

    restraint: Restraint
    symmetry_number: int
    candidates: tuple[AnchorCandidate, ...]
    asked: str
    account: Account

    def told(self, temperature_k: float) -> dict[str, Any]:
        """Give what record and report say of the choice.

        Parameters
        ----------
        temperature_k
            Temperature, K.

        Returns
        -------
        dict
            JSON-serialisable, units in the names.
        """
        names = self.candidates[0].names if self.candidates else ()
        return {
            "kind": self.restraint.kind,
            "asked": self.asked,
            "why": self.restraint.why,
            **({"anchors": ",".join(names), "score": SCORE} if self.candidates else {}),
            "candidates": [asdict(one) for one in self.candidates],
            "symmetry_number": self.symmetry_number,
            "symmetry_kcal_per_mol": symmetry_kcal_per_mol(self.symmetry_number, temperature_k),
            "symmetry_formula": FORMULA,
        }


def hold_ligand(system: SimSystem, fe: Fe) -> Held:
    """Make the restraint asked for.

    ``auto`` takes the centre of mass for hosts, since a symmetric host cannot carry an orientational restraint without
    its symmetry being sampled too (or −kT ln σ), and for ligands without anchors; Boresch for others in proteins.

    Parameters
    ----------
    system
        As left by ``equil analyse``, bound.
    fe
        Kind, atoms, constants and symmetry number.

    Returns
    -------
    Held
        With the reasons.

    Raises
    ------
    InputError
        For Boresch without anchors, atoms that are not there or in a line, a symmetry number that cannot be, and a
        restraint that reaches beyond its periodic box.
    """
    account = Account(system.name)
    prepared, found = system.facts(PreparedFacts), system.find(AnchorFacts)
    host = prepared.receptor_kind == "host"
    kind = "boresch" if fe.restraint == "auto" and fe.boresch_atoms is not None else fe.restraint
    if kind == "auto":
        kind = "com" if host else "boresch"
        if not host and (found is None or found.anchors is None):
            kind = "com"
            why = (found and found.anchors_problem) or "the equilibration was not analysed"
            account.note(f"held by its centre of mass, since no anchors were found: {why}", field="restraint")
    number = prepared.symmetry_number or fe.symmetry_number
    drawn = _drawn(system, host)
    molecules = [read_sdf(system.path(role), 0).mol for role in drawn]
    if problems := symmetry_problems(number, kind, molecules, where=system.name):
        raise InputError(problems)
    candidates: tuple[AnchorCandidate, ...] = ()
    restraint: Restraint
    if kind == "boresch":
        candidates = _sets(system, fe, found, account)
        restraint = BoreschRestraint(
            **asdict(candidates[0].anchors),
            k_r_kcal_per_mol_angstrom2=fe.boresch_k_r_kcal_per_mol_angstrom2,
            k_angle_kcal_per_mol_rad2=fe.boresch_k_angle_kcal_per_mol_rad2,
        )
        _tell_symmetry(restraint, number, system, dict(zip(drawn, molecules, strict=True)), account)
    else:
        restraint = _of_centres(system, fe, kind, account)
    _inside_the_box(system, restraint)
    return Held(restraint, number, candidates, fe.restraint, account)


def _drawn(system: SimSystem, host: bool) -> list[str]:
    """Files of the molecules whose symmetry is looked at; none where not all are there."""
    roles = ["ligand", "receptor"] if host else ["ligand"]
    return roles if all(role in system.artifacts for role in roles) else []


def _judged_frames(system: SimSystem) -> Floats:
    """Frames that the anchors are judged by, shape (F, N, 3), Å: the second half of what was free."""
    free = _free(system)
    return free[len(free) - max(1, round(len(free) / 2)) :]


def _free(system: SimSystem) -> Floats:
    """Unrestrained frames, shape (F, N, 3), Å."""
    file = read_arrays(system.path("equil_frames"), "positions_nm", "heating")
    return np.asarray(file["positions_nm"], dtype=float)[~file["heating"].astype(bool)] * 10


def _sets(system: SimSystem, fe: Fe, found: AnchorFacts | None, account: Account) -> tuple[AnchorCandidate, ...]:
    """Sets of anchors, the one to take first: the one given, or the best whose angles cannot be bent into a line."""
    known = (found and found.anchor_candidates) or ()
    kt = kt_kcal_per_mol(system.facts(SettingsFacts).md.temperature_k)
    if fe.boresch_atoms is not None:
        given = _given(system, fe.boresch_atoms)
        if (margin := _margin_kt(given, fe, kt)) < COLLINEAR_MARGIN_KT:
            raise InputError(_in_line(system.name, given, margin))
        judged = _judged_frames(system)
        bends = bends_deg(judged[:, given.receptor], judged[:, given.ligand])
        if problems := line_problems(fe.boresch_atoms, bends, where=system.name):
            raise InputError(problems)
        _doubt(given, np.concatenate(bends), account)
        return given, *known
    if not known:
        why = (found and found.anchors_problem) or "the equilibration was not analysed"
        right = "com or flat_bottom, which need no anchors, or boresch_atoms"
        raise InputError(Problem(system.name, f"no anchors for a Boresch restraint: {why}", right, field="restraint"))
    firm = [one for one in known if _margin_kt(one, fe, kt) >= COLLINEAR_MARGIN_KT]
    if not firm:
        raise InputError(_in_line(system.name, known[0], _margin_kt(known[0], fe, kt)))
    if (frames := len(_judged_frames(system))) < FEW_FRAMES:
        right = f"{FEW_FRAMES} or more in the second half of the equilibration: a longer equil_ps; or boresch_atoms"
        account.warn(f"anchors chosen by their fluctuation in {frames} frames alone", right, field="equil_ps")
    return firm[0], *(one for one in known if one is not firm[0])


def _given(system: SimSystem, text: str) -> AnchorCandidate:
    """The set that the settings name."""
    named = named_atoms(system)
    if problems := name_problems(text, named.receptor, named.ligand, where=system.name):
        raise InputError(problems)
    names = split_names(text) or []
    p1, p2, p3 = (named.receptor[name] for name in names[:3])
    l1, l2, l3 = (named.ligand[name] for name in names[3:])
    given = anchor_search(system, _judged_frames(system)).described(
        (p1, p2, p3), (l1, l2, l3), "as given in boresch_atoms"
    )
    return replace(given, names=tuple(names))


def _margin_kt(candidate: AnchorCandidate, fe: Fe, kt: float) -> float:
    """What bending one of the angles into a line costs at the least, kT."""
    nearest = min(min(angle, 180 - angle) for angle in (candidate.theta_a_deg, candidate.theta_b_deg))
    return 0.5 * fe.boresch_k_angle_kcal_per_mol_rad2 * math.radians(nearest) ** 2 / kt


def _in_line(where: str, candidate: AnchorCandidate, margin: float) -> Problem:
    angles = f"{candidate.theta_a_deg:.0f} and {candidate.theta_b_deg:.0f} degrees"
    what = f"the angles of {','.join(candidate.names)}, {angles}, are {margin:.1f} kT from a line"
    right = (
        f"{COLLINEAR_MARGIN_KT:g} kT at the least: other boresch_atoms, or a larger boresch_k_angle_kcal_per_mol_rad2"
    )
    return Problem(where, what, right, field="boresch_atoms")


def _doubt(given: AnchorCandidate, bends: Floats, account: Account) -> None:
    """Say what speaks against anchors that the user has chosen."""
    if bends.min() < TRIPLE_RANGE_DEG[0] or bends.max() > TRIPLE_RANGE_DEG[1]:
        what = f"three anchors of one molecule came near a line: {bends.min():.0f} to {bends.max():.0f} degrees"
        right = f"within {TRIPLE_RANGE_DEG[0]:.0f} to {TRIPLE_RANGE_DEG[1]:.0f}"
        account.warn(what, right, field="boresch_atoms")
    if given.least_angle_deg < ANGLE_RANGE_DEG[0] or given.largest_angle_deg > ANGLE_RANGE_DEG[1]:
        seen = f"{given.least_angle_deg:.0f} to {given.largest_angle_deg:.0f} degrees in the equilibration"
        right = f"within {ANGLE_RANGE_DEG[0]:.0f} to {ANGLE_RANGE_DEG[1]:.0f}"
        account.warn(f"angles of the anchors were at {seen}", right, field="boresch_atoms")
    if (most := max(given.sd_dihedrals_deg)) > MOST_TURN_DEG:
        what = f"a dihedral of the anchors varied by ±{most:.0f} degrees: the ligand does not keep one pose"
        account.warn(what, "other atoms, or restraint com", field="boresch_atoms")


def _tell_symmetry(
    restraint: BoreschRestraint, number: int, system: SimSystem, molecules: Mapping[str, Any], account: Account
) -> None:
    """Say what a restraint of orientation leaves out, and what is put in for it."""
    if number > 1:
        account.note(f"{FORMULA}: {number} equivalent poses, of which the restraint holds one", field="symmetry_number")
    known, atoms = system.facts(PreparedFacts), system.facts(TopologyFacts)
    parts = {"ligand": atoms.ligand_atoms, "receptor": atoms.receptor_atoms}
    if not molecules or any(mol.GetNumAtoms() != len(parts[role]) for role, mol in molecules.items()):
        if number == 1 and known.receptor_kind == "host":
            account.note(
                "the host perhaps maps onto itself: unless the unrestrained ligand turns through all equivalent poses, "
                "the binding free energy lacks -kT ln(those it does not come to), which symmetry_number adds",
                field="restraint",
            )
        return
    maps = {
        role: [{parts[role][a]: parts[role][b] for a, b in one.items()} for one in self_maps(mol)]
        for role, mol in molecules.items()
    }
    temperature_k = system.facts(SettingsFacts).md.temperature_k
    kt = kt_kcal_per_mol(temperature_k)
    poses = equivalent_poses(restraint, _free(system), kt, maps["ligand"], maps.get("receptor", ()))
    seen = f"of {poses.there} equivalent poses of the anchors the equilibration came to {poses.seen}"
    if poses.missing > 1 and number == 1 and known.symmetry_number is None:
        lacks = f"{symmetry_kcal_per_mol(poses.missing, temperature_k):.2f} kcal/mol"
        account.warn(
            f"{seen}; unless the unrestrained ligand comes to the others too, its binding free energy lacks up to "
            f"{lacks}, and is not that of restraint com",
            f"symmetry_number {poses.missing} or a divisor of it; in the samplesheet 1, where the windows come to all",
            field="symmetry_number",
        )
    elif poses.there > 1:
        account.note(seen, field="symmetry_number")


def _of_centres(system: SimSystem, fe: Fe, kind: str, account: Account) -> CentreOfMassRestraint | FlatBottomRestraint:
    heavy = set(heavy_atoms(system.path("complex_prmtop")))
    atoms, bound = system.facts(TopologyFacts), system.facts(BoundFacts)
    distance, site = bound.ligand_site_distance_angstrom, atoms.site_atoms
    guest = tuple(atom for atom in atoms.ligand_atoms if atom in heavy) or atoms.ligand_atoms
    what = (
        f"centroids of {len(site)} site atoms and {len(guest)} heavy atoms of the ligand, {distance:.2f} Å apart "
        "in the equilibration"
    )
    if kind == "com":
        r0 = 0.0 if distance < CENTRED_ANGSTROM else round(distance, 3)
        k = fe.com_force_constant_kcal_per_mol_angstrom2
        return CentreOfMassRestraint(site, guest, k, r0, f"{what}, held at {r0:g} Å")
    largest = max(distance, bound.ligand_site_largest_angstrom or 0.0)
    radius = fe.flat_bottom_radius_angstrom or round(largest + FLAT_MARGIN_ANGSTROM, 3)
    if largest > radius:
        said = f"the ligand was {largest:.2f} Å from its site in the equilibration, beyond the radius of {radius:g} Å"
        account.note(
            f"{said}: its walls change the bound state, which the windows between account for", field="restraint"
        )
    k = fe.flat_bottom_force_constant_kcal_per_mol_angstrom2
    return FlatBottomRestraint(
        site, guest, k, radius, f"{what} and at most {largest:.2f}, without force up to {radius:g} Å"
    )


def _inside_the_box(system: SimSystem, restraint: Restraint) -> None:
    """Refuse a restraint whose ends may come nearer to each other's images than to each other."""
    md = system.facts(SettingsFacts).md
    if not md.explicit:
        return
    file = read_arrays(system.path("equil_frames"), "positions_nm", "box_nm", "heating")
    free = ~file["heating"].astype(bool)
    half = 5 * float(np.diagonal(np.asarray(file["box_nm"], dtype=float)[free], axis1=1, axis2=2).min())
    spans = {"distance": reach_angstrom(restraint, md.temperature_k)}
    if isinstance(restraint, BoreschRestraint):
        mean = np.asarray(file["positions_nm"], dtype=float)[free].mean(axis=0) * 10
        p1, p2, p3 = (mean[atom] for atom in restraint.receptor)
        spans["arm of its anchors"] = float(max(np.linalg.norm(p1 - p2), np.linalg.norm(p2 - p3)))
    for name, span in spans.items():
        if span >= half:
            what = f"the {name} of the restraint reaches {span:.1f} Å, and half the box is {half:.1f} Å"
            right = "a stiffer restraint, a smaller radius, anchors nearer to each other, or more padding_angstrom"
            raise InputError(Problem(system.name, what, right, field="restraint"))


@dataclass(frozen=True)
class Motion:
    """What a restraint acts on, over an equilibration.

    Attributes
    ----------
    time_ps
        Shape (F,), ps, of the unrestrained frames.
    curves
        By name and unit, values of shape (F,) and the value that is held: distances in Å, angles in degrees.
    """

    time_ps: Floats
    curves: Mapping[str, tuple[Floats, float]]


def motion_of_held(system: SimSystem) -> Motion | None:
    """Follow the coordinates of a restraint through the equilibration that it was chosen from.

    Parameters
    ----------
    system
        As left by ``fe prepare``.

    Returns
    -------
    Motion or None
        One curve of a distance, six of Boresch; None without a restraint.
    """
    known = system.facts(LegFacts)
    if known.restraint is None:
        return None
    restraint = restraint_from_dict(known.restraint, where=system.name)
    file = read_arrays(system.path("equil_frames"), "positions_nm", "time_ps", "heating")
    free = ~file["heating"].astype(bool)
    frames = np.asarray(file["positions_nm"], dtype=float)[free] * 10
    time_ps = np.asarray(file["time_ps"], dtype=float)[free]
    if isinstance(restraint, BoreschRestraint):
        geometry = boresch_geometry(frames, restraint.receptor, restraint.ligand)
        held = [term.reference for term in harmonic_terms(restraint)]
        names = ("r (Å)", "θA (°)", "θB (°)", "φA (°)", "φB (°)", "φC (°)")
        for place in range(3, 6):  # about the reference, so that no line jumps at ±180°
            geometry[:, place] = held[place] + (geometry[:, place] - held[place] + 180) % 360 - 180
        return Motion(time_ps, {name: (geometry[:, k], held[k]) for k, name in enumerate(names)})
    ends = (frames[:, list(atoms)].mean(axis=1) for atoms in (restraint.receptor_atoms, restraint.ligand_atoms))
    distance = np.linalg.norm(next(ends) - next(ends), axis=-1)
    return Motion(time_ps, {"centres (Å)": (distance, harmonic_terms(restraint)[0].reference)})
