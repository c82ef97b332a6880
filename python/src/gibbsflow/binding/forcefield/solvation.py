"""Explicit solvent round a solute, by tleap: water, counter-ions and salt, the same bytes for the same input.

tleap puts ions at random by the clock; here they take the places of waters drawn by the campaign's seed. The topology
is tleap's own, since that does not depend on which waters gave way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.facts import SolvationFacts
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels, without_date
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError, ParametrisationError, Problem
from gibbsflow.units import KJ_PER_BAR_NM3, KJ_PER_KCAL, Floats, kt_kcal_per_mol
from gibbsflow.workflow.files import atomic_open

WATER_MOL_PER_L = 55.5
ION_DISTANCE_ANGSTROM = 5.0
"""Ions start no nearer than this to the solute and to each other."""
SALT_MOL_PER_L = {True: 0.15, False: 0.0}
"""By whether there is a receptor, where the settings do not say."""
MOST_LEFT, LEAST_LOST_ANGSTROM = 0.98, 1.0
"""tleap packs water loosely, at faces above all: of widths of 17, 22, 25 and 46 Å 0.90, 0.92, 0.935 and 0.957 are left
at constant pressure. No more than this share, less this length, is."""
WATER_ANGSTROM3 = 29.9
WATER_COMPRESSIBILITY_PER_BAR = 4.6e-5
HEAVY_ATOM_ANGSTROM3 = 17.0
"""What one, with its hydrogens, takes up in water: of proteins; of smaller solutes it is more."""
FLUCTUATIONS = 5.0
"""Standard deviations of the volume that the cutoff has to outlast."""
_WIDTH_OF_EDGE = {"octahedron": math.sqrt(2 / 3), "box": 1.0}
"""Least width of a box, in the form that programs of MD want, by the length of its edges."""
_EDGE_BEYOND_ANGSTROM = {"octahedron": 4.8, "box": 6.5}
"""What tleap adds, for the radii of atoms, to the longest distance of two atoms and twice the padding, at the most:
up to 4.75 and 6.3 Å with molecules from methane to triphenylmethane and decane."""
_BOXES = {
    "tip3p": ("TIP3PBOX", "TP3"),
    "spce": ("SPCBOX", "SPC"),
    "opc": ("OPCBOX", "OPC"),
    "tip4pew": ("TIP4PEWBOX", "T4E"),
}
_CATION, _ANION = "Na+", "Cl-"


def water_unit(md: Md) -> str:
    """Name tleap's unit of one water.

    Parameters
    ----------
    md
        Settings; in implicit solvent TIP3P's, for crystal waters.

    Returns
    -------
    str
        As in its libraries.
    """
    return _BOXES[md.solvent if md.explicit else "tip3p"][1]


def solvate(
    loads: Sequence[str],
    unit_name: str,
    solute: Topology,
    md: Md,
    *,
    with_receptor: bool,
    seed: int,
    folder: Path,
    target: Path,
    log: Path,
    name: str,
) -> SolvationFacts:
    """Put a solute into a box of water with ions, and write its prmtop and inpcrd.

    Parameters
    ----------
    loads
        Commands that define the solute's unit, and load the water model.
    unit_name
        Of the solute, in tleap.
    solute
        As built without solvent.
    md
        Water model, padding, shape, salt, cutoff.
    with_receptor
        Decides the salt where the settings do not.
    seed
        Of the places of ions.
    folder
        Where tleap runs, with the files that `loads` names.
    target
        File to write without its suffix.
    log
        File for tleap's output, an absolute path.
    name
        What messages call the system.

    Returns
    -------
    SolvationFacts
        What was added.

    Raises
    ------
    InputError
        For a box that is too small for the cutoff.
    ParametrisationError
        Where tleap fails, or builds another solute than before.
    """
    shape = {"octahedron": "solvateoct", "box": "solvatebox"}[md.box_shape]
    # iso turns the solute, so that a box is as small as it can be; an octahedron is the same in all directions
    fill = f"{shape} {unit_name} {_BOXES[md.solvent][0]} {md.padding_angstrom:g}" + (
        " iso" if shape == "solvatebox" else ""
    )
    atoms = len(solute.elements)

    def build(*commands: str) -> tuple[str, Topology, Path]:  # numpydoc ignore=GL08
        save = f"saveamberparm {unit_name} solvated.prmtop solvated.inpcrd"
        ambertools.tleap("\n".join([*loads, fill, *commands, save, "quit", ""]), folder=folder, log=log, name=name)
        prmtop, inpcrd = folder / "solvated.prmtop", folder / "solvated.inpcrd"
        return without_date(prmtop.read_text()), Topology.read(prmtop, inpcrd), inpcrd

    text, filled, inpcrd = build()
    box = _box(inpcrd)
    charge = round(float(solute.charges_e.sum()))
    waters = int(filled.residue_of[-1]) - int(solute.residue_of[-1])
    salt = SALT_MOL_PER_L[with_receptor] if md.salt_mol_per_l is None else md.salt_mol_per_l
    pairs = round(salt * waters / WATER_MOL_PER_L)
    cations, anions = pairs + max(0, -charge), pairs + max(0, charge)
    _check_box(inpcrd, waters, solute, md, name)
    positions = filled.positions_angstrom
    if cations or anions:
        counts = [f"{ion} {count}" for ion, count in ((_CATION, cations), (_ANION, anions)) if count]
        text, salted, _ = build(f"addIonsRand {unit_name} {' '.join(counts)} {ION_DISTANCE_ANGSTROM:g}")
        positions = _with_ions(filled, atoms, cations + anions, seed, name)
        if positions.shape != salted.positions_angstrom.shape:
            raise ParametrisationError(f"{name}: tleap put another number of ions than {cations} + {anions}")
    target.with_suffix(".prmtop").write_text(text)
    write_inpcrd(target.with_suffix(".inpcrd"), positions, box)
    _check_solute(target.with_suffix(".prmtop"), positions, solute, name)
    return SolvationFacts(waters=waters - cations - anions, cations=cations, anions=anions, box_angstrom=box)


def write_inpcrd(path: Path, positions_angstrom: Floats, box_angstrom: Sequence[float]) -> None:
    """Write an AMBER coordinate file.

    Parameters
    ----------
    path
        The file.
    positions_angstrom
        Shape (N, 3), Å.
    box_angstrom
        Three lengths in Å and three angles in degrees.
    """
    numbers = [f"{value:12.7f}" for value in positions_angstrom.ravel()]
    lines = ["", f"{len(positions_angstrom):6d}"]
    lines += ["".join(numbers[i : i + 6]) for i in range(0, len(numbers), 6)]
    lines.append("".join(f"{value:12.7f}" for value in box_angstrom))
    with atomic_open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def _box(inpcrd: Path) -> tuple[float, ...]:
    last = inpcrd.read_text().splitlines()[-1]
    return tuple(float(last[i : i + 12]) for i in range(0, 72, 12))


def box_problems(longest_angstrom: float, md: Md, name: str) -> list[Problem]:
    """Foretell a box that will be too small for the cutoff, before anything is computed for it.

    Parameters
    ----------
    longest_angstrom
        Distance of two atoms of the solute, at the most.
    md
        Padding, shape, cutoff.
    name
        What messages call the system.

    Returns
    -------
    list of Problem
        One where no solute of this length gets a box that is wide enough; what is left to doubt is seen by `solvate`.
    """
    edge = longest_angstrom + 2 * md.padding_angstrom + _EDGE_BEYOND_ANGSTROM[md.box_shape]
    width = edge * _WIDTH_OF_EDGE[md.box_shape]
    return _too_narrow(width, MOST_LEFT - LEAST_LOST_ANGSTROM / width, md, name, of="of at most")


def _check_box(inpcrd: Path, waters: int, solute: Topology, md: Md, name: str) -> None:
    """The cutoff has to fit into half the box, also when this has shrunk to its density, and breathes."""
    vectors = box_vectors_nm(inpcrd) * 10
    will_be = waters * WATER_ANGSTROM3 + np.count_nonzero(solute.elements > 1) * HEAVY_ATOM_ANGSTROM3
    kt_bar_angstrom3 = kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL / KJ_PER_BAR_NM3 * 1000
    spread = math.sqrt(kt_bar_angstrom3 * WATER_COMPRESSIBILITY_PER_BAR / will_be)
    left = (will_be / float(np.linalg.det(vectors))) ** (1 / 3) * (1 - FLUCTUATIONS * spread / 3)
    if problems := _too_narrow(float(np.diag(vectors).min()), left, md, name):
        raise InputError(problems)


def _too_narrow(width_angstrom: float, left: float, md: Md, name: str, of: str = "of") -> list[Problem]:
    lacking = 2 * md.cutoff_angstrom / left - width_angstrom
    if lacking <= 0:
        return []
    what = (
        f"a box {of} {width_angstrom:.1f} Å, {width_angstrom * left:.1f} Å at its density, is too small for a cutoff "
        f"of {md.cutoff_angstrom:g} Å"
    )
    right = f"padding_angstrom of {math.ceil(md.padding_angstrom + lacking / 2 / _WIDTH_OF_EDGE[md.box_shape])}"
    return [Problem(name, what, right, field="padding_angstrom")]


def _with_ions(filled: Topology, solute_atoms: int, ions: int, seed: int, name: str) -> Floats:
    """Positions with ions, which stand between solute and waters, in place of as many waters."""
    first_water = int(filled.residue_of[solute_atoms - 1]) + 1
    oxygens = np.flatnonzero((filled.elements == 8) & (filled.residue_of >= first_water))
    places = filled.positions_angstrom[oxygens]
    away, _ = cKDTree(filled.positions_angstrom[:solute_atoms]).query(places)
    chosen: list[int] = []
    for candidate in np.random.default_rng(seed).permutation(np.flatnonzero(away >= ION_DISTANCE_ANGSTROM)):
        if len(chosen) == ions:
            break
        others = places[chosen] - places[candidate]
        if not chosen or np.linalg.norm(others, axis=1).min() >= ION_DISTANCE_ANGSTROM:
            chosen.append(int(candidate))
    if len(chosen) < ions:
        what = f"{ions} ions do not fit {ION_DISTANCE_ANGSTROM:g} Å from the solute and from each other"
        raise InputError(Problem(name, what, "more padding_angstrom, or less salt_mol_per_l"))
    kept = ~np.isin(filled.residue_of, filled.residue_of[oxygens[chosen]])
    kept[:solute_atoms] = False
    return np.concatenate([filled.positions_angstrom[:solute_atoms], places[chosen], filled.positions_angstrom[kept]])


def _check_solute(prmtop: Path, positions_angstrom: Floats, solute: Topology, name: str) -> None:
    """Hold the solute in its box against that without one; and the order that positions were put in."""
    atoms = len(solute.elements)
    built = Topology.read_prmtop(prmtop, positions_angstrom)
    same = np.array_equal(built.elements[:atoms], solute.elements) and np.allclose(
        built.charges_e[:atoms], solute.charges_e, atol=1e-6
    )
    if not same:
        raise ParametrisationError(f"{name}: tleap built another solute in solvent than without")
    labels = residue_labels(prmtop)[int(solute.residue_of[-1]) + 1 :]
    if re.fullmatch(r"(C|A)*W+", "".join({_CATION: "C", _ANION: "A"}.get(label, label[0]) for label in labels)) is None:
        raise ParametrisationError(f"{name}: tleap put waters before ions")
    if abs(float(built.charges_e.sum())) > 1e-3:
        raise ParametrisationError(f"{name}: the box has a charge of {built.charges_e.sum():+.4f} e")
