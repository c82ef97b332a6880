"""Missing heavy atoms and hydrogens of a protein, by PDBFixer and OpenMM; missing loops are not modelled."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from gibbsflow.binding.prepare.protein.residue_names import (
    AMINO_ACIDS,
    CAPS,
    PARENT,
    PHOSPHORYLATED,
    STANDARD,
    heavy_atoms_of,
    parent_of,
    side_chain,
)
from gibbsflow.binding.prepare.protein.residues import Residue, chain_ends, pdb_text, renamed
from gibbsflow.workflow.account import Account

MOST_WITHOUT_SIDE_CHAIN = 0.25
"""Above this share of residues without their side chains a structure is a trace, and what is built on it a guess."""
_BACKBONE = {"N", "CA", "C"}


def refuse_traces(residues: Sequence[Residue], account: Account) -> None:
    """Refuse a Cα trace, a bare backbone, and atoms that no amino acid has.

    Parameters
    ----------
    residues
        The polymer.
    account
        Takes the refusals; a warning where some backbone atoms are missing.
    """
    members = [r for r in residues if parent_of(r.name) in STANDARD]
    no_backbone = [r for r in members if not r.atoms.keys() >= _BACKBONE]
    right = "a structure with all heavy atoms but some"
    if len(no_backbone) > MOST_WITHOUT_SIDE_CHAIN * max(len(members), 1):
        what = f"{len(no_backbone)} of {len(members)} residues lack N, CA or C (a Cα trace?)"
        account.refuse(what, right, row=no_backbone[0].line or None)
    else:
        if no_backbone:
            account.warn(
                f"atoms of the backbone are missing in {', '.join(r.called for r in no_backbone[:8])}, and are built",
                "a structure with them, or without these residues",
            )
        with_chain = [r for r in members if side_chain(r.name)]
        bare = [
            r
            for r in with_chain
            if not side_chain(r.name) & r.atoms.keys() - ({"CB"} if parent_of(r.name) != "ALA" else set())
        ]
        if len(bare) > MOST_WITHOUT_SIDE_CHAIN * max(len(with_chain), 1):
            what = f"{len(bare)} of {len(with_chain)} side chains are missing: {bare[0].called} and others"
            account.refuse(what, right, row=bare[0].line or None)
    last = chain_ends(residues)[1]
    for k, r in enumerate(residues):
        if k not in last and "OXT" in r.atoms and parent_of(r.name) in STANDARD:
            what = f"{r.called} has OXT, the second oxygen of an end, and is bonded to {residues[k + 1].called}"
            account.refuse(what, "the file without this atom, or with the residue behind it apart", row=r.line or None)
        known = heavy_atoms_of(r.name)
        lacking = (
            sorted((known or frozenset()) - {"OXT"} - r.atoms.keys()) if r.name in (*PHOSPHORYLATED, "HYP") else []
        )
        if lacking:  # PDBFixer does not know them, and tleap would build them without a word
            account.refuse(
                f"{r.called} lacks {', '.join(lacking)}", "all heavy atoms, or the unmodified name", row=r.line or None
            )
        strange = [] if known is None else sorted(a for a, (e, _) in r.atoms.items() if e != "H" and a not in known)
        if strange:
            account.refuse(
                f"{r.called} has atoms that {r.name} has not: {', '.join(strange[:6])}",
                "the PDB's names, or the name of the modified residue",
                row=r.line or None,
            )


def selenium_to_sulfur(residues: Sequence[Residue], account: Account) -> list[Residue]:
    """Make selenomethionine methionine.

    Parameters
    ----------
    residues
        The polymer.
    account
        Takes a note.

    Returns
    -------
    list of Residue
        The same, MSE as MET.
    """
    found = [r for r in residues if r.name == "MSE"]
    if found:
        account.note(f"{', '.join(r.called for r in found)} replaced by MET")
    made = []
    for r in residues:
        if r.name == "MSE":
            atoms = {a: ("S" if a == "SD" else element, xyz) for a, (element, xyz) in renamed(r, "MSE").atoms.items()}
            r = replace(r, name="MET", atoms=atoms, hetero=False)
        made.append(r)
    return made


def mend(residues: Sequence[Residue], states: Sequence[str | None], ph: float, account: Account) -> list[Residue]:
    """Add missing heavy atoms and hydrogens.

    Parameters
    ----------
    residues
        The polymer.
    states
        AMBER's name of the state of each; None for a histidine whose hydrogen bonds decide.
    ph
        For what is left to OpenMM.
    account
        Takes what was added, and what was taken away.

    Returns
    -------
    list of Residue
        In the same order, named by their states, with all hydrogens that OpenMM knows.
    """
    from openmm import app
    from openmm.unit import angstrom
    from pdbfixer import PDBFixer

    plain = [
        replace(
            r,
            name=parent_of(r.name) if r.name in AMINO_ACIDS - CAPS else r.name,
            hetero=False,
            atoms=_of_lyn(r) if state == "LYN" else r.atoms,
        )
        for r, state in zip(residues, states, strict=True)
    ]
    fixer = PDBFixer(pdbfile=io.StringIO(pdb_text(plain)))
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    added = {f"{r.name} {r.chain.id}:{r.id}{r.insertionCode.strip()}": len(a) for r, a in fixer.missingAtoms.items()}
    if added:
        account.note(f"missing heavy atoms added in {', '.join(added)}")
    fixer.addMissingAtoms(seed=1)
    modeller = app.Modeller(fixer.topology, fixer.positions)
    variants = [
        {"CYM": "CYX"}.get(state, state)
        if state is not None and parent_of(state) in ("HIS", *PARENT.values())
        else None
        for state in states
    ]
    modeller.addHydrogens(pH=ph, variants=variants)
    positions = modeller.positions.value_in_unit(angstrom)
    made = []
    pairs = zip(residues, states, modeller.topology.residues(), strict=True)
    for r, state, found in pairs:
        atoms = {
            atom.name: (
                "" if atom.element is None else atom.element.symbol.upper(),
                (positions[atom.index].x, positions[atom.index].y, positions[atom.index].z),
            )
            for atom in found.atoms()
        }
        name = state or {(True, True): "HIP", (True, False): "HID"}.get(("HD1" in atoms, "HE2" in atoms), "HIE")
        made.append(replace(r, name=name, atoms=atoms, hetero=False))
    bonded = {
        r.label: r.name for r, state in zip(made, states, strict=True) if state is None and parent_of(r.name) == "HIS"
    }
    if bonded:
        found = [f"{name} {label}" for label, name in bonded.items()]
        account.note(f"histidines by their hydrogen bonds: {', '.join(found[:20])}{' and more' * (len(found) > 20)}")
        account.facts["protonation"] = {**account.facts.get("protonation", {}), **bonded}
    heavy = sum(len(r.heavy()) for r in made) - sum(len(r.heavy()) for r in residues)
    hydrogens = sum(len(r.atoms) for r in made) - sum(len(r.atoms) for r in residues) - heavy
    account.facts["heavy_atoms_added"] = heavy
    account.facts["hydrogens_added"] = hydrogens
    account.facts["atoms_written"] = sum(len(r.atoms) for r in made)
    return made


def _of_lyn(residue: Residue) -> dict[str, tuple[str, tuple[float, float, float]]]:
    """Atoms of a neutral lysine with its two hydrogens as OpenMM names them: it would take AMBER's HZ3 away."""
    on_nitrogen = sorted(a for a in residue.atoms if a.startswith("HZ"))
    names = dict(zip(on_nitrogen, ("HZ1", "HZ2"), strict=False)) if len(on_nitrogen) == 2 else {}  # noqa: PLR2004
    return {names.get(a, a): value for a, value in residue.atoms.items()}
