"""Topologies of GROMACS from Systems of OpenMM: the same terms, each with its parameters written out.

A System is what the other engine computes, so that both read one prmtop in one way. Nothing is left to tables of
types but Lennard-Jones of pairs that are neither excluded nor 1–4. Atoms that change with λ get a second state, B.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import openmm

from gibbsflow.engines.gromacs.atom_types import NOTHING, AtomTypes, TorsionMap
from gibbsflow.engines.gromacs.two_ends import TurningMolecule
from gibbsflow.engines.gromacs.walls import Walls
from gibbsflow.errors import EngineError, InputError, Problem
from gibbsflow.units import Floats, Ints

COULOMB = 138.935458
"""1/(4π ε0) as GROMACS has it, kJ nm/(mol e²)."""
INTEGRATOR_FORCES = (openmm.CMMotionRemover, openmm.MonteCarloBarostat, openmm.MonteCarloMembraneBarostat)
TABLE_NM = 5e-4
"""Between two points of the tabulated potential."""
_ATOMS_A_ROW = 100
"""GROMACS reads no longer rows than of 4095 characters, but puts together as many as are said to go on."""


@dataclass
class Terms:
    """Terms of one molecule, atoms counted from 0 within it; lengths in nm, energies in kJ/mol, angles in radians.

    Attributes
    ----------
    charges_e, sigma_nm, epsilon, mass_amu
        By atom.
    bonds, angles, torsions
        Atoms; then length and constant, angle and constant, or periodicity, phase and constant.
    constraints
        Atoms and distance.
    exceptions
        Atoms, product of charges, σ and ε in place of what the atoms say.
    maps
        Five atoms in a row, whose two torsions a map has energies for.
    sites
        Massless site, the three atoms that it is the mean of, and their weights.
    middles
        Massless site, and the atoms that it is the plain mean of: they are at their images nearest to the first.
    """

    charges_e: list[float] = field(default_factory=list)
    sigma_nm: list[float] = field(default_factory=list)
    epsilon: list[float] = field(default_factory=list)
    mass_amu: list[float] = field(default_factory=list)
    bonds: list[tuple[int, int, float, float]] = field(default_factory=list)
    angles: list[tuple[int, int, int, float, float]] = field(default_factory=list)
    torsions: list[tuple[int, int, int, int, int, float, float]] = field(default_factory=list)
    maps: list[tuple[int, int, int, int, int, TorsionMap]] = field(default_factory=list)
    constraints: list[tuple[int, int, float]] = field(default_factory=list)
    exceptions: list[tuple[int, int, float, float, float]] = field(default_factory=list)
    sites: list[tuple[int, int, int, int, float, float]] = field(default_factory=list)
    middles: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)


def topology_text(
    system: openmm.System,
    molecules: Ints,
    changing: Iterable[int] = (),
    turning: Mapping[int, TurningMolecule] = MappingProxyType({}),
    *,
    fading: Iterable[int] = (),
    walls: Walls | None = None,
) -> str:
    """Write the topology of a System.

    Parameters
    ----------
    system
        With bonds, angles, periodic torsions and maps of two of them, constraints, three-atom mean sites and one
        NonbondedForce.
    molecules
        Which molecule each atom is in, shape (N,). Molecules are written in the order of these numbers, each with its
        atoms as the System has them.
    changing
        Atoms that state B leaves without charges, and without Lennard-Jones but with each other; whole molecules.
    turning
        What stands in place of a molecule of the System, by its number: one that turns into another.
    fading
        Atoms that state B leaves without charges; whole molecules.
    walls
        What keeps atoms from the middle of others; with its molecules. None for none.

    Returns
    -------
    str
        A ``.top`` that includes nothing.

    Raises
    ------
    InputError
        For forces that have no counterpart here, or bonds between molecules.
    """
    off, faded = frozenset(changing), frozenset(fading)
    order = np.argsort(molecules, kind="stable").astype(np.int32)
    inside = np.split(order, np.flatnonzero(np.diff(molecules[order])) + 1)
    terms = _by_molecule(system, molecules, inside)
    if walls is not None:
        number = int(molecules[walls.centre[0]])
        _add_middle(terms[number], inside[number].tolist(), walls.centre)
    types = AtomTypes()
    fudge = _fudge([one for number, one in enumerate(terms) if number not in turning], turning.values())
    bodies: dict[str, str] = {}
    listed: list[list[str | int]] = []
    for number, one in enumerate(terms):
        if number in turning:
            body = turning[number].body(types, fudge)
        else:
            own = [{k for k, atom in enumerate(inside[number].tolist()) if atom in chosen} for chosen in (off, faded)]
            body = _molecule(one, types, fudge, *own)
        name = bodies.setdefault(body, f"M{len(bodies)}")
        if listed and listed[-1][0] == name:
            listed[-1][1] = int(listed[-1][1]) + 1
        else:
            listed.append([name, 1])
    parts = [f"[ defaults ]\n1 2 no 1.0 {fudge:.10f}", types.text()]
    parts += [f"[ moleculetype ]\n{name} 0\n{body}" for body, name in bodies.items()]
    counts = "\n".join(f"{name} {count}" for name, count in listed)
    parts.append(f"[ system ]\ngibbsflow\n\n[ molecules ]\n{counts}\n")
    return "\n\n".join(parts if walls is None else [*parts, walls.text()])


def coulomb_table(reach_nm: float) -> str:
    """Write the tabulated potential 1/r, flat below 0.05 nm.

    Parameters
    ----------
    reach_nm
        Largest distance.

    Returns
    -------
    str
        Rows of r, 1/r and 1/r², for ``-tableb``.
    """
    r = np.arange(0.0, reach_nm + TABLE_NM, TABLE_NM)
    near = np.maximum(r, 0.05)
    slope = np.where(r < 0.05, 0.0, 1 / near**2)
    rows = zip(r, 1 / near, slope, strict=True)
    return "".join(f"{x:.5f} {value:.12e} {force:.12e}\n" for x, value, force in rows)


def _by_molecule(system: openmm.System, molecules: Ints, inside: Sequence[Ints]) -> list[Terms]:
    terms = [Terms() for _ in inside]
    local = np.empty(len(molecules), dtype=np.int64)
    for atoms in inside:
        local[atoms] = np.arange(len(atoms))

    def home(*atoms: int) -> tuple[Terms, list[int]]:
        number = int(molecules[atoms[0]])
        if any(molecules[atom] != number for atom in atoms):
            right = "no such bond"
            raise InputError(Problem("topology", f"atoms {', '.join(map(str, atoms))} bond two molecules", right))
        return terms[number], [int(local[atom]) for atom in atoms]

    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce):
            for k in range(force.getNumBonds()):
                i, j, length, constant = force.getBondParameters(k)
                one, (a, b) = home(i, j)
                one.bonds.append((a, b, length._value, constant._value))
        elif isinstance(force, openmm.HarmonicAngleForce):
            for k in range(force.getNumAngles()):
                *atoms, angle, constant = force.getAngleParameters(k)
                one, (a, b, c) = home(*atoms)
                one.angles.append((a, b, c, angle._value, constant._value))
        elif isinstance(force, openmm.PeriodicTorsionForce):
            for k in range(force.getNumTorsions()):
                *atoms, periodicity, phase, constant = force.getTorsionParameters(k)
                one, (a, b, c, d) = home(*atoms)
                if constant._value:
                    one.torsions.append((a, b, c, d, periodicity, phase._value, constant._value))
        elif isinstance(force, openmm.CMAPTorsionForce):
            for k in range(force.getNumTorsions()):
                number, *atoms = force.getTorsionParameters(k)
                size, energies = force.getMapParameters(number)
                if atoms[1:4] != atoms[4:7] or size % 2:
                    what = "has a map of torsions that are not of five atoms in a row, or of an odd number of points"
                    raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
                one, (a, b, c, d, last) = home(*atoms[:4], atoms[7])
                one.maps.append((a, b, c, d, last, TorsionMap(size, tuple(value._value for value in energies))))
        elif isinstance(force, openmm.NonbondedForce):
            for atom in range(force.getNumParticles()):
                one = terms[int(molecules[atom])]
                charge, sigma, epsilon = (value._value for value in force.getParticleParameters(atom))
                one.charges_e.append(charge)
                one.sigma_nm.append(sigma)
                one.epsilon.append(epsilon)
                one.mass_amu.append(system.getParticleMass(atom)._value)
            for k in range(force.getNumExceptions()):
                i, j, product, sigma, epsilon = force.getExceptionParameters(k)
                one, (a, b) = home(i, j)
                one.exceptions.append((min(a, b), max(a, b), product._value, sigma._value, epsilon._value))
        elif not isinstance(force, INTEGRATOR_FORCES):
            what = f"has a {type(force).__name__}, which is not carried over to GROMACS"
            raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
    for k in range(system.getNumConstraints()):
        i, j, distance = system.getConstraintParameters(k)
        one, (a, b) = home(i, j)
        one.constraints.append((a, b, distance._value))
    for atom in range(system.getNumParticles()):
        if not system.isVirtualSite(atom):
            continue
        site = system.getVirtualSite(atom)
        if not isinstance(site, openmm.ThreeParticleAverageSite):
            what = f"has a {type(site).__name__}, which is not carried over to GROMACS"
            raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
        one, (a, b, c, d) = home(atom, *(site.getParticle(n) for n in range(3)))
        one.sites.append((a, b, c, d, site.getWeight(1), site.getWeight(2)))
    return terms


def _add_middle(one: Terms, atoms: Sequence[int], centre: Sequence[int]) -> None:
    """Put a site without mass in the middle of atoms behind all those of their molecule."""
    local = {atom: k for k, atom in enumerate(atoms)}
    one.middles.append((len(atoms), tuple(local[atom] for atom in centre)))
    one.charges_e.append(0.0)
    one.sigma_nm.append(NOTHING[0])
    one.epsilon.append(NOTHING[1])
    one.mass_amu.append(0.0)


def _fudge(terms: Sequence[Terms], turning: Iterable[TurningMolecule]) -> float:
    """What most 1–4 products of charges are scaled by."""
    ratios = [ratio for one in turning for ratio in one.fudges()]
    ratios += [
        product / (one.charges_e[i] * one.charges_e[j])
        for one in terms
        for i, j, product, _, _ in one.exceptions
        if product and abs(one.charges_e[i] * one.charges_e[j]) > 1e-6
    ]
    return float(np.median(ratios)) if ratios else 1.0


def _molecule(one: Terms, types: AtomTypes, fudge: float, off: Collection[int], faded: Collection[int]) -> str:
    sections: dict[str, list[str]] = defaultdict(list)
    if any((i in off) != (j in off) for i, j, *_ in one.exceptions):
        raise InputError(Problem("topology", "a part of a molecule changes with λ", "whole molecules"))

    def both(atom: int, *values: float) -> str:
        """Parameters of a bonded term, in state B the same as in A."""
        words = " ".join(f"{value:.12g}" for value in values)
        return f"{words} {words}" if atom in off else words

    middles: dict[int, TorsionMap] = {}
    for _, _, middle, _, _, torsion_map in one.maps:
        if middles.setdefault(middle, torsion_map) != torsion_map:
            what = f"atom {middle} of a molecule is in the middle of two maps of torsions"
            raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
    names = [types.name(one.sigma_nm[a], one.epsilon[a], middles.get(a)) for a in range(len(one.charges_e))]
    for a, name in enumerate(names):
        kind = (one.sigma_nm[a], one.epsilon[a])
        mass = f"{one.mass_amu[a]:.6f}"
        line = f"{a + 1} {name} 1 M X {a + 1} {one.charges_e[a]:.12g} {mass}"
        in_b = types.name_off(*kind) if a in off else name if a in faded else ""
        sections["atoms"].append(line + (f" {in_b} 0.0 {mass}" if in_b else ""))
    sections["bonds"] += [f"{i + 1} {j + 1} 1 {both(i, b, k)}" for i, j, b, k in one.bonds]
    sections["bonds"] += _quadratic(one, sorted(off))
    sections["angles"] += [f"{i + 1} {j + 1} {k + 1} 1 {both(i, math.degrees(t), c)}" for i, j, k, t, c in one.angles]
    for i, j, k, m, n, phase, c in one.torsions:
        values = f"{math.degrees(phase):.12g} {c:.12g} {n}"
        where = f"{i + 1} {j + 1} {k + 1} {m + 1}"
        sections["dihedrals"].append(f"{where} 9 {values} {values}" if i in off else f"{where} 9 {values}")
    for *five, torsion_map in one.maps:
        types.map_five([names[atom] for atom in five], torsion_map)
        sections["cmap"].append(" ".join(str(atom + 1) for atom in five) + " 1")
    if water := _settle(one):
        sections["settles"].append(water)
    else:
        sections["constraints"] += [f"{i + 1} {j + 1} 1 {both(i, d)}" for i, j, d in one.constraints]
    for i, j, product, sigma, epsilon in one.exceptions:
        if not product and not epsilon:
            continue
        own = one.charges_e[i] * one.charges_e[j] * fudge
        if abs(product - own) <= 1e-6 * abs(own) + 1e-9:
            sections["pairs"].append(f"{i + 1} {j + 1} 1 {both(i, sigma, epsilon)}")
        elif i in off:
            what = f"the 1-4 charges of atoms {i} and {j} of what is decoupled are scaled otherwise than the rest"
            raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
        else:
            sections["pairs"].append(f"{i + 1} {j + 1} 2 1.0 {product:.12g} 1.0 {sigma:.12g} {epsilon:.12g}")
    excluded: dict[int, list[int]] = defaultdict(list)
    for i, j, *_ in sorted(one.exceptions):
        excluded[i].append(j)
    sections["exclusions"] += [" ".join(str(a + 1) for a in (i, *others)) for i, others in excluded.items()]
    sections["virtual_sites3"] += [
        f"{a + 1} {i + 1} {j + 1} {k + 1} 1 {u:.12g} {v:.12g}" for a, i, j, k, u, v in one.sites
    ]
    for site, atoms in one.middles:
        words = [str(atom + 1) for atom in atoms]
        rows = [" ".join(words[k : k + _ATOMS_A_ROW]) for k in range(0, len(words), _ATOMS_A_ROW)]
        sections["virtual_sitesn"].append(" \\\n".join([f"{site + 1} 1", *rows]))
    return "\n\n".join(f"[ {name} ]\n" + "\n".join(lines) for name, lines in sections.items() if lines)


def _quadratic(one: Terms, atoms: Sequence[int]) -> list[str]:
    """−q q′/4r between all atoms that are not excepted, in state B of the bonded terms.

    GROMACS mixes charges linearly, (1 − λ) E(A) + λ E(B), also within the molecule. With μ = 4 (x − x²) as the λ of
    bonded terms this takes x q q′/r to x² q q′/r: charges that are scaled by x.
    """
    excepted = {(i, j) for i, j, *_ in one.exceptions}
    return [
        f"{i + 1} {j + 1} 9 0 0.0 0 {-COULOMB * one.charges_e[i] * one.charges_e[j] / 4:.12g}"
        for place, i in enumerate(atoms)
        for j in atoms[place + 1 :]
        if (i, j) not in excepted and one.charges_e[i] * one.charges_e[j]
    ]


def _settle(one: Terms) -> str:
    """The line of a rigid water; empty for anything else."""
    if len(one.constraints) != 3 or sum(mass > 0 for mass in one.mass_amu) != 3 or one.bonds or one.torsions:
        return ""
    distance = {(min(i, j), max(i, j)): d for i, j, d in one.constraints}
    if set(distance) != {(0, 1), (0, 2), (1, 2)} or not math.isclose(distance[0, 1], distance[0, 2]):
        return ""
    return f"1 1 {distance[0, 1]:.12g} {distance[1, 2]:.12g}"


def g96_text(positions_nm: Floats, box_nm: Floats, velocities_nm_per_ps: Floats | None = None) -> str:
    """Write coordinates to nine decimals, which a ``.gro`` does not hold by itself.

    Parameters
    ----------
    positions_nm
        Shape (N, 3), nm.
    box_nm
        Vectors as rows, shape (3, 3), nm.
    velocities_nm_per_ps
        Shape (N, 3), nm/ps; None for none.

    Returns
    -------
    str
        A ``.g96``.
    """
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = box_nm.tolist()
    box = "".join(f"{value:15.9f}" for value in (ax, by, cz, ay, az, bx, bz, cx, cy))
    moving = "" if velocities_nm_per_ps is None else f"VELOCITY\n{_g96_rows(velocities_nm_per_ps)}END\n"
    return f"TITLE\ngibbsflow\nEND\nPOSITION\n{_g96_rows(positions_nm)}END\n{moving}BOX\n{box}\nEND\n"


def _g96_rows(values: Floats) -> str:
    return "".join(
        f"{1:5d} {'M':<5s} {'X':<5s}{i % 10_000_000:7d}{x:15.9f}{y:15.9f}{z:15.9f}\n"
        for i, (x, y, z) in enumerate(values.tolist(), start=1)
    )


def read_g96(text: str) -> Mapping[str, Floats]:
    """Read the last frame of coordinates.

    Parameters
    ----------
    text
        A ``.g96``.

    Returns
    -------
    dict
        ``positions_nm`` and ``velocities_nm_per_ps``, shape (N, 3), and ``box_nm``, shape (3, 3).

    Raises
    ------
    EngineError
        For one that is truncated.
    """
    if not text.endswith("\nEND\n"):
        raise EngineError("a configuration without its end: its disk was full, or it is being written")
    found: dict[str, Floats] = {}
    for name, key in (("POSITION", "positions_nm"), ("VELOCITY", "velocities_nm_per_ps")):
        block = text.rpartition(f"\n{name}\n")[2].partition("\nEND")[0]
        # three numbers of 15 places each, which a blank parts from the other below 10 µm
        rows = " ".join(line[24:] for line in block.splitlines())
        found[key] = np.array(rows.split(), dtype=np.float64).reshape(-1, 3)
    numbers = [float(word) for word in text.rpartition("\nBOX\n")[2].partition("\nEND")[0].split()]
    ax, by, cz, ay, az, bx, bz, cx, cy = [*numbers, *[0.0] * 6][:9]
    found["box_nm"] = np.array([[ax, ay, az], [bx, by, bz], [cx, cy, cz]])
    return found
