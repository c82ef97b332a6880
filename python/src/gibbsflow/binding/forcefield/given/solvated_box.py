"""One box that came solvated: read, its parts found, and all that would make a wrong number of it refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.given.canonical import TOPOLOGY_RIGHT, amber_text, settled
from gibbsflow.binding.forcefield.given.components import Components, complex_with, ligand_alone
from gibbsflow.binding.forcefield.given.coordinate_files import BoxedCoordinates, beside, made_whole, read_coordinates
from gibbsflow.binding.forcefield.given.prmtop_terms import PrmtopTerms, read_terms
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.binding.forcefield.given.water_models import recognised
from gibbsflow.binding.forcefield.membrane.embedding import bilayer_doubts
from gibbsflow.binding.forcefield.rings import pierced_rings, small_rings
from gibbsflow.binding.forcefield.topology_file import sections
from gibbsflow.binding.prepare.protein.residue_names import SECOND_OXYGENS
from gibbsflow.binding.solvated_facts import GivenBox
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text, require_file

WHOLE_E = 0.01
"""How far from an integer the charge of a molecule may be: force fields round theirs to 1e-4 e an atom."""
BOND_OFF_ANGSTROM = 1.0
"""A bond that is longer than its force field wants it by this is none: something is missing between its atoms."""
BOND_SHARE = 0.5
"""A bond that is shorter than this share of its length is none: coordinates are in another unit, or atoms coincide."""
DENSITY_G_PER_ML = (0.4, 1.8)
"""tleap packs small boxes down to 0.55 g/mL; what is outside has another unit, or another box."""
REPARTITIONED_AMU = 1.5
"""Hydrogen heavier than this has taken mass of its neighbour (deuterium is read as hydrogen of 2.014)."""
SITE_ANGSTROM = 5.0
_HEAVY = dict(
    ALA=5, ARG=11, ASN=8, ASP=8, ASH=8, CYS=6, CYX=6, CYM=6, GLN=9, GLU=9, GLH=9, GLY=4, HIS=10, HID=10, HIE=10, HIP=10,
    ILE=8, LEU=8, LYS=9, LYN=9, MET=8, PHE=11, PRO=7, SER=6, THR=7, TRP=14, TYR=12, VAL=7, ACE=3, NME=2, NHE=1,
)  # fmt: skip
"""Heavy atoms of residues in a chain; one more with a second oxygen at its end."""


@dataclass(frozen=True)
class BoxFiles:
    """Where a box comes from.

    Attributes
    ----------
    role
        ``complex`` or ``solvent``; columns and options are called after it.
    topology, coordinates
        The files.
    includes
        What a GROMACS topology includes, where it does not lie beside it.
    """

    role: str
    topology: Path
    coordinates: Path
    includes: tuple[Path, ...] = ()


@dataclass(frozen=True)
class SolvatedBox:
    """A box as it will be computed.

    Attributes
    ----------
    files
        Where it comes from.
    terms
        Its atoms and terms.
    components
        Its parts.
    text
        The topology as AMBER's.
    positions_angstrom
        Molecules whole, ligand and chains beside each other, shape (N, 3), Å.
    coordinates
        As they came, with the box.
    account
        What was noted.
    """

    files: BoxFiles
    terms: PrmtopTerms
    components: Components
    text: str
    positions_angstrom: Floats
    coordinates: BoxedCoordinates
    account: Account = field(default_factory=lambda: Account("box"))

    @property
    def water_model(self) -> str | None:
        """Name of the water model.

        Returns
        -------
        str or None
            None for one that is not known here.
        """
        return recognised(self.terms, np.asarray(self.components.first_water))[0]

    @property
    def parts(self) -> BoxParts:
        """The box by its molecules.

        Returns
        -------
        BoxParts
            To be put together anew.
        """
        found, box = self.components, self.coordinates
        return BoxParts(
            self.text, self.positions_angstrom, box.box_angstrom, box.vectors_angstrom, found.receptor, found.ligand
        )

    def facts(self, site: str | None) -> GivenBox:
        """Give what is recorded of it.

        Parameters
        ----------
        site
            Residues of the binding site, by names or numbers in the topology; None for those near the ligand.

        Returns
        -------
        GivenBox
            For ``system.json``.
        """
        parts, terms = self.components, self.terms
        model, water = recognised(terms, np.asarray(parts.first_water))
        return GivenBox(
            water_model=model,
            water=water,
            waters=parts.waters,
            ions=parts.ions,
            cosolvent=parts.cosolvent,
            lipids=parts.lipids.counts(),
            box_angstrom=self.coordinates.box_angstrom,
            ligand_atoms=parts.ligand,
            receptor_atoms=parts.receptor,
            site_atoms=self._site(site),
            receptor_charge_e=round(float(terms.charges_e[list(parts.receptor)].sum())),
            ligand_charge_e=round(float(terms.charges_e[list(parts.ligand)].sum())),
            hydrogen_mass_amu=round(_hydrogen_mass(terms, parts), 4),
        )

    def _site(self, site: str | None) -> tuple[int, ...]:
        """Heavy atoms of the residues that were named; else of a host, or of a protein's residues near the ligand."""
        parts, terms = self.components, self.terms
        heavy = [a for a in parts.receptor if terms.elements[a] > 1]
        if parts.receptor_kind != "protein" and site is None:
            return tuple(heavy)
        if site is not None:
            wanted = {entry.split(":")[-1].strip() for entry in site.split(",")}
            kept = {r for r in range(len(terms.labels)) if terms.labels[r] in wanted or str(r + 1) in wanted}
            right = "names or numbers of residues of the topology, counted from 1"
        else:
            ligand = [a for a in parts.ligand if terms.elements[a] > 1] or list(parts.ligand)
            away, _ = cKDTree(self.positions_angstrom[ligand]).query(self.positions_angstrom[heavy])
            kept = {int(terms.residue_of[a]) for a, d in zip(heavy, away, strict=True) if d < SITE_ANGSTROM}
            right = "coordinates with the ligand in its site"
        found = tuple(a for a in heavy if int(terms.residue_of[a]) in kept)
        if not found:
            what = f"no residue of the receptor is {'in the site ' + site if site else 'within 5 Å of the ligand'}"
            raise InputError(Problem(str(self.files.coordinates), what, right, field="site" if site else None))
        return found


def read_box(
    files: BoxFiles, residue: str | None, like: SolvatedBox | None, scratch: Path, *, seen: Account | None = None
) -> SolvatedBox:
    """Read a box, find its parts, and look at all that can be wrong with it.

    Parameters
    ----------
    files
        Where it comes from.
    residue
        Name of the ligand's residue; None to find it.
    like
        Box of the ligand alone, when this is the complex; None where there is none.
    scratch
        Folder that takes the topology in AMBER's form, as ROLE.prmtop.
    seen
        Takes notes; None for one of its own.

    Returns
    -------
    SolvatedBox
        As it will be computed.

    Raises
    ------
    InputError
        With all that is wrong with it.
    """
    where, column = str(files.topology), f"{files.role}_topology"
    account = seen if seen is not None else Account(where)
    require_file(files.topology, TOPOLOGY_RIGHT, STRUCTURE_BYTES, field=column)
    coordinates = read_coordinates(files.coordinates, field=f"{files.role}_coordinates", where=str(files.coordinates))
    pdb = None
    if files.topology.suffix.lower() == ".xml" and files.coordinates.suffix.lower() == ".pdb":
        pdb = read_text(files.coordinates, "a PDB", STRUCTURE_BYTES, errors="replace")
    text = amber_text(files.topology, coordinates, files.includes, pdb, account, field=column)
    prmtop = scratch / f"{files.role}.prmtop"
    prmtop.write_text(text)
    terms = read_terms(prmtop, where=where)
    coordinates = _angled(coordinates, prmtop, files, account)
    _check_coordinates(files, terms, coordinates)
    named = None if residue is None else ":".join([residue.split(":")[0][:4], *residue.split(":")[1:]])
    if files.role == "solvent":
        parts = ligand_alone(terms, named, where=where)
    else:
        parts = complex_with(terms, named, (like.terms, like.components.ligand) if like else None, where=where)
    vectors = coordinates.vectors_angstrom
    positions = made_whole(coordinates.positions_angstrom, vectors, terms.bonds)
    if parts.receptor:
        positions = _together(positions, vectors, terms, parts)
    _check_terms(where, column, terms, parts)
    _check_geometry(str(files.coordinates), terms, positions, vectors)
    if parts.lipids.molecules:
        problems, doubts = bilayer_doubts(
            parts.lipids, positions, vectors, _solids(terms, parts), where=str(files.coordinates)
        )
        if problems:
            raise InputError(problems)
        for doubt in doubts:
            account.note(doubt)
    if "%FLAG ATOMIC_NUMBER" not in text:
        account.note(f"{files.topology.name}: without atomic numbers, as AMBER wrote it before 12: elements by masses")
    for note in parts.notes:
        account.note(note)
    _note(account, files, terms, parts, coordinates)
    molecules = np.bincount(terms.molecule_of)
    waters = {int(terms.residue_of[m]) for m in _water_oxygens(terms)}
    text = settled(text, terms.elements.tolist(), sorted(waters), molecules.tolist(), vectors)
    prmtop.write_text(text)
    return SolvatedBox(files, terms, parts, text, positions, coordinates, account)


def _angled(coordinates: BoxedCoordinates, prmtop: Path, files: BoxFiles, account: Account) -> BoxedCoordinates:
    """Coordinates with the angles of their topology where their own file has the edges alone, as AMBER takes them."""
    if coordinates.angled:
        return coordinates
    beta = float(sections(prmtop)["BOX_DIMENSIONS"].split()[0])
    lengths = coordinates.box_angstrom[:3]
    account.note(f"{files.coordinates.name}: a box without angles: {beta:g}°, as {files.topology.name} has them")
    return replace(coordinates, box_angstrom=(*lengths, beta, beta, beta))


def _solids(terms: PrmtopTerms, parts: Components) -> tuple[list[int], list[int]]:
    """Heavy atoms of receptor and ligand."""
    receptor, ligand = ([a for a in atoms if terms.elements[a] > 1] for atoms in (parts.receptor, parts.ligand))
    return receptor, ligand


def _together(positions: Floats, vectors: Floats, terms: PrmtopTerms, parts: Components) -> Floats:
    """Bring the chains of the receptor, then the ligand, beside the largest chain."""
    chains: dict[int, list[int]] = {}
    for atom in parts.receptor:
        chains.setdefault(int(terms.molecule_of[atom]), []).append(atom)
    first, *others = sorted(chains.values(), key=len, reverse=True)
    return beside(positions, vectors, [*others, list(parts.ligand)], first)


def _check_coordinates(files: BoxFiles, terms: PrmtopTerms, coordinates: BoxedCoordinates) -> None:
    where, column, atoms = str(files.coordinates), f"{files.role}_coordinates", len(terms.elements)
    right = "topology and coordinates of one system"
    if len(coordinates.positions_angstrom) != atoms:
        what = f"{len(coordinates.positions_angstrom)} atoms, and {atoms} in {files.topology.name}"
        raise InputError(Problem(where, what, right, field=column))
    for atom, name in enumerate(coordinates.names):
        if (
            name[:4] != terms.names[atom]
            and name.lstrip("0123456789")[:1] != terms.names[atom].lstrip("0123456789")[:1]
        ):
            what = f"atom {atom + 1} is {name}, and {terms.called(atom)} in {files.topology.name}"
            raise InputError(Problem(where, what, right, field=column))


def _check_terms(where: str, column: str, terms: PrmtopTerms, parts: Components) -> None:
    problems: list[Problem] = []

    def wrong(what: str, right: str) -> None:
        problems.append(Problem(where, what, right, field=column))

    sums = {"the box": range(len(terms.elements)), "the ligand": parts.ligand, "the receptor": parts.receptor}
    for name, atoms in sums.items():
        charge = float(terms.charges_e[list(atoms)].sum())
        if abs(charge - round(charge)) > WHOLE_E:
            wrong(f"the charges of {name} sum to {charge:.4f} e, which is no whole number", "a whole charge")
        elif name == "the box" and round(charge):
            wrong(f"the box has a charge of {round(charge):+d} e", "counter-ions that neutralise it, as PME wants it")
    if len(massless := np.flatnonzero((terms.masses_amu <= 0) & (terms.elements > 0))):
        wrong(f"{terms.called(int(massless[0]))} has no mass", "atoms that move")
    ends = np.flatnonzero(np.diff(terms.molecule_of))
    if len(ends) + 1 != int(terms.molecule_of.max()) + 1:
        wrong("the atoms of a molecule do not follow each other", "molecules one after the other, as tleap writes them")
    oxygens = _water_oxygens(terms)
    if len(bad := _flexible(terms, oxygens)):
        what = f"{len(bad)} waters are flexible, such as {terms.called(int(bad[0]))}: no bond between their hydrogens"
        wrong(what, "rigid water")
    virtual = np.flatnonzero(terms.elements <= 0)
    inside = np.isin(terms.molecule_of[virtual], terms.molecule_of[oxygens])
    if not inside.all():
        wrong(f"{terms.called(int(virtual[~inside][0]))} is a virtual site outside water", "none but in water")
    problems += [Problem(where, what, right, field=column) for what, right in _incomplete(terms, parts)]
    if problems:
        raise InputError(problems)


def _water_oxygens(terms: PrmtopTerms) -> np.ndarray:
    """Oxygens of molecules of one oxygen, two hydrogens and virtual sites."""
    molecules, count = terms.molecule_of, int(terms.molecule_of.max()) + 1
    of = [np.bincount(molecules[terms.elements == number], minlength=count) for number in (1, 8)]
    real = np.bincount(molecules[terms.elements > 0], minlength=count)
    water = (of[0] == 2) & (of[1] == 1) & (real == 3)  # noqa: PLR2004
    return np.flatnonzero((terms.elements == 8) & water[molecules])  # noqa: PLR2004


def _flexible(terms: PrmtopTerms, oxygens: np.ndarray) -> np.ndarray:
    """Oxygens of waters without a bond between their hydrogens, which makes a triangle of constraints."""
    a, b = terms.bonds.T
    both = (terms.elements[a] == 1) & (terms.elements[b] == 1)
    rigid = np.unique(terms.molecule_of[a[both]])
    return oxygens[~np.isin(terms.molecule_of[oxygens], rigid)]


def _incomplete(terms: PrmtopTerms, parts: Components) -> list[tuple[str, str]]:
    """Amino acids of the receptor that lack heavy atoms, or have others than theirs."""
    told: list[tuple[str, str]] = []
    receptor = np.asarray(parts.receptor, dtype=int)
    heavy = receptor[terms.elements[receptor] > 1] if len(receptor) else receptor
    counts = np.bincount(terms.residue_of[heavy], minlength=len(terms.labels)) if len(heavy) else np.zeros(0)
    names: dict[int, set[str]] = {}
    for atom in heavy.tolist():
        names.setdefault(int(terms.residue_of[atom]), set()).add(terms.names[atom])
    for residue, inside in names.items():
        label = terms.labels[residue]
        wanted = _HEAVY.get(label[1:] if len(label) == 4 and label[0] in "NC" else label)  # noqa: PLR2004
        if wanted is not None and counts[residue] != (whole := wanted + bool(inside & SECOND_OXYGENS)):
            what = f"{label} {residue + 1} has {int(counts[residue])} heavy atoms, not {whole}"
            told.append((what, "a receptor with all its atoms"))
    return told[:6]


def _check_geometry(where: str, terms: PrmtopTerms, positions: Floats, vectors: Floats) -> None:
    density = terms.masses_amu.sum() * 1.66053907 / abs(float(np.linalg.det(vectors)))
    if not DENSITY_G_PER_ML[0] < density < DENSITY_G_PER_ML[1]:
        what = f"{density:.2f} g/mL: the box is not that of its molecules"
        raise InputError(Problem(where, what, "the box of these coordinates, in the unit of its format"))
    pairs, numbers = terms.bonded["bonds"]
    real = (terms.elements[pairs] > 0).all(axis=1)
    lengths = np.linalg.norm(np.subtract(*positions[pairs[real].T]), axis=1)
    over = lengths - numbers[real][:, 1]
    if len(over) and over.max() > BOND_OFF_ANGSTROM:
        a, b = pairs[real][int(np.argmax(over))]
        what = f"{terms.called(a)} and {terms.called(b)} are bonded and {lengths[np.argmax(over)]:.1f} Å apart"
        right = "a receptor without holes, and coordinates of this topology with their box"
        raise InputError(Problem(where, what, right))
    share = lengths / np.maximum(numbers[real][:, 1], 1e-6)
    if len(share) and share.min() < BOND_SHARE:
        a, b = pairs[real][int(np.argmin(share))]
        what = f"{terms.called(a)} and {terms.called(b)} are bonded and {lengths[np.argmin(share)]:.2f} Å apart"
        raise InputError(Problem(where, what, "coordinates of this topology, in the unit of their format"))
    if pierced := pierced_rings(positions, small_rings(terms.bonds), terms.bonds):
        ring, (a, b) = pierced[0]
        what = f"the bond of {terms.called(a)} and {terms.called(b)} goes through the ring of {terms.called(ring[0])}"
        raise InputError(Problem(where, what, "coordinates without such a bond"))


def _hydrogen_mass(terms: PrmtopTerms, parts: Components) -> float:
    """Largest mass of a hydrogen of the solutes; that of the element where they have none."""
    solute = np.asarray([*parts.ligand, *parts.receptor])
    hydrogens = solute[terms.elements[solute] == 1]
    return float(terms.masses_amu[hydrogens].max()) if len(hydrogens) else 1.008


def _note(
    account: Account, files: BoxFiles, terms: PrmtopTerms, parts: Components, coordinates: BoxedCoordinates
) -> None:
    name = files.topology.name
    model, water = recognised(terms, np.asarray(parts.first_water))
    if model is None:
        what = f"{name}: no water model that is known here ({water})"
        account.warn(what, "one of tip3p, spce, opc, tip4pew, or be sure of it")
    if (mass := _hydrogen_mass(terms, parts)) > REPARTITIONED_AMU:
        what = f"{name}: hydrogens of {mass:g} amu, repartitioned already; they are set to hydrogen_mass_amu, not twice"
        account.note(what)
    if coordinates.velocities:
        account.note(f"{files.coordinates.name}: its velocities are not used, they are drawn anew")


def common_problems(files: Sequence[BoxFiles]) -> list[Problem]:
    """Say which kinds of files cannot be read, without reading them.

    Parameters
    ----------
    files
        Of each box.

    Returns
    -------
    list of Problem
        Empty where all can.
    """
    from gibbsflow.binding.forcefield.given.canonical import SUFFIXES

    return [
        Problem(
            str(box.topology), f"of unknown kind {box.topology.suffix!r}", TOPOLOGY_RIGHT, field=f"{box.role}_topology"
        )
        for box in files
        if box.topology.suffix.lower() not in SUFFIXES
    ]
