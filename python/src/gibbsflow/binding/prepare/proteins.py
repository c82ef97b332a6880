"""Proteins from PDB files: checked, completed and protonated by PDBFixer; their residues and chain breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.prepare.receptors import Receptor, site_entries
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem

AMINO_ACIDS = frozenset(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL "
    "HID HIE HIP CYX CYM ASH GLH LYN MSE ACE NME".split()
)
"""Residues that the protein force field knows, caps and protonation states included (MSE becomes MET)."""
LONGEST_PEPTIDE_BOND_ANGSTROM = 2.0
"""C and N farther apart than this are not bonded; a peptide bond has 1.33 Å."""
_WATERS = frozenset({"HOH", "WAT", "DOD", "TIP3", "SOL"})


@dataclass(frozen=True)
class Residue:
    """One residue of a PDB file.

    Attributes
    ----------
    chain, number, name
        As in the file; the number carries its insertion code.
    hetero
        Whether it stands in HETATM records.
    atoms
        Names with element and coordinates in Å.
    """

    chain: str
    number: str
    name: str
    hetero: bool
    atoms: dict[str, tuple[str, tuple[float, float, float]]]

    @property
    def label(self) -> str:
        """What ``site`` calls it.

        Returns
        -------
        str
            CHAIN:NUMBER.
        """
        return f"{self.chain}:{self.number}"

    def is_named(self, entry: str) -> bool:
        """Tell whether one entry of a site means this residue.

        Parameters
        ----------
        entry
            CHAIN:NUMBER or a residue name.

        Returns
        -------
        bool
            True where it does.
        """
        return entry in (self.label, self.name)


def read_residues(path: Path) -> list[Residue]:
    """Read the residues of the first model of a PDB file, the first alternate location of each atom.

    Parameters
    ----------
    path
        PDB file.

    Returns
    -------
    list of Residue
        In the order of the file, waters and ligands included.

    Raises
    ------
    InputError
        Where a coordinate record cannot be read, naming its line.
    """
    found: dict[tuple[str, str, str], Residue] = {}
    for count, line in enumerate(Path(path).read_text(errors="replace").splitlines(), 1):
        if line.startswith("ENDMDL"):
            break
        if not line.startswith(("ATOM  ", "HETATM")):
            continue
        try:
            xyz = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        except ValueError as error:
            what, right = f"coordinates not readable: {line[30:54].strip()!r}", "three numbers in columns 31 to 54"
            raise InputError(Problem(str(path), what, right, count, "receptor")) from error
        atom = line[12:16].strip()
        element = line[76:78].strip() or atom.lstrip("0123456789")[:1]
        key = (line[21].strip() or "A", line[22:27].strip(), line[17:20].strip())
        residue = found.setdefault(key, Residue(key[0], key[1], key[2], line.startswith("HETATM"), {}))
        residue.atoms.setdefault(atom, (element.upper(), xyz))
    return list(found.values())


def read_protein(path: Path, settings: System, *, complete: bool) -> Receptor:
    """Read, check and (where `complete`) mend and protonate a protein.

    Parameters
    ----------
    path
        PDB file.
    settings
        Section ``system`` of the configuration: site and pH.
    complete
        Add missing heavy atoms and hydrogens; False for a check that only looks.

    Returns
    -------
    Receptor
        With PDBFixer's result where `complete`; notes tell all that was done.

    Raises
    ------
    InputError
        Where it is empty, holds what the force field does not know, or lacks the residues of the site.
    """
    residues = read_residues(path)
    protein = [r for r in residues if r.name in AMINO_ACIDS]
    if not protein:
        there = ", ".join(sorted({r.name for r in residues})) or "no atoms"
        raise InputError(Problem(str(path), f"no amino acid in it (it has {there})", "a protein", field="receptor"))
    problems = []
    strange = sorted({f"{r.name} {r.label}" for r in residues if r.name not in AMINO_ACIDS and not r.hetero})
    if strange:
        what = f"residues that the protein force field does not know: {', '.join(strange[:8])}"
        problems.append(Problem(str(path), what, "amino acids; remove or rename the others", field="receptor"))
    if settings.site is not None:
        missing = [entry for entry in site_entries(settings.site) if not any(r.is_named(entry) for r in protein)]
        if missing:
            chains = {c: [r.number for r in protein if r.chain == c] for c in dict.fromkeys(r.chain for r in protein)}
            there = "; ".join(f"{c}:{numbers[0]} to {c}:{numbers[-1]}" for c, numbers in chains.items())
            what = f"no residue {', '.join(missing)}"
            right = f"residues as CHAIN:NUMBER or by name; there are {there}"
            problems.append(Problem(str(path), what, right, field="site"))
    if settings.receptor_charge is not None:
        right = "leave it out: a protein's charge follows from its residues and pH"
        problems.append(Problem(str(path), "receptor_charge is for hosts", right, field="receptor_charge"))
    if problems:
        raise InputError(problems)
    notes = _removal_notes(residues) + chain_breaks(protein)
    heavy = np.array([xyz for r in protein for element, xyz in r.atoms.values() if element != "H"])
    fixer = None
    if complete:
        from openmm.unit import angstrom

        fixer, more = _complete(path, settings.ph)
        notes += more
        is_heavy = [atom.element.symbol != "H" for atom in fixer.topology.atoms()]
        heavy = np.array(fixer.positions.value_in_unit(angstrom))[is_heavy]
    return Receptor(path.stem, "protein", None, heavy, None, fixer, settings.site, tuple(notes))


def chain_breaks(residues: Sequence[Residue]) -> list[str]:
    """Say where a chain has a gap: C and N of neighbours farther apart than a peptide bond.

    Parameters
    ----------
    residues
        In the order of the chains.

    Returns
    -------
    list of str
        A sentence for each gap, for the notes.
    """
    return [
        f"chain break between {a.label} and {b.label}: both ends become termini"
        for a, b in zip(residues, residues[1:], strict=False)
        if a.chain == b.chain and is_chain_break(a, b)
    ]


def is_chain_break(before: Residue, after: Residue) -> bool:
    """Tell whether two residues that follow each other are not joined.

    Parameters
    ----------
    before, after
        Neighbours in the file.

    Returns
    -------
    bool
        True for two chains, a missing C or N, or a distance that no peptide bond has.
    """
    if before.chain != after.chain:
        return True
    if "C" not in before.atoms or "N" not in after.atoms:
        return True
    gap = np.linalg.norm(np.subtract(before.atoms["C"][1], after.atoms["N"][1]))
    return bool(gap > LONGEST_PEPTIDE_BOND_ANGSTROM)


def _removal_notes(residues: Sequence[Residue]) -> list[str]:
    waters = sum(r.name in _WATERS for r in residues)
    others = sorted(f"{r.name} {r.label}" for r in residues if r.name not in AMINO_ACIDS | _WATERS)
    notes = [f"{waters} waters removed"] if waters else []
    return notes + ([f"removed: {', '.join(others)}"] if others else [])


def _complete(path: Path, ph: float) -> tuple[Any, list[str]]:
    """Add missing heavy atoms and hydrogens; missing loops are not modelled."""
    from pdbfixer import PDBFixer

    fixer = PDBFixer(filename=str(path))
    fixer.findMissingResidues()
    fixer.missingResidues = {}
    fixer.findNonstandardResidues()
    notes = [f"{r.name} {r.chain.id}:{r.id} replaced by {new}" for r, new in fixer.nonstandardResidues]
    fixer.replaceNonstandardResidues()
    fixer.removeHeterogens(keepWater=False)
    fixer.findMissingAtoms()
    added = {f"{r.name} {r.chain.id}:{r.id}": len(atoms) for r, atoms in fixer.missingAtoms.items()}
    if added:
        notes.append(f"missing heavy atoms added in {', '.join(added)}")
    fixer.addMissingAtoms(seed=1)
    fixer.addMissingHydrogens(ph)
    return fixer, notes
