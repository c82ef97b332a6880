"""Guests of fixed hosts whose free energies along λ are known by quadrature, as legs that `fe run` takes.

A host is some atoms that do not move (their mass is zero); the guest is one atom, tied by a harmonic bond to the host's
first. Without that bond's usual exclusion, charges, Lennard-Jones and the restraint act besides. All of it goes into an
AMBER topology and a ``leg.json``; the quadrature has formulas of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint, FlatBottomRestraint, Restraint
from gibbsflow.binding.alchemy.schedules import check_schedule
from gibbsflow.config.binding import Fe, Md
from gibbsflow.units import Floats, kt_kcal_per_mol

TEMPERATURE_K = 300.0
KT = kt_kcal_per_mol(TEMPERATURE_K)
TIMESTEP_FS = 4.0
MOST_SEEDS = 1_000_000
COULOMB_KCAL_ANGSTROM = 332.0637
_AMBER_CHARGE = 18.2223
_STARTS = 16


@dataclass(frozen=True)
class Toy:
    """One system.

    Attributes
    ----------
    host_angstrom
        Places of the host's atoms, shape (H, 3), Å; the guest is tied to the first.
    charges_e
        Charge of each host atom and, last, of the guest, e.
    sigma_angstrom, epsilon_kt
        Lennard-Jones of the guest with each host atom, kT; all of one σ, and 0 for none.
    bond_angstrom, bond_width_angstrom
        Length of the bond, and the width √(kT/k) of its harmonic energy 1/2 k (r − length)².
    starts_angstrom
        Where the guest may begin, as an equilibration of the first state would leave it: shape (S, 3).
    states
        Rows of λ: restraints, electrostatics, sterics.
    guest_amu
        Mass of the guest.
    steps
        Time steps from sample to sample.
    reach_angstrom
        Half the edge of the cube that the quadrature is over.
    restraint
        At full strength.
    """

    host_angstrom: tuple[tuple[float, float, float], ...]
    charges_e: tuple[float, ...]
    sigma_angstrom: float
    epsilon_kt: tuple[float, ...]
    bond_angstrom: float
    bond_width_angstrom: float
    starts_angstrom: tuple[tuple[float, float, float], ...]
    states: tuple[tuple[float, float, float], ...]
    guest_amu: float
    steps: int
    reach_angstrom: float
    restraint: Restraint | None = None
    friction_per_ps: float = 50.0
    points: int = 60

    @property
    def guest(self) -> int:
        """Number of the guest's atom."""
        return len(self.host_angstrom)

    def u_kt(self, x_angstrom: Floats, state: Sequence[float]) -> Floats:
        """Reduced energy of the guest at x, shape (..., 3), in a state: shape (...)."""
        restraints, electrostatics, sterics = state
        places = np.array(self.host_angstrom)
        r = np.linalg.norm(x_angstrom[..., None, :] - places, axis=-1)
        u = 0.5 * ((r[..., 0] - self.bond_angstrom) / self.bond_width_angstrom) ** 2
        for place, charge in enumerate(self.charges_e[:-1]):
            u = u + electrostatics * COULOMB_KCAL_ANGSTROM * charge * self.charges_e[-1] / (r[..., place] * KT)
            d = 0.5 * (1 - sterics) + (r[..., place] / self.sigma_angstrom) ** 6
            u = u + 4 * sterics * self.epsilon_kt[place] * (1 / d**2 - 1 / d)
        held = self.restraint
        if isinstance(held, CentreOfMassRestraint):
            u = u + restraints * 0.5 * held.k_kcal_per_mol_angstrom2 * (r[..., 0] - held.r0_angstrom) ** 2 / KT
        elif isinstance(held, FlatBottomRestraint):
            beyond = np.maximum(r[..., 0] - held.radius_angstrom, 0)
            u = u + restraints * 0.5 * held.k_kcal_per_mol_angstrom2 * beyond**2 / KT
        return u

    @property
    def truth_kt(self) -> float:
        """G(last state) − G(first state), kT: rectangles over a cube, which are exact to all orders for what decays."""
        first, last = (self.log_z(state) for state in (self.states[0], self.states[-1]))
        return first - last

    def log_z(self, state: Sequence[float]) -> float:
        """Logarithm of the configurational integral, Å³; hosts are alike at ±x and at ±y."""
        step = self.reach_angstrom / self.points
        half = (np.arange(self.points) + 0.5) * step
        y, z = np.meshgrid(half, np.concatenate([-half[::-1], half]), indexing="ij")
        total = 0.0
        for x in half:
            points = np.stack([np.full_like(y, x), y, z], axis=-1)
            total += 4 * float(np.exp(-self.u_kt(points, state)).sum())
        return float(np.log(total * step**3))

    def write_leg(self, name: str, folder: Path, *, exchange: bool, samples: int, discarded: int) -> Path:
        """Write the folder of the leg, as `fe prepare` would."""
        sample_ps = self.steps * TIMESTEP_FS / 1000
        md = Md(
            solvent="vacuum", temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, platform="Reference",
            friction_per_ps=self.friction_per_ps, trajectory="none",
        )  # fmt: skip
        fe = Fe(
            sampler="exchange" if exchange else "independent", sample_ps=sample_ps, window_ps=samples * sample_ps,
            window_equil_ps=discarded * sample_ps, segment_ps=(samples + discarded) * sample_ps,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        topology = folder / "toy.prmtop"
        topology.write_text(self._prmtop())
        random = np.random.default_rng(0)
        starts = np.repeat(np.array([*self.host_angstrom, (0.0, 0.0, 0.0)])[None], _STARTS, axis=0)
        starts[:, -1] = np.resize(self.starts_angstrom, (_STARTS, 3)) + 0.05 * random.standard_normal((_STARTS, 3))
        atoms = tuple(range(self.guest + 1))
        placed = place_leg(folder, topology, starts / 10, atoms)
        leg = AlchemicalLeg(
            folder, "complex", name, check_schedule([list(row) for row in self.states], where=name), *placed,
            ligand_atoms=(self.guest,), receptor_atoms=atoms[:-1], restraint=self.restraint, md=md, fe=fe, seed=0,
            replicates=MOST_SEEDS,
        )  # fmt: skip
        leg.write()
        return folder

    def _prmtop(self) -> str:
        """The topology; mixed by Lorentz and Berthelot, a host atom and the guest (ε = kT) have the ε asked for."""
        atoms = self.guest + 1
        epsilons = [KT * epsilon**2 for epsilon in self.epsilon_kt] + [KT]
        sixth = self.sigma_angstrom**6
        mixed = [[np.sqrt(a * b) for b in epsilons] for a in epsilons]
        lower = [mixed[i][j] for i in range(atoms) for j in range(i + 1)]
        index = [[max(i, j) * (max(i, j) + 1) // 2 + min(i, j) + 1 for j in range(atoms)] for i in range(atoms)]
        pointers = [0] * 31
        pointers[0], pointers[1], pointers[3], pointers[10], pointers[11] = atoms, atoms, 1, atoms, 2
        pointers[12], pointers[15] = 1, 1
        k = KT / self.bond_width_angstrom**2
        sections = [
            ("TITLE", "20a4", ["toy"]),
            ("POINTERS", "10I8", pointers),
            ("ATOM_NAME", "20a4", [f"A{i}" for i in range(atoms)]),
            ("CHARGE", "5E16.8", [charge * _AMBER_CHARGE for charge in self.charges_e]),
            ("ATOMIC_NUMBER", "10I8", [6] * atoms),
            ("MASS", "5E16.8", [0.0] * self.guest + [self.guest_amu]),
            ("ATOM_TYPE_INDEX", "10I8", list(range(1, atoms + 1))),
            ("NUMBER_EXCLUDED_ATOMS", "10I8", [1] * atoms),
            ("NONBONDED_PARM_INDEX", "10I8", [value for row in index for value in row]),
            ("RESIDUE_LABEL", "20a4", ["HST", "GST"]),
            ("RESIDUE_POINTER", "10I8", [1, atoms]),
            ("BOND_FORCE_CONSTANT", "5E16.8", [k / 2]),
            ("BOND_EQUIL_VALUE", "5E16.8", [self.bond_angstrom]),
            *((name, "5E16.8", []) for name in (
                "ANGLE_FORCE_CONSTANT", "ANGLE_EQUIL_VALUE", "DIHEDRAL_FORCE_CONSTANT", "DIHEDRAL_PERIODICITY",
                "DIHEDRAL_PHASE", "SCEE_SCALE_FACTOR", "SCNB_SCALE_FACTOR", "SOLTY",
            )),
            ("LENNARD_JONES_ACOEF", "5E16.8", [4 * value * sixth**2 for value in lower]),
            ("LENNARD_JONES_BCOEF", "5E16.8", [4 * value * sixth for value in lower]),
            *((name, "10I8", []) for name in ("BONDS_INC_HYDROGEN",)),
            ("BONDS_WITHOUT_HYDROGEN", "10I8", [0, 3 * self.guest, 1]),
            *((name, "10I8", []) for name in (
                "ANGLES_INC_HYDROGEN", "ANGLES_WITHOUT_HYDROGEN", "DIHEDRALS_INC_HYDROGEN",
                "DIHEDRALS_WITHOUT_HYDROGEN",
            )),
            ("EXCLUDED_ATOMS_LIST", "10I8", [0] * atoms),
            ("HBOND_ACOEF", "5E16.8", []), ("HBOND_BCOEF", "5E16.8", []), ("HBCUT", "5E16.8", []),
            ("AMBER_ATOM_TYPE", "20a4", [f"T{i}" for i in range(atoms)]),
            ("TREE_CHAIN_CLASSIFICATION", "20a4", ["M"] * atoms),
            ("JOIN_ARRAY", "10I8", [0] * atoms),
            ("IROTAT", "10I8", [0] * atoms),
            ("RADIUS_SET", "1a80", ["none"]),
            ("RADII", "5E16.8", [1.5] * atoms),
            ("SCREEN", "5E16.8", [0.8] * atoms),
        ]  # fmt: skip
        return "%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/00  00:00:00\n" + "".join(
            f"%FLAG {name}\n%FORMAT({form})\n{_lines(form, values)}" for name, form, values in sections
        )


def _lines(form: str, values: Sequence[object]) -> str:
    per_line, width = {"20a4": (20, 4), "1a80": (1, 80), "10I8": (10, 8), "5E16.8": (5, 16)}[form]
    words = [f"{v:16.8E}" if form == "5E16.8" else f"{v:>8}" if form == "10I8" else f"{v:<{width}}" for v in values]
    rows = ["".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "\n".join(rows or [""]) + "\n"


def _ring(count: int, radius: float) -> list[tuple[float, float, float]]:
    angles = 2 * np.pi * np.arange(count) / count
    return [(float(radius * np.cos(a)), float(radius * np.sin(a)), 0.0) for a in angles]


_CENTRE = (0.0, 0.0, 0.0)
TOYS = {
    "harmonic": Toy(
        (_CENTRE,), (0.0, 0.0), 3.0, (0.0,), 0.0, 1.5, ((0.8, 0.6, 0.4),),
        ((0.0, 1.0, 1.0), *((float(20 ** (i / 4) - 1) / 19, 0.0, 0.0) for i in (1, 2, 3, 4))),
        guest_amu=0.15, steps=10, reach_angstrom=9.0,
        restraint=CentreOfMassRestraint((0,), (1,), 19 * KT / 1.5**2), friction_per_ps=60.0,
    ),
    "lennard_jones": Toy(
        (_CENTRE,), (0.0, 0.0), 3.4, (1.5,), 0.0, 2.5, ((2.8, 2.0, 1.8),),
        ((0.0, 1.0, 1.0), (0.0, 0.0, 0.6), (0.0, 0.0, 0.3), (0.0, 0.0, 0.1), (0.0, 0.0, 0.0)),
        guest_amu=0.2, steps=30, reach_angstrom=14.0, friction_per_ps=30.0,
    ),
    "double_well": Toy(
        (_CENTRE, *_ring(4, 2.0), (0.0, 0.0, 1.0)), (0.0, *[0.09] * 4, 0.02, 1.0), 3.0, (0.0,) * 6, 4.0, 0.2,
        ((0.1, 0.1, 4.5), *[(0.1, 0.1, -4.5)] * 3),
        ((0.0, 1.0, 1.0), (0.0, 0.7, 1.0), (0.0, 0.4, 1.0), (0.0, 0.15, 1.0), (0.0, 0.0, 0.0)),
        guest_amu=0.3, steps=50, reach_angstrom=7.0, friction_per_ps=30.0,
    ),
    "host_guest": Toy(
        (_CENTRE, *_ring(6, 3.9)), (0.0, *[-0.02] * 6, 0.25), 3.5, (0.0, *[1.0] * 6), 0.0, 2.5, ((0.2, 0.3, 0.4),),
        ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 0.0, 0.5), (1.0, 0.0, 0.2), (1.0, 0.0, 0.0)),
        guest_amu=0.3, steps=30, reach_angstrom=12.0, friction_per_ps=30.0,
        restraint=FlatBottomRestraint((0,), (7,), 10.0, 3.0),
    ),
}  # fmt: skip
"""By name. The double well is the slow one: coupled, charges round the equator keep the guest at its pole, 24 % at one
and 76 % at the other, where the starts are as well."""
