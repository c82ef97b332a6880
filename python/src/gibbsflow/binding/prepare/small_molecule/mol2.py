"""MOL2 files as programs write them: types of SYBYL or GAFF, charges in three places, bonds of many kinds.

What a file says of the net charge (its bonds and types, ``UNITY_ATOM_ATTR``, the sum of its partial charges) is held
against each other. Where the bonds as drawn do not carry the charge that the file claims (antechamber writes nitro
groups with two single bonds), bond orders are found anew (:mod:`.bond_orders`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.Geometry import Point3D

from gibbsflow.binding.prepare.small_molecule.bond_orders import FAR, MARGIN, penalty, perceive
from gibbsflow.binding.prepare.small_molecule.faults import Fault, MoleculeError
from gibbsflow.units import Floats

PARTIAL_CHARGE_TOLERANCE_E = 0.1
"""Partial charges whose sum is farther than this from an integer say nothing of the net charge."""
RIGHT = "an SDF or MOL2 file with one molecule: all atoms, bonds and 3-D coordinates"
_GAFF_RIGHT = "SYBYL atom types (antechamber -at sybyl), or an SDF"
_ELEMENTS = ("Cl", "Br", "H", "C", "N", "O", "S", "P", "F", "I")
_LOWER = re.compile(r"(cl|br|[hcnopsfi])(\.[a-z0-9]+|[a-z0-9+*]{0,2})")
"""Types in lower case that tell the element: GAFF's (``ca``), and SYBYL's as some programs write them."""
_TIED = 0.25
"""Penalties nearer than this say nothing of which charge is meant."""
_ORDERS = {"1": (1,), "2": (2,), "3": (3,), "ar": (1, 2), "am": (1,), "du": (1, 2, 3), "un": (1, 2, 3)}
_GASTEIGER = re.compile(r"gas|gast_huck|gasteiger", re.I)


@dataclass(frozen=True)
class Mol2:
    """One molecule of a MOL2 file, as it stands there.

    Attributes
    ----------
    names, types, residues
        Of each atom; `residues` are empty where the file has none.
    positions_angstrom
        Shape (atoms, 3).
    partial_e
        Partial charges in e, shape (atoms,); None where the file has none, or all are zero.
    charge_kind
        What the file says of its charges, as ``USER_CHARGES`` or ``bcc``.
    bonds
        Indices of both atoms, and the type (``1``, ``ar``, ...).
    unity_e
        Formal charges in e of ``UNITY_ATOM_ATTR``, by atom index.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    residues: tuple[str, ...]
    positions_angstrom: Floats
    partial_e: Floats | None
    charge_kind: str
    bonds: tuple[tuple[int, int, str], ...]
    unity_e: dict[int, int]

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements, from types of SYBYL or GAFF.

        Returns
        -------
        tuple of str
            Symbols; the type itself where it is of neither kind.
        """
        return tuple(_element(kind) for kind in self.types)

    @property
    def gaff(self) -> bool:
        """Whether the atom types are GAFF's, which are written in lower case.

        Returns
        -------
        bool
            True where all are.
        """
        return all(kind[:1].islower() for kind in self.types)

    @property
    def partial_sum(self) -> int | None:
        """The net charge by the partial charges.

        Returns
        -------
        int or None
            In e; None where there are none, or their sum is far from an integer.
        """
        if self.partial_e is None:
            return None
        total = float(self.partial_e.sum())
        return round(total) if abs(total - round(total)) < PARTIAL_CHARGE_TOLERANCE_E else None


def parse(text: str, path: object, field: str) -> Mol2:
    """Read the sections of a MOL2 file that tell what the molecule is.

    Parameters
    ----------
    text
        Content of the file, with one molecule.
    path
        What messages call it.
    field
        Column that messages name.

    Returns
    -------
    Mol2
        As it stands in the file.

    Raises
    ------
    MoleculeError
        Where a line is not what MOL2 says, or an atom type is of no known kind.
    """
    sections = {head.split("\n", 1)[0].strip(): head.split("\n", 1)[-1] for head in text.split("@<TRIPOS>")[1:]}
    rows = _rows(sections.get("ATOM", ""))
    try:
        index = {int(row[0]): i for i, row in enumerate(rows)}
        positions = np.array([[float(value) for value in row[2:5]] for row in rows], dtype=float).reshape(-1, 3)
        partial = np.array([float(row[8]) for row in rows]) if rows and all(len(row) > 8 for row in rows) else None
        bonds = tuple(
            (index[int(row[1])], index[int(row[2])], row[3].lower()) for row in _rows(sections.get("BOND", ""))
        )
        unity = _unity(sections.get("UNITY_ATOM_ATTR", ""), index)
        mol2 = Mol2(
            tuple(row[1] for row in rows),
            tuple(row[5] for row in rows),
            tuple(row[7] for row in rows if len(row) > 7),
            positions,
            partial if partial is not None and np.abs(partial).max() > 0 else None,
            (sections.get("MOLECULE", "").split("\n") + [""] * 4)[3].strip(),
            bonds,
            unity,
        )
    except (ValueError, IndexError, KeyError) as error:
        what = f"{path}: not readable: a line that is no atom, bond or charge of MOL2 ({error})"
        raise MoleculeError([Fault(field, what, RIGHT)]) from error
    counts = sections.get("MOLECULE", "").split("\n")[1:2]
    told = [int(n) for n in re.findall(r"\d+", counts[0])[:2]] if counts else []
    if not rows or (told and told != [len(rows), len(bonds)][: len(told)]):
        what = f"{path}: not readable: {len(rows)} atoms and {len(bonds)} bonds, but its head says {told}"
        raise MoleculeError([Fault(field, what, RIGHT)])
    strange = sorted({kind for kind in mol2.types if _element(kind) == kind and kind not in _ELEMENTS})
    strange += sorted({kind for kind in mol2.types if kind[:1].islower() and not _LOWER.fullmatch(kind)})
    if any(_looks_amber(kind) or kind[:1].islower() for kind in strange):
        what = f"{path}: atom types of a force field ({', '.join(strange[:6])}), which do not tell the elements"
        raise MoleculeError([Fault(field, what, _GAFF_RIGHT)])
    return mol2


def read(text: str, path: object, field: str, charge: int | None, drawn: Chem.Mol | None) -> tuple[Chem.Mol, list[str]]:
    """Read a molecule so that bonds, formal charges and what the file says of its charge agree.

    Parameters
    ----------
    text
        Content of the file, with one molecule.
    path
        What messages call it.
    field
        Column that messages name; ``receptor`` for a host.
    charge
        Net charge in e that the user gives; None for none.
    drawn
        RDKit's own reading; None where it has none.

    Returns
    -------
    mol
        Sanitised, with the coordinates of the file; hydrogens that the file lacks are implicit.
    notes
        What was assumed, or read otherwise than drawn.

    Raises
    ------
    MoleculeError
        Where the sources disagree or nothing fits, naming all of them.
    """
    mol2 = parse(text, path, field)
    unknown = sorted({e for e in mol2.elements if Chem.GetPeriodicTable().GetAtomicNumber(_known(e)) < 1})
    if unknown:
        raise MoleculeError([Fault(field, f"{path}: not readable: unknown element {', '.join(unknown)}", RIGHT)])
    if mol2.gaff or mol2.unity_e:
        drawn = None
    if (filled := _filled(mol2)) is not None:
        return filled, []
    if others := sorted(set(mol2.elements) - set(_ELEMENTS)):
        if drawn is None:
            raise MoleculeError([Fault(field, f"{path}: not readable: it has {', '.join(others)}", RIGHT)])
        return drawn, []  # refused later, by its elements
    if drawn is not None and any(atom.GetNumRadicalElectrons() for atom in drawn.GetAtoms()):
        drawn = None
    return _agreed(mol2, path, field, charge, drawn)


def _agreed(
    mol2: Mol2, path: object, field: str, charge: int | None, drawn: Chem.Mol | None
) -> tuple[Chem.Mol, list[str]]:
    """Hold the bonds as drawn against all that is said of the net charge, and find them anew where they do not fit."""
    name = getattr(path, "name", path)
    charge_field = "receptor_charge" if field == "receptor" else "charge"
    skeleton, partial, notes = _skeleton(mol2), mol2.partial_sum, list[str]()
    if partial is None and mol2.partial_e is not None:
        total = mol2.partial_e.sum()
        notes.append(f"{name}: its partial charges sum to {total:+.2f}, which is no whole charge; they are not counted")
    orders = [_ORDERS.get(kind, (1, 2, 3)) for _, _, kind in mol2.bonds]
    free = perceive(skeleton, orders, fixed=mol2.unity_e)
    if mol2.unity_e:
        drawn = free
        if free is None:
            what = f"{path}: the formal charges of UNITY_ATOM_ATTR fit no closed shell with these atoms"
            raise MoleculeError([Fault(field, what, "a closed shell: check hydrogens and charges")])
    usual = np.inf if free is None else penalty(free)
    formal = None if drawn is None else Chem.GetFormalCharge(drawn)
    found = {q: perceive(skeleton, orders, charge=q, fixed=mol2.unity_e) for q in {charge, partial} - {None}}
    far = {q: mol is None or penalty(mol) > usual + FAR for q, mol in found.items()}
    if partial is not None and far[partial] and charge is None and _GASTEIGER.search(mol2.charge_kind):
        # they start from the formal charges that their writer saw, and are worth no more
        notes.append(f"{name}: its Gasteiger charges sum to {partial:+d}, with which its atoms make no usual "
                     "closed shell; they are not counted")  # fmt: skip
        partial = None
    wanted = partial if charge is None else charge
    told = {"its formal charges": formal, "its partial charges": partial}
    claims = " and ".join(f"{value:+d} by {source}" for source, value in told.items() if value is not None)
    if charge is not None and partial is not None and charge != partial:
        notes.append(f"{name}: its partial charges sum to {partial:+d}; the charge given, {charge:+d}, is taken")
    best = free if wanted is None else found[wanted]
    if wanted is None and drawn is None and free is not None:
        _refuse_tied(free, skeleton, orders, mol2.unity_e, path, charge_field)
    if drawn is not None and wanted in (None, formal) and (wanted is not None or not _denied_by_types(mol2, drawn)):
        if best is None or penalty(drawn) <= penalty(best) + MARGIN:
            return drawn, notes
    if wanted is not None and (best is None or (far[wanted] and [charge, partial].count(wanted) < 2)):
        if charge is not None and (charge not in told.values() or best is not None):
            what = f"{charge:+d} given, but the {'host' if field == 'receptor' else field} has {claims or 'another'}"
            right = f"{wanted if formal is None else formal}, or left out"
            raise MoleculeError([Fault(charge_field, what, right)])
        if charge is None and formal not in (None, partial):
            raise MoleculeError([Fault(charge_field, f"the charge is {claims}", f"say {charge_field}")])
    if best is None:
        electrons = sum(a.GetAtomicNum() for a in skeleton.GetAtoms()) - (wanted or 0)
        what = f"an odd number of electrons ({electrons})" if electrons % 2 else "no closed shell"
        what = f"{path}: its atoms and bonds make {what} at a net charge of {wanted or 0:+d}"
        right = "a closed shell: check hydrogens, charges and valences"
        raise MoleculeError([Fault(charge_field if charge is not None else field, what, right)])
    smiles, total = Chem.MolToSmiles(Chem.RemoveHs(best)), Chem.GetFormalCharge(best)
    if drawn is not None and Chem.MolToSmiles(Chem.RemoveHs(drawn), isomericSmiles=False) == smiles:
        return drawn, notes
    if wanted is None and drawn is not None and formal != total:
        shown = Chem.MolToSmiles(Chem.RemoveHs(drawn))
        what = f"the charge is {formal:+d} by the bonds as drawn ({shown}), {total:+d} by usual valences ({smiles})"
        raise MoleculeError([Fault(charge_field, what, f"say {charge_field}, or give an SDF")])
    why = "by usual valences" if wanted is None else "as given" if charge is not None else "as its partial charges say"
    notes.append(f"{name}: bond orders and formal charges were found from its atoms, for a net charge of {total:+d} "
                 f"({why}): {smiles}")  # fmt: skip
    return best, notes


def _refuse_tied(
    free: Chem.Mol, skeleton: Chem.Mol, orders: list[tuple[int, ...]], unity_e: dict[int, int], path: object, field: str
) -> None:
    """Refuse atoms that make two ions equally well, as nitrite and nitronium, where nothing tells which."""
    total = Chem.GetFormalCharge(free)
    others = (perceive(skeleton, orders, charge=-total, fixed=unity_e),) if total else ()
    for other in others:
        if other is not None and abs(penalty(other) - penalty(free)) < _TIED:
            both = " or ".join(
                f"{Chem.GetFormalCharge(m):+d} ({Chem.MolToSmiles(Chem.RemoveHs(m))})" for m in (free, other)
            )
            raise MoleculeError(
                [Fault(field, f"{path}: its atoms make a charge of {both}", f"say {field}, or give an SDF")]
            )


def _denied_by_types(mol2: Mol2, drawn: Chem.Mol) -> bool:
    """Whether an outer atom whose type says a double bond (``O.2``) is drawn with a single one and a charge."""
    outer = [a for a in drawn.GetAtoms() if a.GetDegree() == 1 and mol2.types[a.GetIdx()] in ("O.2", "S.2", "N.2")]
    return any(a.GetFormalCharge() < 0 and a.GetBonds()[0].GetBondTypeAsDouble() == 1 for a in outer)


def _skeleton(mol2: Mol2) -> Chem.Mol:
    """Atoms and single bonds, with coordinates and partial charges."""
    mol = Chem.RWMol()
    conformer = Chem.Conformer(len(mol2.types))
    for i, (symbol, xyz) in enumerate(zip(mol2.elements, mol2.positions_angstrom, strict=True)):
        atom = Chem.Atom(symbol)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
        conformer.SetAtomPosition(i, Point3D(*map(float, xyz)))
    for a, b, _ in mol2.bonds:
        mol.AddBond(a, b, Chem.BondType.SINGLE)
    conformer.Set3D(True)
    mol.AddConformer(conformer, assignId=True)
    return mol.GetMol()


def _filled(mol2: Mol2) -> Chem.Mol | None:
    """Read a file without the hydrogens of its carbons as an SDF without them is read; None for all others."""
    elements = mol2.elements
    if any({elements[a], elements[b]} == {"C", "H"} for a, b, _ in mol2.bonds):
        return None
    if mol2.gaff:  # antechamber types whole molecules alone: oxalate has no hydrogens to lack
        whole = perceive(_skeleton(mol2), [(1, 2, 3)] * len(mol2.bonds))
        if whole is not None and not any(_carries_charge(atom) for atom in whole.GetAtoms()):
            return None
    types = {"1": 1, "am": 1, "2": 2, "3": 3, "ar": 12}
    mol = Chem.RWMol(_skeleton(mol2))
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(False)
    for bond, (_, _, kind) in zip(mol.GetBonds(), mol2.bonds, strict=True):
        bond.SetBondType(Chem.BondType.values[types.get(kind, 1)])
    for i, kind in enumerate(mol2.types):
        atom = mol.GetAtomWithIdx(i)
        heavy = [n.GetIdx() for n in atom.GetNeighbors()]
        if kind == "N.4":
            atom.SetFormalCharge(1)
        if kind in ("N.pl3", "N.am") and atom.GetDegree() == 2 and _in_aromatic(mol, i):
            atom.SetNumExplicitHs(1)
        acids = [n for n in heavy if mol2.types[n] == "O.co2"]
        for k, oxygen in enumerate(acids):
            mol.GetBondBetweenAtoms(i, oxygen).SetBondType(Chem.BondType.SINGLE if k else Chem.BondType.DOUBLE)
            mol.GetAtomWithIdx(oxygen).SetFormalCharge(-1 if k else 0)
        if kind == "C.cat" and not any(b.GetBondType() == Chem.BondType.DOUBLE for b in atom.GetBonds()):
            nitrogen = next((n for n in heavy if elements[n] == "N"), None)
            if nitrogen is not None:
                for n in heavy:
                    mol.GetBondBetweenAtoms(i, n).SetBondType(Chem.BondType.SINGLE)
                mol.GetBondBetweenAtoms(i, nitrogen).SetBondType(Chem.BondType.DOUBLE)
                mol.GetAtomWithIdx(nitrogen).SetFormalCharge(1)
    for bond in mol.GetBonds():
        if bond.GetBondType() == Chem.BondType.AROMATIC:
            for end in (bond.GetBeginAtom(), bond.GetEndAtom()):
                end.SetIsAromatic(True)
            bond.SetIsAromatic(True)
    try:
        Chem.SanitizeMol(mol)
    except Chem.MolSanitizeException:
        return None
    lacking = any(atom.GetSymbol() == "C" and atom.GetTotalNumHs() for atom in mol.GetAtoms())
    return mol.GetMol() if lacking else None


def _carries_charge(atom: Chem.Atom) -> bool:
    return bool(atom.GetFormalCharge() and atom.GetSymbol() == "C")


def _in_aromatic(mol: Chem.Mol, i: int) -> bool:
    return sum(b.GetBondType() == Chem.BondType.AROMATIC for b in mol.GetAtomWithIdx(i).GetBonds()) > 1


def _rows(section: str) -> list[list[str]]:
    return [line.split() for line in section.splitlines() if line.strip() and not line.startswith("#")]


def _unity(section: str, index: dict[int, int]) -> dict[int, int]:
    """Read pairs of a head (atom, number of attributes) and its lines (name, value)."""
    found: dict[int, int] = {}
    rows = _rows(section)
    while rows:
        head, rows = rows[0], rows[1:]
        attributes, rows = rows[: int(head[1])], rows[int(head[1]) :]
        for row in attributes:
            if row[0].lower() == "charge":
                found[index[int(head[0])]] = int(float(row[1]))
    return found


def _element(kind: str) -> str:
    """Element of a SYBYL type (``C.ar``) or a GAFF type (``ca``); the type itself where it is neither."""
    if kind[:1].islower():
        two = kind[:2].capitalize()
        return two if two in ("Cl", "Br") else kind[:1].upper()
    return kind.split(".")[0]


def _known(symbol: str) -> str:
    try:
        Chem.GetPeriodicTable().GetAtomicNumber(symbol)
    except RuntimeError:
        return "*"
    return symbol


def _looks_amber(kind: str) -> bool:
    return bool(re.fullmatch(r"[A-Z][A-Z0-9*+-]+", kind))
