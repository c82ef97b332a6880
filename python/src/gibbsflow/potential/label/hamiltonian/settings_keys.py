"""Keys of labels: the hash of all that changes them, which asks for pseudopotentials and for no program."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence

from gibbsflow.config.potential import Dft
from gibbsflow.errors import MissingProgramError
from gibbsflow.potential.data.labels import hash_settings
from gibbsflow.potential.label.hamiltonian import beyond_functional
from gibbsflow.potential.label.pseudopotentials import pseudo_table

TBLITE_ACCURACY = 0.1
"""Of tblite's integrals and of its convergence."""
GPAW_DATA = "gpaw_data"
"""Package of GPAW's PAW data sets."""


def require_gpaw(*packages: str) -> None:
    """Refuse where packages of GPAW are missing.

    Parameters
    ----------
    *packages
        Their names in Python.

    Raises
    ------
    MissingProgramError
        Where one is not installed.
    """
    if missing := [package for package in packages if importlib.util.find_spec(package) is None]:
        raise MissingProgramError(f"package {' and '.join(missing)} not installed (it is in the extra 'compiled')")


def of_pseudopotentials(chosen: Mapping[str, pseudo_table.Pseudopotential], dft: Dft) -> str:
    """Hash what changes a label by pw.x.

    Parameters
    ----------
    chosen
        Pseudopotential of each element.
    dft
        Settings.

    Returns
    -------
    str
        The key.
    """
    wfc_ry, rho_ry = pseudo_table.cutoffs_ry(chosen, dft)
    return hash_settings(
        "quantum_espresso",
        {
            "functional": dft.functional,
            "pseudopotentials": {element: pseudo.sha256 for element, pseudo in sorted(chosen.items())},
            "ecutwfc_ry": wfc_ry,
            "ecutrho_ry": rho_ry,
            "kspacing_per_angstrom": dft.kspacing_per_angstrom,
            "smearing": dft.smearing,
            "degauss_ry": dft.degauss_ry,
            "moments_ub": dict(sorted(pseudo_table.moments_ub(tuple(chosen), dft).items())),
            "bands": dft.bands,
            "conv_thr_ry": dft.conv_thr_ry,
            **beyond_functional.part_of_key(dft, tuple(chosen)),
        },
    )


def quantum_espresso(elements: Sequence[str], dft: Dft) -> str:
    """Hash what changes a label by pw.x.

    Parameters
    ----------
    elements, dft
        All elements of the data set, and settings.

    Returns
    -------
    str
        The key.

    Raises
    ------
    InputError
        Where a pseudopotential is missing or wrong.
    """
    return of_pseudopotentials(pseudo_table.choose(list(dict.fromkeys(elements)), dft), dft)


def gpaw(elements: Sequence[str], dft: Dft) -> str:
    """Hash what changes a label by GPAW.

    Parameters
    ----------
    elements, dft
        All elements of the data set, and settings.

    Returns
    -------
    str
        The key.

    Raises
    ------
    MissingProgramError
        Where its PAW data sets are not installed.
    """
    require_gpaw(GPAW_DATA)
    return hash_settings(
        "gpaw",
        {
            "functional": dft.functional,
            "cutoff_ev": dft.gpaw_cutoff_ev,
            "kspacing_per_angstrom": dft.kspacing_per_angstrom,
            "smearing": dft.smearing,
            "degauss_ry": dft.degauss_ry,
            "moments_ub": pseudo_table.moments_ub(tuple(elements), dft),
            "data": importlib.metadata.version("gpaw-data"),
        },
    )


def tblite(_elements: Sequence[str], dft: Dft) -> str:
    """Hash what changes a label by tblite.

    Parameters
    ----------
    _elements, dft
        Elements, which change nothing, and settings.

    Returns
    -------
    str
        The key.
    """
    return hash_settings("tblite", {"method": dft.tblite_method, "accuracy": TBLITE_ACCURACY})
