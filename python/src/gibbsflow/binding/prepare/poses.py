"""Putting a ligand into a host's cavity, and telling whether one is there.

A host's cavity is taken to lie at the centre of its heavy atoms, open along the axis that its inertia tensor singles
out, as in cucurbiturils, cyclodextrins, calixarenes and octa acids. Poses are rigid conformers in rotations spread
evenly over SO(3), at steps along the axis, scored by a Lennard-Jones and screened Coulomb energy, and refined.

The repulsion of a pair is capped, so that a rigid guest gets past an atom on its way in; a pose may then end with an
atom in the wall. Where the first search ends so, or outside, a second one goes along the whole axis, and its cap is
raised until it is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdPartialCharges
from rdkit.Geometry import Point3D
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from gibbsflow.binding.burial import Rays, buriedness
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2, Floats

ROTATIONS = 160
SHIFTS_ANGSTROM = (-1.5, 0.0, 1.5)
REFINED = 8
WELL_KCAL_PER_MOL = 0.1
PAIR_CAP_KCAL_PER_MOL = 5.0
DEEP_SHIFTS_ANGSTROM = (-4.5, -3.0, -1.5, 0.0, 1.5, 3.0, 4.5)
DEEP_STARTS = 3
"""Starts at each step along the axis, of different rotations."""
DEEP_REFINED = 8
DEEP_WITHIN_ANGSTROM = 6.5
"""A guest of an octa acid lies 2 to 6 Å from the host's centre, one among its feet 8 or more."""
DEEP_CAPS_KCAL_PER_MOL = (50.0, 1e4)
"""Raised while a pose is refined, as a soft core is hardened; at the last no atom stays in another."""
RAYS = Rays(256, radius_angstrom=1.7, length_angstrom=12.0)
BURIED_SHARE = 0.6
"""An atom beside a host sees it in less than half of all directions, one in the middle of CB7 in 80 %."""
TOUCH_ANGSTROM = 6.0
"""A ligand whose nearest heavy atom is farther than this from a protein does not touch it."""
CENTRED_ANGSTROM, CENTRED_SHARE = 2.5, 0.5
"""A wide and low host surrounds less: an atom this near to its centre is inside with this share."""
PLACED_ANGSTROM = 2.2
"""The best pose may still be squeezed: heavy atoms nearer than hydrogen-bond distance are not to be mended by MD."""


@dataclass(frozen=True)
class Cavity:
    """Where a host takes up its guest.

    Attributes
    ----------
    centre_angstrom
        Centre of the heavy atoms, shape (3,).
    axis
        Unit vector along the opening, shape (3,).
    """

    centre_angstrom: Floats
    axis: Floats


def cavity(host: Molecule) -> Cavity:
    """Find centre and axis of a host: the axis is the principal axis whose moment differs most from the other two.

    Parameters
    ----------
    host
        With coordinates.

    Returns
    -------
    Cavity
        In the host's frame.
    """
    xyz = host.heavy_angstrom
    centre = xyz.mean(axis=0)
    spread, axes = np.linalg.eigh((xyz - centre).T @ (xyz - centre))
    unique = 0 if spread[1] - spread[0] > spread[2] - spread[1] else 2
    return Cavity(centre, axes[:, unique])


def best_pose(ligand: Molecule, host: Molecule, *, seed: int) -> Molecule:
    """Find the best pose of a ligand in a host's cavity.

    Parameters
    ----------
    ligand
        With one or more conformers.
    host
        With coordinates, in the frame that the pose is given in.
    seed
        Of the rotations.

    Returns
    -------
    Molecule
        The ligand with one conformer, in the host's frame.
    """
    fit = _Fit(ligand, host)
    starts = sorted((min(at_steps) for at_steps in fit.scan(SHIFTS_ANGSTROM, seed)), key=lambda start: start.energy)
    return min(fit.refined(start, PAIR_CAP_KCAL_PER_MOL) for start in starts[:REFINED]).of(ligand)


def deep_pose(ligand: Molecule, host: Molecule, *, clash_angstrom: float, seed: int) -> Molecule:
    """Find the best pose that is inside and does not clash, from starts along the whole axis of the cavity.

    Parameters
    ----------
    ligand
        With one or more conformers.
    host
        With coordinates, in the frame that the pose is given in.
    clash_angstrom
        Heavy atoms closer than this clash.
    seed
        Of the rotations.

    Returns
    -------
    Molecule
        The ligand with one conformer, in the host's frame; where all are outside or clash, the one of least energy.
    """
    fit = _Fit(ligand, host)
    soft, hard = DEEP_CAPS_KCAL_PER_MOL
    starts = [s for step in zip(*fit.scan(DEEP_SHIFTS_ANGSTROM, seed), strict=True) for s in sorted(step)[:DEEP_STARTS]]
    ends = sorted(fit.refined(start, soft) for start in starts)
    inside = [end for end in ends if fit.within(end)]
    posed = [end.of(ligand) for end in sorted(fit.refined(end, hard) for end in (inside or ends)[:DEEP_REFINED])]
    faults = (pose_faults(p, host.heavy_angstrom, clash_angstrom=clash_angstrom, cage=True) for p in posed)
    return next((p for p, wrong in zip(posed, faults, strict=True) if not wrong), posed[0])


def with_positions(molecule: Molecule, positions_angstrom: Floats, conformer: int = -1) -> Molecule:
    """Return a molecule with one conformer at the given coordinates.

    Parameters
    ----------
    molecule
        Left as it is.
    positions_angstrom
        Shape (atoms, 3), Å.
    conformer
        Conformer whose properties are kept; -1 for the first.

    Returns
    -------
    Molecule
        A copy.
    """
    mol = Chem.Mol(molecule.mol, confId=conformer)
    for i, (x, y, z) in enumerate(positions_angstrom):
        mol.GetConformer().SetAtomPosition(i, Point3D(float(x), float(y), float(z)))
    return replace(molecule, mol=mol)


def pose_faults(ligand: Molecule, host_angstrom: Floats, *, clash_angstrom: float, cage: bool) -> list[Fault]:
    """Say what is wrong with a pose.

    Parameters
    ----------
    ligand
        In the receptor's frame.
    host_angstrom
        Heavy atoms of the receptor, shape (atoms, 3).
    clash_angstrom
        Heavy atoms closer than this clash.
    cage
        Ask that the ligand be inside a cavity (hosts); otherwise that it touch the receptor (proteins).

    Returns
    -------
    list of Fault
        Clashes, and a ligand that is outside; empty where the pose is usable.
    """
    xyz = ligand.heavy_angstrom
    distance = np.linalg.norm(xyz[:, None] - host_angstrom[None], axis=-1)
    nearest = float(distance.min())
    faults = []
    if nearest < clash_angstrom:
        count = int((distance.min(axis=1) < clash_angstrom).sum())
        what = f"{count} heavy atoms clash with the receptor (nearest {nearest:.2f} Å)"
        faults.append(Fault("pose", what, f"heavy atoms at least {clash_angstrom} Å apart (clash_angstrom)"))
    if cage and not _surrounded(xyz, host_angstrom):
        away = float(np.linalg.norm(xyz.mean(axis=0) - host_angstrom.mean(axis=0)))
        share = _share(xyz, host_angstrom)
        what = f"the ligand is outside the cavity ({away:.1f} Å from its centre, {share:.0%} surrounded by the host)"
        faults.append(Fault("pose", what, "a pose inside the cavity, or pose 'place'"))
    elif not cage and nearest > TOUCH_ANGSTROM:
        what = f"the ligand does not touch the receptor (nearest heavy atoms {nearest:.1f} Å apart)"
        faults.append(Fault("pose", what, "a pose in the binding site, in the frame of the receptor's file"))
    return faults


def nearest_contact(ligand: Molecule, receptor_angstrom: Floats) -> float:
    """Give the smallest distance of heavy atoms of a ligand and its receptor.

    Parameters
    ----------
    ligand
        In the receptor's frame.
    receptor_angstrom
        Heavy atoms of the receptor, shape (atoms, 3).

    Returns
    -------
    float
        In Å; infinite where the receptor has none.
    """
    if not len(receptor_angstrom):
        return float("inf")
    return float(cKDTree(receptor_angstrom).query(ligand.heavy_angstrom)[0].min())


def place_inside(ligand: Molecule, host: Molecule, *, clash_angstrom: float, seed: int) -> Molecule:
    """Place a ligand, and refuse a pose that is outside or clashes.

    Parameters
    ----------
    ligand
        With one or more conformers.
    host
        With coordinates.
    clash_angstrom
        Heavy atoms closer than this clash, or than 2.2 Å if that is more.
    seed
        Of the rotations.

    Returns
    -------
    Molecule
        The ligand with one conformer, in the host's frame.

    Raises
    ------
    MoleculeError
        Where the ligand does not fit.
    """
    clash_angstrom = max(clash_angstrom, PLACED_ANGSTROM)

    def _wrong(pose: Molecule) -> list[Fault]:
        return pose_faults(pose, host.heavy_angstrom, clash_angstrom=clash_angstrom, cage=True)

    posed = best_pose(ligand, host, seed=seed)
    if _wrong(posed):
        posed = deep_pose(ligand, host, clash_angstrom=clash_angstrom, seed=seed)
    if faults := _wrong(posed):
        told = "; ".join(f.what for f in faults)
        what = f"the ligand does not fit into the host's cavity: {told}"
        raise MoleculeError([Fault("pose", what, "a smaller ligand, or a file with its pose")])
    return posed


@dataclass(frozen=True, order=True)
class _Pose:
    energy: float
    conformer: int
    strain: float
    xyz: Floats = field(compare=False)

    def of(self, ligand: Molecule) -> Molecule:
        return with_positions(ligand, self.xyz, self.conformer)


class _Fit:
    """A rigid guest in the field of a host; energies in kcal/mol, the strain of the conformer included."""

    def __init__(self, ligand: Molecule, host: Molecule) -> None:
        self.mol, self.heavy = ligand.mol, ligand.heavy_atoms
        self.radii, self.charges = _radii(ligand.mol), _charges(ligand.mol)
        self.site = cavity(host)
        self.host_xyz, self.host_heavy = host.positions_angstrom, host.heavy_angstrom
        self.host_radii, self.host_charges = _radii(host.mol), _charges(host.mol)

    def scan(self, shifts_angstrom: Sequence[float], seed: int) -> Iterator[list[_Pose]]:
        """For each conformer and rotation the poses at all steps along the axis."""
        rotations = Rotation.random(ROTATIONS, rng=np.random.default_rng(seed))
        steps = self.site.centre_angstrom + np.outer(shifts_angstrom, self.site.axis)
        for conformer in self.mol.GetConformers():
            xyz = np.asarray(conformer.GetPositions())
            xyz = xyz - xyz[self.heavy].mean(axis=0)
            strain = conformer.GetDoubleProp("energy_kcal_per_mol") if conformer.HasProp("energy_kcal_per_mol") else 0.0
            for rotation in rotations:
                poses = rotation.apply(xyz)[None] + steps[:, None]
                energies = self._energies(poses, PAIR_CAP_KCAL_PER_MOL) + strain
                yield [_Pose(float(e), conformer.GetId(), strain, p) for e, p in zip(energies, poses, strict=True)]

    def refined(self, start: _Pose, cap_kcal_per_mol: float) -> _Pose:
        """Minimise over the six rigid-body degrees of freedom (Å, and rad about the centre)."""
        centre = start.xyz.mean(axis=0)

        def moved(x: Floats) -> Floats:
            turned: Floats = Rotation.from_rotvec(x[3:]).apply(start.xyz - centre) + centre + x[:3]
            return turned

        def energy(x: Floats) -> float:
            return float(self._energies(moved(x)[None], cap_kcal_per_mol)[0])

        best = minimize(energy, np.zeros(6), method="Powell", options={"maxfev": 400, "xtol": 1e-2, "ftol": 1e-4})
        return replace(start, energy=float(best.fun) + start.strain, xyz=moved(np.asarray(best.x)))

    def within(self, pose: _Pose) -> bool:
        """Whether a pose is in the cavity, and not among the arms at its closed end or over its mouth."""
        xyz = pose.xyz[self.heavy]
        near = np.linalg.norm(xyz.mean(axis=0) - self.site.centre_angstrom) < DEEP_WITHIN_ANGSTROM
        return bool(near) and _surrounded(xyz, self.host_heavy)

    def _energies(self, poses: Floats, cap_kcal_per_mol: float) -> Floats:
        """Interaction energy of each pose, repulsion of a pair capped; poses has shape (poses, atoms, 3)."""
        xyz = self.host_xyz
        r2 = ((poses**2).sum(-1)[..., None] + (xyz**2).sum(-1) - 2 * poses @ xyz.T).clip(0.25)
        inverse = 1 / r2
        s2 = (self.radii[:, None] + self.host_radii) ** 2 * inverse
        s6 = s2 * s2 * s2  # far cheaper than a power
        sterics = np.minimum(WELL_KCAL_PER_MOL * s6 * (s6 - 2), cap_kcal_per_mol).sum(axis=(-1, -2))
        screened = COULOMB_KCAL_ANGSTROM_PER_E2 / 4 * np.outer(self.charges, self.host_charges)  # dielectric 4r, r in Å
        total: Floats = sterics + (inverse * screened).sum(axis=(-1, -2))
        return total


def _surrounded(xyz: Floats, host_angstrom: Floats) -> bool:
    """Whether an atom of a ligand, or its centre, is inside a host."""
    share = _share(xyz, host_angstrom)
    to_centre = float(np.linalg.norm(xyz - host_angstrom.mean(axis=0), axis=1).min())
    return share >= (CENTRED_SHARE if to_centre < CENTRED_ANGSTROM else BURIED_SHARE)


def _share(xyz: Floats, host_angstrom: Floats) -> float:
    return float(buriedness(np.vstack([xyz, xyz.mean(axis=0)]), host_angstrom, RAYS).max())


def _radii(mol: Chem.Mol) -> Floats:
    table = Chem.GetPeriodicTable()
    return np.array([table.GetRvdw(a.GetAtomicNum()) for a in mol.GetAtoms()])


def _charges(mol: Chem.Mol) -> Floats:
    """Gasteiger charges in e; they decide which end of a polar guest faces the portals."""
    copy = Chem.Mol(mol)
    rdPartialCharges.ComputeGasteigerCharges(copy)
    return np.nan_to_num(np.array([a.GetDoubleProp("_GasteigerCharge") for a in copy.GetAtoms()]))
