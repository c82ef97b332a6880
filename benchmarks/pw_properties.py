"""Properties that `train validate` has of pw.x, beside the same by hand: own inputs of pw.x, phonopy, and ph.x at Γ.

    python benchmarks/pw_properties.py [--state DIR]

Silicon by LDA at a low cutoff: the numbers are those of the settings, what counts is that both sides agree. Writes
pw_properties.json beside it; --state keeps labels and runs, which are not repeated. Needs pw.x and ph.x.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from phonopy import Phonopy
from phonopy.interface.qe import parse_set_of_forces
from phonopy.structure.atoms import PhonopyAtoms

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.label.engines import make_engine
from gibbsflow.potential.label.pseudopotentials import gth, pseudo_table
from gibbsflow.potential.validate.battery import Battery, Model
from gibbsflow.potential.validate.engine_labels import EngineLabels
from gibbsflow.potential.validate.properties.crystals import Crystal, rest_of
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.workflow.state.segments import Stopper

DFT = Dft(engine="quantum_espresso", functional="lda", pseudo_library="gth", ecutwfc_ry=16,
          kspacing_per_angstrom=0.6, conv_thr_ry=1e-9)  # fmt: skip
# one conventional cell: Γ and X are among its waves, and a vacancy leaves seven atoms
SETTINGS = Validation(supercell_angstrom=5.0, phonon_mesh_angstrom=15.0, elastic_strains=(0.005,), defects_max=1)
NAMES = ("cell", "phonons", "elastic", "vacancy")


def by_validate(state: Path) -> tuple[dict[str, Any], Crystal, int]:
    """Measure by the engine's labels, as `train validate --against-engine` does."""
    from ase.build import bulk

    engine = EngineLabels(make_engine(["Si"], DFT, Labels()), DFT, Labels(), state / "labels", state / "failed")
    start = Crystal.of(bulk("Si", a=5.4), SETTINGS.symmetry_angstrom)
    model = Model("quantum_espresso", engine.engine.settings_hash, engine, False, engine.take_doubts)
    with Stopper() as stopper:
        found = Battery(Subject(start, None, "here"), ("Si",), SETTINGS, state, stopper).measure(model, list(NAMES))
    if lost := {name: one.lost for name, one in found.items() if one.lost}:
        raise SystemExit(f"validate has lost {lost}")
    rest, _ = rest_of(found["cell"], SETTINGS.symmetry_angstrom, start)
    values = {key: value for one in found.values() for key, value in one.values.items()}
    piece = next(p for p in found["phonons"].curves["bands"] if p["ends"] == ["Γ", "X"])
    values |= {"gamma_thz": piece["frequencies_thz"][0][3:], "x_thz": piece["frequencies_thz"][-1]}
    return values, rest, engine.made + engine.reused


class Hand:
    """Runs of pw.x from inputs that are written here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (pseudo,) = pseudo_table.choose(["Si"], DFT).values()
        gth.write_upf(pseudo_table.path_of(pseudo, DFT), folder / "Si.upf")

    def run(self, name: str, atoms: Atoms, points: str, calculation: str = "scf") -> Path:
        """Run pw.x; give its output back."""
        output = self.folder / f"{name}.out"
        if output.exists() and "JOB DONE" in output.read_text():
            return output
        text = f"""&control
 calculation='{calculation}', prefix='{name}', outdir='tmp', pseudo_dir='.', tprnfor=.true., tstress=.true.,
 forc_conv_thr=1d-4, etot_conv_thr=1d-7
/
&system
 ibrav=0, nat={len(atoms)}, ntyp=1, ecutwfc={DFT.ecutwfc_ry}, occupations='smearing', smearing='{DFT.smearing}',
 degauss={DFT.degauss_ry}
/
&electrons
 conv_thr={DFT.conv_thr_ry}
/
&ions
/
ATOMIC_SPECIES
Si 28.085 Si.upf
CELL_PARAMETERS angstrom
""" + "".join("{:.12f} {:.12f} {:.12f}\n".format(*row) for row in atoms.cell.array)
        text += "ATOMIC_POSITIONS crystal\n"
        text += "".join("Si {:.12f} {:.12f} {:.12f}\n".format(*row) for row in atoms.get_scaled_positions())
        (self.folder / f"{name}.in").write_text(f"{text}{points}\n")
        self.program("pw.x", name, output)
        return output

    def program(self, program: str, name: str, output: Path) -> None:
        """Run a program of Quantum ESPRESSO on NAME.in."""
        with open(output, "w") as file:
            subprocess.run([program, "-in", f"{name}.in"], cwd=self.folder, stdout=file, check=True)


def energy_ev(output: Path) -> float:
    """Last total energy."""
    return float(re.findall(r"^!\s+total energy\s+=\s+(\S+) Ry", output.read_text(), re.M)[-1]) * units.Ry


def stress_gpa(output: Path) -> np.ndarray:
    """Last stress, positive under tension, shape (3, 3)."""
    block = output.read_text().split("total   stress")[-1].splitlines()[1:4]
    return -np.array([[float(word) for word in line.split()[3:6]] for line in block]) / 10


def by_hand(folder: Path, rest: Crystal) -> dict[str, Any]:
    """Measure the same of the same crystal, without any code of validation."""
    hand = Hand(folder)
    cubic, primitive = rest.conventional, rest.primitive
    values: dict[str, Any] = {}

    found = Phonopy(
        PhonopyAtoms(symbols=["Si"] * 8, cell=cubic.cell.array, scaled_positions=cubic.get_scaled_positions()),
        np.eye(3), primitive_matrix="F",
    )  # fmt: skip
    found.generate_displacements(distance=SETTINGS.phonon_displacement_angstrom)
    outputs = [
        hand.run(f"displaced{n}", Atoms("Si8", cell=c.cell, scaled_positions=c.scaled_positions, pbc=True),
                 "K_POINTS automatic\n2 2 2 0 0 0")
        for n, c in enumerate(found.supercells_with_displacements)
    ]  # fmt: skip
    per_bohr = units.Ry / units.Bohr
    found.forces = [np.array(f) * per_bohr for f in parse_set_of_forces(8, [str(path) for path in outputs])]
    found.produce_force_constants()
    found.symmetrize_force_constants()
    found.run_qpoints([[0, 0, 0], [0.5, 0, 0.5]])
    gamma, at_x = found.qpoints.frequencies
    values |= {"gamma_thz": gamma[3:].tolist(), "x_thz": at_x.tolist()}

    # the k points of the cubic cell, folded out into the zone of the primitive one
    mesh = [np.array(p) / 2 for p in np.ndindex(2, 2, 2)]
    waves = [np.array(g) for g in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    turn = primitive.cell.array @ np.linalg.inv(cubic.cell.array)
    points = [turn @ (k + g) % 1 for k in mesh for g in waves]
    folded = f"K_POINTS crystal\n{len(points)}\n" + "\n".join("{:.9f} {:.9f} {:.9f} 1".format(*k) for k in points)
    hand.run("ground", primitive, folded)
    (folder / "gamma.in").write_text(
        "Γ\n&inputph\n prefix='ground', outdir='tmp', fildyn='gamma.dyn', tr2_ph=1d-14, amass(1)=28.085\n/\n0 0 0\n"
    )
    output = folder / "gamma.out"
    if not (output.exists() and "JOB DONE" in output.read_text()):
        hand.program("ph.x", "gamma", output)
    values["gamma_by_ph_thz"] = [
        float(line.split("=")[1].split()[0])
        for line in (folder / "gamma.dyn").read_text().splitlines()
        if "THz" in line
    ][3:]

    automatic, step = "K_POINTS automatic\n4 4 4 0 0 0", SETTINGS.elastic_strains[0]
    slopes = {}
    for voigt, (i, j) in {1: (0, 0), 4: (1, 2)}.items():
        stresses = []
        for sign in (1, -1):
            strain = np.eye(3)
            # a shear as engineers count it: half of it in each of both places
            strain[i, j] += sign * step / (1 if i == j else 2)
            strain[j, i] = strain[i, j]
            atoms = primitive.copy()
            atoms.set_cell(primitive.cell.array @ strain, scale_atoms=True)
            name = f"strain{voigt}{'p' if sign > 0 else 'm'}"
            stresses.append(stress_gpa(hand.run(name, atoms, automatic, "relax")))
        slopes[voigt] = (stresses[0] - stresses[1]) / (2 * step)
    values |= {"c11": slopes[1][0, 0], "c12": slopes[1][1, 1], "c44": slopes[4][1, 2]}

    coarse = "K_POINTS automatic\n2 2 2 0 0 0"
    hole = cubic.copy()
    del hole[0]
    # off its place, as validate does, so that it is not held where symmetry alone holds it
    hole.rattle(0.01, seed=1)
    whole = energy_ev(hand.run("whole", cubic, coarse))
    values["vacancy_energy"] = energy_ev(hand.run("hole", hole, coarse, "relax")) - 7 / 8 * whole
    return values


def main() -> int:
    """Measure both, and hold them against each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, help="keeps what was run")
    arguments = parser.parse_args()
    if not all(map(shutil.which, ("pw.x", "ph.x"))):
        print("skipped: pw.x or ph.x is not installed")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        state = (arguments.state or Path(scratch)).resolve()
        ours, rest, labels = by_validate(state)
        hand = by_hand(state / "hand", rest)
        version = re.search(r"PWSCF v\.(\S+)", (state / "hand" / "ground.out").read_text())
    rows = {}
    for name, reference in hand.items():
        own = ours[name.replace("_by_ph", "")]
        rows[name] = {"validate": own, "by_hand": reference,
                      "largest_difference": float(np.abs(np.subtract(own, reference)).max())}  # fmt: skip
    record = {
        "dft": DFT.model_dump(mode="json", exclude_unset=True), "pw": version[1] if version else None, "labels": labels,
        "lattice_a_angstrom": ours["lattice_a"], "rows": rows,
    }  # fmt: skip
    Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
