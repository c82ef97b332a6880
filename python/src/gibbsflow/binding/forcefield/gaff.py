"""GAFF parameters of ligands and hosts, computed once a molecule and kept in a content-addressed cache.

**Key.** A cache entry is named by the hash of exactly what antechamber is given: the normalised SDF (elements, bonds,
formal charges, coordinates to 1e-3 Å), the net charge, force field, charge method, rigid or not, and the versions of
AmberTools and of this module. Nothing that changes the outcome is left out, so an entry can never be wrong for its key.

**Reuse across poses.** A ligand's SDF in that hash is not its pose but its reference geometry, a function of its
canonical SMILES alone (:func:`.reference_geometry`). Its charges are thus the same in every
pose, receptor, leg and atom order, as a free-energy cycle needs, and computed once. A host is taken at the geometry of
its file, as macrocycles cannot be rebuilt from a SMILES; that file is the same for all ligands of a campaign.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rdkit import Chem

from gibbsflow.binding.prepare.conformers import reference_geometry
from gibbsflow.binding.prepare.molecules import Molecule, MoleculeError, atom_names, rdkit_messages
from gibbsflow.config.binding import Param
from gibbsflow.engines import ambertools
from gibbsflow.engines.process import Bounds
from gibbsflow.errors import ParametrisationError, StateError
from gibbsflow.workflow.files import read_json, sha256_file, write_json

log = logging.getLogger(__name__)
VERSION = 2
"""Raised by hand when the parameters of the same molecule change."""
_CHARGE_TOLERANCE_E = 0.1
HIGH_PENALTY = 100.0
"""Terms with a penalty from parmchk2 of this or more make a warning; ordinary drugs stay below 50."""
_BROKEN = 1.5
_MADE = 1.15
"""In units of the sum of covalent radii: a bond longer than the first broke, a pair nearer than the second bonded."""
_FRCMOD = "parameters.frcmod"
_ATOMS = "atoms.json"
_CHECKSUMS = "entry.json"


@dataclass(frozen=True)
class GaffParameters:
    """Parameters of one molecule, in its own atom order.

    Attributes
    ----------
    types
        GAFF atom types.
    charges
        Partial charges in e, whose sum is the net charge to 1e-6.
    frcmod
        Text of the terms that GAFF lacks.
    correction_e
        What was added to each atom's charge to make the sum an integer.
    key
        Name of the cache entry; where charges were given, a hash of it and of them.
    from_cache
        Whether the cache had it.
    warnings
        Terms that were guessed from ones that are far from similar; bonds that AM1 made or broke.
    """

    types: tuple[str, ...]
    charges: tuple[float, ...]
    frcmod: str
    correction_e: float
    key: str
    from_cache: bool
    warnings: tuple[str, ...] = ()


def parametrise(
    molecule: Molecule,
    settings: Param,
    *,
    name: str,
    cache: Path,
    logs: Path,
    rigid: bool,
    charges_e: Sequence[float] | None = None,
) -> GaffParameters:
    """Find the parameters of a molecule in the cache, or compute them.

    Parameters
    ----------
    molecule
        With all hydrogens and coordinates.
    settings
        Section ``param`` of the configuration.
    name
        What messages and logs call it.
    cache
        Folder of the cache, shared by any number of processes.
    logs
        Folder that takes the programs' log.
    rigid
        Charges at the geometry given (hosts), instead of at the reference geometry optimised by AM1 (ligands).
    charges_e
        Charge of each atom of `molecule` in e, which is taken in place of a computed one; None to compute them.

    Returns
    -------
    GaffParameters
        In the atom order of `molecule`.

    Raises
    ------
    ParametrisationError
        Naming the molecule, the log and what the program said.
    """
    order = list(range(molecule.mol.GetNumAtoms()))
    source = molecule.mol
    if not rigid:
        try:
            source, order = reference_geometry(molecule)
        except MoleculeError as error:
            log.warning("%s: %s; charges are taken at the geometry given", name, error)
    if charges_e is not None:
        settings = settings.model_copy(update={"charge_method": ambertools.NO_CHARGES})
    sdf = _normalised_sdf(source)
    key = _entry_key(sdf, molecule.charge, settings, rigid)
    entry = Path(cache) / key[:2] / key
    with _entry_lock(entry):
        content = _read_entry(entry)
        hit = content is not None
        if content is None:
            content = _compute(entry, sdf, molecule.charge, settings, name, logs / f"{name}.antechamber.log", rigid)
    log.info("%s: parameters %s (%s)", name, "from the cache" if hit else "computed", key[:12])
    types, charges, frcmod, moved = content
    if len(types) != len(order):
        raise ParametrisationError(f"{name}: antechamber gave {len(types)} atoms for {len(order)}")
    back = {index: k for k, index in enumerate(order)}
    own = [back[i] for i in range(len(order))]
    if charges_e is not None:
        key = hashlib.sha256(json.dumps([key, list(charges_e)]).encode()).hexdigest()
    each = [charges[k] for k in own] if charges_e is None else list(charges_e)
    integral, correction = renormalise(each, molecule.charge, name)
    warnings = (*(f"{name}: {text}" for text in (*moved, *guessed_terms(frcmod))),)
    return GaffParameters(tuple(types[k] for k in own), tuple(integral), frcmod, correction, key, hit, warnings)


def renormalise(charges: list[float], total: int, name: str) -> tuple[list[float], float]:
    """Spread the rounding error of the charges evenly, so that their sum is the integer net charge.

    Works in units of 1e-6 e, the precision of a MOL2 file; a rest that cannot be shared out goes to the first atoms.

    Parameters
    ----------
    charges
        Partial charges in e.
    total
        Net charge in e.
    name
        What messages call the molecule.

    Returns
    -------
    charges
        In e.
    correction
        Mean change of an atom's charge in e.

    Raises
    ------
    ParametrisationError
        Where the charges are not near the integer at all.
    """
    micro = np.round(np.array(charges) * 1e6).astype(np.int64)
    excess = total * 1_000_000 - int(micro.sum())
    if abs(excess) > _CHARGE_TOLERANCE_E * 1e6:
        raise ParametrisationError(f"{name}: charges sum to {micro.sum() / 1e6:.4f} e, expected {total:+d}")
    share, rest = divmod(excess, len(micro))
    micro += share
    micro[:rest] += 1
    return [float(value) / 1e6 for value in micro], excess / 1e6 / len(micro)


def write_mol2(molecule: Molecule, parameters: GaffParameters, path: Path, residue: str) -> Path:
    """Write a molecule with its types and charges as MOL2 for tleap: names unique, order that of the molecule.

    Parameters
    ----------
    molecule
        With coordinates.
    parameters
        Of this molecule, in its atom order.
    path
        File to write.
    residue
        Residue name.

    Returns
    -------
    Path
        `path`.
    """
    mol = Chem.Mol(molecule.mol)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    counts = f"{mol.GetNumAtoms():5d} {mol.GetNumBonds():5d} 1 0 0"
    lines = ["@<TRIPOS>MOLECULE", residue, counts, "SMALL", "USER_CHARGES", "", "@<TRIPOS>ATOM"]
    rows = zip(atom_names(mol), molecule.positions_angstrom, parameters.types, parameters.charges, strict=True)
    for i, (name, (x, y, z), kind, charge) in enumerate(rows, 1):
        lines.append(f"{i:7d} {name:<8s} {x:10.4f} {y:10.4f} {z:10.4f} {kind:<4s} 1 {residue} {charge:12.6f}")
    lines.append("@<TRIPOS>BOND")
    for i, bond in enumerate(mol.GetBonds(), 1):
        a, b = bond.GetBeginAtomIdx() + 1, bond.GetEndAtomIdx() + 1
        lines.append(f"{i:6d} {a:5d} {b:5d} {int(bond.GetBondTypeAsDouble())}")
    lines += ["@<TRIPOS>SUBSTRUCTURE", f"     1 {residue} 1 TEMP 0 **** **** 0 ROOT", ""]
    path.write_text("\n".join(lines))
    return path


def _normalised_sdf(mol: Chem.Mol) -> str:
    """Write coordinates to 1e-3 Å and nothing of title, program or date: the same molecule, the same text."""
    copy = Chem.Mol(mol)
    for prop in list(copy.GetPropNames(includePrivate=True)):
        copy.ClearProp(prop)
    conformer = copy.GetConformer()
    for i, xyz in enumerate(conformer.GetPositions().round(3) + 0.0):
        conformer.SetAtomPosition(i, xyz)
    lines = Chem.MolToMolBlock(copy, kekulize=True).splitlines()
    return "\n".join(["molecule", "", "", *lines[3:]]) + "\n$$$$\n"


def _entry_key(sdf: str, charge: int, settings: Param, rigid: bool) -> str:
    content = {
        "sdf": sdf,
        "charge": charge,
        "ligand_ff": settings.ligand_ff,
        "charge_method": settings.charge_method,
        "rigid": rigid,
        "ambertools": ambertools.version(),
        "version": VERSION,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def _entry_lock(entry: Path) -> Iterator[None]:
    """Wait until no other process works on this entry: the second finds it done. Ends with its process."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    with open(entry.with_suffix(".lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_entry(entry: Path) -> tuple[list[str], list[float], str, list[str]] | None:
    """Read an entry; None where there is none, or where it is damaged, which is logged."""
    if not entry.exists():
        return None
    try:
        for file, digest in read_json(entry / _CHECKSUMS).items():
            if sha256_file(entry / file) != digest:
                raise StateError(f"{entry / file}: changed since it was written")
        atoms = read_json(entry / _ATOMS)
        return atoms["types"], atoms["charges"], (entry / _FRCMOD).read_text(), atoms.get("moved", [])
    except (StateError, OSError, KeyError) as error:
        log.warning("damaged entry in the parameter cache is made anew: %s", error)
        shutil.rmtree(entry)
        return None


def _compute(
    entry: Path, sdf: str, charge: int, settings: Param, name: str, log_file: Path, rigid: bool
) -> tuple[list[str], list[float], str, list[str]]:
    """Run antechamber and parmchk2 in a scratch folder and rename what counts into the cache as a whole."""
    bounds = Bounds(settings.param_memory_gb, settings.param_time_min * 60)
    log_file = log_file.resolve()
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gibbsflow-param-") as scratch:
        folder = Path(scratch)
        (folder / "molecule.sdf").write_text(sdf)

        def typed_with_terms(as_drawn: bool) -> ambertools.TypedAtoms:
            found = ambertools.antechamber(
                folder / "molecule.sdf",
                name=name,
                charge=charge,
                atom_types=settings.ligand_ff,
                charge_method=settings.charge_method,
                rigid=rigid,
                log=log_file,
                bounds=bounds,
                as_drawn=as_drawn,
            )
            ambertools.parmchk2(
                folder / "antechamber.mol2",
                folder / _FRCMOD,
                name=name,
                force_field=settings.ligand_ff,
                log=log_file,
                bounds=bounds,
            )
            return found

        try:
            typed = typed_with_terms(as_drawn=False)
        except ambertools.MissingTermsError as error:
            # antechamber's own bond orders type an anion of an azole as if it had a nitrile in its ring
            log.info("%s; types by the bond orders of the molecule are tried", error)
            (folder / _FRCMOD).unlink()
            try:
                typed = typed_with_terms(as_drawn=True)
            except ParametrisationError:
                raise ParametrisationError(str(error)) from None
        frcmod = (folder / _FRCMOD).read_text()
        moved = [] if rigid else bonds_moved(sdf, folder / "sqm.pdb")
    part = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
    try:
        write_json(part / _ATOMS, asdict(typed) | ({"moved": moved} if moved else {}))
        (part / _FRCMOD).write_text(frcmod)
        (part / "molecule.sdf").write_text(sdf)
        shutil.copyfile(log_file, part / "antechamber.log")
        write_json(part / _CHECKSUMS, {p.name: sha256_file(p) for p in sorted(part.iterdir())})
        part.chmod(0o755)
        os.rename(part, entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return typed.types, typed.charges, frcmod, moved


def bonds_moved(sdf: str, optimised: Path) -> list[str]:
    """Hold the geometry that AM1 left against the bonds of the molecule.

    Parameters
    ----------
    sdf
        The molecule as antechamber got it.
    optimised
        PDB file of sqm, atoms in the same order; where it is missing nothing is said.

    Returns
    -------
    list of str
        Bonds that broke, and hydrogens that went over to another atom: the charges are those of another molecule then.
    """
    with rdkit_messages():
        mol = Chem.MolFromMolBlock(sdf, removeHs=False, sanitize=False)
    if mol is None or not optimised.is_file():
        return []
    lines = [line for line in optimised.read_text().splitlines() if line.startswith(("ATOM", "HETATM"))]
    xyz = np.array([[float(line[i : i + 8]) for i in (30, 38, 46)] for line in lines])
    if len(xyz) != mol.GetNumAtoms():
        return []
    table = Chem.GetPeriodicTable()
    radii = np.array([table.GetRcovalent(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    names = [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in mol.GetAtoms()]
    bound = Chem.GetAdjacencyMatrix(mol).astype(bool)
    ratio = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) / (radii[:, None] + radii[None])
    broken = np.argwhere(np.triu(bound & (ratio > _BROKEN), 1))
    made = np.argwhere(np.triu(~bound & (ratio < _MADE), 1))
    told = [f"its bond {names[i]}-{names[j]} broke" for i, j in broken]
    told += [f"{names[i]} and {names[j]} bonded" for i, j in made]
    return [f"when AM1 optimised the geometry for the charges, {' and '.join(told[:4])}"] if told else []


def guessed_terms(frcmod: str) -> list[str]:
    """Say which bonds, angles and torsions parmchk2 took from terms that are far from similar.

    Impropers are left out: their general terms keep rings flat, whatever their penalty.

    Parameters
    ----------
    frcmod
        Text of the file.

    Returns
    -------
    list of str
        At most one sentence.
    """
    section, told = "", []
    for line in frcmod.splitlines():
        if line.strip() in ("MASS", "BOND", "ANGLE", "DIHE", "IMPROPER", "NONBON"):
            section = line.strip()
        score = read_frcmod_penalty(line)
        if section in ("BOND", "ANGLE", "DIHE") and score >= HIGH_PENALTY:
            told.append(f"{line[:11].strip()} (penalty {score:g})")
    many = list(dict.fromkeys(told))
    return [f"parameters were guessed from terms that are not alike: {', '.join(many[:6])}"] if many else []


def read_frcmod_penalty(frcmod: str) -> float:
    """Find the largest penalty score that parmchk2 gave to a term it took from a similar one.

    Parameters
    ----------
    frcmod
        Text of the file.

    Returns
    -------
    float
        0 where there is none.
    """
    return max((float(score) for score in re.findall(r"penalty score=\s*([0-9.]+)", frcmod)), default=0.0)
