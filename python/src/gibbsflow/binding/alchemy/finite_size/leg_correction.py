"""The finite-size correction of one leg, from its topology and the frames of its equilibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.alchemy.finite_size.cavity import SOLVER, background_potential
from gibbsflow.binding.alchemy.finite_size.terms import (
    PERMITTIVITY,
    Charges,
    IntegratedPotentials,
    Solvent,
    Terms,
    correction_terms,
)
from gibbsflow.binding.forcefield.topology_file import Topology, molecules, residue_labels
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import (
    COULOMB_KCAL_ANGSTROM_PER_E2,
    KJ_PER_BAR_NM3,
    KJ_PER_KCAL,
    Floats,
    kt_kcal_per_mol,
)
from gibbsflow.workflow.account import Account

MOST_FRAMES = 5
"""Frames for the integrated potentials: a cavity hardly changes from one to the next."""
LEAST_RADIUS_ANGSTROM = 0.5
"""Of hydrogens without Lennard-Jones of their own, which lie within their neighbours."""
RADII_UNSURE = 0.1
"""How uncertain the radii of the cavity are, as a part of them."""
COMPRESSIBILITY_PER_BAR = 4.5e-5
"""Of water, isothermal, at 298 K."""
LEAST_WATER_ANGSTROM = 10.0
"""Between a solute and its image; less is warned of: terms beyond the box's size to the power −3 are left out."""


@dataclass(frozen=True)
class FiniteSize:
    """Correction of a leg.

    Attributes
    ----------
    terms
        To add to the free energy of charging the ligand.
    error_kcal_per_mol
        From the spread of RIP over the frames, radii of the cavity, the mean volume, and ions.
    charges, solvent, potentials
        What they are made of.
    volume_angstrom3, volume_error_angstrom3
        Mean of the equilibration, and its standard error.
    frames
        From which the potentials are means.
    """

    terms: Terms
    error_kcal_per_mol: float
    charges: Charges
    solvent: Solvent
    potentials: IntegratedPotentials
    volume_angstrom3: float
    volume_error_angstrom3: float
    frames: int

    @property
    def decoupling_kcal_per_mol(self) -> float:
        """What is added to G(last) − G(first) of the leg, which takes the charge away.

        Returns
        -------
        float
            kcal/mol.
        """
        return -self.terms.total

    def as_dict(self) -> dict[str, Any]:
        """Give the figures, as in ``record.json``.

        Returns
        -------
        dict
            JSON-serialisable, units in the names.
        """
        charging = {f"{name}_kcal_per_mol": float(value) for name, value in vars(self.terms).items()}
        return {
            "dg_kcal_per_mol": float(self.decoupling_kcal_per_mol),
            "dg_error_kcal_per_mol": float(self.error_kcal_per_mol),
            "charging": charging,
            "ligand_charge_e": self.charges.ligand_e,
            "receptor_charge_e": self.charges.fixed_e,
            "ions_charge_e": self.charges.ions_e,
            "solvent_molecules": self.solvent.molecules,
            "permittivity": self.solvent.permittivity,
            "quadrupole_e_nm2": self.solvent.quadrupole_e_angstrom2 / 100,
            "integrated_ligand_kcal_angstrom3_per_mol_e": self.potentials.ligand,
            "integrated_others_kcal_angstrom3_per_mol_e": self.potentials.others,
            "volume_nm3": self.volume_angstrom3 / 1000,
            "volume_error_nm3": self.volume_error_angstrom3 / 1000,
            "frames": self.frames,
            "solver": SOLVER,
        }


def leg_correction(
    prmtop: Path,
    particles: Floats,
    *,
    ligand: Sequence[int],
    receptor: Sequence[int],
    frames_nm: Floats,
    boxes_nm: Floats | None,
    md: Md,
    account: Account,
) -> FiniteSize:
    """Compute the correction of a leg.

    Parameters
    ----------
    prmtop
        Its topology, in its box.
    particles
        Charge (e), σ (nm) and ε of all its atoms, shape (N, 3).
    ligand, receptor
        Atoms of each; all others are solvent and ions.
    frames_nm, boxes_nm
        Of the equilibration, shapes (F, N, 3) and (F, 3, 3); solute and its parts together, molecules whole.
    md
        Water model and temperature.
    account
        Where doubts are entered.

    Returns
    -------
    FiniteSize
        Terms and their error.

    Raises
    ------
    InputError
        For a box with other molecules than water and ions beside the solute, or none at all.
    """
    if boxes_nm is None:
        raise InputError(Problem(str(prmtop), "frames without a box", "an equilibration in explicit solvent"))
    solute = np.array(sorted([*receptor, *ligand]))
    elements = Topology.read_prmtop(prmtop, frames_nm[0] * 10).elements
    oxygens, ions = _surroundings(prmtop, elements, solute)
    solvent = Solvent(
        permittivity=PERMITTIVITY[md.solvent],
        molecules=len(oxygens),
        quadrupole_e_angstrom2=_quadrupole(oxygens[0], particles[:, 0], frames_nm[0] * 10, molecules(prmtop)),
    )
    charges = Charges(
        ligand_e=_whole(particles[list(ligand), 0].sum(), str(prmtop)),
        fixed_e=float(np.round(particles[list(receptor), 0].sum())),
        ions_e=float(np.round(particles[ions, 0].sum())),
        ions_squared_e2=float(np.round((particles[ions, 0] ** 2).sum())),
    )
    volumes = np.abs(np.linalg.det(boxes_nm)) * 1000
    box = boxes_nm.mean(axis=0) * 10
    box *= (volumes.mean() / abs(np.linalg.det(box))) ** (1 / 3)
    chosen = np.unique(np.linspace(0, len(frames_nm) - 1, min(MOST_FRAMES, len(frames_nm))).round().astype(int))
    radii = lennard_jones_radii_angstrom(particles)

    def _of_frame(frame: int, scale: float = 1.0) -> IntegratedPotentials:
        return _potentials(
            frames_nm[frame] * 10, particles[:, 0], radii * scale, solute, ligand, ions, solvent.permittivity
        )

    def _terms(made: IntegratedPotentials) -> Terms:
        return correction_terms(charges, solvent, made, box, md.temperature_k)

    found = [_of_frame(frame) for frame in chosen]
    mean = IntegratedPotentials(*np.mean([[p.ligand, p.others, p.ligand_solvent] for p in found], axis=0).tolist())
    result = _terms(mean)
    wide, narrow = (_terms(_of_frame(chosen[0], 1 + sign * RADII_UNSURE)).total for sign in (1, -1))
    volume_error = _volume_error(volumes, md.temperature_k)
    error = math.hypot(
        float(np.std([_terms(p).total for p in found])),
        (wide - narrow) / 2,
        result.dsc * volume_error / float(volumes.mean()),
        (result.net + result.usv + result.scr) / 2 if len(ions) else 0.0,
    )
    _judge_room(frames_nm[chosen[0]][solute] * 10, radii[solute], box, account)
    return FiniteSize(result, error, charges, solvent, mean, float(volumes.mean()), volume_error, frames=len(chosen))


def lennard_jones_radii_angstrom(particles: Floats) -> Floats:
    """Radii of atoms for the cavity: where their Lennard-Jones energy with one of their own kind is least, halved.

    Parameters
    ----------
    particles
        Charge (e), σ (nm) and ε of each, shape (N, 3).

    Returns
    -------
    ndarray
        Shape (N,), Å, at least `LEAST_RADIUS_ANGSTROM`.
    """
    radii = np.where(particles[:, 2] > 0, particles[:, 1] * 10 * 2 ** (1 / 6) / 2, 0.0)
    return np.asarray(np.maximum(radii, LEAST_RADIUS_ANGSTROM))


def _volume_error(volumes: Floats, temperature_k: float) -> float:
    """Standard error of the mean volume, Å³: by its spread, and no less than √(kT κ V) of as many frames has."""
    kt = kt_kcal_per_mol(temperature_k) * KJ_PER_KCAL / KJ_PER_BAR_NM3  # bar nm³
    thermal = math.sqrt(kt * COMPRESSIBILITY_PER_BAR * float(volumes.mean()) / 1000) * 1000
    spread = float(volumes.std(ddof=1)) if len(volumes) > 1 else 0.0
    return max(spread, thermal) / math.sqrt(len(volumes))


def _whole(charge: float, where: str) -> float:
    if abs(charge - round(charge)) > 1e-2:
        raise InputError(Problem(where, f"a ligand with a charge of {charge:+.4f} e", "whole charges"))
    return float(round(charge))


def _surroundings(prmtop: Path, elements: np.ndarray, solute: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Oxygens of the waters, and ions, beside the solute."""
    of_molecule = molecules(prmtop)
    beside = np.ones(len(elements), dtype=bool)
    beside[solute] = False
    waters = np.bincount(of_molecule[beside & (elements == 8)], minlength=int(of_molecule.max()) + 1)
    hydrogens = np.bincount(of_molecule[beside & (elements == 1)], minlength=len(waters))
    others = np.bincount(of_molecule[beside & (elements > 1) & (elements != 8)], minlength=len(waters))
    is_water = (waters == 1) & (hydrogens == 2) & (others == 0)
    is_ion = (waters + hydrogens == 0) & (others == 1)
    strange = beside & ~is_water[of_molecule] & ~is_ion[of_molecule]
    if strange.any() or not is_water.any():
        place = int(np.flatnonzero(strange)[0]) if strange.any() else -1
        what = "has no water"
        if place >= 0:
            starts = Topology.read_prmtop(prmtop, np.zeros((len(elements), 3))).residue_of
            what = f"holds {residue_labels(prmtop)[starts[place]]} beside the solute, as a membrane would"
        right = "water and single ions, which the theory knows; or charge_correction counter_ion"
        raise InputError(Problem(str(prmtop), what, right, field="charge_correction"))
    return np.flatnonzero(beside & is_water[of_molecule] & (elements == 8)), np.flatnonzero(
        beside & is_ion[of_molecule]
    )


def _quadrupole(oxygen: int, charges_e: Floats, positions_angstrom: Floats, of_molecule: np.ndarray) -> float:
    """Trace of the quadrupole of one water about its oxygen, the only centre of Lennard-Jones of these models, e Å²."""
    atoms = np.flatnonzero(of_molecule == of_molecule[oxygen])
    away = np.sum((positions_angstrom[atoms] - positions_angstrom[oxygen]) ** 2, axis=1)
    return float(charges_e[atoms] @ away)


def _potentials(
    positions: Floats,
    charges: Floats,
    radii: Floats,
    solute: np.ndarray,
    ligand: Sequence[int],
    ions: np.ndarray,
    permittivity: float,
) -> IntegratedPotentials:
    """Integrated potentials of one frame, centred on the ligand as the grids of the source are."""
    places, origin = positions[solute], positions[list(ligand)].mean(axis=0)
    potential = background_potential(places, radii[solute], places, permittivity=permittivity, origin_angstrom=origin)
    is_ligand = np.isin(solute, list(ligand))
    unit = 4 * math.pi * COULOMB_KCAL_ANGSTROM_PER_E2 / 6
    spread = np.sum((places - origin) ** 2, axis=1)
    q = charges[solute]
    own = float(q[is_ligand] @ potential[is_ligand])
    of_ions = unit * (1 - 1 / permittivity) * float(charges[ions] @ radii[ions] ** 2)
    return IntegratedPotentials(
        ligand=own,
        others=float(q[~is_ligand] @ potential[~is_ligand]) + of_ions,
        ligand_solvent=own + unit * float(q[is_ligand] @ spread[is_ligand]),
    )


def _judge_room(places: Floats, radii: Floats, box: Floats, account: Account) -> None:
    """Warn of a solute that is near to its own image."""
    steps = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) @ box
    shifts = steps[np.linalg.norm(steps, axis=1) > 0]
    tree = cKDTree(places)
    gap = min(float(tree.query(places + shift)[0].min()) for shift in shifts) - 2 * float(np.median(radii))
    if gap < LEAST_WATER_ANGSTROM:
        account.warn(
            f"{gap:.1f} Å of water between the solute and its image are few for the analytic finite-size correction",
            f"a padding_angstrom that leaves {LEAST_WATER_ANGSTROM:g} Å",
            field="charge_correction",
        )
