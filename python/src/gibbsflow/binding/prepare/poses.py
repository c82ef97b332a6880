"""Putting a ligand into a host's cavity, and telling whether one is there.

A host's cavity is taken to lie at the centre of its heavy atoms, open along the axis that its inertia tensor singles
out, as in cucurbiturils, cyclodextrins, calixarenes and octa acids. Poses are rigid conformers in rotations spread
evenly over SO(3), at steps along the axis, scored by a Lennard-Jones and screened Coulomb energy, and refined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdPartialCharges
from rdkit.Geometry import Point3D
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from gibbsflow.binding.prepare.burial import Rays, buriedness
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2, Floats

ROTATIONS = 160
SHIFTS_ANGSTROM = (-1.5, 0.0, 1.5)
REFINED = 8
WELL_KCAL_PER_MOL = 0.1
PAIR_CAP_KCAL_PER_MOL = 5.0
RAYS = Rays(256, radius_angstrom=1.7, length_angstrom=12.0)
BURIED_SHARE = 0.6
"""An atom beside a host sees it in less than half of all directions, one in the middle of CB7 in 80 %."""
TOUCH_ANGSTROM = 6.0
"""A ligand whose nearest heavy atom is farther than this from a protein does not touch it."""
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
    field = _HostField(host)
    site = cavity(host)
    rotations = Rotation.random(ROTATIONS, rng=np.random.default_rng(seed))
    shifts = np.outer(SHIFTS_ANGSTROM, site.axis)
    radii, charges = _radii(ligand.mol), _charges(ligand.mol)
    found: list[tuple[float, int, float, Floats]] = []
    for conformer in ligand.mol.GetConformers():
        xyz = np.asarray(conformer.GetPositions())
        xyz = xyz - xyz[ligand.heavy_atoms].mean(axis=0)
        strain = conformer.GetDoubleProp("energy_kcal_per_mol") if conformer.HasProp("energy_kcal_per_mol") else 0.0
        for rotation in rotations:
            poses = rotation.apply(xyz)[None] + (site.centre_angstrom + shifts)[:, None]
            energies = field.energies(poses, radii, charges) + strain
            k = int(energies.argmin())
            found.append((float(energies[k]), conformer.GetId(), strain, poses[k]))
    found.sort(key=lambda item: item[0])
    refined = []
    for _, conformer_id, strain, pose in found[:REFINED]:
        energy, pose = _refine(field, pose, radii, charges)
        refined.append((energy + strain, conformer_id, pose))
    _, conformer_id, pose = min(refined, key=lambda item: item[0])
    return with_positions(ligand, pose, conformer_id)


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
    share = float(buriedness(np.vstack([xyz, xyz.mean(axis=0)]), host_angstrom, RAYS).max())
    if cage and share < BURIED_SHARE:
        away = float(np.linalg.norm(xyz.mean(axis=0) - host_angstrom.mean(axis=0)))
        what = f"the ligand is outside the cavity ({away:.1f} Å from its centre, {share:.0%} surrounded by the host)"
        faults.append(Fault("pose", what, "a pose inside the cavity, or pose 'place'"))
    elif not cage and nearest > TOUCH_ANGSTROM:
        what = f"the ligand does not touch the receptor (nearest heavy atoms {nearest:.1f} Å apart)"
        faults.append(Fault("pose", what, "a pose in the binding site, in the frame of the receptor's file"))
    return faults


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
    posed = best_pose(ligand, host, seed=seed)
    faults = pose_faults(posed, host.heavy_angstrom, clash_angstrom=max(clash_angstrom, PLACED_ANGSTROM), cage=True)
    if faults:
        told = "; ".join(f.what for f in faults)
        what = f"the ligand does not fit into the host's cavity: {told}"
        raise MoleculeError([Fault("pose", what, "a smaller ligand, or a file with its pose")])
    return posed


class _HostField:
    """The host as its guests feel it."""

    def __init__(self, host: Molecule) -> None:
        self.xyz = host.positions_angstrom
        self.radii, self.charges = _radii(host.mol), _charges(host.mol)

    def energies(self, poses: Floats, radii: Floats, charges: Floats) -> Floats:
        """Interaction energy of each pose in kcal/mol, repulsion capped; poses has shape (poses, atoms, 3)."""
        r2 = ((poses**2).sum(-1)[..., None] + (self.xyz**2).sum(-1) - 2 * poses @ self.xyz.T).clip(0.25)
        inverse = 1 / r2
        s2 = (radii[:, None] + self.radii) ** 2 * inverse
        s6 = s2 * s2 * s2  # far cheaper than a power
        sterics = np.minimum(WELL_KCAL_PER_MOL * s6 * (s6 - 2), PAIR_CAP_KCAL_PER_MOL).sum(axis=(-1, -2))
        screened = COULOMB_KCAL_ANGSTROM_PER_E2 / 4 * np.outer(charges, self.charges)  # dielectric 4r, r in Å
        total: Floats = sterics + (inverse * screened).sum(axis=(-1, -2))
        return total


def _refine(field: _HostField, pose: Floats, radii: Floats, charges: Floats) -> tuple[float, Floats]:
    """Minimise over the six rigid-body degrees of freedom (Å, and rad about the centre)."""
    centre = pose.mean(axis=0)

    def moved(x: Floats) -> Floats:
        turned: Floats = Rotation.from_rotvec(x[3:]).apply(pose - centre) + centre + x[:3]
        return turned

    def energy(x: Floats) -> float:
        return float(field.energies(moved(x)[None], radii, charges)[0])

    best = minimize(energy, np.zeros(6), method="Powell", options={"maxfev": 400, "xtol": 1e-2, "ftol": 1e-4})
    return float(best.fun), moved(np.asarray(best.x))


def _radii(mol: Chem.Mol) -> Floats:
    table = Chem.GetPeriodicTable()
    return np.array([table.GetRvdw(a.GetAtomicNum()) for a in mol.GetAtoms()])


def _charges(mol: Chem.Mol) -> Floats:
    """Gasteiger charges in e; they decide which end of a polar guest faces the portals."""
    copy = Chem.Mol(mol)
    rdPartialCharges.ComputeGasteigerCharges(copy)
    return np.nan_to_num(np.array([a.GetDoubleProp("_GasteigerCharge") for a in copy.GetAtoms()]))
