"""Goedecker-Teter-Hutter pseudopotentials as UPF files, which every version of pw.x reads and differentiates correctly.

pw.x also reads ``.gth`` files as they are, but up to version 6.7 the stress that it computes from them is wrong (its
trace is right, its other parts are not), while forces and energies are right: nothing in a run would show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma, pi, sqrt
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from scipy.special import erf

from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

_FUNCTIONALS = {"1": "SLA PZ NOGX NOGC", "11": "SLA PW PBX PBC"}
_RYDBERG = 2.0
# Valence shells s, p of the shipped elements: label, principal number, electrons, and exponent in 1/bohr of Clementi
# and Raimondi, J. Chem. Phys. 38, 2686 (1963); 47, 1300 (1967): where the SCF starts from, not what it ends at.
_SHELLS = {
    "C": (("2S", 2, 2.0, 1.6083), ("2P", 2, 2.0, 1.5679)),
    "Al": (("3S", 3, 2.0, 1.3724), ("3P", 3, 1.0, 1.3552)),
    "Si": (("3S", 3, 2.0, 1.6344), ("3P", 3, 2.0, 1.4284)),
    "Ge": (("4S", 4, 2.0, 2.0109), ("4P", 4, 2.0, 1.6951)),
}
ELEMENTS = tuple(_SHELLS)
"""Elements for which a UPF file can be written."""


@dataclass(frozen=True)
class Channel:
    """Projectors of one angular momentum.

    Attributes
    ----------
    momentum
        Angular momentum l.
    radius_bohr
        Radius r_l in bohr.
    strengths_hartree
        Symmetric matrix h_ij in hartree, shape (projectors, projectors).
    """

    momentum: int
    radius_bohr: float
    strengths_hartree: Floats


@dataclass(frozen=True)
class GthPotential:
    """A pseudopotential as published.

    Attributes
    ----------
    element, z_valence, functional
        What for: symbol, number of valence electrons, and the functional in the words of pw.x.
    radius_bohr, local_hartree
        r_loc in bohr, and c1, c2, ... of the local part in hartree.
    channels
        Non-local part, by rising angular momentum.
    """

    element: str
    z_valence: float
    functional: str
    radius_bohr: float
    local_hartree: tuple[float, ...]
    channels: tuple[Channel, ...]


def read(path: Path) -> GthPotential:
    """Read a ``.gth`` file (the format of ABINIT's pspcod 10).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    GthPotential
        What it holds; a spin-orbit part is left out.

    Raises
    ------
    InputError
        Where it is not one.
    """
    try:
        text = read_text(path, "a GTH pseudopotential (pspcod 10)", STRUCTURE_BYTES)
        lines = [line.split() for line in text.splitlines()]
        radius, count = float(lines[3][0]), int(lines[3][1])
        local = tuple(float(x) for x in lines[3][2 : 2 + count])
        row, channels = 5, []
        for momentum in range(int(lines[4][0])):
            size = int(lines[row][1])
            upper = np.zeros((size, size))
            for i in range(size):
                start = 2 if i == 0 else 0
                upper[i, i:] = [float(x) for x in lines[row + i][start : start + size - i]]
            channels.append(Channel(momentum, float(lines[row][0]), upper + upper.T - np.diag(np.diag(upper))))
            row += size * (1 if momentum == 0 else 2)  # rows k_ij of the spin-orbit part follow for l > 0
        element = chemical_symbols[int(float(lines[1][0]))]
        functional = _FUNCTIONALS[lines[2][1]]
        return GthPotential(element, float(lines[1][1]), functional, radius, local, tuple(channels))
    except (IndexError, ValueError, KeyError, OSError) as error:
        raise InputError(Problem(str(path), f"not readable as a GTH pseudopotential ({error})", "pspcod 10")) from error


def local_potential(parameters: GthPotential, r: Floats) -> Floats:
    """Compute the local part: equation 1 of Goedecker, Teter, Hutter, PRB 54, 1703 (1996).

    Parameters
    ----------
    parameters
        The pseudopotential.
    r
        Distances in bohr, shape (n,); 0 is allowed.

    Returns
    -------
    ndarray
        Potential in hartree, shape (n,).
    """
    x = r / parameters.radius_bohr
    shape = sum((c * x ** (2 * n) for n, c in enumerate(parameters.local_hartree)), np.zeros_like(r))
    inner = -parameters.z_valence * sqrt(2 / pi) / parameters.radius_bohr
    safe = np.where(r > 1e-12, r, 1.0)
    coulomb = np.where(r > 1e-12, -parameters.z_valence / safe * erf(x / sqrt(2)), inner)
    return np.asarray(coulomb + np.exp(-(x**2) / 2) * shape)


def projector(momentum: int, number: int, radius_bohr: float, r: Floats) -> Floats:
    """Compute the projector p_i^l(r): equation 3 of Hartwigsen, Goedecker, Hutter, PRB 58, 3641 (1998).

    Parameters
    ----------
    momentum
        Angular momentum l.
    number
        Number i of the projector, from 1.
    radius_bohr
        Radius r_l in bohr.
    r
        Distances in bohr, shape (n,).

    Returns
    -------
    ndarray
        Projector in bohr^(-3/2), its r²-weighted square of integral 1, shape (n,).
    """
    power = momentum + (4 * number - 1) / 2
    height = sqrt(2) / (radius_bohr**power * sqrt(gamma(power)))
    return np.asarray(height * r ** (momentum + 2 * (number - 1)) * np.exp(-((r / radius_bohr) ** 2) / 2))


def slater(principal: int, exponent_per_bohr: float, r: Floats) -> Floats:
    """Compute a Slater orbital times r; it has no node, as a pseudo-orbital has none.

    Parameters
    ----------
    principal
        Principal quantum number.
    exponent_per_bohr
        Exponent in 1/bohr.
    r
        Distances in bohr, shape (n,).

    Returns
    -------
    ndarray
        Orbital times r in bohr^(-1/2), its square of integral 1, shape (n,).
    """
    height = (2 * exponent_per_bohr) ** (principal + 0.5) / sqrt(gamma(2 * principal + 1))
    return np.asarray(height * r**principal * np.exp(-exponent_per_bohr * r))


def write_upf(source: Path, target: Path) -> None:
    """Write a ``.gth`` file as UPF version 2 on a logarithmic grid.

    Parameters
    ----------
    source
        The ``.gth`` file.
    target
        The UPF file; the same source gives the same bytes.

    Raises
    ------
    InputError
        Where it is not readable, or of an element that has no shipped file.
    """
    parameters = read(source)
    if parameters.element not in _SHELLS:
        raise InputError(Problem(str(source), f"no valence shells of {parameters.element}", ", ".join(_SHELLS)))
    # r = exp(x)/Z from 1e-4 to 60 bohr: a finer grid changes energies by less than 1e-8 Ry
    step = 0.01
    r = 1e-4 * np.exp(step * np.arange(int(np.log(60 / 1e-4) / step) | 1))
    betas = [
        (channel.momentum, r * projector(channel.momentum, number, channel.radius_bohr, r))
        for channel in parameters.channels
        for number in range(1, len(channel.strengths_hartree) + 1)
    ]
    strengths = np.zeros((len(betas), len(betas)))
    start = 0
    for channel in parameters.channels:
        stop = start + len(channel.strengths_hartree)
        strengths[start:stop, start:stop] = _RYDBERG * channel.strengths_hartree
        start = stop
    orbitals = [
        (label, electrons, slater(n, exponent, r)) for label, n, electrons, exponent in _SHELLS[parameters.element]
    ]
    # a start near the atoms' takes a third fewer SCF steps than any smooth density
    density = np.sum([electrons * values**2 for _, electrons, values in orbitals], axis=0)
    reach = int(np.searchsorted(r, 10 * max([c.radius_bohr for c in parameters.channels], default=0.5))) | 1
    header = {
        "generated": "gibbsflow, from published parameters", "author": "gibbsflow", "date": "", "comment": "GTH",
        "element": parameters.element, "pseudo_type": "NC", "relativistic": "scalar", "is_ultrasoft": "false",
        "is_paw": "false", "is_coulomb": "false", "has_so": "false", "has_wfc": "false", "has_gipaw": "false",
        "core_correction": "false", "functional": parameters.functional, "z_valence": parameters.z_valence,
        "total_psenergy": 0.0, "wfc_cutoff": 0.0, "rho_cutoff": 0.0, "paw_as_gipaw": "false",
        "l_max": max((momentum for momentum, _ in betas), default=0), "l_local": -1, "l_max_rho": 0,
        "mesh_size": len(r), "number_of_wfc": len(orbitals), "number_of_proj": len(betas),
    }  # fmt: skip
    mesh = f'mesh="{len(r)}" dx="{step}" xmin="{np.log(r[0])}" rmax="{r[-1]}" zmesh="1.0"'
    parts = [
        '<UPF version="2.0.1">',
        f"<PP_HEADER {_attributes(header)}/>",
        f"<PP_MESH {mesh}>",
        _block("PP_R", r),
        _block("PP_RAB", step * r),
        "</PP_MESH>",
        _block("PP_LOCAL", _RYDBERG * local_potential(parameters, r)),
        "<PP_NONLOCAL>",
        *(
            _block(
                f"PP_BETA.{n}",
                values,
                index=n,
                label=f"l{momentum}",
                angular_momentum=momentum,
                cutoff_radius_index=reach,
                cutoff_radius=r[reach - 1],
            )  # fmt: skip
            for n, (momentum, values) in enumerate(betas, start=1)
        ),
        _block("PP_DIJ", strengths.ravel()),
        "</PP_NONLOCAL>",
        "<PP_PSWFC>",
        *(
            _block(f"PP_CHI.{momentum + 1}", values, index=momentum + 1, label=label, l=momentum, occupation=electrons)
            for momentum, (label, electrons, values) in enumerate(orbitals)
        ),
        "</PP_PSWFC>",
        _block("PP_RHOATOM", density),
        "</UPF>",
    ]
    target.write_text("\n".join(parts) + "\n")


def _attributes(values: dict[str, object]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in values.items())


def _block(name: str, values: Floats, **attributes: object) -> str:
    head = {"type": "real", "size": len(values), "columns": 4, **attributes}
    rows = [" ".join(f"{x:.15E}" for x in values[i : i + 4]) for i in range(0, len(values), 4)]
    return f"<{name} {_attributes(head)}>\n" + "\n".join(rows) + f"\n</{name}>"
