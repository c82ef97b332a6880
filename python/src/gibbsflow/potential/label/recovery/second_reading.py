"""A second reading of a run of pw.x: its XML, by qeschema, beside its output, which ASE reads.

Both must say the same, or the label does not count: a parser that took the wrong line, a file of another run, or a line
that was cut off would otherwise be found by nobody.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms

_SAME = {"energy": (1e-6, "eV"), "force": (1e-6, "eV/Å"), "stress": (3e-6, "eV/Å³")}
"""What the output's eight decimals in Ry and bohr can differ by."""
_SAME_ANGSTROM = 1e-5
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError)
"""What ASE's reader ends with where lines are missing, cut off, or run into each other."""
_schemas: dict[str, Any] = {}


@dataclass(frozen=True)
class Reading:
    """Figures of one run.

    Attributes
    ----------
    energy_ev
        Total energy in eV.
    forces_ev_per_angstrom
        Forces in eV/Å, shape (atoms, 3).
    stress_ev_per_angstrom3
        Stress in eV/Å³: Voigt xx yy zz yz xz xy in ASE's sign, shape (6,); None where pw.x has none, as of an ion.
    converged
        Whether the SCF says that it converged.
    top_occupation
        Largest occupation of the highest band, over k points and spins; 1 is full.
    accuracy_ry
        Estimated accuracy of the SCF at its end, Ry.
    symbols, positions_angstrom, cell_angstrom
        What was computed: elements, positions in Å, shape (atoms, 3), and cell vectors in Å, shape (3, 3).
    ecutwfc_ry, ecutrho_ry
        With which cutoffs, Ry.
    """

    energy_ev: float
    forces_ev_per_angstrom: Floats
    stress_ev_per_angstrom3: Floats | None
    converged: bool
    top_occupation: float
    accuracy_ry: float
    symbols: tuple[str, ...]
    positions_angstrom: Floats
    cell_angstrom: Floats
    ecutwfc_ry: float
    ecutrho_ry: float


def read_xml(path: Path) -> Reading:
    """Read the XML of a run.

    Parameters
    ----------
    path
        `prefix.xml` in the run's `outdir`.

    Returns
    -------
    Reading
        In the units that ASE uses for pw.x (CODATA 2006).

    Raises
    ------
    ValueError
        Where it is missing, is no XML of pw.x, or lacks one of the figures; in words.
    """
    logging.getLogger("xmlschema").setLevel(logging.WARNING)  # it tells of each of its own files
    # a second of import and schema, once a process, and only where pw.x is run
    import xmlschema
    from ase.io.espresso import units
    from qeschema import PwDocument, XmlDocumentError

    if not path.exists():
        raise ValueError(f"the run left no {path.name}")
    try:
        source = xmlschema.XMLResource(str(path), allow="local")
        key = " ".join(location for _, location in source.iter_location_hints())
        # lax: a later minor version of the schema may say more elsewhere; what is read here must be there
        document = PwDocument(source, schema=_schemas.get(key))
        _schemas[key] = document.schema
        output = next(iter(document.to_dict(validation="lax").values()))["output"]
        stress = None
        if "stress" in output:
            tensor = np.array(output["stress"]["$"], dtype=float).reshape((3, 3))
            stress = -tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * (units["Hartree"] / units["Bohr"] ** 3)
        structure, basis = output["atomic_structure"], output["basis_set"]
        convergence = output["convergence_info"]["scf_conv"]
        there = structure["atomic_positions"]["atom"]
        return Reading(
            energy_ev=float(output["total_energy"]["etot"]) * units["Hartree"],
            forces_ev_per_angstrom=np.array(output["forces"]["$"], dtype=float).reshape((-1, 3))
            * (units["Hartree"] / units["Bohr"]),
            stress_ev_per_angstrom3=stress,
            converged=bool(convergence["convergence_achieved"]),
            top_occupation=_top(output["band_structure"]),
            accuracy_ry=2 * float(convergence["scf_error"]),
            # of the kinds of one element, ASE numbers all but the first
            symbols=tuple(atom["@name"].rstrip("0123456789") for atom in there),
            positions_angstrom=np.array([atom["$"] for atom in there], dtype=float) * units["Bohr"],
            cell_angstrom=np.array([structure["cell"][name] for name in ("a1", "a2", "a3")], dtype=float)
            * units["Bohr"],
            ecutwfc_ry=2 * float(basis["ecutwfc"]),
            ecutrho_ry=2 * float(basis["ecutrho"]),
        )
    except (KeyError, TypeError, IndexError, ValueError, SyntaxError, OSError) as error:
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__}: {error})") from error
    except (xmlschema.XMLSchemaException, XmlDocumentError) as error:
        raise ValueError(f"{path.name} cannot be read ({error})") from error


def not_as_asked(reading: Reading, atoms: Atoms, ecutwfc_ry: float, ecutrho_ry: float, conv_thr_ry: float) -> list[str]:
    """Hold what was computed against what was asked for, as where another run wrote into the same folder.

    Parameters
    ----------
    reading
        Of the XML.
    atoms
        The structure as it was written into the input.
    ecutwfc_ry, ecutrho_ry
        Cutoffs of wavefunctions and density, Ry.
    conv_thr_ry
        Accuracy of the SCF, Ry: `scf_must_converge = .false.` lets a run say that it converged with any.

    Returns
    -------
    list of str
        What differs, with both; empty where nothing does.
    """
    found = []
    cutoffs = f"{reading.ecutwfc_ry:g} and {reading.ecutrho_ry:g} Ry"
    if not np.allclose((reading.ecutwfc_ry, reading.ecutrho_ry), (ecutwfc_ry, ecutrho_ry)):
        found.append(f"cutoffs of {cutoffs} in the XML, {ecutwfc_ry:g} and {ecutrho_ry:g} Ry asked for")
    if not reading.accuracy_ry <= conv_thr_ry * (1 + 1e-9):
        found.append(f"an SCF that ended at {reading.accuracy_ry:.1e} Ry, {conv_thr_ry:.1e} Ry asked for")
    if reading.symbols != tuple(atoms.get_chemical_symbols()):
        return [*found, f"{_formula(reading.symbols)} in the XML, {_formula(atoms.get_chemical_symbols())} asked for"]
    for name, said, asked in (
        ("cell vector", reading.cell_angstrom, atoms.cell.array),
        ("atom", reading.positions_angstrom, atoms.positions),
    ):
        apart = np.linalg.norm(said - asked, axis=1)
        worst = int(np.argmax(apart))
        if not apart[worst] <= _SAME_ANGSTROM + 1e-7 * float(np.linalg.norm(asked[worst])):
            found.append(f"{name} {worst} at {said[worst].round(4)} Å in the XML, {asked[worst].round(4)} Å asked for")
    return found


def _formula(symbols: Sequence[str]) -> str:
    return "".join(f"{symbol}{count}" for symbol, count in Counter(symbols).items())


def read_output(path: Path) -> dict[str, Any]:
    """Read the output of a run by ASE.

    Parameters
    ----------
    path
        The output.

    Returns
    -------
    dict
        ASE's results: ``energy`` in eV; ``forces`` in eV/Å and ``stress`` in eV/Å³ where the output has them.

    Raises
    ------
    ValueError
        Where ASE cannot read it; in words.
    """
    from ase.calculators.espresso import EspressoTemplate

    # ASE stops at the occupations of a Hubbard U that stand before the bands, which nobody asks for
    copy = path.with_suffix(".without_bands")
    copy.write_text(path.read_text(errors="replace").replace("End of self-consistent calculation", ""))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        template = EspressoTemplate()
        template.outputname = copy.name
        try:
            results = template.read_results(copy.parent)
            return {**results, "energy": float(results["energy"])}
        except _UNREADABLE as error:
            raise ValueError(f"ASE cannot read the output: {type(error).__name__} {error}".rstrip()) from error


def _top(bands: Mapping[str, Any]) -> float:
    channels = 2 if bands["lsda"] else 1
    top = 0.0
    for point in bands["ks_energies"]:
        filled = np.array(point["occupations"]["$"], dtype=float).reshape((channels, -1))
        top = max(top, float(filled[:, -1].max()))
    return top


def differences(
    reading: Reading, energy_ev: float, forces_ev_per_angstrom: Any, stress_ev_per_angstrom3: Sequence[float] | None
) -> list[str]:
    """Hold the figures of the output against those of the XML.

    Parameters
    ----------
    reading
        Of the XML.
    energy_ev, forces_ev_per_angstrom, stress_ev_per_angstrom3
        Of the output; no stress is compared where it has none.

    Returns
    -------
    list of str
        What differs by more than the output's digits allow, with both numbers; empty where they agree.
    """
    pairs: list[tuple[str, Any, Any]] = [("energy", [energy_ev], [reading.energy_ev])]
    forces = np.asarray(forces_ev_per_angstrom, dtype=float)
    if forces.shape != reading.forces_ev_per_angstrom.shape:
        return [f"forces of {len(forces)} atoms in the output, of {len(reading.forces_ev_per_angstrom)} in the XML"]
    pairs.append(("force", forces.ravel(), reading.forces_ev_per_angstrom.ravel()))
    if stress_ev_per_angstrom3 is not None and reading.stress_ev_per_angstrom3 is None:
        return ["a stress in the output, and none in the XML"]
    if stress_ev_per_angstrom3 is not None:
        pairs.append(("stress", stress_ev_per_angstrom3, reading.stress_ev_per_angstrom3))
    found = []
    for name, said, other in pairs:
        apart = np.abs(np.asarray(said, dtype=float) - np.asarray(other, dtype=float))
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        same, unit = _SAME[name]
        if not apart[worst] <= same + 1e-9 * abs(float(other[worst])):
            found.append(f"{name} {said[worst]:.8f} {unit} in the output, {other[worst]:.8f} {unit} in the XML")
    return found
