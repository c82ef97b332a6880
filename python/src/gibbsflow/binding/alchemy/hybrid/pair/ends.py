"""An end state of an edge: the ligand of an OpenMM System, its terms counted as its own atoms are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import openmm
from openmm import app

from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

Pair = tuple[int, int]
NO_MOVE = (openmm.CMMotionRemover, openmm.MonteCarloBarostat, openmm.MonteCarloMembraneBarostat)
_READ = (
    openmm.HarmonicBondForce,
    openmm.HarmonicAngleForce,
    openmm.PeriodicTorsionForce,
    openmm.NonbondedForce,
    openmm.GBSAOBCForce,
)
_LEFT_ALONE = (openmm.CMAPTorsionForce, openmm.CustomCentroidBondForce, *NO_MOVE)


@dataclass(frozen=True)
class Term:
    """A bonded term.

    Attributes
    ----------
    atoms
        Two (bond), three (angle) or four (torsion).
    parameters
        As OpenMM's force has them: length (nm) or angle (rad) and force constant; periodicity, phase (rad), barrier.
    """

    atoms: tuple[int, ...]
    parameters: tuple[float, ...]

    @property
    def kind(self) -> str:
        """Name the kind of term.

        Returns
        -------
        str
            ``bond``, ``angle`` or ``torsion``.
        """
        return {2: "bond", 3: "angle", 4: "torsion"}[len(self.atoms)]

    def renumbered(self, place: tuple[int, ...]) -> Term:
        """Count the atoms in another way, the smaller end first.

        Parameters
        ----------
        place
            New number of each atom.

        Returns
        -------
        Term
            Equal for equal terms.
        """
        atoms = tuple(place[atom] for atom in self.atoms)
        return Term(min(atoms, atoms[::-1]), self.parameters)


@dataclass(frozen=True)
class EndState:
    """A ligand with its force field.

    Attributes
    ----------
    name
        What messages call it.
    system
        That it is in, with surroundings or alone.
    ligand
        0-based indices of its atoms there.
    topology
        Of the System: names, elements.
    """

    name: str
    system: openmm.System
    ligand: tuple[int, ...]
    topology: app.Topology

    @property
    def size(self) -> int:
        """Count the ligand's atoms.

        Returns
        -------
        int
            At least one.
        """
        return len(self.ligand)

    @cached_property
    def elements(self) -> tuple[int, ...]:
        """Give the elements.

        Returns
        -------
        tuple of int
            Atomic number of each atom of the ligand; 0 for none.
        """
        atoms = list(self.topology.atoms())
        return tuple(atoms[i].element.atomic_number if atoms[i].element else 0 for i in self.ligand)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Name the atoms for messages.

        Returns
        -------
        tuple of str
            Such as ``C7``.
        """
        atoms = list(self.topology.atoms())
        return tuple(atoms[i].name for i in self.ligand)

    @cached_property
    def place(self) -> dict[int, int]:
        """Say which atom of the ligand an atom of the System is.

        Returns
        -------
        dict
            Number in the ligand by index in the System.
        """
        return {atom: number for number, atom in enumerate(self.ligand)}

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Read the bonded terms of the ligand.

        Returns
        -------
        tuple of Term
            In the ligand's numbers.

        Raises
        ------
        InputError
            For a term that reaches into the surroundings, or a force that is not known here.
        """
        self._check_forces()
        return tuple(term for force in self.system.getForces() for term in self._own(bonded_terms(force)))

    @cached_property
    def constraints(self) -> dict[Pair, float]:
        """Read the constraints of the ligand.

        Returns
        -------
        dict
            Length (nm) by pair of the ligand's numbers, the smaller first.
        """
        found = {}
        for index in range(self.system.getNumConstraints()):
            i, j, length = self.system.getConstraintParameters(index)
            if i in self.place and j in self.place:
                found[_sorted(self.place[i], self.place[j])] = length._value
        return found

    @cached_property
    def bonds(self) -> nx.Graph:
        """Give the bonds of the ligand, constrained ones included.

        Returns
        -------
        Graph
            Of the ligand's numbers.
        """
        graph = nx.Graph()
        graph.add_nodes_from(range(self.size))
        graph.add_edges_from(term.atoms for term in self.terms if term.kind == "bond")
        graph.add_edges_from(self.constraints)
        return graph

    @cached_property
    def nonbonded(self) -> openmm.NonbondedForce:
        """Give the force of charges and Lennard-Jones.

        Returns
        -------
        openmm.NonbondedForce
            The System's own.
        """
        (force,) = (f for f in self.system.getForces() if isinstance(f, openmm.NonbondedForce))
        return force

    @cached_property
    def particles(self) -> Floats:
        """Read charges and Lennard-Jones of the ligand.

        Returns
        -------
        ndarray
            Charge (e), σ (nm), ε (kJ/mol) of each atom, shape (n, 3).
        """
        return np.array([[v._value for v in self.nonbonded.getParticleParameters(i)] for i in self.ligand])

    @cached_property
    def exceptions(self) -> dict[Pair, tuple[float, float, float]]:
        """Read the pairs of the ligand that interact in another way: excluded, and 1–4.

        Returns
        -------
        dict
            Product of charges (e²), σ (nm), ε (kJ/mol) by pair of the ligand's numbers, the smaller first.
        """
        found = {}
        for index in range(self.nonbonded.getNumExceptions()):
            i, j, *values = self.nonbonded.getExceptionParameters(index)
            if i in self.place and j in self.place:
                product, sigma, epsilon = (value._value for value in values)
                found[_sorted(self.place[i], self.place[j])] = (product, sigma, epsilon)
        return found

    @cached_property
    def born(self) -> Floats | None:
        """Read the ligand's parameters of implicit solvent.

        Returns
        -------
        ndarray or None
            Radius (nm) and scale of each atom, shape (n, 2); None without.
        """
        for force in self.system.getForces():
            if isinstance(force, openmm.GBSAOBCForce):
                every = [force.getParticleParameters(i) for i in self.ligand]
                return np.array([[radius._value, scale] for _, radius, scale in every])
        return None

    @property
    def masses(self) -> Floats:
        """Read the masses of the ligand's atoms.

        Returns
        -------
        ndarray
            As in the System, hydrogens perhaps repartitioned, amu, shape (n,).
        """
        return np.array([self.system.getParticleMass(i)._value for i in self.ligand])

    @property
    def charge(self) -> float:
        """Sum the charges of the ligand.

        Returns
        -------
        float
            In e.
        """
        return float(self.particles[:, 0].sum())

    def heavy(self, atom: int) -> bool:
        """Say whether an atom is none of hydrogen.

        Parameters
        ----------
        atom
            Number in the ligand.

        Returns
        -------
        bool
            By its element.
        """
        return self.elements[atom] != 1

    def rest_angle(self, a: int, b: int, c: int) -> float | None:
        """Look up the angle of least energy.

        Parameters
        ----------
        a, b, c
            Numbers in the ligand, b in the middle.

        Returns
        -------
        float or None
            Radian; None where there is no such term.
        """
        return self._angles.get((min(a, c), b, max(a, c)))

    @cached_property
    def _angles(self) -> dict[tuple[int, int, int], float]:
        return {
            (min(t.atoms[0], t.atoms[2]), t.atoms[1], max(t.atoms[0], t.atoms[2])): t.parameters[0]
            for t in self.terms
            if t.kind == "angle"
        }

    def _own(self, terms: list[Term]) -> list[Term]:
        found = []
        for term in terms:
            inside = [self.place[atom] for atom in term.atoms if atom in self.place]
            if inside and len(inside) < len(term.atoms):
                raise InputError(Problem(self.name, f"a {term.kind} ties the ligand to the rest", "no such bond"))
            if inside:
                found.append(Term(tuple(inside), term.parameters))
        return found

    def _check_forces(self) -> None:
        for force in self.system.getForces():
            if not isinstance(force, (*_READ, *_LEFT_ALONE)):
                right = "bonds, angles, torsions and pairs as AMBER topologies have them"
                raise InputError(Problem(self.name, f"has a {force.getName()}", right, field="topology"))
            if isinstance(force, openmm.CMAPTorsionForce):
                for index in range(force.getNumTorsions()):
                    if set(force.getTorsionParameters(index)[1:]) & set(self.ligand):
                        what = "a CMAP term of the ligand"
                        raise InputError(Problem(self.name, what, "a ligand without CMAP", field="topology"))


def bonded_terms(force: openmm.Force) -> list[Term]:
    """List the terms of a force of bonds, angles or torsions.

    Parameters
    ----------
    force
        Any force.

    Returns
    -------
    list of Term
        In the System's indices; none of another kind of force.
    """
    if isinstance(force, openmm.HarmonicBondForce):
        rows = [force.getBondParameters(i) for i in range(force.getNumBonds())]
        return [Term((i, j), (length._value, k._value)) for i, j, length, k in rows]
    if isinstance(force, openmm.HarmonicAngleForce):
        rows = [force.getAngleParameters(i) for i in range(force.getNumAngles())]
        return [Term((i, j, k), (angle._value, c._value)) for i, j, k, angle, c in rows]
    if isinstance(force, openmm.PeriodicTorsionForce):
        rows = [force.getTorsionParameters(i) for i in range(force.getNumTorsions())]
        return [
            Term((i, j, k, m), (float(n), phase._value, barrier._value))
            for i, j, k, m, n, phase, barrier in rows
            if not math.isclose(barrier._value, 0, abs_tol=1e-15)
        ]
    return []


def _sorted(i: int, j: int) -> Pair:
    return (i, j) if i < j else (j, i)
