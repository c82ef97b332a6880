"""Pseudopotentials by element: a checked table of files, types, cutoffs and checksums."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from gibbsflow.config.potential import Dft
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.label.pseudopotentials import gth, upf
from gibbsflow.workflow.files import sha256_file

GTH_FOLDER = Path(__file__).parent / "gth_files"
"""Where the shipped files lie."""
DEBIAN_FOLDER = Path("/usr/share/espresso/pseudo")
_GTH_FUNCTIONALS = {"lda": "SLA PZ NOGX NOGC", "pbe": "SLA PW PBX PBC"}

# Starting moments in μB of the elements that are treated as magnetic: the 3d metals and the rare earths.
MOMENTS_UB: Mapping[str, float] = {
    "V": 1.0, "Cr": 3.0, "Mn": 4.0, "Fe": 3.0, "Co": 2.0, "Ni": 1.0, "Ce": 1.0, "Pr": 2.0, "Nd": 3.0, "Sm": 5.0,
    "Eu": 7.0, "Gd": 7.0, "Tb": 6.0, "Dy": 5.0, "Ho": 4.0, "Er": 3.0, "Tm": 2.0,
}  # fmt: skip


_LEAST_DUAL = 3.9
"""Of cutoffs: four, but for the rounding of those that pseudopotentials suggest."""


@dataclass(frozen=True)
class Pseudopotential:
    """One file of the table.

    Attributes
    ----------
    library
        ``debian`` (quantum-espresso-data), ``gth`` (shipped), or ``own`` (named in the settings).
    element, functional
        What it is made for.
    file
        File name.
    type
        ``NC`` norm-conserving, ``US`` ultrasoft, ``PAW``; empty where not known.
    z_valence
        Valence electrons; 0 for ``own`` until read.
    ecutwfc_ry, ecutrho_ry
        Cutoffs of wavefunctions and density in Ry.
    cutoffs_from
        ``file`` (what its generator suggests), ``gibbsflow`` (the file suggests none) or ``settings``.
    sha256
        Of the content; empty for ``own`` until read.
    """

    library: str
    element: str
    functional: str
    file: str
    type: str
    z_valence: float
    ecutwfc_ry: float
    ecutrho_ry: float
    cutoffs_from: str
    sha256: str


@cache
def rows() -> tuple[Pseudopotential, ...]:
    """Read the shipped table.

    Returns
    -------
    tuple of Pseudopotential
        All rows, one for each library, element and functional.
    """
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text())
    return tuple(Pseudopotential(**row) for row in found)


def folder(dft: Dft) -> Path:
    """Say where pseudopotential files lie that are not shipped.

    Parameters
    ----------
    dft
        Settings.

    Returns
    -------
    Path
        Folder of the settings, of ``ESPRESSO_PSEUDO``, or Debian's, the first that is named.
    """
    return Path(dft.pseudo_dir or os.environ.get("ESPRESSO_PSEUDO") or DEBIAN_FOLDER)


def path_of(pseudo: Pseudopotential, dft: Dft) -> Path:
    """Say where the file of a pseudopotential lies, or should.

    Parameters
    ----------
    pseudo
        Row of the table.
    dft
        Settings.

    Returns
    -------
    Path
        The file, whether it is there or not.
    """
    return (GTH_FOLDER if pseudo.library == "gth" else folder(dft)) / pseudo.file


def choose(elements: Sequence[str], dft: Dft) -> dict[str, Pseudopotential]:
    """Choose the pseudopotential of each element and check its file.

    Parameters
    ----------
    elements
        Chemical symbols.
    dft
        Settings: functional, library, folder and what is named in place of the table's.

    Returns
    -------
    dict
        Row of the table by element, with the SHA-256 of the file's content.

    Raises
    ------
    InputError
        Naming each element that has none, each file that is missing, each whose content is not the table's, and each of
        one's own that is made for another element or functional, as its header says, or is not whole.
    """
    chosen: dict[str, Pseudopotential] = {}
    problems = []
    for element in elements:
        own = dft.pseudopotentials.get(element)
        if own is not None:
            known = next((row for row in rows() if row.file == own.file), None)
            row = known or Pseudopotential("own", element, dft.functional, own.file, "", 0.0, 0.0, 0.0, "settings", "")
            row = replace(row, ecutwfc_ry=own.ecutwfc_ry, ecutrho_ry=own.ecutrho_ry, cutoffs_from="settings")
            if known is not None and (misfits := _misfits(known, element, dft)):
                problems += misfits
                continue
        else:
            fitting = [row for row in rows() if (row.library, row.element) == (dft.pseudo_library, element)]
            match = next((row for row in fitting if row.functional == dft.functional), None)
            if match is None:
                what = f"no {dft.functional} pseudopotential of {element} in the library {dft.pseudo_library}"
                right = _instead(element, elements, dft)
                problems.append(Problem("dft", what, right, field=f"pseudopotentials.{element}"))
                continue
            row = match
        path = path_of(row, dft)
        if not path.is_file():
            right = "install quantum-espresso-data, or set dft.pseudo_dir or ESPRESSO_PSEUDO to the folder that has it"
            problems.append(Problem(str(path), f"pseudopotential of {element} is missing", right))
            continue
        digest = sha256_file(path)
        if row.library == "own":
            try:
                row = _as_its_header_says(row, path)
                if misfits := _misfits(row, element, dft):
                    raise InputError(misfits)
                if path.suffix != ".gth":
                    upf.require_whole(path, row.z_valence)
            except InputError as error:
                problems += error.problems
                continue
        if row.sha256 and digest != row.sha256:
            right = f"the file of the table, SHA-256 {row.sha256[:12]}…; or another name under dft.pseudopotentials"
            problems.append(Problem(str(path), f"differs from the table's (SHA-256 {digest[:12]}…)", right))
            continue
        chosen[element] = replace(row, sha256=digest)
    if problems:
        raise InputError(problems)
    return chosen


def _instead(element: str, elements: Sequence[str], dft: Dft) -> str:
    """Say what would do where an element has no row: what the table has for all of them, a file, another engine."""
    having: dict[tuple[str, str], set[str]] = {}
    for row in rows():
        having.setdefault((row.library, row.functional), set()).add(row.element)
    wanted = set(elements) - set(dft.pseudopotentials)
    own = sorted(f"{library}/{functional}" for (library, functional), found in having.items() if element in found)
    table = f"the table has {', '.join(own)}" if own else "the table has none"
    whole = next((pair for pair, found in sorted(having.items()) if wanted <= found), None)
    ways = ["dft: {" + f"pseudo_library: {whole[0]}, functional: {whole[1]}" + "}"] if whole else []
    ways += ["a file under dft.pseudopotentials", "engine: gpaw, or tblite"]
    return f"{table}; {'; or '.join(ways)}"


def _as_its_header_says(row: Pseudopotential, path: Path) -> Pseudopotential:
    if path.suffix == ".gth":
        found = gth.read(path)
        if found.element not in gth.ELEMENTS:
            what = f"made for {found.element}, of which no starting density is known"
            raise InputError(Problem(str(path), what, f"a UPF file; .gth is taken for {', '.join(gth.ELEMENTS)}"))
        functional = next((f for f, name in _GTH_FUNCTIONALS.items() if name == found.functional), found.functional)
        return replace(row, element=found.element, functional=functional, type="NC", z_valence=found.z_valence)
    header = upf.read_header(path)
    return replace(
        row, element=header.element, functional=header.functional, type=header.type, z_valence=header.z_valence
    )


def _misfits(row: Pseudopotential, element: str, dft: Dft) -> list[Problem]:
    found = []
    key = f"pseudopotentials.{element}.file"
    if row.element != element:
        found.append(Problem(row.file, f"made for {row.element}", f"a pseudopotential of {element}", field=key))
    if row.functional != dft.functional:
        what = f"made for the functional {row.functional!r}, and dft.functional is {dft.functional!r}"
        found.append(Problem(row.file, what, f"one made for {dft.functional!r}", field=key))
    return found


def cutoffs_ry(chosen: Mapping[str, Pseudopotential], dft: Dft) -> tuple[float, float]:
    """Choose the cutoffs: the largest over the elements, or the settings'.

    Parameters
    ----------
    chosen
        Pseudopotential of each element of the whole data set.
    dft
        Settings.

    Returns
    -------
    wavefunctions_ry : float
        Cutoff of the wavefunctions in Ry.
    density_ry : float
        Cutoff of the density in Ry; where the settings give none, each pseudopotential's own ratio to the other.

    Raises
    ------
    InputError
        Where the settings' cutoff of the density is too low for the wavefunctions.
    """
    wfc = dft.ecutwfc_ry or max(p.ecutwfc_ry for p in chosen.values())
    if dft.ecutrho_ry is not None:
        if dft.ecutrho_ry < _LEAST_DUAL * wfc:
            what = f"a density of {dft.ecutrho_ry:g} Ry does not hold wavefunctions of {wfc:g} Ry"
            right = f"four times that of the wavefunctions at least: {4 * wfc:g}"
            raise InputError(Problem("dft", what, right, field="ecutrho_ry"))
        return wfc, dft.ecutrho_ry
    # a raised wavefunction cutoff carries the density's with it, at each pseudopotential's own ratio
    return wfc, max(wfc * p.ecutrho_ry / p.ecutwfc_ry for p in chosen.values())


def cutoffs_in_words(chosen: Mapping[str, Pseudopotential], dft: Dft) -> str:
    """Say the cutoffs, and where they are below those that the pseudopotentials are made for.

    Parameters
    ----------
    chosen, dft
        As for :func:`cutoffs_ry`.

    Returns
    -------
    str
        One phrase.
    """
    wfc, rho = cutoffs_ry(chosen, dft)
    own_wfc, own_rho = cutoffs_ry(chosen, dft.model_copy(update={"ecutwfc_ry": None, "ecutrho_ry": None}))
    below = wfc < own_wfc - 0.5 or rho < own_rho - 2
    doubt = f", below the {own_wfc:g} / {own_rho:g} Ry of the pseudopotentials: stresses most of all are off by it"
    return f"{wfc:g} / {rho:g} Ry" + doubt * below


def moments_ub(elements: Sequence[str], dft: Dft) -> dict[str, float]:
    """Choose the starting moments.

    Parameters
    ----------
    elements
        Chemical symbols.
    dft
        Settings: whether magnetism counts, and moments in place of the table's.

    Returns
    -------
    dict
        Moment in μB by element; empty where the calculation is not spin-polarised.
    """
    if dft.magnetism == "none":
        return {}
    moments = {element: dft.moments_ub.get(element, MOMENTS_UB.get(element, 0.0)) for element in elements}
    return moments if any(moments.values()) else {}
