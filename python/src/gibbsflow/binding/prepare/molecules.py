"""Small molecules from files and SMILES, and what is wrong with them, in words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase

GAFF_ELEMENTS = ("H", "C", "N", "O", "S", "P", "F", "Cl", "Br", "I")
_PLANE_ANGSTROM = 1e-3


@dataclass(frozen=True)
class Fault:
    """What is wrong with a molecule, before it is known which row it belongs to.

    Attributes
    ----------
    field
        Column it concerns: ``structure``, ``smiles``, ``charge`` or ``pose``; ``receptor`` for a host.
    what, right
        As in :class:`gibbsflow.errors.Problem`.
    """

    field: str
    what: str
    right: str


class MoleculeError(ValueError):
    """A molecule that cannot be used; caught where the row is known and turned into an InputError.

    Parameters
    ----------
    faults
        All that is wrong.
    """

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{f.field}: {f.what}" for f in faults))


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
    residue_names
        Residue names in its file, for a host.
    """

    mol: Chem.Mol
    charge: int
    notes: tuple[str, ...] = field(default=())
    residue_names: tuple[str, ...] = field(default=())

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
            messages.append(record.getMessage().strip())

    rdBase.LogToPythonLogger()
    logger, handler = logging.getLogger("rdkit"), _Collect()
    before = logger.handlers[:], logger.propagate
    logger.handlers, logger.propagate = [handler], False
    try:
        yield messages
    finally:
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
            [Fault("smiles", f"{smiles!r} is no valid SMILES: {_rdkit_reason(messages)}", "a valid SMILES")]
        )
    mol = Chem.AddHs(mol)
    faults = chemistry_faults(mol, "smiles", charge)
    if faults:
        raise MoleculeError(faults)
    return Molecule(mol, Chem.GetFormalCharge(mol))


def from_file(path: Path, charge: int | None = None, *, field: str = "structure") -> Molecule:
    """Read the one molecule of an SDF or MOL2 file with 3-D coordinates; missing hydrogens are added.

    Parameters
    ----------
    path
        The file.
    charge
        Net charge in e that it must have; None for no such check.
    field
        Column that messages name.

    Returns
    -------
    Molecule
        With one conformer; a note tells of added hydrogens.

    Raises
    ------
    MoleculeError
        With all that is wrong.
    """
    mol = read_unchecked(path, field)
    faults = coordinate_faults(mol, field)
    notes = []
    missing = sum(atom.GetTotalNumHs() for atom in mol.GetAtoms())
    if missing and not faults:
        notes.append(f"{missing} hydrogens that {path.name} lacks were added; its atoms keep their places")
        mol = Chem.AddHs(mol, addCoords=True)
    faults += chemistry_faults(mol, field, charge)
    if faults:
        raise MoleculeError(faults)
    Chem.AssignStereochemistryFrom3D(mol)
    return Molecule(mol, Chem.GetFormalCharge(mol), tuple(notes), residue_names(path, mol))


def read_unchecked(path: Path, field: str) -> Chem.Mol:
    """Read the first and only molecule of a file, sanitised by RDKit and otherwise as it stands there.

    Parameters
    ----------
    path
        SDF or MOL2.
    field
        Column that messages name.

    Returns
    -------
    Chem.Mol
        With the hydrogens and coordinates of the file.

    Raises
    ------
    MoleculeError
        Where the file holds no molecule, several, or one that RDKit refuses.
    """
    right = "an SDF or MOL2 file with one molecule: all atoms, bonds and 3-D coordinates"
    try:
        text = Path(path).read_text(errors="replace")
    except OSError as error:
        raise MoleculeError([Fault(field, f"{path}: {error.strerror}", right)]) from error
    is_mol2 = Path(path).suffix.lower() == ".mol2"
    count = text.count("@<TRIPOS>MOLECULE") if is_mol2 else len([b for b in text.split("$$$$") if b.strip()])
    if count != 1:
        raise MoleculeError([Fault(field, f"{path}: holds {count or 'no'} molecules", right)])
    with rdkit_messages() as messages:
        if is_mol2:
            mol = Chem.MolFromMol2Block(text, removeHs=False)
        else:
            mol = Chem.MolFromMolBlock(text.split("$$$$")[0], removeHs=False)
    if mol is None or mol.GetNumAtoms() == 0:
        raise MoleculeError([Fault(field, f"{path}: not readable: {_rdkit_reason(messages)}", right)])
    return mol


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
        Several fragments, elements without parameters, open shells, another charge; empty where all is well.
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
    formal = Chem.GetFormalCharge(mol)
    radicals = sum(a.GetNumRadicalElectrons() for a in mol.GetAtoms())
    electrons = electron_count(mol, formal)
    if not unknown and (radicals or electrons % 2):
        what = f"an odd number of electrons ({electrons})"
        if radicals:
            what = f"{electrons} electrons, {radicals} of them unpaired"
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


def coordinate_faults(mol: Chem.Mol, field: str) -> list[Fault]:
    """Say where a molecule from a file has no usable 3-D coordinates.

    Parameters
    ----------
    mol
        As it was read.
    field
        Column that messages name.

    Returns
    -------
    list of Fault
        At most one; empty where the coordinates are usable.
    """
    right = "3-D coordinates (a drawing has none; give smiles instead, or embed it)"
    if mol.GetNumConformers() == 0:
        return [Fault(field, "no coordinates", right)]
    conformer = mol.GetConformer()
    xyz = np.asarray(conformer.GetPositions())
    if not np.isfinite(xyz).all():
        return [Fault(field, "coordinates that are no finite numbers", right)]
    if len(xyz) > 1 and np.ptp(xyz, axis=0).max() < _PLANE_ANGSTROM:
        return [Fault(field, "all atoms at one point", right)]
    flat = np.ptp(xyz, axis=0).min() < _PLANE_ANGSTROM
    tetrahedral = any(
        a.GetHybridization() == Chem.HybridizationType.SP3 and a.GetTotalDegree() > 2 for a in mol.GetAtoms()
    )
    implicit = any(a.GetTotalNumHs() for a in mol.GetAtoms())
    # a flat molecule may be flat; a drawing has sp3 centres in the plane, or leaves out its hydrogens
    if flat and (tetrahedral or (implicit and not conformer.Is3D())):
        return [Fault(field, "no 3-D coordinates: all atoms lie in one plane", right)]
    return []


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


def _rdkit_reason(messages: list[str]) -> str:
    """Pick the telling line of RDKit's log."""
    lines = [line.strip() for text in messages for line in text.splitlines() if line.strip(" ~^-|")]
    lines = [line.split("] ", 1)[-1] for line in lines if "Failed parsing SMILES" not in line]
    return lines[0] if lines else "RDKit gives no reason"


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
    Chem.AssignStereochemistryFrom3D(mol)
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
