"""Small molecules from files and SMILES, and what is wrong with them, in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase

from gibbsflow.binding.prepare.small_molecule import mol2, sdf
from gibbsflow.binding.prepare.small_molecule.bond_orders import hydrogen_faults
from gibbsflow.binding.prepare.small_molecule.coordinates import coordinate_faults as coordinate_faults
from gibbsflow.binding.prepare.small_molecule.faults import Fault as Fault
from gibbsflow.binding.prepare.small_molecule.faults import MoleculeError as MoleculeError
from gibbsflow.binding.prepare.small_molecule.marks import lost_marks, marks_against_geometry
from gibbsflow.binding.prepare.small_molecule.sdf_records import SdfCharges, charges_of, read_record, record_of
from gibbsflow.binding.prepare.small_molecule.stereo import tag_by_geometry
from gibbsflow.errors import InputError
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

GAFF_ELEMENTS = ("H", "C", "N", "O", "S", "P", "F", "Cl", "Br", "I")
STRETCHED_BOND_ANGSTROM = 1.4
"""What a bond adds to the length of a molecule at the most; 1.27 in a stretched chain of carbon."""
_TRIPLETS = ("OO", "OS", "SS")  # in the ground state, whatever is drawn (Huber and Herzberg, 1979)
_ORDERS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
_collecting: list[list[str]] = []


@dataclass(frozen=True)
class Molecule:
    """A molecule with all hydrogens.

    Attributes
    ----------
    mol
        RDKit molecule; with a conformer where it came from a file.
    charge
        Net charge in e.
    notes
        What was done to it or assumed of it.
    warnings
        Grave assumptions: the verdict of whatever is computed from it becomes WARN.
    residue_names
        Residue names in its file, for a host.
    open_form
        As it was read, where its stereochemistry was open and one isomer was chosen: a pose may have another.
    sdf_charges
        Partial charges that its SDF brings along, unchecked, in the order of its atoms; None where it has none.
    """

    mol: Chem.Mol
    charge: int
    notes: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    residue_names: tuple[str, ...] = field(default=())
    open_form: Chem.Mol | None = None
    sdf_charges: SdfCharges | None = None

    @property
    def smiles(self) -> str:
        """Canonical isomeric SMILES without explicit hydrogens.

        Returns
        -------
        str
            The same for every order of the atoms.
        """
        return str(Chem.MolToSmiles(Chem.RemoveHs(self.mol)))

    @property
    def positions_angstrom(self) -> npt.NDArray[np.float64]:
        """Coordinates of all atoms.

        Returns
        -------
        ndarray
            Of the first conformer, shape (atoms, 3), Å.
        """
        return np.asarray(self.mol.GetConformer().GetPositions(), dtype=float)

    @property
    def heavy_atoms(self) -> npt.NDArray[np.int64]:
        """Atoms that are not hydrogen.

        Returns
        -------
        ndarray
            Their indices, shape (heavy atoms,).
        """
        return np.array([a.GetIdx() for a in self.mol.GetAtoms() if a.GetAtomicNum() > 1], dtype=np.int64)

    @property
    def heavy_angstrom(self) -> npt.NDArray[np.float64]:
        """Coordinates of the atoms that are not hydrogen.

        Returns
        -------
        ndarray
            Of the first conformer, shape (heavy atoms, 3), Å.
        """
        return self.positions_angstrom[self.heavy_atoms]


@contextmanager
def rdkit_messages() -> Iterator[list[str]]:
    """Collect what RDKit logs, instead of letting it write to standard error.

    Yields
    ------
    list of str
        Messages so far; it grows while the block runs.
    """
    messages: list[str] = []

    class _Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _collecting[-1].append(record.getMessage().strip())

    if _collecting:  # within another: its end, not ours, is where RDKit writes to standard error again
        _collecting.append(messages)
        try:
            yield messages
        finally:
            _collecting.pop()
        return
    rdBase.LogToPythonLogger()
    logger, handler = logging.getLogger("rdkit"), _Collect()
    before = logger.handlers[:], logger.propagate
    logger.handlers, logger.propagate = [handler], False
    _collecting.append(messages)
    try:
        yield messages
    finally:
        _collecting.clear()
        logger.handlers, logger.propagate = before
        rdBase.LogToCppStreams()


def from_smiles(smiles: str, charge: int | None = None) -> Molecule:
    """Read a SMILES string; hydrogens are added, coordinates are not.

    Parameters
    ----------
    smiles
        Protonated as the molecule is meant to be.
    charge
        Net charge in e that it must have; None for no such check.

    Returns
    -------
    Molecule
        Without conformers.

    Raises
    ------
    MoleculeError
        With RDKit's reason, or what makes it unusable here.
    """
    with rdkit_messages() as messages:
        mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise MoleculeError(
            [Fault("smiles", f"{smiles!r} is no valid SMILES: {rdkit_reason(messages)}", "a valid SMILES")]
        )
    mol = Chem.AddHs(mol)
    faults = chemistry_faults(mol, "smiles", charge)
    for mark in lost_marks(smiles):
        what = f"{smiles!r} specifies {mark}, which cannot be kept"
        faults.append(Fault("smiles", what, "a structure file with its geometry, or a SMILES without this mark"))
    if faults:
        raise MoleculeError(faults)
    return Molecule(mol, Chem.GetFormalCharge(mol), tuple(_isotopes(mol)))


def from_file(path: Path, charge: int | None = None, *, field: str = "structure", name: str | None = None) -> Molecule:
    """Read a molecule of an SDF or MOL2 file with 3-D coordinates; missing hydrogens are added.

    Parameters
    ----------
    path
        The file.
    charge
        Net charge in e that it must have; None for no such check.
    field
        Column that messages name.
    name
        Name of the ligand, whose record is taken of an SDF with several; None where the file must hold one molecule.

    Returns
    -------
    Molecule
        With one conformer; a note tells of added hydrogens.

    Raises
    ------
    MoleculeError
        With all that is wrong.
    """
    mol, notes = read_noted(path, field, charge, name)
    faults = coordinate_faults(mol, field)
    missing = sum(atom.GetTotalNumHs() for atom in mol.GetAtoms())
    if missing:
        notes.append(f"{missing} hydrogens that {path.name} lacks were added; its atoms keep their places")
        mol = Chem.AddHs(mol, addCoords=not faults)
    notes += _isotopes(mol)
    faults += chemistry_faults(mol, field, None if field == "receptor" else charge)
    charges = None
    if not faults and Path(path).suffix.lower() != ".mol2":
        record = read_record(path, name)
        faults += _wedge_faults(record, path, field)
        charges = charges_of(record)
    if faults:
        raise MoleculeError(faults)
    tag_by_geometry(mol)
    names = residue_names(path, mol)
    return Molecule(mol, Chem.GetFormalCharge(mol), tuple(notes), residue_names=names, sdf_charges=charges)


def _isotopes(mol: Chem.Mol) -> list[str]:
    labelled = [f"{a.GetIsotope()}{a.GetSymbol()}{a.GetIdx() + 1}" for a in mol.GetAtoms() if a.GetIsotope()]
    told = f"{', '.join(labelled[:6])}: isotopes are computed as the element, with its natural mass"
    return [told] if labelled else []


def _wedge_faults(record: str, path: Path, field: str) -> list[Fault]:
    with rdkit_messages():
        wrong = marks_against_geometry(record)
    if not wrong:
        return []
    what = f"{path}: its wedges say another stereoisomer than its geometry at {', '.join(wrong)}"
    return [Fault(field, what, "a file whose marks and coordinates are of one isomer, or without wedges")]


def read_noted(path: Path, field: str, charge: int | None, name: str | None = None) -> tuple[Chem.Mol, list[str]]:
    """Read the only molecule of a file, or that of a name, sanitised, its bonds and charges in agreement.

    Parameters
    ----------
    path
        SDF or MOL2.
    field
        Column that messages name.
    charge
        Net charge in e that the user gives, which decides where a MOL2 file does not tell; None for none.
    name
        As in :func:`from_file`.

    Returns
    -------
    mol
        With the hydrogens and coordinates of the file.
    notes
        What was assumed, or read otherwise than drawn.

    Raises
    ------
    MoleculeError
        Where the file holds no molecule, several, or one that cannot be read.
    """
    label, is_mol2 = str(path), Path(path).suffix.lower() == ".mol2"
    try:
        if name is None or is_mol2:
            text = read_text(path, mol2.RIGHT, STRUCTURE_BYTES, field=field, errors="replace")
        else:
            text, label = record_of(path, name, field)
    except InputError as error:
        raise MoleculeError([Fault(field, f"{path}: {p.what}", p.right) for p in error.problems]) from error
    count = text.count("@<TRIPOS>MOLECULE") if is_mol2 else len([b for b in text.split("$$$$") if b.strip()])
    if count != 1:
        raise MoleculeError([Fault(field, f"{path}: holds {count or 'no'} molecules", mol2.RIGHT)])
    with rdkit_messages() as messages:
        if is_mol2:
            return mol2.read(text, Path(path), field, charge, Chem.MolFromMol2Block(text, removeHs=False))
        return sdf.read(text, label, field, charge, lambda: rdkit_reason(messages))


def chemistry_faults(mol: Chem.Mol, field: str, charge: int | None) -> list[Fault]:
    """Say why GAFF and AM1-BCC cannot describe a molecule.

    Parameters
    ----------
    mol
        With all hydrogens.
    field
        Column that messages name.
    charge
        Net charge in e that it must have; None for no such check.

    Returns
    -------
    list of Fault
        Several fragments, a single atom, elements and bonds without parameters, open shells, another charge; empty
        where all is well.
    """
    faults = []
    fragments = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    if len(fragments) > 1:
        names = " and ".join(repr(Chem.MolToSmiles(Chem.RemoveHs(f, sanitize=False))) for f in fragments[:4])
        what = f"{len(fragments)} separate fragments: {names}"
        faults.append(Fault(field, what, "one molecule, without salt or water"))
    unknown = sorted({a.GetSymbol() for a in mol.GetAtoms()} - set(GAFF_ELEMENTS))
    if unknown:
        known = ", ".join(GAFF_ELEMENTS)
        faults.append(Fault(field, f"GAFF has no parameters for {', '.join(unknown)}", f"elements among {known}"))
    elif mol.GetNumAtoms() == 1:
        what = f"a single atom, {Chem.MolToSmiles(mol)}: AM1-BCC makes no charges for it, and it has no orientation"
        faults.append(Fault(field, what, "a molecule of two atoms or more"))
    for bond in mol.GetBonds():
        if bond.GetBondType() not in _ORDERS and not (bond.GetIsAromatic() and bond.IsInRing()):
            ends = (bond.GetBeginAtom(), bond.GetEndAtom())
            what = f"bond {'-'.join(f'{a.GetSymbol()}{a.GetIdx() + 1}' for a in ends)} is of type {bond.GetBondType()}"
            faults.append(Fault(field, what, "single, double and triple bonds, aromatic ones in rings"))
    faults += hydrogen_faults(mol, field)
    formal = Chem.GetFormalCharge(mol)
    triplet = not formal and "".join(sorted(a.GetSymbol() for a in mol.GetAtoms())) in _TRIPLETS
    radicals = 2 if triplet else sum(a.GetNumRadicalElectrons() for a in mol.GetAtoms())
    electrons = electron_count(mol, formal)
    if not unknown and (radicals or electrons % 2):
        unpaired = f"{electrons} electrons, {radicals} of them unpaired{' in the ground state' * triplet}"
        what = unpaired if radicals else f"an odd number of electrons ({electrons})"
        faults.append(Fault(field, what, "a closed shell: check hydrogens, charges and valences"))
    if charge is not None and charge != formal:
        right = f"{formal}, or a {field} protonated as charge {charge} says"
        faults.append(Fault("charge", f"{charge} given, but the {field} has a net charge of {formal}", right))
    return faults


def electron_count(mol: Chem.Mol, charge: int) -> int:
    """Count the electrons of a molecule.

    Parameters
    ----------
    mol
        With all hydrogens.
    charge
        Net charge in e.

    Returns
    -------
    int
        Even for a closed shell.
    """
    return sum(a.GetAtomicNum() for a in mol.GetAtoms()) - charge


def longest_angstrom(mol: Chem.Mol) -> float:
    """Say how long a molecule can be at most, in whatever conformer.

    Parameters
    ----------
    mol
        With all hydrogens; needs no conformer.

    Returns
    -------
    float
        Å, from atom to atom: its longest way along bonds, each of `STRETCHED_BOND_ANGSTROM`.
    """
    return float(Chem.GetDistanceMatrix(mol).max()) * STRETCHED_BOND_ANGSTROM


def residue_names(path: Path, mol: Chem.Mol) -> tuple[str, ...]:
    """Read the residue (substructure) names in a MOL2 file; for SDF its title.

    Parameters
    ----------
    path
        File that the molecule came from.
    mol
        The molecule, which carries an SDF's title.

    Returns
    -------
    tuple of str
        Each once, in the order of the file; empty where there are none.
    """
    if Path(path).suffix.lower() != ".mol2":
        title = mol.GetProp("_Name").split() if mol.HasProp("_Name") else []
        return (title[0],) if title else ()
    section = Path(path).read_text(errors="replace").split("@<TRIPOS>ATOM", 1)[-1].split("@<TRIPOS>", 1)[0]
    rows = [line.split() for line in section.splitlines() if line.strip()]
    return tuple(dict.fromkeys(row[7] for row in rows if len(row) > 7))


def rdkit_reason(messages: list[str]) -> str:
    """Pick the telling line of what RDKit logged.

    Parameters
    ----------
    messages
        As :func:`rdkit_messages` collects them.

    Returns
    -------
    str
        Without time stamps, nor the trace of a failed assertion.
    """
    lines = [line.strip() for text in messages for line in text.splitlines()]
    lines = [re.sub(r"^\[[0-9:]+\] ?", "", line) for line in lines if "Failed parsing SMILES" not in line]
    told = [line for line in lines if line.strip(" ~^-|*")]
    if told and told[0].endswith(("Violation", "Error")):  # of an assertion; the reason is its second line
        told = told[1:]
    return told[0] if told else "RDKit gives no reason"


def write_sdf(molecule: Molecule, path: Path, name: str) -> Path:
    """Write one molecule as SDF (V2000), coordinates to 1e-4 Å.

    Parameters
    ----------
    molecule
        With a conformer.
    path
        File to write.
    name
        Its title.

    Returns
    -------
    Path
        `path`.
    """
    mol = Chem.Mol(molecule.mol)
    mol.SetProp("_Name", name)
    path.write_text(Chem.MolToMolBlock(mol, forceV3000=False, kekulize=True) + "$$$$\n")
    return path


def read_sdf(path: Path, charge: int) -> Molecule:
    """Read back what :func:`write_sdf` wrote.

    Parameters
    ----------
    path
        The file.
    charge
        Net charge in e, as ``system.json`` has it.

    Returns
    -------
    Molecule
        With one conformer, atoms in the order of the file.

    Raises
    ------
    MoleculeError
        Where it is no such file.
    """
    mol = Chem.MolFromMolFile(str(path), removeHs=False)
    if mol is None:
        raise MoleculeError([Fault("structure", f"{path}: not readable", "the SDF that system_prep wrote")])
    tag_by_geometry(mol)
    return Molecule(mol, charge)


def atom_names(mol: Chem.Mol) -> list[str]:
    """Name atoms by element and count, in file order (``C1, C2, N1, ...``).

    Parameters
    ----------
    mol
        The molecule.

    Returns
    -------
    list of str
        A unique name for each atom, the same each time.
    """
    counts: dict[str, int] = {}
    names = []
    for atom in mol.GetAtoms():
        symbol = atom.GetSymbol()
        counts[symbol] = counts.get(symbol, 0) + 1
        names.append(f"{symbol.upper()}{counts[symbol]}")
    return names
