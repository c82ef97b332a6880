#!/usr/bin/env python3
"""Energies of CB7·B2 in vacuum, term by term: OpenMM against GROMACS on the same AMBER topology, through ParmEd.

    python tests/cluster/gromacs_single_point.py [--gmx gmx_d]

Needs GROMACS on PATH and openmmtools (for the complex). Prints one line a term; exit 1 where they differ by more than
1e-5 of the term and 0.001 kJ/mol (double precision), or 1e-4 and 0.05 kJ/mol (mixed).
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MDP = """integrator = md
nsteps = 0
cutoff-scheme = verlet
verlet-buffer-tolerance = -1
pbc = xyz
rlist = 4.9
coulombtype = cut-off
rcoulomb = 4.9
epsilon-rf = 1
vdwtype = cut-off
vdw-modifier = none
rvdw = 4.9
DispCorr = no
nstenergy = 1
nstcalcenergy = 1
"""
# A plain cut-off of 4.9 nm about a molecule of 2 nm cuts nothing, and the constant by which GROMACS shifts each pair
# sums to zero over a neutral system.
BOX_ANGSTROM = [100.0, 100.0, 100.0, 90.0, 90.0, 90.0]
GROMACS_TERMS = {
    "bonds": ["Bond"],
    "angles": ["Angle"],
    "torsions": ["Proper Dih.", "Per. Imp. Dih.", "Improper Dih.", "Ryckaert-Bell."],
    "nonbonded": ["LJ-14", "Coulomb-14", "LJ (SR)", "Coulomb (SR)"],
}
OPENMM_TERMS = {
    "HarmonicBondForce": "bonds",
    "HarmonicAngleForce": "angles",
    "PeriodicTorsionForce": "torsions",
    "NonbondedForce": "nonbonded",
}


def complex_files() -> tuple[Path, Path]:
    """Topology and coordinates of the complex in the openmmtools wheel."""
    spec = importlib.util.find_spec("openmmtools")
    if spec is None or spec.origin is None:
        sys.exit("openmmtools is not installed")
    folder = Path(spec.origin).parent / "data" / "cb7-b2"
    return folder / "complex-vacuum.prmtop", folder / "complex-vacuum.inpcrd"


def openmm_terms_kj_per_mol(prmtop: Path, inpcrd: Path) -> dict[str, float]:
    """Energies by kind of force, Reference platform (double precision)."""
    import openmm
    from openmm import app, unit

    system = app.AmberPrmtopFile(str(prmtop)).createSystem(nonbondedMethod=app.NoCutoff, constraints=None)
    for number, force in enumerate(system.getForces()):
        force.setForceGroup(number)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(app.AmberInpcrdFile(str(inpcrd)).positions)
    terms = dict.fromkeys(GROMACS_TERMS, 0.0)
    for number, force in enumerate(system.getForces()):
        energy = context.getState(getEnergy=True, groups={number}).getPotentialEnergy()
        if name := OPENMM_TERMS.get(type(force).__name__):
            terms[name] += energy.value_in_unit(unit.kilojoule_per_mole)
    return terms


def gromacs_terms_kj_per_mol(gmx: str, prmtop: Path, inpcrd: Path, folder: Path) -> dict[str, float]:
    """Energies by kind of term, from a rerun of the same coordinates."""
    import parmed

    structure = parmed.load_file(str(prmtop), str(inpcrd))
    centre = structure.coordinates.mean(axis=0)
    structure.coordinates = structure.coordinates - centre + 50.0
    structure.box = BOX_ANGSTROM
    structure.save(str(folder / "complex.top"))
    structure.save(str(folder / "complex.gro"), precision=9)
    (folder / "point.mdp").write_text(MDP)
    prepare = "grompp -f point.mdp -c complex.gro -p complex.top -o point.tpr -maxwarn 3"
    for words in (prepare, "mdrun -s point.tpr -rerun complex.gro -deffnm point -nt 1"):
        run(gmx, words, folder)
    names = [name for group in GROMACS_TERMS.values() for name in group]
    run(
        gmx, "energy -f point.edr -o point.xvg -dp", folder, text="\n".join(n.replace(" ", "-") for n in names) + "\n\n"
    )
    legends, values = [], []
    for line in (folder / "point.xvg").read_text().splitlines():
        if line.startswith("@ s") and "legend" in line:
            legends.append(line.split('"')[1])
        elif not line.startswith(("#", "@")):
            values = [float(value) for value in line.split()[1:]]
    found = dict(zip(legends, values, strict=True))
    return {term: sum(found.get(name, 0.0) for name in group) for term, group in GROMACS_TERMS.items()}


def run(gmx: str, words: str, folder: Path, text: str = "") -> None:
    """Run one command of GROMACS; its output is shown where it fails."""
    done = subprocess.run(
        [gmx, "-quiet", "-nobackup", *words.split()],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        sys.exit(f"{gmx} {words}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def main() -> int:
    """Compare, print, and say by the exit code whether they agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--gmx", default=shutil.which("gmx_d") or shutil.which("gmx"), help="program (default: on PATH)"
    )
    gmx = parser.parse_args().gmx
    if not gmx:
        sys.exit("no gmx or gmx_d on PATH")
    version = subprocess.run(
        [gmx, "-quiet", "--version"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    double = "Precision:          double" in version
    relative, absolute = (1e-5, 1e-3) if double else (1e-4, 0.05)
    files = complex_files()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = openmm_terms_kj_per_mol(*files), gromacs_terms_kj_per_mol(gmx, *files, Path(folder))
    agree = True
    for term, value in ours.items():
        difference = theirs[term] - value
        good = abs(difference) <= max(absolute, relative * abs(value))
        agree &= good
        print(f"{term:10} OpenMM {value:14.6f}  GROMACS {theirs[term]:14.6f}  kJ/mol  {'ok' if good else 'DIFFERS'}")
    total = sum(theirs.values()) - sum(ours.values())
    print(f"total difference {total:+.6f} kJ/mol, {'double' if double else 'mixed'} precision")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
