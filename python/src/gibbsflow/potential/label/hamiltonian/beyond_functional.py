"""What a label adds to its functional, as pw.x takes it: Grimme's dispersion, and a Hubbard U by element."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import HUBBARD_SHELLS, Dft
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.label.pseudopotentials.upf import read_shells

if TYPE_CHECKING:
    from ase import Atoms

_VERSIONS = {"d3": 3, "d3-bj": 4}
_PROJECTORS = "atomic"


def part_of_key(dft: Dft, elements: Sequence[str]) -> dict[str, Any]:
    """Give what enters the hash of the settings.

    Parameters
    ----------
    dft
        Settings.
    elements
        Of the whole data set: a U of another does nothing.

    Returns
    -------
    dict
        Empty where neither is asked for, so that labels made before there was a choice keep their key.
    """
    part: dict[str, Any] = {}
    if dft.dispersion != "none":
        part["dispersion"] = [dft.dispersion, dft.dispersion_three_body]
    if own := {symbol: u for symbol, u in sorted(dft.hubbard_u_ev.items()) if symbol in elements}:
        part["hubbard"] = {"projectors": _PROJECTORS, "u_ev": own}
    return part


def in_words(dft: Dft) -> dict[str, str]:
    """Say what is added, for people.

    Parameters
    ----------
    dft
        Settings.

    Returns
    -------
    dict
        ``dispersion`` and ``Hubbard U``, where they are asked for.
    """
    words = {}
    if dft.dispersion != "none":
        words["dispersion"] = f"{dft.dispersion}, {'with' if dft.dispersion_three_body else 'without'} three-body term"
    if dft.hubbard_u_ev:
        each = ", ".join(f"{symbol} {HUBBARD_SHELLS[symbol]} {u:g} eV" for symbol, u in dft.hubbard_u_ev.items())
        words["Hubbard U"] = f"{each}; {_PROJECTORS} projectors"
    return words


def dispersion(dft: Dft) -> dict[str, Any]:
    """Give the keys of ``&system`` for D3 (J. Chem. Phys. 132, 154104 (2010); J. Comput. Chem. 32, 1456 (2011)).

    Parameters
    ----------
    dft
        Settings.

    Returns
    -------
    dict
        Empty where none is asked for.
    """
    if dft.dispersion == "none":
        return {}
    return {
        "vdw_corr": "grimme-d3",
        "dftd3_version": _VERSIONS[dft.dispersion],
        "dftd3_threebody": dft.dispersion_three_body,
    }


def kinds_of(atoms: Atoms, *, polarised: bool) -> list[str]:
    """Name the kinds of atoms in the order and by the names that ASE writes: one an element and moment.

    Parameters
    ----------
    atoms
        The structure with its starting moments, as it is written.
    polarised
        Whether spins are computed apart.

    Returns
    -------
    list of str
        Such as ``Fe``, ``Fe1``, ``O``.
    """
    moments = atoms.get_initial_magnetic_moments() if polarised else [0.0] * len(atoms)
    kinds = list(dict.fromkeys(zip(atoms.get_chemical_symbols(), map(float, moments), strict=True)))
    symbols = [symbol for symbol, _ in kinds]
    return [f"{symbol}{symbols[:place].count(symbol) or ''}" for place, symbol in enumerate(symbols)]


def names_shells(version: str) -> bool:
    """Say whether a version of pw.x takes U from a card that names the shell, as it does from 7.1 on.

    Parameters
    ----------
    version
        As the program says it.

    Returns
    -------
    bool
        False for versions before, which take ``Hubbard_U(i)``.
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (7, 1)


def require_shells(dft: Dft, files: Mapping[str, Path], *, named_shells: bool) -> None:
    """Refuse a U on a shell of which a pseudopotential has no orbital to project on.

    Parameters
    ----------
    dft
        Settings.
    files
        UPF file by element.
    named_shells
        Whether this version finds the shell by its name (:func:`names_shells`), or by its angular momentum.

    Raises
    ------
    InputError
        Naming each such file and the orbitals that it has.
    """
    problems = []
    for symbol in dft.hubbard_u_ev.keys() & files.keys():
        shell, there = HUBBARD_SHELLS[symbol], read_shells(files[symbol])
        # labels such as "&lt;/" say nothing: the momentum counts then
        names = {
            label if re.fullmatch(r"\d[spdf]", label) else shell[0] + "spdf"[momentum] for label, momentum in there
        }
        if shell in names or (not named_shells and "spdf".index(shell[1]) in {momentum for _, momentum in there}):
            continue
        what = f"has no orbital {shell} of {symbol} for a U to act on, only {', '.join(sorted(names)) or 'none at all'}"
        right = f"a pseudopotential with {shell} in PP_PSWFC, or no U for {symbol}"
        problems.append(Problem(str(files[symbol]), what, right, field=f"dft.hubbard_u_ev.{symbol}"))
    if problems:
        raise InputError(problems)


def hubbard(dft: Dft, kinds: Sequence[str], *, named_shells: bool) -> tuple[dict[str, Any], list[str]]:
    """Give U as the program takes it (Dudarev et al., Phys. Rev. B 57, 1505 (1998)).

    Parameters
    ----------
    dft
        Settings.
    kinds
        Kinds of atoms of the structure, in order.
    named_shells
        Whether this version takes the card of :func:`names_shells`.

    Returns
    -------
    system : dict
        Keys of ``&system``; empty for a version that takes the card, and for a structure without such an element.
    card : list of str
        Lines of the card ``HUBBARD``; empty for the others.
    """
    symbols = [kind.rstrip("0123456789") for kind in kinds]
    given = [(place, kinds[place - 1], symbol) for place, symbol in enumerate(symbols, 1) if symbol in dft.hubbard_u_ev]
    if not given:
        return {}, []
    if named_shells:
        lines = [f"U {kind}-{HUBBARD_SHELLS[symbol]} {dft.hubbard_u_ev[symbol]:g}" for _, kind, symbol in given]
        return {}, [f"HUBBARD ({_PROJECTORS})", *lines]
    keys: dict[str, Any] = {f"Hubbard_U({place})": dft.hubbard_u_ev[symbol] for place, _, symbol in given}
    return {"lda_plus_u": True, "U_projection_type": _PROJECTORS, **keys}, []
