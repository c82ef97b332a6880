"""CB7·B2 as it lies in the openmmtools wheel (MIT), and small legs made of it, for tests and benchmarks."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import parmed
from openmm import app, unit

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState, read_schedule
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import ONCE, Equil, Fe, Md

RECEPTOR_ATOMS = 126


def data(name: str) -> Path:
    """File of the wheel's cb7-b2 folder, without importing openmmtools."""
    spec = importlib.util.find_spec("openmmtools")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data" / "cb7-b2" / name


def positions_nm(name: str) -> np.ndarray:
    """Positions of an inpcrd, shape (N, 3), nm."""
    return np.array(app.AmberInpcrdFile(str(data(f"{name}.inpcrd"))).positions.value_in_unit(unit.nanometer))


def com_restraint(k: float = 10.0) -> CentreOfMassRestraint:
    """Centroids of all heavy atoms of host and guest."""
    atoms = app.AmberPrmtopFile(str(data("complex-vacuum.prmtop"))).topology.atoms()
    heavy = [a.index for a in atoms if a.element.symbol != "H"]
    return CentreOfMassRestraint(
        tuple(i for i in heavy if i < RECEPTOR_ATOMS), tuple(i for i in heavy if i >= RECEPTOR_ATOMS), k
    )


def make_leg(
    folder: Path,
    leg: str,
    *,
    fe: Fe,
    md: Md | None = None,
    states: tuple[LambdaState, ...] | None = None,
    seed: int = 2026,
    replicates: int = 4,
) -> AlchemicalLeg:
    """Write the complex or solvent leg of CB7·B2 with the wheel's topologies."""
    name, first = ("complex-vacuum", RECEPTOR_ATOMS) if leg == "complex" else ("ligand", 0)
    start = positions_nm(name)
    topology, start_file = place_leg(folder, data(f"{name}.prmtop"), start, range(len(start)))
    chosen = fe.complex_schedule if leg == "complex" else fe.solvent_schedule
    made = AlchemicalLeg(
        folder=folder,
        leg=leg,  # type: ignore[arg-type]
        transformation="b2",
        states=states or read_schedule({"auto": ONCE[f"{leg}_schedule"]}.get(chosen, chosen)),
        topology=topology,
        start=start_file,
        ligand_atoms=tuple(range(first, len(start))),
        receptor_atoms=tuple(range(first)),
        restraint=com_restraint() if leg == "complex" else None,
        md=md or Md(),
        fe=fe,
        seed=seed,
        replicates=replicates,
    )
    made.write()
    return made


def prepare_equil(folder: Path, equil: Equil, shift_nm: float = 0.0) -> Path:
    """Write what `equil prepare` leaves, from the wheel's topologies; the guest moved along the diagonal."""
    folder.mkdir(parents=True)
    names = {"complex": "complex-vacuum", "ligand": "ligand"}
    for name, source in names.items():
        for suffix in ("prmtop", "inpcrd"):
            shutil.copyfile(data(f"{source}.{suffix}"), folder / f"{name}.{suffix}")
    if shift_nm:
        structure = parmed.load_file(str(folder / "complex.prmtop"), str(folder / "complex.inpcrd"))
        coordinates = structure.coordinates.copy()
        coordinates[RECEPTOR_ATOMS:] += shift_nm * 10
        structure.coordinates = coordinates
        structure.save(str(folder / "complex.inpcrd"), format="rst7", overwrite=True)
    artifacts = {f"{n}_{s}": f"{n}.{s}" for n in names for s in ("prmtop", "inpcrd")}
    meta = {
        "md": Md().model_dump(mode="json"),
        "equil": equil.model_dump(mode="json"),
        "run": {"seed": 7},
        "receptor_kind": "host",
        "receptor_charge": 0,
        "receptor_name": "cb7",
        "ligand_charge": 0,
        "ligand_smiles": "OCC12CCC(CO)(CC1)CC2",
        "site": None,
        "receptor_atoms": list(range(RECEPTOR_ATOMS)),
        "ligand_atoms": list(range(RECEPTOR_ATOMS, 156)),
        "site_atoms": list(com_restraint().receptor_atoms),
    }
    SimSystem("b2", folder, artifacts, meta).write()
    return folder
