"""Explicit solvent round a solute, by tleap: water, counter-ions and salt, the same bytes for the same input.

tleap puts ions at random by the clock; here they take the places of waters drawn by the campaign's seed. The topology
is tleap's own, since that does not depend on which waters gave way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.facts import RemoteFacts, SolvationFacts
from gibbsflow.binding.forcefield.ions import ANION, CATION
from gibbsflow.binding.forcefield.remote import CopyPlace, beyond_wall, wall_for_ions
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels, without_date
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError, ParametrisationError, Problem
from gibbsflow.units import KJ_PER_BAR_NM3, KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import atomic_open

WATER_MOL_PER_L = 55.5
ION_DISTANCE_ANGSTROM = 5.0
"""Ions start no nearer than this to the solute and to each other."""
SALT_MOL_PER_L = {True: 0.15, False: 0.0}
"""By whether there is a receptor, where the settings do not say."""
MOST_LEFT, LEAST_LOST_ANGSTROM = {"octahedron": 0.98, "box": 0.94}, 1.0
"""tleap packs water loosely, at faces above all: of widths of 17, 22, 25 and 46 Å 0.90, 0.92, 0.935 and 0.957 are left
at constant pressure. No more than this share, less this length, is; the rest of boxes of 10 to 60 Å round 39 molecules,
in the four water models, is 0.005 of the width below that or more."""
LIKELY_LEFT = {"octahedron": 0.925, "box": 0.84}
"""The same of most boxes, the small ones among them."""
LEAST_LEFT = 0.9
"""Of the edges of a box that is not yet there."""
WATER_ANGSTROM3 = 29.9
WATER_COMPRESSIBILITY_PER_BAR = 4.6e-5
HEAVY_ATOM_ANGSTROM3 = 17.0
"""What one, with its hydrogens, takes up in water: of proteins; of smaller solutes it is more."""
FLUCTUATIONS = 5.0
"""Standard deviations of the volume that the cutoff has to outlast."""
_WIDTH_OF_EDGE = {"octahedron": math.sqrt(2 / 3), "box": 1.0}
"""Least width of a box, in the form that programs of MD want, by the length of its edges."""
_EDGE_BEYOND_ANGSTROM = {"octahedron": 6.0, "box": 6.2}
"""What tleap adds, for the radii of atoms, to the longest distance of two atoms and twice the padding, but for
`_EDGE_ERROR_ANGSTROM`: up to 4.75 and 6.3 Å with molecules from methane to triphenylmethane and decane, 6.9 and 7.1 Å
with CI4."""
_RADII_ANGSTROM = {1: 1.46, 6: 1.95, 7: 1.9, 8: 1.8, 9: 1.75, 15: 2.1, 16: 2.0, 17: 1.95, 35: 2.03, 53: 2.16}
"""Of GAFF's atoms; hydrogens on N, O and S have less."""
_WATER_RADIUS_ANGSTROM = 1.77
_EDGE_ERROR_ANGSTROM = 1.0
"""Of :func:`edge_round`: up to 0.7 Å with 39 molecules from water to imatinib, CI4 and coronene among them, whose axes
of equal moments may lie anywhere."""
_BOXES = {
    "tip3p": ("TIP3PBOX", "TP3"),
    "spce": ("SPCBOX", "SPC"),
    "opc": ("OPCBOX", "OPC"),
    "tip4pew": ("TIP4PEWBOX", "T4E"),
}

FITTING: Mapping[str, tuple[str, ...]] = {"ff14SB": ("tip3p", "tip4pew", "spce"), "ff19SB": ("opc",)}
"""Water models that a protein's force field is used with: Maier et al., J. Chem. Theory Comput. 11, 3696 (2015); Tian
et al., ibid. 16, 528 (2020), who say what ff19SB loses in TIP3P."""
LACKING: Mapping[str, frozenset[str]] = {
    "spce": frozenset({"AG", "CU1", "TL"}), "tip4pew": frozenset({"AG", "CU1", "TL"})
}  # fmt: skip
"""Ions, as PDB files name them, that leaprc.water.… has no parameters for."""


def force_field_doubts(protein_ff: str | None, ions: Iterable[str], md: Md, *, where: str) -> Account:
    """Say what a force field and its ions lack in a water model.

    Parameters
    ----------
    protein_ff
        Of the receptor; None where it is no protein.
    ions
        Names of what is kept beside it.
    md
        The solvent.
    where
        What messages call it.

    Returns
    -------
    Account
        Not yet settled: refusals, and what is worth a warning.
    """
    account = Account(where)
    if protein_ff is not None and md.explicit and md.solvent not in FITTING[protein_ff]:
        what = f"{protein_ff} was not made for {md.solvent}"
        better = next(f"{ff} with {', '.join(models)}" for ff, models in FITTING.items() if ff == protein_ff)
        account.warn(what, better, field="solvent")
    if absent := sorted(set(ions) & LACKING.get(md.solvent, frozenset())):
        what = f"{md.solvent} has no parameters for {', '.join(absent)}, which keep names"
        account.refuse(what, "tip3p or opc, which have them, or keep without it", field="keep")
    return account


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
    copy: CopyPlace | None = None,
    charge_made_up_for: int = 0,
) -> tuple[SolvationFacts, RemoteFacts | None]:
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
    copy
        Where a copy of the ligand stands, the last molecule of the solute; None for none. Its charge is not
        neutralised, and the box is rectangular.
    charge_made_up_for
        Charge of a ligand, in e, as many ions of the other sign are put far from the solute: they change with it.

    Returns
    -------
    added
        What was added.
    remote
        What of it, or the copy, is kept far away; None for nothing.

    Raises
    ------
    InputError
        For a box that is too small for the cutoff.
    ParametrisationError
        Where tleap fails, or builds another solute than before.
    """
    water, atoms = _BOXES[md.solvent][0], len(solute.elements)
    if copy is not None:
        x, y, z = copy.padding_angstrom
        fill = f"solvatebox {unit_name} {water} {{ {x:.3f} {y:.3f} {z:.3f} }}"
    elif md.box_shape == "box":
        # iso turns the solute, so that a box is as small as it can be; an octahedron is the same in all directions
        fill = f"solvatebox {unit_name} {water} {md.padding_angstrom:g} iso"
    else:
        fill = f"solvateoct {unit_name} {water} {md.padding_angstrom:g}"

    def _build(*commands: str) -> tuple[str, Topology, Path]:
        save = f"saveamberparm {unit_name} solvated.prmtop solvated.inpcrd"
        ambertools.tleap("\n".join([*loads, fill, *commands, save, "quit", ""]), folder=folder, log=log, name=name)
        prmtop, inpcrd = folder / "solvated.prmtop", folder / "solvated.inpcrd"
        return without_date(prmtop.read_text()), Topology.read(prmtop, inpcrd), inpcrd

    text, filled, inpcrd = _build()
    box = _box(inpcrd)
    extra = round(float(solute.charges_e[list(copy.facts.copy_atoms)].sum())) if copy else 0
    charge = round(float(solute.charges_e.sum())) - extra
    waters = int(filled.residue_of[-1]) - int(solute.residue_of[-1])
    salt = SALT_MOL_PER_L[with_receptor] if md.salt_mol_per_l is None else md.salt_mol_per_l
    pairs = round(salt * waters / WATER_MOL_PER_L)
    # of those that change with the ligand there are as many as it takes
    pairs = max(pairs, -charge_made_up_for - max(0, -charge), charge_made_up_for - max(0, charge))
    cations, anions = pairs + max(0, -charge), pairs + max(0, charge)
    left = _left_at_density(inpcrd, waters, solute, md)
    if problems := _too_narrow(float(np.diag(box_vectors_nm(inpcrd)).min()) * 10, left, md, name):
        raise InputError(problems)
    remote = copy.facts if copy else None
    if charge_made_up_for:
        first = atoms + (0 if charge_made_up_for < 0 else cations)
        changing = tuple(range(first, first + abs(charge_made_up_for)))
        remote = wall_for_ions(solute, box_vectors_nm(inpcrd), md, left, name)
        remote = remote.model_copy(update={"ion_atoms": changing})
    positions = filled.positions_angstrom
    if cations or anions:
        counts = [f"{ion} {count}" for ion, count in ((CATION, cations), (ANION, anions)) if count]
        text, salted, _ = _build(f"addIonsRand {unit_name} {' '.join(counts)} {ION_DISTANCE_ANGSTROM:g}")
        positions = _with_ions(filled, atoms, cations + anions, seed, name, remote, box_vectors_nm(inpcrd))
        if positions.shape != salted.positions_angstrom.shape:
            raise ParametrisationError(f"{name}: tleap put another number of ions than {cations} + {anions}")
    target.with_suffix(".prmtop").write_text(text)
    write_inpcrd(target.with_suffix(".inpcrd"), positions, box)
    _check_solute(target.with_suffix(".prmtop"), positions, solute, name, extra)
    added = SolvationFacts(waters=waters - cations - anions, cations=cations, anions=anions, box_angstrom=box)
    return added, remote


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


def edge_at_most(longest_angstrom: float, md: Md) -> float:
    """Say how long the edges of a box may be round a solute of which the length alone is known.

    Parameters
    ----------
    longest_angstrom
        Distance of two of its atoms, at the most.
    md
        Padding and shape.

    Returns
    -------
    float
        Å.
    """
    return longest_angstrom + 2 * md.padding_angstrom + _EDGE_BEYOND_ANGSTROM[md.box_shape]


def edge_round(positions_angstrom: Floats, elements: Sequence[int], md: Md) -> float:
    """Foretell the edges of the box that tleap fills round a small molecule, as it does it.

    The molecule lies along its principal axes; an octahedron is a cube of which the corners are cut, and grows until
    these cuts are as far from the molecule as the padding says.

    Parameters
    ----------
    positions_angstrom
        Shape (atoms, 3), Å.
    elements
        Atomic numbers.
    md
        Padding and shape.

    Returns
    -------
    float
        Å, right within 1 Å for an octahedron; of a rectangular box the least edge at the most.
    """
    radii = np.array([_RADII_ANGSTROM.get(int(number), 2.0) for number in elements])
    xyz = positions_angstrom - positions_angstrom.mean(axis=0)
    xyz = xyz @ np.linalg.eigh(xyz.T @ xyz)[1]
    low, high = (xyz - radii[:, None]).min(axis=0), (xyz + radii[:, None]).max(axis=0)
    half = float((high - low).max()) / 2 + md.padding_angstrom
    if md.box_shape == "box":
        return 2 * (half + _WATER_RADIUS_ANGSTROM)
    reach = float((np.abs(xyz - (low + high) / 2).sum(axis=1) / math.sqrt(3) + radii).max())
    half = max(half, (reach + md.padding_angstrom) / (math.sqrt(3) / 2))
    return 2 * (half + 0.5) * math.sqrt(3) / 2


def box_problems(edge_angstrom: float, md: Md, name: str, *, likely: bool = False) -> list[Problem]:
    """Foretell a box that will be too small for the cutoff, before anything is computed for it.

    Parameters
    ----------
    edge_angstrom
        As :func:`edge_at_most` or :func:`edge_round` says.
    md
        Padding, shape, cutoff.
    name
        What messages call the system.
    likely
        Say where it is likely, instead of where it is sure.

    Returns
    -------
    list of Problem
        At most one, with a padding that is likely to be enough; what is left to doubt is seen by `solvate`.
    """

    def _foretold(edge: float, left: float, of: str, verb: str) -> list[Problem]:
        width = edge * _WIDTH_OF_EDGE[md.box_shape]
        return _too_narrow(width, left - LEAST_LOST_ANGSTROM / width, md, name, of, verb)

    some = _foretold(edge_angstrom, LIKELY_LEFT[md.box_shape], "of some", "may be")
    if likely:
        return some
    sure = _foretold(edge_angstrom + _EDGE_ERROR_ANGSTROM, MOST_LEFT[md.box_shape], "of at most", "is")
    return [replace(problem, right=some[0].right) for problem in sure]


def width_foretold(edge_angstrom: float, md: Md, *, likely: bool = False) -> float:
    """Foretell the least width of a box at its density.

    Parameters
    ----------
    edge_angstrom
        As :func:`edge_at_most` or :func:`edge_round` says.
    md
        Shape.
    likely
        That of most boxes, instead of the largest that can be.

    Returns
    -------
    float
        Å.
    """
    edge = edge_angstrom + (0.0 if likely else _EDGE_ERROR_ANGSTROM)
    share = (LIKELY_LEFT if likely else MOST_LEFT)[md.box_shape]
    return edge * _WIDTH_OF_EDGE[md.box_shape] * share - LEAST_LOST_ANGSTROM


def _left_at_density(inpcrd: Path, waters: int, solute: Topology, md: Md) -> float:
    """What share of its edges a box keeps when it has shrunk to its density, and breathes."""
    vectors = box_vectors_nm(inpcrd) * 10
    will_be = waters * WATER_ANGSTROM3 + np.count_nonzero(solute.elements > 1) * HEAVY_ATOM_ANGSTROM3
    kt_bar_angstrom3 = kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL / KJ_PER_BAR_NM3 * 1000
    spread = math.sqrt(kt_bar_angstrom3 * WATER_COMPRESSIBILITY_PER_BAR / will_be)
    return float((will_be / np.linalg.det(vectors)) ** (1 / 3) * (1 - FLUCTUATIONS * spread / 3))


def _too_narrow(
    width_angstrom: float, left: float, md: Md, name: str, of: str = "of", verb: str = "is"
) -> list[Problem]:
    lacking = 2 * md.cutoff_angstrom / left - width_angstrom
    if lacking <= 0:
        return []
    what = (
        f"a box {of} {width_angstrom:.1f} Å, {width_angstrom * left:.1f} Å at its density, {verb} too small for a "
        f"cutoff of {md.cutoff_angstrom:g} Å"
    )
    right = f"padding_angstrom of {math.ceil(md.padding_angstrom + lacking / 2 / _WIDTH_OF_EDGE[md.box_shape])}"
    return [Problem(name, what, right, field="padding_angstrom")]


def _with_ions(
    filled: Topology,
    solute_atoms: int,
    ions: int,
    seed: int,
    name: str,
    remote: RemoteFacts | None,
    box_nm: Floats,
) -> Floats:
    """Positions with ions, which stand between solute and waters, in place of as many waters."""
    first_water = int(filled.residue_of[solute_atoms - 1]) + 1
    oxygens = np.flatnonzero((filled.elements == 8) & (filled.residue_of >= first_water))
    places = filled.positions_angstrom[oxygens]
    away, _ = cKDTree(filled.positions_angstrom[:solute_atoms]).query(places)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(away >= ION_DISTANCE_ANGSTROM))
    chosen: list[int] = []

    def choose(candidates: Ints, count: int) -> None:
        for candidate in candidates:
            if len(chosen) == count:
                break
            others = places[chosen] - places[candidate]
            if not chosen or np.linalg.norm(others, axis=1).min() >= ION_DISTANCE_ANGSTROM:
                chosen.append(int(candidate))

    changing = [] if remote is None else [atom - solute_atoms for atom in remote.ion_atoms]
    if remote is not None and changing:
        far = beyond_wall(remote, filled.positions_angstrom[:solute_atoms], box_nm, places)
        choose(order[np.isin(order, far)], len(changing))
    if len(chosen) == len(changing):
        choose(order, ions)
        kept_far, others = chosen[: len(changing)], chosen[len(changing) :]
        start = changing[0] if changing else 0
        chosen = [*others[:start], *kept_far, *others[start:]]
    if len(chosen) < ions:
        what = f"{ions} ions do not fit {ION_DISTANCE_ANGSTROM:g} Å from the solute and from each other"
        raise InputError(Problem(name, what, "more padding_angstrom, or less salt_mol_per_l"))
    kept = ~np.isin(filled.residue_of, filled.residue_of[oxygens[chosen]])
    kept[:solute_atoms] = False
    return np.concatenate([filled.positions_angstrom[:solute_atoms], places[chosen], filled.positions_angstrom[kept]])


def _check_solute(prmtop: Path, positions_angstrom: Floats, solute: Topology, name: str, extra_e: int) -> None:
    """Hold the solute in its box against that without one; and the order that positions were put in."""
    atoms = len(solute.elements)
    built = Topology.read_prmtop(prmtop, positions_angstrom)
    same = np.array_equal(built.elements[:atoms], solute.elements) and np.allclose(
        built.charges_e[:atoms], solute.charges_e, atol=1e-6
    )
    if not same:
        raise ParametrisationError(f"{name}: tleap built another solute in solvent than without")
    labels = residue_labels(prmtop)[int(solute.residue_of[-1]) + 1 :]
    if re.fullmatch(r"(C|A)*W+", "".join({CATION: "C", ANION: "A"}.get(label, label[0]) for label in labels)) is None:
        raise ParametrisationError(f"{name}: tleap put waters before ions")
    if abs(float(built.charges_e.sum()) - extra_e) > 1e-3:
        raise ParametrisationError(f"{name}: the box has a charge of {built.charges_e.sum():+.4f} e")
