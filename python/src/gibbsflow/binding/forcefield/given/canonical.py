"""Topologies of other programs as an AMBER topology, with the same energy: GROMACS' by ParmEd, and OpenMM's System."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from openmm import app, unit

from gibbsflow.binding.forcefield.given.coordinate_files import BoxedCoordinates
from gibbsflow.binding.forcefield.given.prmtop_terms import elements_of
from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text
from gibbsflow.binding.forcefield.topology_file import sections, without_date
from gibbsflow.binding.prepare.solvated.gromacs_rows import GromacsRows, gromacs_rows
from gibbsflow.binding.prepare.solvated.includes import flattened
from gibbsflow.errors import InputError, Problem, one_line
from gibbsflow.units import KJ_PER_KCAL, Floats
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

TOPOLOGY_RIGHT = "a prmtop, parm7 or prm7 (AMBER), a top (GROMACS), or an xml (OpenMM's System)"
SUFFIXES = {".prmtop": "amber", ".parm7": "amber", ".prm7": "amber", ".top": "gromacs", ".xml": "openmm"}
ENERGY_RELATIVE = 1e-5
"""How near the energy of a converted topology has to be, term by term."""
CUTOFF_NM = 0.9
_PLAIN_FORCES = (
    "HarmonicBondForce", "HarmonicAngleForce", "PeriodicTorsionForce", "RBTorsionForce", "CMAPTorsionForce",
    "NonbondedForce",
)  # fmt: skip
_OF_MOTION = (
    "CMMotionRemover", "MonteCarloBarostat", "MonteCarloAnisotropicBarostat", "MonteCarloFlexibleBarostat",
    "MonteCarloMembraneBarostat", "AndersenThermostat",
)  # fmt: skip
_NOMINAL_K = 553.0
"""Force constant of a bond that its source holds rigid: only its length counts, which is constrained here too."""


def amber_text(
    topology: Path,
    coordinates: BoxedCoordinates,
    beside: Sequence[Path],
    pdb: str | None,
    account: Account,
    *,
    field: str,
) -> str:
    """Give a topology as AMBER's text.

    Parameters
    ----------
    topology
        The file; its suffix says of which program.
    coordinates
        Positions and box.
    beside
        What a GROMACS topology includes, where it does not lie beside it.
    pdb
        Text of the PDB that goes with a System, which has no names of its own; None where there is none.
    account
        Takes how the text came about, and what it lacks.
    field
        Column or option that names the topology.

    Returns
    -------
    str
        The topology, without a date.

    Raises
    ------
    InputError
        Where it cannot be read, or has terms that AMBER's form does not hold.
    """
    kind, where = SUFFIXES.get(topology.suffix.lower()), str(topology)
    if kind is None:
        raise InputError(Problem(where, f"of unknown kind {topology.suffix!r}", TOPOLOGY_RIGHT, field=field))
    if kind == "amber":
        return without_date(read_text(topology, TOPOLOGY_RIGHT, STRUCTURE_BYTES, field=field, errors="replace"))
    if kind == "gromacs":
        text, files = flattened(topology, beside, field=field)
        if text.lstrip().startswith("%"):  # AMBER's topologies were called so once
            return without_date(text)
        with _by_parmed(where, field):
            structure, rows = _gromacs(text, where, field)
            _same_count(len(structure.atoms), coordinates, where, field)
            made = _converted(structure, coordinates, structure.createSystem, where, field)
        account.note(f"a GROMACS topology with {len(files)} included files, converted by ParmEd")
        for molecule, atoms in rows.restrained.items():
            what = f"{topology.name}: position restraints on {atoms} atoms of {molecule} are left out"
            account.warn(what, "none, or #ifdef POSRES round them: legs have restraints of their own")
        for molecule, atoms in rows.second_states.items():
            what = f"{topology.name}: {atoms} atoms of {molecule} have a state B; A is computed"
            account.warn(what, "the topology of one molecule: what a leg turns it into is made here")
        return made
    text = read_text(topology, TOPOLOGY_RIGHT, STRUCTURE_BYTES, field=field)
    if pdb is None:
        what = "a System of OpenMM has no names of atoms and residues"
        raise InputError(Problem(where, what, "coordinates as PDB, in the order of the System", field=field))
    system = _deserialised(text, where, field)
    _same_count(system.getNumParticles(), coordinates, where, field)
    with _by_parmed(where, field):
        structure = _of_system(system, pdb, coordinates, where, field)
        made = _converted(structure, coordinates, lambda **_: _in_pme(system), where, field)
    if told := _other_than_ours(system):
        what = f"{topology.name}: {', '.join(told)} of its NonbondedForce, which is computed as all boxes are"
        account.warn(what, "PME, Lennard-Jones cut off at cutoff_angstrom with its long-range correction, not switched")
    account.note(
        "a System of OpenMM with names from its PDB, converted by ParmEd; bonds that it constrains have no force "
        "constant, and are constrained here"
    )
    return made


@contextmanager
def _by_parmed(where: str, field: str) -> Iterator[None]:
    """Turn whatever ParmEd says of a file into one refusal: it raises errors of many kinds for files from outside."""
    import parmed  # noqa: F401 - sets filters of its own for its warnings, which those below come after

    logging.getLogger("parmed").setLevel(logging.WARNING)  # it tells of each kind of term that it writes
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        said = one_line(f"{type(error).__name__}: {error}", 200)
        right = "a topology of harmonic bonds and angles, periodic torsions and 12-6 Lennard-Jones"
        raise InputError(Problem(where, f"ParmEd cannot convert it ({said})", right, field=field)) from error


def _same_count(atoms: int, coordinates: BoxedCoordinates, where: str, field: str) -> None:
    if atoms != len(coordinates.positions_angstrom):
        what = f"{atoms} atoms, and {len(coordinates.positions_angstrom)} in the coordinates"
        raise InputError(Problem(where, what, "topology and coordinates of one system", field=field))


def _gromacs(text: str, where: str, field: str) -> tuple[Any, GromacsRows]:
    """ParmEd's structure, and the rows that it was made of."""
    from parmed.gromacs import GromacsTopologyFile
    from parmed.gromacs.gromacstop import GromacsFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.top"
        path.write_text(text)
        rows = gromacs_rows(GromacsFile(str(path)))
        _refuse(rows.problems, where, field)
        path.write_text(rows.text)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            structure = GromacsTopologyFile(str(path))
        _numbered(structure, rows.unnumbered)
        _refuse(_apart(structure, [str(one.message) for one in told]), where, field)
    if structure.combining_rule != "lorentz" or structure.defaults.nbfunc != 1:
        what = "its combination rule is not 2 (Lorentz and Berthelot, σ and ε), which the soft core has"
        raise InputError(Problem(where, what, "a force field of AMBER's form", field=field))
    return structure, rows


def _numbered(structure: Any, unnumbered: Collection[str]) -> None:
    """Give atoms of types without an atomic number that of their mass, which may be repartitioned; ParmEd's is next."""
    from parmed import ExtraPoint

    unknown = [atom.type in unnumbered and not isinstance(atom, ExtraPoint) for atom in structure.atoms]
    if any(unknown):
        numbers = np.where(unknown, 0, [atom.atomic_number for atom in structure.atoms]).astype(np.int32)
        masses, names = np.array([atom.mass for atom in structure.atoms]), [atom.name for atom in structure.atoms]
        bonds = np.array([(bond.atom1.idx, bond.atom2.idx) for bond in structure.bonds], dtype=np.int32).reshape(-1, 2)
        for atom, number in zip(structure.atoms, elements_of(numbers, masses, names, bonds).tolist(), strict=True):
            atom.atomic_number = number


def _refuse(problems: Sequence[str], where: str, field: str) -> None:
    if problems:
        right = "a topology of nrexcl 3, without restraints, constraints or exclusions of its own, each term once; "
        right += "bonds and pairs of function 1, pairs of the σ of their types"
        raise InputError(Problem(where, "; ".join(dict.fromkeys(problems)), right, field=field))


def _apart(structure: Any, told: Sequence[str]) -> list[str]:
    """What GROMACS leaves out among atoms that are not near, and ParmEd does not; from atoms and its warnings."""
    problems = []
    for name, (molecule, _) in structure.molecules.items():
        for atom in (one for one in molecule.atoms if one._exclusion_partners):
            bonded = {atom}
            for _ in range(3):
                bonded |= {partner for one in bonded for partner in one.bond_partners}
            if apart := [other.idx + 1 for other in atom._exclusion_partners if other not in bonded]:
                problems.append(f"excludes atoms {atom.idx + 1} and {apart[0]} of {name}, more than three bonds apart")
                break
    return problems + [f"has a molecule with nrexcl {one.split()[1]}" for one in told if one.startswith("nrexcl ")]


def _deserialised(text: str, where: str, field: str) -> openmm.System:
    try:
        system = openmm.XmlSerializer.deserialize(text)
    except (openmm.OpenMMException, ValueError) as error:
        said = one_line(str(error), 200)
        raise InputError(
            Problem(where, f"not readable as a System of OpenMM ({said})", TOPOLOGY_RIGHT, field=field)
        ) from error
    if not isinstance(system, openmm.System):
        raise InputError(Problem(where, f"holds a {type(system).__name__}", TOPOLOGY_RIGHT, field=field))
    names = [type(force).__name__ for force in system.getForces()]
    strange = [name for name in names if name not in (*_PLAIN_FORCES, *_OF_MOTION)]
    strange += [name for name in _PLAIN_FORCES if names.count(name) > 1] + ["no NonbondedForce"] * (
        "NonbondedForce" not in names
    )
    if strange:
        what = f"has forces that the alchemy does not know: {', '.join(dict.fromkeys(strange))}"
        right = f"one of each of {', '.join(_PLAIN_FORCES)}"
        raise InputError(Problem(where, what, right, field=field))
    if not system.usesPeriodicBoundaryConditions():
        raise InputError(Problem(where, "has no periodic box", "a System with PME", field=field))
    for index in reversed(range(len(names))):  # of some ParmEd knows nothing
        if names[index] in _OF_MOTION:
            system.removeForce(index)
    return system


def _of_system(system: openmm.System, pdb: str, coordinates: BoxedCoordinates, where: str, field: str) -> Any:
    """A System with the names of a PDB; bonds are the System's own, those that it holds rigid among them."""
    from parmed.openmm import load_topology
    from parmed.topologyobjects import Bond, BondType

    named = app.PDBFile(io.StringIO(pdb)).topology
    bare = app.Topology()
    for chain in named.chains():
        own = bare.addChain(chain.id)
        for residue in chain.residues():
            place = bare.addResidue(residue.name, own, residue.id)
            for atom in residue.atoms():
                bare.addAtom(atom.name, atom.element, place)
    structure = load_topology(bare, system, coordinates.positions_angstrom)
    bonded = {frozenset((bond.atom1.idx, bond.atom2.idx)) for bond in structure.bonds}
    masses = [system.getParticleMass(i)._value for i in range(system.getNumParticles())]
    for atom, mass in zip(structure.atoms, masses, strict=True):
        atom.mass = mass
    held = [system.getConstraintParameters(index) for index in range(system.getNumConstraints())]
    _same_elements(structure, np.array(masses), [(i, j) for i, j, _ in held], where, field)
    types: dict[float, Any] = {}
    for i, j, length in held:
        if frozenset((i, j)) in bonded:
            continue
        if 1 not in (structure.atoms[i].atomic_number, structure.atoms[j].atomic_number):
            what = f"atoms {i + 1} and {j + 1} are held rigid and have no force constant"
            raise InputError(Problem(where, what, "a System with no constraints but those of HBonds", field=field))
        nominal = types.setdefault(length._value, BondType(_NOMINAL_K, length._value * 10))
        if nominal not in structure.bond_types:
            structure.bond_types.append(nominal)
        structure.bonds.append(Bond(structure.atoms[i], structure.atoms[j], type=nominal))
    structure.bond_types.claim()
    return structure


def _same_elements(structure: Any, masses_amu: Floats, held: Sequence[Sequence[int]], where: str, field: str) -> None:
    """Refuse a PDB whose elements are not those of the System's masses; masses of no element tell nothing."""
    bonds = np.array([*((b.atom1.idx, b.atom2.idx) for b in structure.bonds), *held], dtype=np.int32).reshape(-1, 2)
    numbers = np.array([atom.atomic_number for atom in structure.atoms])
    try:
        meant = elements_of(np.zeros_like(numbers), masses_amu, [atom.name for atom in structure.atoms], bonds)
    except ValueError:
        return
    for place in np.flatnonzero((numbers > 0) & (meant > 0) & (numbers != meant))[:1].tolist():
        atom, has = structure.atoms[place], app.Element.getByAtomicNumber(int(meant[place])).symbol
        called = f"{atom.name} of {atom.residue.name} {atom.residue.idx + 1}, atom {place + 1}"
        given = app.Element.getByAtomicNumber(atom.atomic_number).symbol
        what = f"{called}, is {given} in the PDB and has the mass of {has} in the System"
        right = "a PDB in the order of the System, with elements in its columns 77 and 78"
        raise InputError(Problem(where, what, right, field=field))


def _converted(
    structure: Any, coordinates: BoxedCoordinates, source: Callable[..., openmm.System], where: str, field: str
) -> str:
    """AMBER's text of a structure, whose energy is held against that of its source."""
    from parmed.amber import AmberParm

    for held in structure.dihedral_types:
        for kind in held if isinstance(held, list) else [held]:  # lists: several terms of one row of atom types
            if kind.per == 0:  # a constant, which moves nothing; its 1-4 pair stays
                kind.per, kind.phi_k = 1, 0.0
    structure.coordinates = coordinates.positions_angstrom
    structure.box = list(coordinates.box_angstrom)
    if structure.unknown_functional or structure.urey_bradleys or structure.impropers:
        kinds = {"Urey-Bradley terms": structure.urey_bradleys, "harmonic impropers": structure.impropers}
        told = [kind for kind, terms in kinds.items() if terms] or ["terms of an unknown form"]
        raise InputError(
            Problem(where, f"has {', '.join(told)}", "harmonic bonds and angles, and torsions", field=field)
        )
    width = 10 * float(np.diag(_vectors_nm(coordinates)).min())
    if width < 20 * CUTOFF_NM:
        what = f"a box of {width:.1f} Å, in which it cannot be compared with what it is converted to"
        right = f"a box of at least {20 * CUTOFF_NM:g} Å, twice the cutoff of the comparison"
        raise InputError(Problem(where, what, right, field=field))
    given = source(**_pme())
    constant = _as_periodic_torsions(structure)
    try:
        parm = AmberParm.from_structure(structure)
    except TypeError as error:
        if "exceptions" not in str(error):
            raise
        what = "has 1-4 pairs with Lennard-Jones of their own, which is not that of their atoms, scaled"
        raise InputError(Problem(where, what, "pairs by fudgeLJ and fudgeQQ, without numbers", field=field)) from error
    for atom in parm.atoms:  # a copied site is a child beside that which it was copied from, and would be written twice
        atom.children = [site for site in atom.children if site.idx >= 0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.prmtop"
        parm.write_parm(str(path))
        text = without_date(path.read_text())
        made = app.AmberPrmtopFile(str(path)).createSystem(**_pme())
    before, after = (_energies(system, coordinates) for system in (given, made))
    before["PeriodicTorsionForce"] = (
        before.get("PeriodicTorsionForce", 0.0) + before.pop("RBTorsionForce", constant) - constant
    )
    for name, value in before.items():
        if abs(value - after.get(name, 0.0)) > ENERGY_RELATIVE * max(abs(value), 1000.0):
            what = f"{name} is {value:.3f} kJ/mol as given and {after.get(name, 0.0):.3f} as converted"
            raise InputError(Problem(where, what, "a topology of AMBER's form", field=field))
    return text


def _as_periodic_torsions(structure: Any) -> float:
    """Write Ryckaert-Bellemans torsions Σ Cₙ cosⁿ(φ − 180°) as Σ kₙ (1 + cos nφ), and say by how much they differ."""
    from parmed.topologyobjects import Dihedral, DihedralType

    constant, made = 0.0, {}
    for torsion in structure.rb_torsions:
        kind = torsion.type
        c = [kind.c0, kind.c1, kind.c2, kind.c3, kind.c4, kind.c5]
        if kind not in made:
            k = [
                -c[1] - 3 * c[3] / 4 - 5 * c[5] / 8,
                (c[2] + c[4]) / 2,
                -c[3] / 4 - 5 * c[5] / 16,
                c[4] / 8,
                -c[5] / 16,
            ]
            terms = [(n, value) for n, value in enumerate(k, start=1) if value != 0] or [(1, 0.0)]
            made[kind] = [DihedralType(value, n, 0.0, scee=kind.scee, scnb=kind.scnb) for n, value in terms]
            structure.dihedral_types.extend(made[kind])
        constant += sum(c) - sum(2 * t.phi_k for t in made[kind] if t.per % 2 == 0)
        a, b, d, e = torsion.atom1, torsion.atom2, torsion.atom3, torsion.atom4
        for number, term in enumerate(made[kind]):
            ignored = torsion.ignore_end or number > 0  # its 1-4 pair is counted once
            structure.dihedrals.append(Dihedral(a, b, d, e, ignore_end=ignored, type=term))
    del structure.rb_torsions[:]
    del structure.rb_torsion_types[:]
    structure.dihedral_types.claim()
    return constant * KJ_PER_KCAL


def _pme() -> dict[str, Any]:
    return {"nonbondedMethod": app.PME, "nonbondedCutoff": CUTOFF_NM * unit.nanometer, "constraints": app.HBonds}


def _in_pme(system: openmm.System) -> openmm.System:
    """The same with cutoff and PME as topologies are given here, for comparison."""
    copy = openmm.XmlSerializer.clone(system)
    for force in copy.getForces():
        if isinstance(force, openmm.NonbondedForce):
            force.setNonbondedMethod(openmm.NonbondedForce.PME)
            force.setCutoffDistance(CUTOFF_NM)
            force.setUseSwitchingFunction(False)
            force.setUseDispersionCorrection(True)
            force.setEwaldErrorTolerance(5e-4)
            force.setPMEParameters(0, 0, 0, 0)
    return copy


def _other_than_ours(system: openmm.System) -> list[str]:
    """What a System's pairs have of its own and do not keep; a cutoff is one of the settings."""
    (force,) = (one for one in system.getForces() if isinstance(one, openmm.NonbondedForce))
    if force.getNonbondedMethod() == openmm.NonbondedForce.LJPME:
        return ["LJPME"]
    told = {
        "a reaction field": force.getNonbondedMethod() == openmm.NonbondedForce.CutoffPeriodic,
        "a switching function": force.getUseSwitchingFunction(),
        "no long-range correction": not force.getUseDispersionCorrection(),
    }
    return [name for name, has in told.items() if has]


def _energies(system: openmm.System, coordinates: BoxedCoordinates) -> dict[str, float]:
    """Energy of each kind of force but of bonds, which may be rigid in one form alone; kJ/mol."""
    groups: dict[str, int] = {}
    for force in system.getForces():
        force.setForceGroup(groups.setdefault(type(force).__name__, len(groups)))
    # before there is a context: its mesh is laid by them, and a prmtop holds one angle where a box may have three
    system.setDefaultPeriodicBoxVectors(*_vectors_nm(coordinates))
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
    context.setPositions(coordinates.positions_angstrom / 10)
    return {
        name: float(context.getState(getEnergy=True, groups={group}).getPotentialEnergy()._value)
        for name, group in groups.items()
        if name in _PLAIN_FORCES and name != "HarmonicBondForce"
    }


def _vectors_nm(coordinates: BoxedCoordinates) -> Floats:
    return coordinates.vectors_angstrom / 10


def settled(
    text: str, elements: Sequence[int], waters: Sequence[int], molecule_sizes: Sequence[int], vectors_angstrom: Floats
) -> str:
    """Name the waters as OpenMM and AMBER know them, and write elements, box and molecules as they were found.

    Parameters
    ----------
    text
        The topology.
    elements
        Atomic numbers.
    waters
        Residues that are water.
    molecule_sizes
        Atoms of each molecule, in the order of the file.
    vectors_angstrom
        Reduced vectors of the box as rows, Å.

    Returns
    -------
    str
        The topology; the box is one of right angles unless all three are alike: the true one is with the coordinates.
    """
    found, named = prmtop_text.split(text), set(waters)
    labels = prmtop_text.words(found["RESIDUE_LABEL"])
    if {labels[i] for i in named} - {"WAT", "HOH"}:
        fresh = ["WAT" if i in named else label for i, label in enumerate(labels)]
        found["RESIDUE_LABEL"] = prmtop_text.section("a", fresh)
    lengths, angles = np.linalg.norm(vectors_angstrom, axis=1), _angles(vectors_angstrom)
    alike = np.allclose(angles, angles[0], atol=1e-3)
    beta, box = (angles[0], lengths) if alike else (90.0, np.diag(vectors_angstrom))
    found["ATOMIC_NUMBER"] = prmtop_text.section("I", elements)
    found["ATOMS_PER_MOLECULE"] = prmtop_text.section("I", molecule_sizes)
    found["BOX_DIMENSIONS"] = prmtop_text.section("E", (beta, *box))
    return prmtop_text.joined(found)


def _angles(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [vectors[i] @ vectors[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    return np.degrees(np.arccos(cosines))


def without_others(prmtop: Path, atoms: Sequence[int], target: Path) -> None:
    """Write the topology of some atoms alone, in vacuum.

    Parameters
    ----------
    prmtop
        AMBER topology.
    atoms
        What stays, whole molecules.
    target
        File to write.
    """
    from parmed.amber import AmberParm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = AmberParm(str(prmtop))
        keep = np.zeros(len(whole.atoms), dtype=int)
        keep[list(atoms)] = 1
        parm = whole[keep.tolist()]  # strip would leave Lennard-Jones tables of the types that are gone
        parm.box = None
        parm.write_parm(str(target))
    target.write_text(without_date(target.read_text()))
    assert "ATOMS_PER_MOLECULE" not in sections(target)
