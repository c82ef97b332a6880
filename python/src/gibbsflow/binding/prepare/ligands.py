"""The ligand of one row: read, checked, settled to one isomer, and brought into its pose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.conformers import LEFT_OPEN, embed, settle_stereo
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError
from gibbsflow.binding.prepare.poses import PLACED_ANGSTROM, place_inside, pose_faults
from gibbsflow.binding.prepare.protein.atom_records import is_metal
from gibbsflow.binding.prepare.protein.placement import BONDED_METAL_ANGSTROM
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.prepare.small_molecule.mapping import heavy_only, map_pose
from gibbsflow.binding.prepare.small_molecule.sdf_records import CHARGES, SdfCharges
from gibbsflow.binding.prepare.small_molecule.stereo import specified, tag_by_geometry
from gibbsflow.config.binding import System
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import write_json

CONFORMERS = 10
CHARGES_ARTIFACT = "ligand_charges"
"""Partial charges that came with the ligand's SDF, in the order of the ligand that was written."""
POSE_NOTE = "its pose: "
"""What notes on a pose begin with that was found here."""
COVALENT_MARGIN_ANGSTROM = 0.4
"""Heavy atoms nearer than their covalent radii and this are bonded, as programs that draw bonds see it."""


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
        return settle_stereo(molecules.from_file(Path(row.structure), row.charge, name=row.ligand))
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
        Empty where the pose is usable, or has yet to be found (``place`` in a host, ``align`` on another ligand).
    """
    if row.pose == "place" and receptor.kind == "protein":
        right = "'given' with a structure in the receptor's frame, a file with the pose, or 'align'"
        return [Fault("pose", "'place' with a protein, which needs a known pose", right)]
    if not row.in_its_pose:
        return []
    try:
        posed = given_pose(row, ligand)
    except MoleculeError as error:
        return error.faults
    return _faults_of(posed, receptor, settings)


def _faults_of(posed: Molecule, receptor: Receptor, settings: System) -> list[Fault]:
    cage = receptor.kind == "host"
    faults = pose_faults(posed, receptor.heavy_angstrom, clash_angstrom=settings.clash_angstrom, cage=cage)
    return faults or covalent_faults(posed, receptor)


def pose_ligand(row: Row, ligand: Molecule, receptor: Receptor, settings: System, *, seed: int) -> Molecule:
    """Bring a ligand into its pose: as given, from a file, laid on another ligand, or placed in the host's cavity.

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
    if row.aligned_to is not None:
        posed = laid_on(row, ligand, receptor, settings, seed=seed)
        if faults := _faults_of(posed, receptor, settings):
            what = f"laid on {row.aligned_to}, {faults[0].what}"
            raise MoleculeError([Fault("pose", what, "another ligand to be laid on, or a pose of its own")])
        return posed
    if row.pose != "place":
        return given_pose(row, ligand)
    assert receptor.molecule is not None  # check_pose lets 'place' pass for hosts alone
    return place_inside(
        embed(ligand, count=CONFORMERS, seed=seed), receptor.molecule, clash_angstrom=settings.clash_angstrom, seed=seed
    )


def laid_on(row: Row, ligand: Molecule, receptor: Receptor, settings: System, *, seed: int) -> Molecule:
    """Lay a ligand on the pose of another one, as clear of the receptor as it can be.

    Parameters
    ----------
    row
        Its `pose` is a file, with the pose of the ligand `aligned_to`.
    ligand, receptor, settings, seed
        As in :func:`pose_ligand`.

    Returns
    -------
    Molecule
        With one conformer, and notes of what lies on what; whether it clashes is not looked at.

    Raises
    ------
    MoleculeError
        Where the file cannot be used, or the two have too little in common.
    """
    read, _ = molecules.read_noted(Path(row.pose), "pose", None, row.aligned_to)
    if faults := molecules.coordinate_faults(read, "pose"):
        raise MoleculeError(faults)
    reference, mol = Chem.AddHs(read, addCoords=True), Chem.Mol(ligand.mol)
    for each, name in ((reference, row.aligned_to), (mol, row.ligand)):
        each.SetProp("_Name", str(name))
    clash_angstrom = max(settings.clash_angstrom, PLACED_ANGSTROM)
    found = align_pose(
        mol, reference, seed=seed, receptor_angstrom=receptor.heavy_angstrom, clash_angstrom=clash_angstrom
    )
    return replace(ligand, mol=found.mol, notes=(*ligand.notes, *(f"{POSE_NOTE}{note}" for note in found.notes)))


def given_pose(row: Row, ligand: Molecule) -> Molecule:
    """Take the pose from the ligand's own structure, or from the pose file: its heavy atoms, mapped.

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
        Where the file holds another molecule, or another stereoisomer of it.
    """
    if row.pose == "given":
        return ligand
    path = Path(row.pose)
    try:
        pose, _ = molecules.read_noted(path, "pose", ligand.charge, row.ligand)
    except MoleculeError as error:
        if all(fault.field != "charge" for fault in error.faults):
            raise
        pose, _ = molecules.read_noted(
            path, "pose", None, row.ligand
        )  # another protonation, perhaps, of the same molecule
    faults = molecules.coordinate_faults(pose, "pose")
    if faults:
        raise MoleculeError(faults)
    meant = ligand.mol if ligand.open_form is None else ligand.open_form
    match, notes = map_pose(meant, pose, str(path))
    heavy = heavy_only(meant)
    heavy.RemoveAllConformers()
    places = heavy_only(pose).GetConformer()
    conformer = Chem.Conformer(heavy.GetNumAtoms())
    for i, k in enumerate(match):
        conformer.SetAtomPosition(i, places.GetAtomPosition(k))
    conformer.Set3D(True)
    heavy.AddConformer(conformer)
    heavy.UpdatePropertyCache()
    full = Chem.AddHs(heavy, addCoords=True)
    if wrong := specified(full).against(full):
        what = f"{path}: its geometry has another stereochemistry at {', '.join(wrong)}"
        raise MoleculeError([Fault("pose", what, f"the isomer of this row, {ligand.smiles}")])
    tag_by_geometry(full)
    posed = replace(ligand, mol=full, open_form=None, sdf_charges=_charges_of_pose(ligand, full))
    kept = [note for note in ligand.notes if not note.startswith(LEFT_OPEN)]
    for note in ligand.notes:
        if note.startswith(LEFT_OPEN):
            kept.append(f"{note.split('): ')[0]}): that of the pose is taken, {posed.smiles}")
    return replace(posed, notes=(*kept, *notes))


def _charges_of_pose(ligand: Molecule, posed: Chem.Mol) -> SdfCharges | None:
    """Charges in the order of a pose: of heavy atoms in theirs, hydrogens built anew share what their atom's had."""
    if ligand.sdf_charges is None or len(ligand.sdf_charges.values_e) != ligand.mol.GetNumAtoms():
        return ligand.sdf_charges
    read = ligand.sdf_charges.values_e
    theirs = [int(i) for i in ligand.heavy_atoms]
    values = [read[i] for i in theirs]
    for atom in list(posed.GetAtoms())[len(theirs) :]:
        parent = ligand.mol.GetAtomWithIdx(theirs[atom.GetNeighbors()[0].GetIdx()])
        own = [read[n.GetIdx()] for n in parent.GetNeighbors() if n.GetAtomicNum() == 1]
        values.append(sum(own) / len(own) if own else float("nan"))
    return SdfCharges(tuple(values))


def charge_faults(row: Row, ligand: Molecule) -> list[Fault]:
    """Say why a row cannot have the partial charges of its structure.

    Parameters
    ----------
    row
        The row.
    ligand
        As :func:`read_ligand` has it, or in its pose.

    Returns
    -------
    list of Fault
        At most one; empty where the charges are those of the molecule.
    """
    if ligand.sdf_charges is None:
        what = "charge_source is sdf, and "
        what += "a SMILES has no partial charges" if row.structure is None else f"the structure has no {CHARGES}"
        return [Fault("structure", what, f"an SDF with the property {CHARGES}, or charge_source am1bcc")]
    return ligand.sdf_charges.faults("structure", ligand.mol.GetNumAtoms(), ligand.charge)


def write_charges(ligand: Molecule, out: Path, account: Account) -> dict[str, Path]:
    """Write the partial charges that came with a ligand, for whoever takes them.

    Parameters
    ----------
    ligand
        As it was written.
    out
        Folder that takes the file.
    account
        Of the ligand; told where its charges are of no use.

    Returns
    -------
    dict
        The artifact; empty where there are no charges, or they are not those of the molecule.
    """
    if ligand.sdf_charges is None:
        return {}
    if wrong := ligand.sdf_charges.faults("structure", ligand.mol.GetNumAtoms(), ligand.charge):
        account.note(f"the partial charges of its structure are left: {wrong[0].what}")
        return {}
    path = out / f"{CHARGES_ARTIFACT}.json"
    write_json(path, {"source": CHARGES, "charges_e": list(ligand.sdf_charges.values_e)})
    return {CHARGES_ARTIFACT: Path(path.name)}


def written_account(read: Molecule, posed: Molecule, path: Path, name: str) -> Account:
    """Give the account of a ligand: as read, in its pose, and as it stands in the file that was written.

    Parameters
    ----------
    read
        As :func:`read_ligand` has it.
    posed
        In its pose.
    path
        The SDF that was written of it.
    name
        Name of the ligand.

    Returns
    -------
    Account
        Facts of the three stages; notes and warnings of the ligand; a refusal where the file is not the molecule that
        was read.
    """
    account = Account(name)
    written = molecules.read_sdf(path, posed.charge)
    wanted = specified(posed.mol)
    stages = {"as_read": read, "in_its_pose": posed, "as_written": written}
    for stage, molecule in stages.items():
        account.facts[stage] = {
            "atoms": molecule.mol.GetNumAtoms(),
            "heavy_atoms": len(molecule.heavy_atoms),
            "formula": rdMolDescriptors.CalcMolFormula(molecule.mol),
            "charge_e": Chem.GetFormalCharge(molecule.mol),
            "smiles": molecule.smiles,
        }
    account.facts["stereo"] = {
        "centres": len(wanted.centres),
        "double_bonds": len(wanted.bonds),
        "axes": len(wanted.axes),
    }
    for note in posed.notes:
        account.note(note)
    for warning in (*posed.warnings, *hypervalent(posed.mol)):
        account.warn(warning)
    for key in ("formula", "charge_e"):
        values = [account.facts[stage][key] for stage in stages]
        if len(set(values)) > 1:
            told = ", ".join(map(str, values))
            account.refuse(f"{key} is {told} as read, in its pose and as written", "one molecule")
    if wrong := wanted.against(written.mol):
        account.refuse(f"the geometry that was written is another isomer at {', '.join(wrong)}", posed.smiles)
    return account


def hypervalent(mol: Chem.Mol) -> tuple[str, ...]:
    """Say which centres have more neighbours than GAFF was made for.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    tuple of str
        One sentence for each: five or six neighbours (SF5, PF5), four single bonds at a neutral sulfur, or a halogen
        with two neighbours or more. Sulfones, phosphates and sulfonamides are ordinary.
    """
    said = []
    for atom in mol.GetAtoms():
        single = all(bond.GetBondTypeAsDouble() == 1 for bond in atom.GetBonds())
        four = atom.GetDegree() == 4 and atom.GetSymbol() == "S" and single and atom.GetFormalCharge() == 0  # noqa: PLR2004
        halogen = atom.GetSymbol() in ("F", "Cl", "Br", "I") and atom.GetDegree() > 1
        if atom.GetDegree() > 4 or four or halogen:  # noqa: PLR2004
            name = f"{atom.GetSymbol()}{atom.GetIdx() + 1}"
            said.append(f"{name} is hypervalent ({atom.GetDegree()} neighbours): GAFF has no angles that fit it")
    return tuple(said)


def covalent_faults(ligand: Molecule, receptor: Receptor) -> list[Fault]:
    """Say where a pose has an atom at the distance of a bond from the receptor.

    Parameters
    ----------
    ligand
        In the receptor's frame.
    receptor
        A host, or a protein.

    Returns
    -------
    list of Fault
        At most one, of the nearest pair; empty where heavy atoms are farther apart than their covalent radii (Cordero
        et al., Dalton Trans. 2008, 2832) and 0.4 Å. A ligand may coordinate a metal that is kept, which no bond holds.
    """
    if receptor.molecule is not None:
        mol = receptor.molecule.mol
        atoms = [(f"{a.GetSymbol()}{a.GetIdx() + 1}", a.GetAtomicNum()) for a in mol.GetAtoms() if a.GetAtomicNum() > 1]
    else:
        number_of = Chem.GetPeriodicTable().GetAtomicNumber
        atoms = [(name, number_of(element.capitalize())) for name, element in receptor.heavy_atoms]
    if len(atoms) != len(receptor.heavy_angstrom) or not atoms:
        return []
    table = Chem.GetPeriodicTable()
    theirs = np.array([table.GetRcovalent(number) for _, number in atoms])
    ours = np.array([table.GetRcovalent(ligand.mol.GetAtomWithIdx(int(i)).GetAtomicNum()) for i in ligand.heavy_atoms])
    distance = np.linalg.norm(ligand.heavy_angstrom[:, None] - receptor.heavy_angstrom[None], axis=-1)
    nearest = ours[:, None] + theirs[None] + COVALENT_MARGIN_ANGSTROM
    metals = [k for k, (_, element) in enumerate(receptor.heavy_atoms) if is_metal(element)]
    nearest[:, metals] = BONDED_METAL_ANGSTROM
    room = distance - nearest
    i, k = np.unravel_index(int(room.argmin()), room.shape)
    if room[i, k] >= 0:
        return []
    atom = ligand.mol.GetAtomWithIdx(int(ligand.heavy_atoms[i]))
    name = f"{atom.GetSymbol()}{atom.GetIdx() + 1}"
    what = f"{name} of the ligand is {distance[i, k]:.2f} Å from {atoms[k][0]} of the receptor"
    right = "a pose without contact, or a ligand that is not bound covalently, which is not computed"
    return [Fault("pose", f"{what}, the distance of a covalent bond", right)]
