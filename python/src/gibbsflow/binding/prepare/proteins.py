"""Proteins from PDB and mmCIF files: read, checked, completed and protonated, every step entered in the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gibbsflow.binding.prepare.membrane.lipid_residues import without_lipids
from gibbsflow.binding.prepare.membrane.opm_planes import without_dummies
from gibbsflow.binding.prepare.protein import cofactors
from gibbsflow.binding.prepare.protein.atom_records import StructureFile, read_structure
from gibbsflow.binding.prepare.protein.mending import mend, refuse_traces, selenium_to_sulfur
from gibbsflow.binding.prepare.protein.placement import coordinate, in_sequence, refuse_misplaced, warn_of_mirror_images
from gibbsflow.binding.prepare.protein.protonation import is_replacement, protonate, read_choices
from gibbsflow.binding.prepare.protein.residue_names import (
    PHOSPHORYLATED,
    amber_name_of,
    heavy_atoms_of,
    standard_atom,
)
from gibbsflow.binding.prepare.protein.residues import Residue, chain_breaks, chain_ends, in_chain, renamed, residues_of
from gibbsflow.binding.prepare.protein.sulfurs import account_disulfides
from gibbsflow.binding.prepare.protein.titration import titratable_groups
from gibbsflow.binding.prepare.receptors import Receptor, site_entries
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account


def read_protein(
    path: Path, settings: System, *, complete: bool, ligand_residue: str | None = None, explicit: bool = False
) -> Receptor:
    """Read, check and (where `complete`) mend and protonate a protein.

    Parameters
    ----------
    path
        PDB or mmCIF file, packed by gzip or not.
    settings
        Section ``system`` of the configuration.
    complete
        Add missing heavy atoms and hydrogens; False for a check that only looks.
    ligand_residue
        NAME CHAIN:NUMBER of the ligand in the file, which is no part of the receptor; None where it is not in there.
    explicit
        Whether it will be in a box of water.

    Returns
    -------
    Receptor
        With all atoms where `complete`; its account tells all that was read, chosen, added and left out.

    Raises
    ------
    InputError
        With all that is wrong: an empty file, what the force field does not know, contradictions, residues of the site
        that are not there.
    """
    account = Account(str(path))
    structure, planes = without_dummies(read_structure(path), account)
    structure = without_lipids(structure, account)
    given = cofactors.read_parameters(parameter_files(settings))
    choices = read_choices(settings.protonation) if settings.protonation is not None else {}
    residues = residues_of(structure, account, altlocs_of(settings.altloc, account))
    residues = _known_names([r for r in residues if r.called != ligand_residue], account)
    residues = in_sequence(residues, account)
    residues, choices = _replaced(residues, choices, account)
    joined = [in_chain(residues, k) for k in range(len(residues))]
    is_protein = [cofactors.is_polymer(r, given, joined=j) for r, j in zip(residues, joined, strict=True)]
    protein = [r for r, own in zip(residues, is_protein, strict=True) if own]
    if not protein:
        what = f"no amino acid in it (it has {', '.join(sorted({r.name for r in residues})) or 'no atoms'})"
        raise InputError(Problem(str(path), what, "a protein; a host as SDF or MOL2, with bonds", field="receptor"))
    _refuse_strangers(residues, is_protein, joined, given, account)
    if settings.site is not None:
        _refuse_absent_site(protein, settings.site, account)
    if settings.receptor_charge is not None:
        right = "leave it out: a protein's charge follows from its residues and pH"
        account.refuse("receptor_charge is for hosts", right, field="receptor_charge")
    refuse_traces(protein, account)
    beside = [r for r, own in zip(residues, is_protein, strict=True) if not own]
    kept = cofactors.choose_kept(beside, settings.keep, given, account, explicit=explicit)
    refuse_misplaced(protein, kept, account)
    _stop(account)
    warn_of_mirror_images(protein, account)
    left = [r for r in beside if r not in kept]
    cofactors.tell_left_out(left, protein, _site_atoms(protein, settings.site), account)
    protein = selenium_to_sulfur(protein, account)
    for note in chain_breaks(protein):
        account.note(note)
    _tell_missing(structure, account)
    _tell_modified(protein, given, account)
    pairs = account_disulfides(protein, structure.bonded_sulfurs, account)
    protonated, ways = protonate(protein, pairs, settings.ph, choices, account)
    states = coordinate(protein, protonated, kept, account)
    _stop(account)
    made = None
    if complete:
        mended = mend(protein, states, settings.ph, account)
        _tell_other_ends(protein, mended, account)
        made = [*mended, *(_written(r) for r in kept)]
        groups = titratable_groups(mended, protonated, states, ways, pairs, settings.ph)
        account.facts["titratable_groups"] = {"ph": settings.ph, "groups": groups}
        account.facts["residues_written"] = len(made)
        account.facts["residues_kept"] = len(protein)
    whole = made or [*protein, *kept]
    named = [(f"{r.called} {a}", element) for r in whole for a, (element, _) in r.atoms.items() if element != "H"]
    return Receptor(
        name=path.name.split(".")[0],
        kind="protein",
        charge=None,
        heavy_angstrom=np.array([xyz for r in whole for xyz in r.heavy()]),
        protein=None if made is None else tuple(made),
        heavy_atoms=tuple(named),
        site=_site_in_new_names(protein, settings.site),
        notes=tuple(account.as_dict()["notes"] + account.as_dict()["warnings"]),
        account=account,
        left_out=tuple(left),
        parameters=parameter_files(settings),
        membrane_planes=planes,
    )


def parameter_files(settings: System) -> tuple[Path, ...]:
    """Give the files of parameters that the settings name.

    Parameters
    ----------
    settings
        Section ``system`` of the configuration.

    Returns
    -------
    tuple of Path
        In their order.
    """
    return tuple(Path(entry) for entry in site_entries(settings.parameters or ""))


def _stop(account: Account) -> None:
    """Raise what speaks against the protein so far; the notes are said by the one who called."""
    if refused := account.of_weight("refuse"):
        raise InputError(refused)


def _known_names(residues: Sequence[Residue], account: Account) -> list[Residue]:
    """Residues by AMBER's names, where other programs have their own."""
    named = [(r, amber_name_of(cofactors.ion_name(r))) for r in residues]
    told = [f"{r.called} as {name}" for r, name in named if name != r.name]
    if told:
        account.note(f"read by other names: {', '.join(told[:20])}{' and more' * (len(told) > 20)}")
    return [renamed(r, name) if name != r.name else r for r, name in named]


def altlocs_of(text: str | None, account: Account) -> dict[str, str]:
    """Read which alternate location of a residue is to be taken.

    Parameters
    ----------
    text
        As ``A:64=B,A:70=A``; None for nothing.
    account
        Takes what cannot be read.

    Returns
    -------
    dict
        Label by CHAIN:NUMBER.
    """
    chosen: dict[str, str] = {}
    for entry in site_entries(text or ""):
        label, sign, location = entry.partition("=")
        if not sign or ":" not in label or len(location) != 1:
            account.refuse(f"altloc {entry!r} is not usable", "CHAIN:NUMBER=LABEL, as A:64=B", field="altloc")
        chosen[label.strip()] = location.strip()
    return chosen


def _replaced(
    residues: Sequence[Residue], choices: Mapping[str, str], account: Account
) -> tuple[list[Residue], dict[str, str]]:
    """Put amino acids in the place of modified residues for which they were chosen."""
    left = dict(choices)
    made = []
    for r in residues:
        choice = left.get(r.label)
        if choice is not None and is_replacement(choice, r):
            known = heavy_atoms_of(choice) or frozenset()
            named = {standard_atom(choice, a, e): (e, xyz) for a, (e, xyz) in r.atoms.items()}
            lost = sorted(a for a, (e, _) in named.items() if e != "H" and a not in known)
            account.warn(
                f"{r.called} is computed as {choice}, as chosen; left out of it: {', '.join(lost) or 'nothing'}",
                "parameters of the modified residue",
            )
            atoms = {a: value for a, value in named.items() if a in known}
            r = replace(r, name=choice, atoms=atoms, hetero=False)
        made.append(r)
    return made, left


def _refuse_strangers(
    residues: Sequence[Residue],
    is_protein: Sequence[bool],
    joined: Sequence[bool],
    given: Mapping[str, cofactors.GivenResidue],
    account: Account,
) -> None:
    """Refuse what stands in a chain or among the atoms of chains and has no parameters."""
    strange = []
    for r, own, inside in zip(residues, is_protein, joined, strict=True):
        if own:
            continue
        if inside:
            what = f"{r.called} is a modified residue of the chain that the protein force field does not know"
            right = "its parameters (--parameters: a lib with head and tail), or in --protonation the amino acid that "
            account.refuse(what, right + "stands for it", row=r.line or None)
        elif not r.hetero and r.name not in {*cofactors.WATERS, *cofactors.IONS, *given}:
            strange.append(r.called)
    if strange:
        strange = sorted(set(strange))
        what = f"residues that the protein force field does not know: {', '.join(strange[:8])}"
        account.refuse(what, "amino acids; remove or rename the others", field="receptor")


def _refuse_absent_site(protein: Sequence[Residue], site: str, account: Account) -> None:
    missing = [e for e in site_entries(site) if not any(r.is_named(e) or r.read_as == e for r in protein)]
    if missing:
        chains = {c: [r.number for r in protein if r.chain == c] for c in dict.fromkeys(r.chain for r in protein)}
        there = "; ".join(f"{c}:{numbers[0]} to {c}:{numbers[-1]}" for c, numbers in chains.items())
        what = f"no residue {', '.join(missing)}"
        account.refuse(what, f"residues as CHAIN:NUMBER or by name; there are {there}", field="site")


def _site_in_new_names(protein: Sequence[Residue], site: str | None) -> str | None:
    """Entries of the site by the names that chains have now."""
    if site is None:
        return None
    entries = []
    for entry in site_entries(site):
        renamed_to = [r.label for r in protein if r.read_as == entry]
        known = any(r.is_named(entry) for r in protein)
        entries.append(entry if known or not renamed_to else ",".join(renamed_to))
    return site if entries == site_entries(site) else ",".join(entries)


def _site_atoms(protein: Sequence[Residue], site: str | None) -> Floats | None:
    if site is None:
        return None
    entries = site_entries(site)
    return np.array(
        [xyz for r in protein if any(r.is_named(e) or r.read_as == e for e in entries) for xyz in r.heavy()]
    )


def _tell_other_ends(protein: Sequence[Residue], mended: Sequence[Residue], account: Account) -> None:
    """Warn where a backbone atom that was built lies otherwise than the bond that was taken to be there."""
    was, became = chain_ends(protein)[0], chain_ends(mended)[0]
    if other := sorted(was ^ became):
        told = ", ".join(
            f"{mended[k].called} {'begins' if k in became else 'does not begin'} a chain" for k in other[:8]
        )
        account.warn(f"with the atoms of the backbone that were built {told}", "a file with them")


def _tell_missing(structure: StructureFile, account: Account) -> None:
    if structure.missing:
        few = ", ".join(structure.missing[:12]) + " and more" * (len(structure.missing) > 12)
        account.note(f"{len(structure.missing)} residues have no coordinates in the file and are left out: {few}")


def _tell_modified(protein: Sequence[Residue], given: Mapping[str, cofactors.GivenResidue], account: Account) -> None:
    phosphorylated = [r for r in protein if r.name in PHOSPHORYLATED and r.name not in given]
    if phosphorylated:
        told = ", ".join(f"{r.called} (charge {PHOSPHORYLATED[r.name]:+d})" for r in phosphorylated)
        account.note(f"phosphorylated residues are kept, with the parameters of AMBER's phosaa set: {told}")
    modified = [r for r in protein if r.name in given]
    if modified:
        account.note(f"modified residues are kept, with the parameters given: {', '.join(r.called for r in modified)}")
    caps = [r.called for r in protein if r.name in ("ACE", "NME", "NHE")]
    if caps:
        account.facts["caps"] = caps


def _written(residue: Residue) -> Residue:
    """Write a kept residue as later phases find it: marked as beside the protein, waters by one name."""
    water = residue.name in cofactors.WATERS
    atoms = residue.atoms
    if water:
        atoms = {"O": next(value for value in atoms.values() if value[0] == "O")}
    elif residue.name in cofactors.IONS and len(atoms) == 1:
        ((element, xyz),) = atoms.values()
        atoms = {{"IOD": "I", "GD3": "GD", "CU1": "CU"}.get(residue.name, residue.name): (element, xyz)}
    return replace(residue, name="HOH" if water else residue.name, hetero=True, atoms=atoms)
