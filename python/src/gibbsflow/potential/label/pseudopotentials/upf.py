"""UPF files, of both versions: what one is made for by its header, which orbitals it has, and whether it is whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, open_input, read_input

_HEAD_BYTES = 200_000
_SECTIONS = ("PP_MESH", "PP_R", "PP_LOCAL", "PP_NONLOCAL", "PP_RHOATOM")
_WHOLE = "a pseudopotential in the format UPF, version 1 or 2, whole and as it was published"
_APART_E = 0.05
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*[\"']\s*([^\"']*?)\s*[\"']")
_NO_NUMBER = re.compile(r"(?<![\w.])([+-]?nan|\*{4,})(?![\w.])", re.IGNORECASE)
# Names of Quantum ESPRESSO (Modules/funct.f90): short ones, and exchange, correlation and their gradient corrections.
_FUNCTIONALS = {
    "PBE": "pbe", "SLA PW PBX PBC": "pbe", "SLA PW PBE PBE": "pbe", "1 4 3 4": "pbe",
    "PBESOL": "pbesol", "SLA PW PSX PSC": "pbesol", "1 4 10 8": "pbesol",
    "PZ": "lda", "LDA": "lda", "SLA PZ NOGX NOGC": "lda", "1 1 0 0": "lda", "SLA PZ": "lda",
    "PW": "lda", "SLA PW NOGX NOGC": "lda", "1 4 0 0": "lda", "SLA PW": "lda",
    "VWN": "lda", "SLA VWN NOGX NOGC": "lda",
}  # fmt: skip
_TYPES = {"NC": "NC", "US": "US", "USPP": "US", "PAW": "PAW", "SL": "NC"}


@dataclass(frozen=True)
class Header:
    """What the header of a UPF file says.

    Attributes
    ----------
    element
        Chemical symbol.
    functional
        ``pbe``, ``lda`` or ``pbesol``; where it is none of them, the file's own words.
    type
        ``NC``, ``US`` or ``PAW``; empty where the file has another word.
    z_valence
        Valence electrons.
    """

    element: str
    functional: str
    type: str
    z_valence: float


def read_header(path: Path) -> Header:
    """Read the header of a UPF file, version 1 or 2.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Header
        What it says.

    Raises
    ------
    InputError
        Where there is no header that can be read.
    """
    right = "a pseudopotential in the format UPF, version 1 or 2"
    with open_input(path, right, STRUCTURE_BYTES) as file:
        text = file.read(_HEAD_BYTES).decode(errors="replace")
    try:
        if found := re.search(r"<PP_HEADER\s+([^>]*?)/?>", text):
            said = dict(_ATTRIBUTE.findall(found[1]))
            return _header(said["element"], said["functional"], said["pseudo_type"], said["z_valence"])
        found = re.search(r"<PP_HEADER>(.*?)</PP_HEADER>", text, re.DOTALL)
        lines = found[1].strip().splitlines() if found else []
        kind, element = lines[2].split()[0], lines[1].split()[0]
        functional = re.sub(r"Exchange-Correlation.*", "", lines[4])
        return _header(element, functional, kind, lines[5].split()[0])
    except (KeyError, IndexError, ValueError) as error:
        what = "no header of a UPF file that says element, functional and valence"
        raise InputError(Problem(str(path), what, right)) from error


def _header(element: str, functional: str, kind: str, z_valence: str) -> Header:
    # version 1 repeats the short name after the four parts
    words = re.sub(r"[-+\s]+", " ", functional).strip().upper()
    known = _FUNCTIONALS.get(words) or _FUNCTIONALS.get(" ".join(words.split()[:4]))
    valence = float(z_valence.replace("D", "E").replace("d", "e"))
    if valence <= 0:
        raise ValueError(z_valence)
    return Header(element.capitalize(), known or functional.strip(), _TYPES.get(kind.upper(), ""), valence)


def read_shells(path: Path) -> list[tuple[str, int]]:
    """List the atomic wavefunctions of a UPF file, version 1 or 2, that pw.x takes as orbitals of the atom.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of tuple
        Label in lower case, such as ``3d``, and angular momentum of each; without those of a negative occupation, which
        pw.x passes over (`offset_atom_wfc`).

    Raises
    ------
    InputError
        Where the file is not there, or too large.
    """
    text = read_input(path, "a pseudopotential in UPF", STRUCTURE_BYTES).decode(errors="replace")
    found = re.search(r"<PP_PSWFC>(.*?)</PP_PSWFC>", text, re.DOTALL)
    body = found[1] if found else ""
    said = [dict(_ATTRIBUTE.findall(tag)) for tag in re.findall(r"<PP_CHI\.\d+\s([^>]*)>", body)]
    rows = [(one.get("label", ""), one.get("l", ""), one.get("occupation", "0")) for one in said]
    rows += re.findall(r"^\s*(\S*?)\s+(\d)\s+(-?[\d.]+)\s+Wavefunction", body, re.MULTILINE)
    return [(label.lower(), int(momentum)) for label, momentum, held in rows if momentum and _numbers(held)[0] >= 0]


def require_whole(path: Path, z_valence: float) -> None:
    """Refuse a file that was cut off, or whose header is not that of its potential.

    Far from the nucleus the local part is -2Z/r in Ry, with Z the valence electrons that the header names.

    Parameters
    ----------
    path
        The file.
    z_valence
        Valence electrons, as its header says.

    Raises
    ------
    InputError
        Where a section has no end, the atom's density is missing, a number is none, or the potential has another
        charge.
    """
    text = read_input(path, "a pseudopotential in UPF", STRUCTURE_BYTES).decode(errors="replace")
    if "\n" not in text:
        raise InputError(Problem(str(path), "its lines end with a carriage return alone", "lines as on Linux"))
    bodies = {name: re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", text, re.DOTALL) for name in _SECTIONS}
    broken = [name for name, body in bodies.items() if body is None and re.search(rf"<{name}\b[^>/]*>", text)]
    if broken or (any(bodies.values()) and bodies["PP_RHOATOM"] is None):
        what = f"section {broken[0] if broken else 'PP_RHOATOM'} has no end: the file was cut off"
        raise InputError(Problem(str(path), what, _WHOLE))
    # what is opened is closed, in the sections after the atom's density too
    opened = re.findall(r"<(PP_[\w.]+)(?=[\s>])(?:[^>]*[^>/])?>", text)
    if left := [name for name in opened if f"</{name}>" not in text]:
        raise InputError(Problem(str(path), f"section {left[0]} has no end: the file was cut off", _WHOLE))
    if found := _NO_NUMBER.search(text, text.find("<PP_R")):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(Problem(str(path), f"{found[1]} for a number", _WHOLE, row=line))
    mesh, local = bodies["PP_R"], bodies["PP_LOCAL"]
    if mesh is None or local is None or "<!--" in local[1]:
        return  # a bare Coulomb potential has no local part
    try:
        radii, values = (_numbers(body[1]) for body in (mesh, local))
        charge = -radii[-1] * values[-1] / 2
    except (ValueError, IndexError) as error:
        raise InputError(Problem(str(path), f"not readable as a potential ({error})", _WHOLE)) from error
    if len(radii) != len(values) or not abs(charge - z_valence) <= _APART_E:
        what = f"its potential is that of {charge:.2f} electrons, and its header says {z_valence:g}"
        raise InputError(Problem(str(path), what, _WHOLE))


def _numbers(text: str) -> list[float]:
    return [float(word.replace("D", "E").replace("d", "e")) for word in text.split()]
