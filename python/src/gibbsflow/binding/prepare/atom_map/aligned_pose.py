"""A ligand without a pose of its own, put on the pose of another by what the two have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdFMCS, rdForceFieldHelpers, rdMolAlign, rdShapeHelpers
from rdkit.Geometry import Point3D
from scipy.spatial import cKDTree

from gibbsflow.binding.prepare.atom_map.atom_maps import DEFAULT_RULES, AtomMap, MapRules, name_of
from gibbsflow.binding.prepare.small_molecule.faults import Fault, MoleculeError
from gibbsflow.binding.prepare.small_molecule.mapping import heavy_only
from gibbsflow.binding.prepare.small_molecule.stereo import specified
from gibbsflow.units import Floats

SEARCH_S = 5
"""Bound of one search for a common graph; one that is stopped is said, and never taken for the largest."""
MOST_WAYS = 8
"""Ways to lay the common graph on the reference (flips of rings and groups) that are embedded."""
CONFORMERS = 5
CONFORMERS_IN_RECEPTOR = 20
"""The same where a receptor leaves room for few of them."""
REFINED = 5
"""Of all ways and conformers, those that look best are minimised: that is most of the time."""
CLASH_ANGSTROM = 2.0
STIFF_KCAL_PER_MOL_ANGSTROM2 = 100.0
FREE_ANGSTROM = 0.1
"""Core atoms may move this far before they are held."""
FAR_ANGSTROM = 0.5
"""A core atom that ends farther from its place than this is said."""


@dataclass(frozen=True)
class AlignedPose:
    """A pose that was found.

    Attributes
    ----------
    mol
        The ligand with one conformer, in the frame of the reference.
    atom_map
        From the ligand to the reference: the heavy atoms that were laid on one another.
    rmsd_angstrom
        Deviation of these from their places.
    furthest_angstrom
        The largest deviation of one of them.
    clashes
        Heavy atoms nearer to the receptor than the bound; 0 where none was given.
    notes
        Deviations, clashes, and a search that was stopped, in words.
    """

    mol: Chem.Mol
    atom_map: AtomMap
    rmsd_angstrom: float
    furthest_angstrom: float
    clashes: int
    notes: tuple[str, ...]


def align_pose(
    mol: Chem.Mol,
    reference: Chem.Mol,
    atom_map: AtomMap | None = None,
    *,
    seed: int,
    receptor_angstrom: Floats | None = None,
    clash_angstrom: float = CLASH_ANGSTROM,
    rules: MapRules = DEFAULT_RULES,
) -> AlignedPose:
    """Put a ligand on the pose of another: embedded with the common core in its place, and minimised with it held.

    Of the ways to lay a symmetric core on the reference, and of several conformers, the one with the fewest clashes is
    taken, and among those the one that fills the space of the reference best. The most promising are minimised.

    Parameters
    ----------
    mol
        The ligand, with all hydrogens and its stereochemistry; its conformers are not looked at.
    reference
        With all hydrogens and its pose.
    atom_map
        From the ligand to the reference; None for the largest common graph.
    seed
        Of the embedding.
    receptor_angstrom
        Heavy atoms of the receptor, shape (atoms, 3), where they are to be kept clear of.
    clash_angstrom
        Heavy atoms closer than this clash.
    rules
        Fewest heavy atoms of the core; whether elements may change.

    Returns
    -------
    AlignedPose
        With what is to be known of it.

    Raises
    ------
    MoleculeError
        Where the two have too little in common, or the ligand's isomer does not fit on the reference.
    """
    names = name_of(mol, "the ligand"), name_of(reference, "the reference")
    if atom_map is None:
        ways, notes = common_graphs(mol, reference, rules)
    else:
        heavy = {i: j for i, j in atom_map.pairs if mol.GetAtomWithIdx(i).GetAtomicNum() > 1}
        ways, notes = [heavy], list(atom_map.notes)
    if not ways or len(ways[0]) < rules.fewest_heavy:
        what = f"{names[0]} and {names[1]} have {len(ways[0]) if ways else 0} heavy atoms in common"
        right = f"a reference with {rules.fewest_heavy} or more in common, or a pose of its own"
        raise MoleculeError([Fault("pose", "; ".join((what, *notes)), right)])
    tree = None if receptor_angstrom is None or not len(receptor_angstrom) else cKDTree(receptor_angstrom)
    wanted = specified(mol)

    def _rank(posed: Chem.Mol) -> tuple[int, float]:
        near = 0 if tree is None else int((tree.query(_heavy_xyz(posed))[0] < clash_angstrom).sum())
        return near, round(float(rdShapeHelpers.ShapeTanimotoDist(posed, reference, ignoreHs=True)), 4)

    count = CONFORMERS if tree is None else CONFORMERS_IN_RECEPTOR
    drafts = [(posed, way) for way in ways for posed in _embedded(mol, reference, way, seed, count)]
    drafts.sort(key=lambda draft: _rank(draft[0]))
    best: tuple[tuple[int, float], Chem.Mol, dict[int, int]] | None = None
    refined = 0
    for posed, way in drafts:
        _minimise(posed, reference, way)
        if wanted.against(posed):
            continue
        rank = _rank(posed)
        if best is None or rank < best[0]:
            best = rank, posed, way
        refined += 1
        if refined == REFINED:
            break
    if best is None:
        what = f"no conformer of {names[0]} has its stereochemistry and lies on {names[1]}"
        raise MoleculeError([Fault("pose", what, "a reference of the same configuration, or a pose of its own")])
    (clashes, _), posed, way = best
    places = _xyz(posed)[list(way)], _xyz(reference)[list(way.values())]
    away = np.linalg.norm(places[0] - places[1], axis=1)
    rmsd, furthest = float(np.sqrt((away**2).mean())), float(away.max())
    notes = [f"laid on {names[1]} by {len(way)} heavy atoms, {rmsd:.2f} Å from their places", *notes]
    if furthest > FAR_ANGSTROM:
        i = list(way)[int(away.argmax())]
        notes.append(f"{mol.GetAtomWithIdx(i).GetSymbol()}{i + 1} could not stay at its place: {furthest:.2f} Å off")
    if clashes:
        notes.append(f"{clashes} heavy atoms clash with the receptor (nearer than {clash_angstrom:g} Å)")
    found = AtomMap(*names, tuple(way.items()))
    return AlignedPose(posed, found, rmsd, furthest, clashes, tuple(notes))


def common_graphs(
    mol: Chem.Mol, reference: Chem.Mol, rules: MapRules = DEFAULT_RULES
) -> tuple[list[dict[int, int]], list[str]]:
    """Find the largest common graph of the heavy atoms of two molecules, and the ways to lay one on the other.

    Parameters
    ----------
    mol, reference
        With all hydrogens; coordinates are not looked at.
    rules
        Whether elements may change.

    Returns
    -------
    ways
        Atoms of the reference by those of `mol`, those with the fewest changed elements first.
    notes
        Whether a search was stopped, or ways were left out.
    """
    bare, other = heavy_only(mol), heavy_only(reference)
    for each in (bare, other):
        each.UpdatePropertyCache(strict=False)
        Chem.GetSymmSSSR(each)
    own = [[a.GetIdx() for a in m.GetAtoms() if a.GetAtomicNum() > 1] for m in (mol, reference)]
    found: list[dict[int, int]] = []
    notes: list[str] = []
    kinds = [rdFMCS.AtomCompare.CompareElements]
    kinds += [rdFMCS.AtomCompare.CompareAny] if rules.element_changes else []
    for kind in kinds:
        core = rdFMCS.FindMCS(
            [bare, other],
            atomCompare=kind,
            bondCompare=rdFMCS.BondCompare.CompareAny,
            ringMatchesRingOnly=True,
            completeRingsOnly=True,
            timeout=SEARCH_S,
        )
        if core.canceled:
            notes.append(f"the search for a common graph was stopped after {SEARCH_S} s: a larger one may exist")
        if core.queryMol is None or not core.numAtoms or (found and core.numAtoms <= len(found[0])):
            continue
        ours = bare.GetSubstructMatches(core.queryMol, uniquify=False, maxMatches=500)
        theirs = other.GetSubstructMatches(core.queryMol, uniquify=True, maxMatches=20)
        ways = {tuple(sorted(zip(m, n, strict=True))) for m in ours for n in theirs}
        found = [{own[0][i]: own[1][j] for i, j in way} for way in _ranked(bare, other, ways)]
    if len(found) > MOST_WAYS:
        notes.append(f"{MOST_WAYS} of {len(found)} ways to lay one on the other are tried")
    return found[:MOST_WAYS], list(dict.fromkeys(notes))


def _ranked(
    bare: Chem.Mol, other: Chem.Mol, ways: Iterable[tuple[tuple[int, int], ...]]
) -> list[tuple[tuple[int, int], ...]]:
    """Ways with the fewest changed elements first, and among those first one for each place of what is not common.

    Ways that put the same groups at the same places differ by a symmetry of the core alone.
    """
    seen: Counter[tuple[tuple[int, int], ...]] = Counter()
    ranked = []
    for way in sorted(ways):
        changed = [
            (i, j) for i, j in way if bare.GetAtomWithIdx(i).GetAtomicNum() != other.GetAtomWithIdx(j).GetAtomicNum()
        ]
        common = {i for i, _ in way}
        bearing = [
            (i, j) for i, j in way if any(n.GetIdx() not in common for n in bare.GetAtomWithIdx(i).GetNeighbors())
        ]
        places = tuple(sorted({*changed, *bearing}))
        ranked.append((len(changed), seen[places], way))
        seen[places] += 1
    return [way for *_, way in sorted(ranked)]


def _embedded(mol: Chem.Mol, reference: Chem.Mol, way: dict[int, int], seed: int, count: int) -> Iterator[Chem.Mol]:
    """Conformers with the core near its place, each in a molecule of its own."""
    copy = Chem.Mol(mol)
    copy.RemoveAllConformers()
    parameters: Any = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    parameters.useRandomCoords = True
    parameters.maxIterations = 50
    parameters.SetCoordMap(_places(reference, way))
    found = _tried(copy, parameters, count)
    if not found:  # lengths of the reference that this molecule cannot have
        parameters.SetCoordMap({})
        found = _tried(copy, parameters, count)
    for number in found:
        posed = Chem.Mol(copy, confId=number)
        rdMolAlign.AlignMol(posed, reference, atomMap=list(way.items()))
        yield posed


def _minimise(posed: Chem.Mol, reference: Chem.Mol, way: dict[int, int]) -> None:
    """Relax a conformer, its core held at its place."""
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(posed)
    if properties is None:
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(posed)
    else:
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(posed, properties)
    field.Initialize()
    for i, point in _places(reference, way).items():
        anchor = field.AddExtraPoint(point.x, point.y, point.z, fixed=True) - 1
        if properties is None:
            field.UFFAddDistanceConstraint(anchor, i, False, 0, FREE_ANGSTROM, STIFF_KCAL_PER_MOL_ANGSTROM2)
        else:
            field.MMFFAddDistanceConstraint(anchor, i, False, 0, FREE_ANGSTROM, STIFF_KCAL_PER_MOL_ANGSTROM2)
    field.Initialize()
    field.Minimize(maxIts=500)


def _places(reference: Chem.Mol, way: dict[int, int]) -> dict[int, Point3D]:
    return {i: Point3D(*map(float, _xyz(reference)[j])) for i, j in way.items()}


def _tried(mol: Chem.Mol, parameters: Any, count: int) -> list[int]:
    """Conformers that could be embedded; RDKit gives up on some bounds with an error."""
    with rdBase.BlockLogs():
        try:
            return list(rdDistGeom.EmbedMultipleConfs(mol, count, parameters))
        except RuntimeError:
            return []


def _xyz(mol: Chem.Mol) -> Floats:
    return np.asarray(mol.GetConformer().GetPositions(), dtype=float)


def _heavy_xyz(mol: Chem.Mol) -> Floats:
    return _xyz(mol)[[a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1]]
