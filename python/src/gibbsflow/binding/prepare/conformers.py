"""Three-dimensional structures of small molecules from their graphs: deterministic by seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolAlign, rdMolTransforms

from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError
from gibbsflow.binding.prepare.small_molecule.axes import Axis, axes, cumulenes
from gibbsflow.binding.prepare.small_molecule.stereo import (
    Specified,
    open_elements,
    potential_elements,
    several_isomers,
    specified,
    tag_by_geometry,
)
from gibbsflow.errors import ParametrisationError

_PRUNE_ANGSTROM = 0.5
LEFT_OPEN = "stereochemistry left open"
"""How each note on open stereochemistry begins."""
SEEDS = 4
"""Seeds that are tried where all conformers of one have another stereochemistry than was specified."""
_HOLD_KCAL_PER_MOL_RAD2 = 100.0
_SHOWS_BOTH = 8
"""Geometries of which both forms of a racemate show up, but for one time in 128."""
ATTEMPTS = 30
"""Attempts of ETKDG at one conformer; ordinary molecules need one to three."""


def embed(molecule: Molecule, *, count: int, seed: int, wanted: Specified | None = None) -> Molecule:
    """Make conformers by ETKDGv3 and relax them by MMFF94s, the lowest first.

    A conformer whose centres, double bonds or axes are not as specified, before or after relaxing, is dropped; where
    none is left, other seeds are tried.

    Parameters
    ----------
    molecule
        With all hydrogens.
    count
        Conformers to try; near-duplicates (0.5 Å RMSD) are dropped.
    seed
        Of the embedding.
    wanted
        Stereochemistry that must come out; None for that of `molecule`, its axes of chirality as in its conformer.

    Returns
    -------
    Molecule
        With at least one conformer; conformer property ``energy_kcal_per_mol`` (MMFF94s, relative to the lowest).

    Raises
    ------
    MoleculeError
        Where no geometry can be built, or none has the stereochemistry specified.
    """
    wanted = specified(molecule.mol) if wanted is None else wanted
    wrong: list[str] = []
    for attempt in range(SEEDS):
        mol = Chem.Mol(molecule.mol)
        mol.RemoveAllConformers()
        parameters = _etkdg(seed + attempt)
        first = rdDistGeom.EmbedMolecule(mol, parameters)
        if first < 0:
            parameters.useRandomCoords = True
            first = rdDistGeom.EmbedMolecule(mol, parameters)
        if first < 0:
            break
        parameters.pruneRmsThresh = _PRUNE_ANGSTROM
        rdDistGeom.EmbedMultipleConfs(mol, count, parameters)
        wrong += _drop_other_isomers(mol, wanted)
        if mol.GetNumConformers():
            relax(mol)
            wrong += _drop_other_isomers(mol, wanted)
        if mol.GetNumConformers():
            _drop_duplicates(mol)
            return replace(molecule, mol=mol)
    what = "no 3-D structure can be built from it"
    if wrong:
        what += f" with its stereochemistry: {', '.join(dict.fromkeys(wrong))} comes out as another isomer"
    raise MoleculeError([Fault("smiles", what, "a possible stereoisomer, or a structure file")])


def _drop_other_isomers(mol: Chem.Mol, wanted: Specified) -> list[str]:
    """Drop the conformers with other stereochemistry, and say what they have otherwise."""
    told = {conformer.GetId(): wanted.against(mol, conformer.GetId()) for conformer in mol.GetConformers()}
    for conformer, wrong in told.items():
        if wrong:
            mol.RemoveConformer(conformer)
    return [phrase for wrong in told.values() for phrase in wrong]


def settle_stereo(molecule: Molecule) -> Molecule:
    """Choose one isomer where a molecule leaves several open, and drop marks that distinguish nothing.

    What is specified stays as it is. Which isomers exist is found by embedding: the bridgeheads of a cage look like
    stereocentres in the graph, yet allow one geometry only.

    Parameters
    ----------
    molecule
        With all hydrogens; its conformers, if any, are kept.

    Returns
    -------
    Molecule
        With the stereochemistry of one isomer, the first by its SMILES where several were open (a note says so).

    Raises
    ------
    MoleculeError
        Where a conformer has not the stereochemistry that the molecule has.
    """
    molecule = _told_of_axes(molecule)
    potential = potential_elements(molecule.mol)
    if not potential:
        return molecule
    open_ = open_elements(molecule.mol)
    certain = Chem.FindMolChiralCenters(molecule.mol, includeUnassigned=True, useLegacyImplementation=True)
    double = any(info.type == Chem.StereoType.Bond_Double for info in potential)
    if not certain and not double:
        bare = Chem.Mol(molecule.mol)
        Chem.RemoveStereochemistry(bare)
        if not several_isomers(bare):
            return replace(molecule, mol=bare)
    if molecule.mol.GetNumConformers():
        if wrong := specified(molecule.mol).against(molecule.mol):
            what = f"its geometry has another stereochemistry than its marks at {', '.join(wrong)}"
            raise MoleculeError([Fault("structure", what, "a geometry of the isomer that is meant")])
        if open_:
            return molecule  # the geometry is what is simulated, whatever it has there
    if not open_:
        return molecule
    found = _isomers(molecule.mol)
    if not found:
        return molecule
    smiles = min(found)
    notes = molecule.notes
    if len(found) > 1 or several_isomers(molecule.mol):
        said = ", ".join(open_[:6]) + (" and others" if len(open_) > 6 else "")  # noqa: PLR2004
        notes += (f"{LEFT_OPEN} ({said}): {smiles} is taken, the same each time",)
    return replace(molecule, mol=found[smiles], notes=notes, open_form=molecule.mol)


def _told_of_axes(molecule: Molecule) -> Molecule:
    """Note axes of chirality that nothing specifies."""
    if molecule.mol.GetNumConformers():
        return molecule
    notes = tuple(
        f"{LEFT_OPEN} ({axis.called(molecule.mol)}): the one of the geometry that is built is taken"
        for axis in axes(molecule.mol)
        if axis.kind != "pyramid" or _turns_over(molecule.mol, axis)
    )
    return replace(molecule, notes=(*molecule.notes, *(note for note in notes if note not in molecule.notes)))


def _turns_over(mol: Chem.Mol, axis: Axis) -> bool:
    """Whether a pyramid without a tag comes out both ways: a bicycle and its other centres may fix it."""
    centre = mol.GetAtomWithIdx(axis.atoms[1])
    settled = centre.GetAtomicNum() == 7 and axis.called(mol) in open_elements(mol)  # noqa: PLR2004  # as any centre
    if settled or centre.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
        return False
    trial = Chem.Mol(mol)
    trial.RemoveAllConformers()
    found = rdDistGeom.EmbedMultipleConfs(trial, _SHOWS_BOTH, _etkdg(7))
    return len({tuple(Specified({}, {}, {axis: 1}).against(trial, conformer)) for conformer in found}) > 1


def _etkdg(seed: int) -> Any:  # RDKit's stubs give the fields the wrong types
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed  # type: ignore[assignment]
    parameters.numThreads = 1  # type: ignore[assignment]
    # by attempts, not by time: the outcome must not depend on the machine's load
    parameters.maxIterations = ATTEMPTS  # type: ignore[assignment]
    return parameters


def _isomers(mol: Chem.Mol, tries: int = 8) -> dict[str, Chem.Mol]:
    """Embed a molecule several times; the distinct isomers by canonical SMILES, tagged by their geometry."""
    trial = Chem.Mol(mol)
    trial.RemoveAllConformers()
    parameters = _etkdg(7)
    found = {}
    wanted = specified(trial)
    for conformer in rdDistGeom.EmbedMultipleConfs(trial, tries, parameters):
        if wanted.against(trial, conformer):
            continue
        isomer = Chem.Mol(trial, confId=conformer)
        tag_by_geometry(isomer)
        isomer.RemoveAllConformers()
        # written and read once more: RDKit's SMILES is canonical only for marks that it has read itself
        found[Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(isomer)))] = isomer
    return found


def relax(mol: Chem.Mol) -> None:
    """Minimise all conformers by MMFF94s (UFF where that lacks parameters), and sort them by energy.

    Neither knows that both ends of an allene are perpendicular; they are held so.

    Parameters
    ----------
    mol
        With all hydrogens and one or more conformers; changed in place. Each conformer gets the property
        ``energy_kcal_per_mol``, relative to the lowest.
    """
    if cumulated := cumulenes(mol):
        outcome = [_minimised(mol, conformer.GetId(), cumulated) for conformer in mol.GetConformers()]
    elif rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        outcome = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=1000, mmffVariant="MMFF94s")
    else:
        outcome = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=1000)
    energies = [energy for _, energy in outcome]
    conformers = [Chem.Conformer(c) for c in mol.GetConformers()]
    mol.RemoveAllConformers()
    for i in np.argsort(energies, kind="stable"):
        conformers[i].SetDoubleProp("energy_kcal_per_mol", energies[i] - min(energies))
        mol.AddConformer(conformers[i], assignId=True)


def _minimised(mol: Chem.Mol, conformer: int, cumulated: list[tuple[int, int, int, int]]) -> tuple[int, float]:
    """Minimise one conformer with its allenes held perpendicular: convergence and energy."""
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94s")
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties, confId=conformer)
        hold = field.MMFFAddTorsionConstraint
    else:
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(mol, confId=conformer)
        hold = field.UFFAddTorsionConstraint
    for atoms in cumulated:
        side = 90.0 if rdMolTransforms.GetDihedralDeg(mol.GetConformer(conformer), *atoms) > 0 else -90.0
        hold(*atoms, False, side, side, _HOLD_KCAL_PER_MOL_RAD2)
    field.Initialize()
    converged = field.Minimize(maxIts=1000)
    return converged, field.CalcEnergy()


def _drop_duplicates(mol: Chem.Mol) -> None:
    heavy = Chem.RemoveHs(mol)
    kept: list[int] = []
    for conformer in [c.GetId() for c in mol.GetConformers()]:
        near = any(rdMolAlign.AlignMol(heavy, heavy, conformer, k) < _PRUNE_ANGSTROM for k in kept)
        if near:
            mol.RemoveConformer(conformer)
        else:
            kept.append(conformer)


def reference_geometry(molecule: Molecule) -> tuple[Chem.Mol, list[int]]:
    """Build the geometry that a ligand's charges are taken at: a function of its graph and stereochemistry alone.

    Neither atom order nor pose of the input enters: the molecule is read anew from its canonical SMILES with explicit
    hydrogens and embedded with a fixed seed. Of its conformers the one with the least absolute electrostatic
    interaction is taken, so that no hydrogen bond within the molecule distorts its charges (the idea of OpenEye's ELF
    selection), by Coulomb's law with absolute MMFF94 charges.

    Parameters
    ----------
    molecule
        With all hydrogens; its conformers are not looked at.

    Returns
    -------
    mol
        Molecule with one conformer, atoms in canonical order.
    order
        For each atom of `mol`, its index in `molecule`.

    Raises
    ------
    ParametrisationError
        Where the SMILES does not lead back to the same molecule, or the geometry is of another isomer.
    MoleculeError
        Where no geometry can be built from the graph (as for large macrocycles).
    """
    source = Chem.Mol(settle_stereo(molecule).mol)
    isomer = specified(source)
    source.RemoveAllConformers()
    smiles = Chem.MolToSmiles(source, allHsExplicit=True)
    order = list(source.GetPropsAsDict(includePrivate=True, includeComputed=True)["_smilesAtomOutputOrder"])
    parameters: Any = Chem.SmilesParserParams()
    parameters.removeHs = False
    mol = Chem.MolFromSmiles(smiles, parameters)
    before = [molecule.mol.GetAtomWithIdx(i).GetAtomicNum() for i in order]
    if mol is None or [a.GetAtomicNum() for a in mol.GetAtoms()] != before:
        raise ParametrisationError(f"{smiles}: does not lead back to the molecule it was written from")
    place = {index: k for k, index in enumerate(order)}
    signs = {axis.through(place): sign for axis, sign in isomer.axes.items()}
    wanted = replace(specified(mol), axes=signs)
    embedded = embed(Molecule(mol, molecule.charge), count=10, seed=2026, wanted=wanted).mol
    best = min(embedded.GetConformers(), key=lambda c: _electrostatics(embedded, c.GetId())).GetId()
    chosen = Chem.Mol(embedded, confId=best)
    back = Chem.RenumberAtoms(chosen, [place[i] for i in range(len(order))])
    source.AddConformer(back.GetConformer(), assignId=True)
    if wrong := isomer.against(source):
        raise ParametrisationError(f"{smiles}: its reference geometry is another isomer at {', '.join(wrong)}")
    return chosen, order


def _electrostatics(mol: Chem.Mol, conformer: int) -> float:
    """Sum of abs(q_i q_j) / r_ij over pairs more than two bonds apart, in e²/Å."""
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
    if properties is None:
        return 0.0
    charges = np.abs([properties.GetMMFFPartialCharge(i) for i in range(mol.GetNumAtoms())])
    xyz: npt.NDArray[np.float64] = np.asarray(mol.GetConformer(conformer).GetPositions())
    distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    far = np.triu(Chem.GetDistanceMatrix(mol) > 2, 1)
    return float(np.round((np.outer(charges, charges)[far] / distance[far]).sum(), 6))
