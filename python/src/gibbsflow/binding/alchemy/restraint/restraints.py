"""Restraints that hold a decoupled ligand in its site: their geometry, energy and standard-state term.

All energies are U = λ_restraints · Σ 1/2 K x², each x a deviation of one coordinate; `harmonic_terms` lists them
without naming an engine. OpenMM's forces are made in `openmm_states`, anchors are proposed in `anchoring/anchors.py`
and taken in `holding.py`.

What another engine has to do for the standard state to hold: (1) take the difference vector of distances by the minimum
image, and sum up centroids over molecules that are whole and in one image; (2) take deviations of dihedrals into
−180..180°; (3) weigh all atoms of a centroid alike, whatever their masses; (4) scale the energy, and so every K, by
λ_restraints, references staying. In GROMACS: a Boresch restraint is ``[ intermolecular_interactions ]`` with a bond of
type 6, two angles of type 1 and three dihedrals of type 2, K = 0 in state A and K in state B; the two centres are pull
groups with equal ``pull-group-weights``, coordinate geometry distance, type umbrella or, for a flat bottom,
flat-bottom, with pull-coord-k 0 and pull-coord-kB K.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from gibbsflow.binding.alchemy.restraint import standard_state as ss
from gibbsflow.binding.geometry import boresch_geometry
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, kt_kcal_per_mol


@dataclass(frozen=True)
class StandardState:
    """Free energy of releasing a restraint into 1 mol/L.

    Attributes
    ----------
    analytic_kcal_per_mol
        Closed form.
    numeric_kcal_per_mol
        By integration; the one that is used.
    warning
        Where the two are too far apart, why; else empty.
    """

    analytic_kcal_per_mol: float
    numeric_kcal_per_mol: float
    warning: str = ""


@dataclass(frozen=True)
class CentreOfMassRestraint:
    """Harmonic distance between the centroids of two groups of atoms, U = 1/2 K (r − r0)².

    Attributes
    ----------
    receptor_atoms, ligand_atoms
        0-based indices; each group's centroid is the mean of its positions.
    k_kcal_per_mol_angstrom2
        Force constant.
    r0_angstrom
        Distance at rest; 0 where the ligand's centre is to be the site's, as in a host's cavity.
    why
        How it was chosen.
    kind
        Its name in ``leg.json``.
    """

    receptor_atoms: tuple[int, ...]
    ligand_atoms: tuple[int, ...]
    k_kcal_per_mol_angstrom2: float
    r0_angstrom: float = 0.0
    why: str = ""
    kind: str = "com"

    def standard_state(self, temperature_k: float) -> StandardState:
        """Free energy of releasing the ligand into 1 mol/L.

        Parameters
        ----------
        temperature_k
            Temperature, K.

        Returns
        -------
        StandardState
            Closed form and integral.
        """
        given = {"k": self.k_kcal_per_mol_angstrom2, "r0_angstrom": self.r0_angstrom, "temperature_k": temperature_k}
        return _both(ss.com_analytic_kcal_per_mol(**given), ss.com_numeric_kcal_per_mol(**given))

    def energy_kcal_per_mol(self, positions_angstrom: Floats) -> float:
        """Energy at λ_restraints = 1.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.

        Returns
        -------
        float
            kcal/mol.
        """
        x = _distance_of_centroids(positions_angstrom, self.receptor_atoms, self.ligand_atoms) - self.r0_angstrom
        return 0.5 * self.k_kcal_per_mol_angstrom2 * x * x


@dataclass(frozen=True)
class FlatBottomRestraint:
    """No force between the centroids of two groups within a radius R, and U = 1/2 K (r − R)² beyond.

    Attributes
    ----------
    receptor_atoms, ligand_atoms
        0-based indices; each group's centroid is the mean of its positions.
    k_kcal_per_mol_angstrom2
        Force constant of the walls.
    radius_angstrom
        R.
    why
        How it was chosen.
    kind
        Its name in ``leg.json``.
    """

    receptor_atoms: tuple[int, ...]
    ligand_atoms: tuple[int, ...]
    k_kcal_per_mol_angstrom2: float
    radius_angstrom: float
    why: str = ""
    kind: str = "flat_bottom"

    def standard_state(self, temperature_k: float) -> StandardState:
        """Free energy of releasing the ligand into 1 mol/L.

        Parameters
        ----------
        temperature_k
            Temperature, K.

        Returns
        -------
        StandardState
            Closed form and integral, both with the walls.
        """
        given = {"radius_angstrom": self.radius_angstrom, "k": self.k_kcal_per_mol_angstrom2}
        given["temperature_k"] = temperature_k
        return _both(ss.flat_bottom_analytic_kcal_per_mol(**given), ss.flat_bottom_numeric_kcal_per_mol(**given))

    def energy_kcal_per_mol(self, positions_angstrom: Floats) -> float:
        """Energy at λ_restraints = 1.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.

        Returns
        -------
        float
            kcal/mol.
        """
        distance = _distance_of_centroids(positions_angstrom, self.receptor_atoms, self.ligand_atoms)
        x = max(0.0, distance - self.radius_angstrom)
        return 0.5 * self.k_kcal_per_mol_angstrom2 * x * x


@dataclass(frozen=True)
class BoreschRestraint:
    """Orientational restraint of Boresch et al., J. Phys. Chem. B 107, 9535 (2003).

    Distance P1–L1; angles P2–P1–L1 (θA) and P1–L1–L2 (θB); dihedrals P3–P2–P1–L1 (φA), P2–P1–L1–L2 (φB) and
    P1–L1–L2–L3 (φC).

    Attributes
    ----------
    receptor, ligand
        Anchors (P1, P2, P3) and (L1, L2, L3), 0-based.
    r0_angstrom, theta_a_deg, theta_b_deg, phi_a_deg, phi_b_deg, phi_c_deg
        Reference geometry.
    k_r_kcal_per_mol_angstrom2, k_angle_kcal_per_mol_rad2
        Force constants of the distance, and of all angles and dihedrals.
    why
        How the anchors were chosen.
    kind
        Its name in ``leg.json``.
    """

    receptor: tuple[int, int, int]
    ligand: tuple[int, int, int]
    r0_angstrom: float
    theta_a_deg: float
    theta_b_deg: float
    phi_a_deg: float
    phi_b_deg: float
    phi_c_deg: float
    k_r_kcal_per_mol_angstrom2: float
    k_angle_kcal_per_mol_rad2: float
    why: str = ""
    kind: str = "boresch"

    def standard_state(self, temperature_k: float) -> StandardState:
        """Free energy of releasing the ligand into 1 mol/L.

        Parameters
        ----------
        temperature_k
            Temperature, K.

        Returns
        -------
        StandardState
            Closed form and integral.
        """
        given = {
            "r0_angstrom": self.r0_angstrom,
            "theta_a_deg": self.theta_a_deg,
            "theta_b_deg": self.theta_b_deg,
            "k_r": self.k_r_kcal_per_mol_angstrom2,
            "k_angle": self.k_angle_kcal_per_mol_rad2,
            "temperature_k": temperature_k,
        }
        return _both(ss.boresch_analytic_kcal_per_mol(**given), ss.boresch_numeric_kcal_per_mol(**given))

    def energy_kcal_per_mol(self, positions_angstrom: Floats) -> float:
        """Energy at λ_restraints = 1.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.

        Returns
        -------
        float
            kcal/mol.
        """
        now = boresch_geometry(positions_angstrom[None], self.receptor, self.ligand)[0]
        x = now - np.array(
            [self.r0_angstrom, self.theta_a_deg, self.theta_b_deg, self.phi_a_deg, self.phi_b_deg, self.phi_c_deg]
        )
        x[3:] = (x[3:] + 180) % 360 - 180
        x[1:] = np.radians(x[1:])
        return float(
            0.5 * self.k_r_kcal_per_mol_angstrom2 * x[0] ** 2
            + 0.5 * self.k_angle_kcal_per_mol_rad2 * (x[1:] ** 2).sum()
        )


Restraint = CentreOfMassRestraint | FlatBottomRestraint | BoreschRestraint
KINDS: Mapping[str, type[Restraint]] = {
    "com": CentreOfMassRestraint,
    "flat_bottom": FlatBottomRestraint,
    "boresch": BoreschRestraint,
}
"""By the name in ``leg.json``."""


@dataclass(frozen=True)
class HarmonicTerm:
    """One term of a restraint at λ_restraints = 1, U = 1/2 K x².

    Attributes
    ----------
    coordinate
        ``distance`` (Å), ``angle`` or ``dihedral`` (degrees, IUPAC's sign).
    groups
        Two, three or four groups of 0-based atoms; a group of several stands for the mean of its positions.
    reference
        Where x = 0, Å or degrees.
    k
        kcal/mol/Å² for a distance, kcal/mol/rad² for others: x of an angle counts in radians.
    flat
        Whether x is 0 below the reference.
    """

    coordinate: Literal["distance", "angle", "dihedral"]
    groups: tuple[tuple[int, ...], ...]
    reference: float
    k: float
    flat: bool = False


def harmonic_terms(restraint: Restraint) -> tuple[HarmonicTerm, ...]:
    """List the terms whose sum is the energy of a restraint, for any engine; the module's head says what it must do.

    Parameters
    ----------
    restraint
        Of any kind.

    Returns
    -------
    tuple of HarmonicTerm
        One of a distance; of Boresch's six, in the order r, θA, θB, φA, φB, φC.
    """
    if isinstance(restraint, BoreschRestraint):
        p1, p2, p3 = ((atom,) for atom in restraint.receptor)
        l1, l2, l3 = ((atom,) for atom in restraint.ligand)
        k = restraint.k_angle_kcal_per_mol_rad2
        return (
            HarmonicTerm("distance", (p1, l1), restraint.r0_angstrom, restraint.k_r_kcal_per_mol_angstrom2),
            HarmonicTerm("angle", (p2, p1, l1), restraint.theta_a_deg, k),
            HarmonicTerm("angle", (p1, l1, l2), restraint.theta_b_deg, k),
            HarmonicTerm("dihedral", (p3, p2, p1, l1), restraint.phi_a_deg, k),
            HarmonicTerm("dihedral", (p2, p1, l1, l2), restraint.phi_b_deg, k),
            HarmonicTerm("dihedral", (p1, l1, l2, l3), restraint.phi_c_deg, k),
        )
    groups, k = (restraint.receptor_atoms, restraint.ligand_atoms), restraint.k_kcal_per_mol_angstrom2
    if isinstance(restraint, FlatBottomRestraint):
        return (HarmonicTerm("distance", groups, restraint.radius_angstrom, k, flat=True),)
    return (HarmonicTerm("distance", groups, restraint.r0_angstrom, k),)


def reach_angstrom(restraint: Restraint, temperature_k: float) -> float:
    """Say how far from each other a restraint lets its two ends come, for a box that must be larger.

    Parameters
    ----------
    restraint
        Of any kind.
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        Reference distance and six standard deviations beyond it, Å: one time in 10⁸ farther.
    """
    term = harmonic_terms(restraint)[0]
    return term.reference + 6 * math.sqrt(kt_kcal_per_mol(temperature_k) / term.k)


def restraint_as_dict(restraint: Restraint) -> dict[str, Any]:
    """Give the form in which a restraint stands in ``leg.json``.

    Parameters
    ----------
    restraint
        Of any kind.

    Returns
    -------
    dict
        JSON-serialisable.
    """
    return asdict(restraint)


def restraint_from_dict(content: Mapping[str, Any], *, where: str) -> Restraint:
    """Read a restraint of ``leg.json``.

    Parameters
    ----------
    content
        As `restraint_as_dict` gives it.
    where
        File that it is from, for messages.

    Returns
    -------
    Restraint
        By its ``kind``.

    Raises
    ------
    InputError
        For an unknown kind or missing keys.
    """
    kind = str(content.get("kind"))
    if kind not in KINDS:
        raise InputError(Problem(where, f"restraint of kind {kind!r}", " or ".join(KINDS), field="restraint.kind"))
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
    try:
        return KINDS[kind](**values)
    except TypeError as error:
        raise InputError(Problem(where, str(error), "the keys that fe prepare writes", field="restraint")) from error


def _both(analytic: float, numeric: float) -> StandardState:
    if not (math.isfinite(analytic) and math.isfinite(numeric)):
        raise ValueError(f"standard-state term is not finite: {analytic}, {numeric}")
    return StandardState(analytic, numeric, ss.differ(analytic, numeric) or "")


def _distance_of_centroids(positions_angstrom: Floats, some: Sequence[int], others: Sequence[int]) -> float:
    a, b = (positions_angstrom[list(atoms)].mean(axis=0) for atoms in (some, others))
    return float(np.linalg.norm(a - b))
