"""A small bilayer of POPC in water, by tleap: one lipid laid on a lattice, upright and upside down."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
from solvated_systems import METHANOL

from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.binding.forcefield.patch.lipid_names import record
from gibbsflow.engines import ambertools

SPACING_ANGSTROM = 8.4
WATER_ANGSTROM = 3.1


@functools.cache
def lipid() -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """A POPC of the upper leaflet as lipid21 names it: names, residues, positions with the tails' end at z = 0.

    The straightest of OpenMM's patch (POPC.pdb), its atoms renamed by AmberTools' charmmlipid2amber.
    """
    lines = Path(__file__).with_name("popc_lipid21.pdb").read_text().splitlines()
    xyz = np.array([[float(row[30 + 8 * k : 38 + 8 * k]) for k in range(3)] for row in lines])
    return tuple(row[12:16].strip() for row in lines), tuple(row[17:21].strip() for row in lines), xyz


@functools.cache
def helix(residues: int = 18) -> tuple[list[str], list[str], list[int], np.ndarray]:
    """A helix of leucine and alanine with capped ends, its axis along z and its centre at 0, all atoms, by tleap."""
    inner = " ".join("LEU" if k % 2 else "ALA" for k in range(residues))
    turns = '{ { "N" "CA" "C" "N" -47 } { "C" "N" "CA" "C" -57 } }'
    numbers = " ".join(str(k + 1) for k in range(residues + 2))
    with tempfile.TemporaryDirectory() as folder:
        script = [
            "source leaprc.protein.ff14SB",
            f"m = sequence {{ ACE {inner} NME }}",
            f"impose m {{ {numbers} }} {turns}",
            "savepdb m m.pdb",
            "quit",
            "",
        ]
        ambertools.tleap("\n".join(script), folder=Path(folder), log=Path(folder) / "leap.log", name="helix")
        rows = [row for row in (Path(folder) / "m.pdb").read_text().splitlines() if row.startswith("ATOM")]
    names, labels = [row[12:16].strip() for row in rows], [row[17:20] for row in rows]
    xyz = np.array([[float(row[30 + 8 * k : 38 + 8 * k]) for k in range(3)] for row in rows])
    spine = xyz[[name == "CA" for name in names]]
    axis = np.linalg.svd(spine - spine.mean(axis=0))[2]
    turned = (xyz - spine.mean(axis=0)) @ np.array([axis[1], axis[2], axis[0]]).T
    if np.linalg.det(np.array([axis[1], axis[2], axis[0]])) < 0:
        turned *= [-1, 1, 1]
    return names, labels, [int(row[22:26]) for row in rows], turned


@functools.cache
def bilayer(edge: int = 4, *, with_helix: bool = True, water: float = 10.0) -> Path:
    """Folder with complex.prmtop and complex.inpcrd: POPC, a helix across it, methanol at its end."""
    folder = Path(tempfile.mkdtemp(prefix="gibbsflow-bilayer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    names, residues, model = lipid()
    side, top = edge * SPACING_ANGSTROM, float(model[:, 2].max()) + 0.5
    solid = np.zeros((0, 3))
    commands = [
        "source leaprc.protein.ff14SB",
        "source leaprc.lipid21",
        "source leaprc.water.tip3p",
        "source leaprc.gaff",
    ]
    (folder / "ligand.mol2").write_text(METHANOL)
    commands.append("ligand = loadmol2 ligand.mol2")
    units = ["ligand"]
    methanol = np.array([0.0, 0.0, top - 8.0 if with_helix else 0.0])
    if with_helix:
        named, labels, numbers, xyz = helix()
        solid = xyz
        rows = [record(k + 1, named[k], labels[k], numbers[k], xyz[k]) for k in range(len(named))]
        (folder / "helix.pdb").write_text("\n".join([*rows, "TER", "END", ""]))
        commands.append("helix = loadpdb helix.pdb")
        units.insert(0, "helix")
        methanol[2] = xyz[:, 2].max() + 3.5
    commands.append(f"translate ligand {{ {methanol[0]:.3f} {methanol[1]:.3f} {methanol[2]:.3f} }}")
    solid = np.vstack([solid, methanol + [[0, 0, 0], [0, 0, 1.5], [0, 0, -1.5]]])
    lines, number = [], 0
    grid = (np.arange(edge) - (edge - 1) / 2) * SPACING_ANGSTROM
    for up in (1, -1):
        for x in grid:
            for y in grid:
                placed = (model + [0, 0, 0.5]) * [1, up, up] + [x + 0.25, y + 0.25, 0]
                images = placed[:, None] - solid
                images[..., :2] -= side * np.round(images[..., :2] / side)
                if np.linalg.norm(images, axis=-1).min() < 1.5:
                    continue
                for residue in dict.fromkeys(residues):
                    number += 1
                    atoms = [k for k in range(len(names)) if residues[k] == residue]
                    lines += [record(k + 1, names[k], residue, number, placed[k]) for k in atoms]
                lines.append("TER")
    (folder / "lipids.pdb").write_text("\n".join([*lines, "END", ""]))
    steps = int(side // WATER_ANGSTROM)
    across, layers = (np.arange(steps) + 0.5) * side / steps - side / 2, int(water // WATER_ANGSTROM)
    points = [
        (x, y, s * (top + 1.5 + k * WATER_ANGSTROM))
        for s in (1, -1)
        for k in range(layers)
        for x in across
        for y in across
    ]
    kept = [p for p in points if np.linalg.norm(solid - p, axis=1).min() > 2.8]
    waters = [record(k + 1, "O", "WAT", k + 1, p) for k, p in enumerate(kept)]
    (folder / "water.pdb").write_text("\n".join([*[row + "\nTER" for row in waters], "END", ""]))
    height = 2 * (top + 1.5 + layers * WATER_ANGSTROM)
    commands += ["lipids = loadpdb lipids.pdb", "water = loadpdb water.pdb"]
    commands += [
        f"complex = combine {{ {' '.join([*units, 'lipids', 'water'])} }}",
        f"set complex box {{ {side:.3f} {side:.3f} {height:.3f} }}",
        "saveamberparm complex complex.prmtop complex.inpcrd",
        "solvatebox ligand TIP3PBOX 9",
        "saveamberparm ligand solvent.prmtop solvent.inpcrd",
    ]
    ambertools.tleap("\n".join([*commands, "quit", ""]), folder=folder, log=folder / "leap.log", name="bilayer")
    return folder


def files(folder: Path, *roles: str) -> list[BoxFiles]:
    """Files of its boxes."""
    return [BoxFiles(r, folder / f"{r}.prmtop", folder / f"{r}.inpcrd") for r in roles or ("complex", "solvent")]
