"""The ligand of one row: read, checked, settled to one isomer, and brought into its pose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, settle_stereo
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError
from gibbsflow.binding.prepare.poses import place_inside, pose_faults
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import System

CONFORMERS = 10


def read_ligand(row: Row) -> Molecule:
    """Read the ligand of a row from its structure or SMILES, one isomer, all hydrogens.

    Parameters
    ----------
    row
        Its `charge`, where given, must be that of the molecule.

    Returns
    -------
    Molecule
        With coordinates where they come from a structure.

    Raises
    ------
    MoleculeError
        With all that is wrong.
    """
    if row.structure is not None:
        return settle_stereo(molecules.from_file(Path(row.structure), row.charge))
    return settle_stereo(molecules.from_smiles(str(row.smiles), row.charge))


def check_pose(row: Row, ligand: Molecule, receptor: Receptor, settings: System) -> list[Fault]:
    """Say what is wrong with the pose that a row gives, without placing anything.

    Parameters
    ----------
    row
        Which pose is asked for.
    ligand
        As :func:`read_ligand` has it.
    receptor
        In the frame that the pose is given in.
    settings
        Section ``system`` of the configuration.

    Returns
    -------
    list of Fault
        Empty where the pose is usable, or has yet to be found (``place`` in a host).
    """
    if row.pose == "place":
        if receptor.kind == "protein":
            right = "'given' with a structure in the receptor's frame, or a file with the pose"
            return [Fault("pose", "'place' with a protein, which needs a known pose", right)]
        return []
    try:
        posed = given_pose(row, ligand)
    except MoleculeError as error:
        return error.faults
    cage = receptor.kind == "host"
    return pose_faults(posed, receptor.heavy_angstrom, clash_angstrom=settings.clash_angstrom, cage=cage)


def pose_ligand(row: Row, ligand: Molecule, receptor: Receptor, settings: System, *, seed: int) -> Molecule:
    """Bring a ligand into its pose: as given, from a file, or placed in the host's cavity.

    Parameters
    ----------
    row
        Which pose is asked for.
    ligand
        As :func:`read_ligand` has it.
    receptor
        In the frame that the pose is given in.
    settings
        Section ``system`` of the configuration.
    seed
        Of the conformers and rotations that are tried.

    Returns
    -------
    Molecule
        With one conformer, in the receptor's frame.

    Raises
    ------
    MoleculeError
        Where the pose is wrong or none is found.
    """
    faults = check_pose(row, ligand, receptor, settings)
    if faults:
        raise MoleculeError(faults)
    if row.pose != "place":
        return given_pose(row, ligand)
    assert receptor.molecule is not None  # check_pose lets 'place' pass for hosts alone
    return place_inside(
        embed(ligand, count=CONFORMERS, seed=seed), receptor.molecule, clash_angstrom=settings.clash_angstrom, seed=seed
    )


def given_pose(row: Row, ligand: Molecule) -> Molecule:
    """Take the pose from the ligand's own structure, or from the pose file: its heavy atoms, mapped by graph.

    Parameters
    ----------
    row
        Its `pose` is ``given`` or a file.
    ligand
        As :func:`read_ligand` has it.

    Returns
    -------
    Molecule
        The ligand with one conformer; hydrogens are built anew where the pose is from a file.

    Raises
    ------
    MoleculeError
        Where the file holds another molecule.
    """
    if row.pose == "given":
        return ligand
    path = Path(row.pose)
    pose = molecules.read_unchecked(path, "pose")
    faults = molecules.coordinate_faults(pose, "pose")
    if faults:
        raise MoleculeError(faults)
    bare, pose_heavy = _skeleton(ligand.mol), _skeleton(Chem.RemoveHs(pose, sanitize=False))
    match = pose_heavy.GetSubstructMatch(bare)
    if not match or pose_heavy.GetNumAtoms() != bare.GetNumAtoms():
        ours, theirs = ligand.smiles, Chem.MolToSmiles(Chem.RemoveHs(pose))
        raise MoleculeError([Fault("pose", f"{path}: holds {theirs}", f"the ligand of this row, {ours}")])
    mol = Chem.Mol(ligand.mol)
    mol.RemoveAllConformers()
    heavy = Chem.RemoveHs(mol, sanitize=False)
    conformer = Chem.Conformer(heavy.GetNumAtoms())
    for i, k in enumerate(match):
        conformer.SetAtomPosition(i, pose_heavy.GetConformer().GetAtomPosition(k))
    conformer.Set3D(True)
    heavy.AddConformer(conformer)
    heavy.UpdatePropertyCache()
    full = Chem.AddHs(heavy, addCoords=True)
    return replace(ligand, mol=full)


def _skeleton(mol: Chem.Mol) -> Chem.Mol:
    """Heavy atoms joined by single bonds, without charges or stereochemistry: equal for all ways to draw a molecule."""
    bare = Chem.RWMol(Chem.RemoveHs(mol, sanitize=False))
    for atom in bare.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(0)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for bond in bare.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
        bond.SetStereo(Chem.BondStereo.STEREONONE)
    return bare.GetMol()
