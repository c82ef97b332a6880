"""A protonated protein as tleap takes it: residues named by their protonation, chains ended, disulfides listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.prepare.protein.cofactors import IONS
from gibbsflow.binding.prepare.protein.residue_names import CAPS, CHARGE, PHOSPHORYLATED, WATERS, parent_of
from gibbsflow.binding.prepare.protein.residues import Residue, chain_ends, is_chain_break, read_residues
from gibbsflow.binding.prepare.protein.sulfurs import disulfides
from gibbsflow.binding.prepare.receptors import site_entries


@dataclass(frozen=True)
class AmberProtein:
    """A protein for tleap.

    Attributes
    ----------
    pdb
        PDB text with AMBER's residue names, without hydrogens: tleap builds those of the named protonation itself, so
        that no hydrogen name can disagree.
    residues
        The residues in order, as numbered in the user's file; the k-th is the k-th of the topology.
    disulfides
        Pairs of residue numbers of the topology, counted from 1.
    names
        AMBER's name of each residue, as in `pdb`.
    """

    pdb: str
    residues: tuple[Residue, ...]
    disulfides: tuple[tuple[int, int], ...]
    names: tuple[str, ...] = ()

    def residues_of(self, site: str) -> list[int]:
        """Find the residues that a site names.

        Parameters
        ----------
        site
            Entries as CHAIN:NUMBER or residue names, separated by commas.

        Returns
        -------
        list of int
            Their indices in the topology, 0-based.
        """
        return [k for k, r in enumerate(self.residues) if any(r.is_named(entry) for entry in site_entries(site))]

    @property
    def phosphorylated(self) -> bool:
        """Tell whether it needs AMBER's parameters of phosphorylated residues.

        Returns
        -------
        bool
            True where one is in it.
        """
        return any(name in PHOSPHORYLATED for name in self.names)

    @property
    def has_ions_or_waters(self) -> bool:
        """Tell whether it needs AMBER's parameters of ions and waters.

        Returns
        -------
        bool
            True where one is kept.
        """
        return any(r.hetero and (r.name in IONS or r.name in WATERS) for r in self.residues)

    def charges_e(self) -> list[int | None]:
        """Give the charge that each residue must have in the topology.

        Returns
        -------
        list of int or None
            Ends of chains included, in e; None for residues that only their parameters know.
        """
        members = [r for r in self.residues if not r.hetero]
        first, last = chain_ends(members)
        charges: list[int | None] = []
        for k, (residue, name) in enumerate(zip(self.residues, self.names, strict=True)):
            if residue.hetero:
                charges.append(0 if name in WATERS else IONS.get(name))
            elif parent_of(name) == name and name not in CHARGE and name not in _NEUTRAL:
                charges.append(None)
            else:
                ends = (k in first) - (k in last) if name not in CAPS else 0
                charges.append(CHARGE.get(name, 0) + ends)
        return charges


_NEUTRAL = frozenset("ALA ASN CYS GLN GLY HYP ILE LEU MET PHE PRO SER THR TRP TYR VAL".split()) | CAPS


def amber_protein(path: Path) -> AmberProtein:
    """Read the protein that system_prep wrote and name its residues for AMBER.

    Parameters
    ----------
    path
        PDB file with all hydrogens; what is kept beside the protein in HETATM records.

    Returns
    -------
    AmberProtein
        With a TER wherever a chain ends or breaks.

    Raises
    ------
    InputError
        Where a coordinate record cannot be read.
    """
    residues = read_residues(path)
    pairs = disulfides(residues)
    bonded = {k for pair in pairs for k in pair}
    names = tuple(r.name if r.hetero else amber_name(r, in_disulfide=k in bonded) for k, r in enumerate(residues))
    lines, serial = [], 0
    for k, (residue, name) in enumerate(zip(residues, names, strict=True)):
        for atom, (element, xyz) in residue.atoms.items():
            if element == "H":
                continue
            serial += 1
            padded = atom if len(atom) == 4 or len(element) == 2 else f" {atom}"
            place = "".join(f"{x:8.3f}" for x in xyz)
            head = f"ATOM  {serial % 100000:5d} {padded:<4s} {name:<3s} A{(k + 1) % 10000:4d}    "
            lines.append(f"{head}{place}  1.00  0.00          {element:>2s}")
        following = residues[k + 1] if k + 1 < len(residues) else None
        if following is None or residue.hetero or following.hetero or is_chain_break(residue, following):
            lines.append("TER")
    numbered = tuple((a + 1, b + 1) for a, b in pairs)
    return AmberProtein("\n".join([*lines, "END", ""]), tuple(residues), numbered, names)


def amber_name(residue: Residue, *, in_disulfide: bool) -> str:
    """Name a residue by its own name, or where that leaves it open by the hydrogens that it has.

    Parameters
    ----------
    residue
        With all hydrogens.
    in_disulfide
        Whether its sulfur is bonded to another.

    Returns
    -------
    str
        AMBER's name of the protonation state, as HID, HIE or HIP for HIS.
    """
    atoms = residue.atoms
    if residue.name == "HIS":
        return {(True, True): "HIP", (True, False): "HID"}.get(("HD1" in atoms, "HE2" in atoms), "HIE")
    if residue.name in ("CYS", "CYX"):
        return "CYX" if in_disulfide else ("CYS" if "HG" in atoms else "CYM")
    if residue.name == "ASP" and "HD2" in atoms:
        return "ASH"
    if residue.name == "GLU" and "HE2" in atoms:
        return "GLH"
    if residue.name == "LYS" and not {"HZ1", "HZ2", "HZ3"} <= atoms.keys():
        return "LYN"
    return residue.name


def differences(protein: AmberProtein, labels: Sequence[str], charges_e: Sequence[float]) -> list[str]:
    """Hold a topology against the protein that went in.

    Parameters
    ----------
    protein
        As tleap was given it.
    labels
        Residue names of the topology's receptor, in order.
    charges_e
        Sum of the partial charges of each of them.

    Returns
    -------
    list of str
        What differs, in words; empty where the topology is what was asked for.
    """
    if len(labels) != len(protein.residues):
        return [f"{len(labels)} residues instead of {len(protein.residues)}"]
    told = []
    for residue, name, label, charge, right in zip(
        protein.residues, protein.names, labels, charges_e, protein.charges_e(), strict=True
    ):
        if label != name and not (name in WATERS and label in WATERS):
            told.append(f"{residue.called} became {label}")
        if right is not None and abs(charge - right) > 1e-3:
            told.append(f"{name} {residue.label} has the charge {charge:+.3f}, not {right:+d}")
    return told
