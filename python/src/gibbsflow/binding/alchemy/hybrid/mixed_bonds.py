"""Bonded forces of a hybrid: what both ends have in common, and what belongs to one of them.

Terms of shared atoms are mixed by their energies, (1 − λ) U(A) + λ U(B): of two harmonic terms that is one, with the
mean force constant. A term that both ends have alike, and all terms of the surroundings, are OpenMM's own forces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import openmm

from gibbsflow.binding.alchemy.hybrid.pair.dummies import DummySet
from gibbsflow.binding.alchemy.hybrid.pair.ends import Term, bonded_terms
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms

CORE = "lambda_core"
"""Global parameter: 0 for A, 1 for B."""
_AT_A, _AT_B = (1.0, -1.0), (0.0, 1.0)
"""What a term is multiplied with: base + slope · λ."""
Weighed = tuple[Term, tuple[float, float]]

_ENERGY = {
    "bond": ("0.5*k*(r-r0)^2", ("r0", "k")),
    "angle": ("0.5*k*(theta-theta0)^2", ("theta0", "k")),
    "torsion": ("k*(1+cos(n*theta-phase))", ("n", "phase", "k")),
}
_PLAIN: dict[type[openmm.Force], str] = {
    openmm.HarmonicBondForce: "bond",
    openmm.HarmonicAngleForce: "angle",
    openmm.PeriodicTorsionForce: "torsion",
}


def mixed_terms(shared: SharedAtoms, dummies: Sequence[DummySet]) -> tuple[list[Term], list[Weighed]]:
    """Sort the bonded terms of both ligands.

    Parameters
    ----------
    shared
        The atoms.
    dummies
        Those of both ends, with what becomes of their terms.

    Returns
    -------
    constant
        Terms that are the same at all λ, in the hybrid's indices.
    weighed
        Terms with base and slope of what they are multiplied with.
    """
    constant: list[Term] = []
    weighed: list[Weighed] = []
    core: list[Counter[Term]] = []
    for end, place, unique, here, gone in (
        (shared.a, shared.place_a, shared.unique_a, _AT_A, _AT_B),
        (shared.b, shared.place_b, shared.unique_b, _AT_B, _AT_A),
    ):
        alone = set(unique)
        core.append(Counter(term.renumbered(place) for term in end.terms if not alone & set(term.atoms)))
        for group in (group for group in dummies if group.end is end):
            constant += [term.renumbered(place) for term in group.kept]
            weighed += [(term.renumbered(place), here) for term in group.dropped]
            weighed += [(term.renumbered(place), gone) for term in group.added]
    both = core[0] & core[1]
    constant += both.elements()
    for terms, weight in zip(core, (_AT_A, _AT_B), strict=True):
        weighed += [(term, weight) for term in (terms - both).elements()]
    return constant, weighed


def put_bonded(
    system: openmm.System, ligand: Iterable[int], constant: Iterable[Term], weighed: Sequence[Weighed]
) -> None:
    """Put the bonded terms of the ligands into a System, in place of those of the one.

    Parameters
    ----------
    system
        With A's terms; changed.
    ligand
        Indices of A's ligand.
    constant, weighed
        Of both, from :func:`mixed_terms`.
    """
    inside, constant = set(ligand), list(constant)
    for index in reversed(range(system.getNumForces())):
        force = system.getForce(index)
        if type(force) in _PLAIN:
            constant += [term for term in bonded_terms(force) if not inside & set(term.atoms)]
            system.removeForce(index)
    for kind, (expression, names) in _ENERGY.items():
        plain, add = _plain(kind)
        for term in sorted((t for t in constant if t.kind == kind), key=lambda t: (t.atoms, t.parameters)):
            add(term)
        system.addForce(plain)
        mixed = [(term, weight) for term, weight in weighed if term.kind == kind]
        if mixed:
            system.addForce(_weighed(kind, expression, names, mixed))


def _plain(kind: str) -> tuple[openmm.Force, Callable[[Term], object]]:
    if kind == "bond":
        bonds = openmm.HarmonicBondForce()
        return bonds, lambda term: bonds.addBond(*term.atoms, *term.parameters)
    if kind == "angle":
        angles = openmm.HarmonicAngleForce()
        return angles, lambda term: angles.addAngle(*term.atoms, *term.parameters)
    torsions = openmm.PeriodicTorsionForce()
    return torsions, lambda term: torsions.addTorsion(*term.atoms, int(term.parameters[0]), *term.parameters[1:])


def _weighed(kind: str, expression: str, names: Sequence[str], terms: Sequence[Weighed]) -> openmm.Force:
    make = {"bond": openmm.CustomBondForce, "angle": openmm.CustomAngleForce, "torsion": openmm.CustomTorsionForce}
    force = make[kind](f"(base+slope*{CORE})*{expression}")
    force.addGlobalParameter(CORE, 0.0)
    for name in ("base", "slope", *names):
        getattr(force, f"addPer{kind.capitalize()}Parameter")(name)
    for term, weight in terms:
        getattr(force, f"add{kind.capitalize()}")(*term.atoms, [*weight, *term.parameters])
    force.setName(f"Mixed{kind.capitalize()}s")
    return force
