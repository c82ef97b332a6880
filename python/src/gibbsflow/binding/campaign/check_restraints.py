"""What can be said of a restraint before anything runs: its kind, the names of its anchors, its symmetry number."""

from __future__ import annotations

import numpy as np

from gibbsflow.binding.alchemy.protocols import protocol_of, restrains
from gibbsflow.binding.alchemy.restraint.holding import symmetry_problems
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import (
    Named,
    bends_deg,
    line_problems,
    name_problems,
    split_names,
)
from gibbsflow.binding.prepare.molecules import Molecule, atom_names
from gibbsflow.binding.prepare.protein.residue_names import heavy_atoms_of
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.errors import Problem


def setting_problems(settings: BindingConfig) -> list[Problem]:
    """Say where settings of the restraint contradict each other, or the mode.

    Parameters
    ----------
    settings
        Sections ``fe``, ``md`` and ``run`` count.

    Returns
    -------
    list of Problem
        Empty where they fit.
    """
    fe, found = settings.fe, []
    if kind_held(settings, host=False) is None:
        found += symmetry_problems(fe.symmetry_number, None, (), where="fe")
        if fe.boresch_atoms is not None:
            what = f"given in mode {settings.run.mode}, which restrains nothing"
            found.append(Problem("fe", what, "left out", field="boresch_atoms"))
    elif fe.boresch_atoms is not None:
        if fe.restraint in ("com", "flat_bottom"):
            what, right = f"given with restraint {fe.restraint}", "restraint boresch, or these left out"
            found.append(Problem("fe", what, right, field="boresch_atoms"))
        found += name_problems(fe.boresch_atoms, None, None, where="fe")
    return found


def kind_held(settings: BindingConfig, *, host: bool) -> str | None:
    """Name the restraint that a complex will have, as far as that is known before its equilibration.

    Parameters
    ----------
    settings
        Sections ``fe``, ``md`` and ``run`` count.
    host
        Whether the receptor is a host.

    Returns
    -------
    str or None
        A kind; None in a mode that restrains nothing.
    """
    mode = settings.run.mode
    if not MODES[mode].free_energies or not restrains(protocol_of(mode, explicit=settings.md.explicit)):
        return None
    if settings.fe.restraint != "auto":
        return settings.fe.restraint
    return "com" if host and settings.fe.boresch_atoms is None else "boresch"


def row_problems(row: Row, ligand: Molecule, receptor: Receptor | None, settings: BindingConfig) -> list[Problem]:
    """Say which anchors a ligand or its receptor has not, and where its symmetry number cannot be.

    Parameters
    ----------
    row
        Its row.
    ligand
        With all hydrogens.
    receptor
        As read; None where it could not be.
    settings
        Section ``fe`` counts.

    Returns
    -------
    list of Problem
        Without a line of the samplesheet.
    """
    if receptor is None:
        return symmetry_problems(row.symmetry_number or 1, None, (), where=row.ligand)
    host = receptor.molecule is not None
    kind, text = kind_held(settings, host=host), settings.fe.boresch_atoms
    found: list[Problem] = []
    if kind == "boresch" and text is not None:
        found += name_problems(text, _receptor_names(receptor, text), _heavy_names(ligand), where=row.ligand)
        posed = row.in_its_pose and ligand.mol.GetNumConformers() > 0
        found = found or _in_line(text, ligand if posed else None, receptor, row.ligand)
    elif kind == "boresch":
        found += _too_few(len(ligand.heavy_atoms), settings, row.ligand)
    molecules = [ligand.mol] if receptor.molecule is None else [ligand.mol, receptor.molecule.mol]
    number = row.symmetry_number or settings.fe.symmetry_number
    return found + symmetry_problems(number, kind, molecules, where=row.ligand)


def solvated_problems(
    row: Row, named: Named | None, heavy: int, settings: BindingConfig, *, host: bool
) -> list[Problem]:
    """Say the same of a ligand and a receptor that come solvated.

    Parameters
    ----------
    row
        Its row.
    named
        Atoms of the complex; None where there is none, or no anchors are named.
    heavy
        Heavy atoms of the ligand.
    settings
        Section ``fe`` counts.
    host
        Whether the receptor is a host.

    Returns
    -------
    list of Problem
        Without a line of the samplesheet. Whether a symmetry number divides what the molecules have is not looked at.
    """
    kind, text = kind_held(settings, host=host), settings.fe.boresch_atoms
    found: list[Problem] = []
    if kind == "boresch" and text is not None and named is not None:
        found += name_problems(text, named.receptor, named.ligand, where=row.ligand)
    elif kind == "boresch":
        found += _too_few(heavy, settings, row.ligand)
    number = row.symmetry_number or (settings.fe.symmetry_number if kind else 1)
    return found + symmetry_problems(number, kind, (), where=row.ligand)


def _too_few(heavy: int, settings: BindingConfig, where: str) -> list[Problem]:
    """Say that a ligand has not the atoms for the restraint that is asked for; ``auto`` takes another."""
    if settings.fe.restraint != "boresch" or heavy >= 3:  # noqa: PLR2004
        return []
    what = f"{heavy} heavy atoms, where a Boresch restraint needs three anchors"
    return [Problem(where, what, "restraint com, flat_bottom or auto", field="restraint")]


def _in_line(text: str, ligand: Molecule | None, receptor: Receptor, where: str) -> list[Problem]:
    """Anchors in a line where they are now, which MD will not bend; of those whose place is known."""
    called = [name.partition(" ")[2].replace(" ", ":") for name, _ in receptor.heavy_atoms]
    named = _heavy_names(receptor.molecule) if receptor.molecule is not None else called
    places = [dict(zip(named, receptor.heavy_angstrom, strict=True))]
    places.append({} if ligand is None else dict(zip(_heavy_names(ligand), ligand.heavy_angstrom, strict=True)))
    names = split_names(text) or []
    bent = np.array([[1.0, 0, 0], [0, 0, 0], [0, 1, 0]])  # stands for what is not known
    threes = [
        np.array([at[name] for name in three]) if all(name in at for name in three) else bent
        for three, at in zip((names[:3], names[3:]), places, strict=True)
    ]
    return line_problems(text, bends_deg(threes[0][None], threes[1][None]), where=where)


def _heavy_names(molecule: Molecule) -> list[str]:
    names = atom_names(molecule.mol)
    return [names[int(atom)] for atom in molecule.heavy_atoms]


def _receptor_names(receptor: Receptor, text: str) -> list[str]:
    """Names of the atoms that there are, or will be where a residue asked for lacks some."""
    if receptor.molecule is not None:
        return _heavy_names(receptor.molecule)
    names, residues = [], {}
    for called, _ in receptor.heavy_atoms:  # NAME CHAIN:NUMBER ATOM
        residue, label, atom = called.split(" ", 2)
        names.append(f"{label}:{atom}")
        residues[label] = residue
    for entry in text.split(","):
        label, _, atom = entry.strip().rpartition(":")
        if label in residues and atom in (heavy_atoms_of(residues[label]) or ()):
            names.append(f"{label}:{atom}")
    return names
