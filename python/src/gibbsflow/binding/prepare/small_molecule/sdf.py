"""SDF files, also those whose formal charges were lost on the way: atoms, hydrogens and bonds tell them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.bond_orders import FAR, penalty, perceive
from gibbsflow.binding.prepare.small_molecule.faults import Fault, MoleculeError
from gibbsflow.binding.prepare.small_molecule.mol2 import RIGHT

_PLAIN = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
_MOST_OF_THEM = 0.5
"""A file that has this share of the hydrogens at its carbons has all hydrogens, and others are not merely left out."""


def read(
    text: str, path: object, field: str, charge: int | None, reason: Callable[[], str]
) -> tuple[Chem.Mol, list[str]]:
    """Read the one molecule of an SDF.

    Parameters
    ----------
    text
        Content of the file, with one molecule.
    path
        What messages call it.
    field
        Column that messages name; ``receptor`` for a host.
    charge
        Net charge in e that the user gives, which decides where hydrogens or formal charges may be missing; None for
        none.
    reason
        Gives what RDKit logged last.

    Returns
    -------
    mol
        Sanitised, with the coordinates of the file; hydrogens that the file lacks are implicit.
    notes
        Formal charges that were found.

    Raises
    ------
    MoleculeError
        Where it cannot be read, or lacks a few hydrogens or charges and nothing says which.
    """
    block = text.split("$$$$")[0]
    mol = Chem.MolFromMolBlock(block, removeHs=False)
    if mol is not None and mol.GetNumAtoms() and (field == "pose" or not _lacks_a_few(mol)):
        return _with_double_bonds(mol, path, field, charge)
    if mol is not None and any(b.GetBondType() not in _PLAIN for b in mol.GetBonds()):
        return mol, []  # refused later, by name
    why = reason()
    bare = Chem.MolFromMolBlock(block, removeHs=False, sanitize=False)
    as_drawn = _as_it_stands(bare, charge) if bare is not None and _neutral_and_plain(bare) else None
    if mol is None or not mol.GetNumAtoms():
        if as_drawn is None:
            raise MoleculeError([Fault(field, f"{path}: not readable: {why}", RIGHT)])
        return as_drawn, [_found(path, as_drawn)]
    filled, whole = Chem.GetFormalCharge(mol), None if as_drawn is None else Chem.GetFormalCharge(as_drawn)
    if as_drawn is not None and charge in (None, whole):
        if whole != filled if charge is not None else (whole == filled and _drawn_so(bare, as_drawn)):
            return as_drawn, [_found(path, as_drawn)]
    if charge == filled:
        return mol, []
    lacking = ", ".join([f"{a.GetSymbol()}{a.GetIdx() + 1}" for a in mol.GetAtoms() if a.GetTotalNumHs()][:6])
    smiles = [Chem.MolToSmiles(Chem.RemoveHs(m)) for m in (mol, as_drawn) if m is not None]
    what = (
        f"{path}: has its hydrogens, but none at {lacking}: a charge of {filled:+d} if they are missing ({smiles[0]})"
    )
    what += f", {whole:+d} if formal charges are ({smiles[1]})" if whole is not None else ", else an open shell"
    raise MoleculeError([Fault(field, what, "all hydrogens and formal charges (M  CHG), or say which charge it has")])


def _with_double_bonds(mol: Chem.Mol, path: object, field: str, charge: int | None) -> tuple[Chem.Mol, list[str]]:
    """Find the double bonds that a conversion has lost: a carboxylate of two single bonds, [C-]([O-])[O-]."""
    if not any(map(_lost_double_bond, mol.GetAtoms())):
        return mol, []
    formal = Chem.GetFormalCharge(mol)
    whole = Chem.AddHs(mol, addCoords=True)
    found = perceive(whole, [(1, 2)] * whole.GetNumBonds())
    total = formal if found is None else Chem.GetFormalCharge(found)
    if found is None or penalty(found) + FAR > penalty(whole) or (charge == formal != total):
        return mol, []
    drawn, usual = (Chem.MolToSmiles(Chem.RemoveHs(m)) for m in (mol, found))
    if total not in (formal, charge):
        what = f"{path}: the charge is {formal:+d} as drawn ({drawn}), {total:+d} by usual valences ({usual})"
        raise MoleculeError([Fault(field, what, "the bonds and formal charges of one of them, or say its charge")])
    return found, [f"{Path(str(path)).name}: drawn as {drawn}, and taken as {usual}, for a net charge of {total:+d}"]


def _lost_double_bond(atom: Chem.Atom) -> bool:
    """Whether an atom with single bonds alone has outer oxygens or sulfurs with charges, as no carboxylate has."""
    if any(bond.GetBondTypeAsDouble() != 1 for bond in atom.GetBonds()):
        return False
    outer = [n for n in atom.GetNeighbors() if n.GetSymbol() in ("O", "S") and n.GetDegree() == 1]
    charged = sum(n.GetFormalCharge() < 0 for n in outer)
    if atom.GetSymbol() == "C":
        return charged > 1 or (charged == 1 and atom.GetFormalCharge() != 0)
    return charged > 1 and atom.GetSymbol() in ("N", "S", "P") and atom.GetFormalCharge() == 0


def _neutral_and_plain(bare: Chem.Mol) -> bool:
    """Whether formal charges may have been lost: no atom has one or is a radical, and no bond is a query or dative."""
    atoms = list(bare.GetAtoms())
    return (
        bool(atoms)
        and not any(a.GetFormalCharge() or a.GetNumRadicalElectrons() for a in atoms)
        and all(bond.GetBondType() in _PLAIN for bond in bare.GetBonds())
    )


def _drawn_so(bare: Chem.Mol, found: Chem.Mol) -> bool:
    """Whether bond orders are as drawn, but for those of sulfur and phosphorus, which are a matter of drawing."""
    flat = Chem.Mol(found)
    Chem.Kekulize(flat, clearAromaticFlags=True)
    return all(
        drawn.GetBondType() in (bond.GetBondType(), Chem.BondType.AROMATIC)
        or {bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()} & {"S", "P"}
        for drawn, bond in zip(bare.GetBonds(), flat.GetBonds(), strict=True)
    )


def _lacks_a_few(mol: Chem.Mol) -> bool:
    """Whether most hydrogens of carbons are there, and yet some are lacking."""
    carbons = [atom for atom in mol.GetAtoms() if atom.GetSymbol() == "C"]
    total = sum(atom.GetTotalNumHs(includeNeighbors=True) for atom in carbons)
    missing = sum(atom.GetTotalNumHs() for atom in carbons)
    lacking = any(atom.GetTotalNumHs() for atom in mol.GetAtoms())
    return lacking and total > 0 and total - missing > _MOST_OF_THEM * total


def _as_it_stands(bare: Chem.Mol, charge: int | None) -> Chem.Mol | None:
    """The molecule without hydrogens to add, its formal charges found; None where no closed shell fits."""
    orders = {Chem.BondType.SINGLE: (1,), Chem.BondType.DOUBLE: (2,), Chem.BondType.TRIPLE: (3,)}
    drawn = [orders.get(bond.GetBondType(), (1, 2)) for bond in bare.GetBonds()]
    skeleton = Chem.RWMol(bare)
    for atom in skeleton.GetAtoms():
        atom.SetNoImplicit(True)
    usual = perceive(skeleton.GetMol(), drawn)
    if usual is None or charge in (None, Chem.GetFormalCharge(usual)):
        return usual
    found = perceive(skeleton.GetMol(), drawn, charge=charge)
    return usual if found is None or penalty(found) > penalty(usual) + FAR else found


def _found(path: object, mol: Chem.Mol) -> str:
    smiles = Chem.MolToSmiles(Chem.RemoveHs(mol))
    return f"{Path(str(path)).name}: its formal charges are missing and were found from atoms and bonds: {smiles}"
