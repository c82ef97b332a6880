"""How many tasks of each process a campaign will have, and how much MD: from settings and samplesheet alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.alchemy.protocols import LegSpec, of_edge, protocol_of
from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.network.design.links import kind_of
from gibbsflow.binding.network.design.network_files import read_network
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import COMPARING, MODES


@dataclass(frozen=True)
class LegWork:
    """MD of one kind of leg, over the whole campaign.

    Attributes
    ----------
    name
        As in folders, or ``equilibration``.
    with_receptor
        Whether the receptor is in it.
    explicit
        Whether it has a box of water.
    items
        Ligands or edges that have it.
    ns
        MD of one item, of all its windows and replicates, ns.
    energies
        Energies of one item, of each sample in the states of all windows.
    """

    name: str
    with_receptor: bool
    explicit: bool
    items: int
    ns: float
    energies: int = 0


@dataclass(frozen=True)
class Foreseen:
    """What a campaign will ask for.

    Attributes
    ----------
    tasks
        Number of tasks by process.
    work
        Its MD.
    notes
        What the counts do not hold.
    """

    tasks: dict[str, int]
    work: tuple[LegWork, ...]
    notes: tuple[str, ...]


def foresee(rows: Sequence[Row], settings: BindingConfig, windows_per_task: int = 1) -> Foreseen:
    """Count the tasks of a campaign.

    Parameters
    ----------
    rows
        Its ligands.
    settings
        All settings.
    windows_per_task
        Windows that a task of the independent sampler takes.

    Returns
    -------
    Foreseen
        Of edges those of a network's file; else as many as connect all ligands, which a plan may exceed.

    Raises
    ------
    InputError
        For a λ schedule or a network's file that cannot be used.
    """
    run, md, fe, count = settings.run, settings.md, settings.fe, len(rows)
    notes: list[str] = []
    each = ("SYSTEM_PREP", "PARAM_LIGAND", "EQUIL_PREPARE", "EQUIL_RUN", "EQUIL_ANALYSE")
    tasks = dict.fromkeys(each, count)
    equil_ps = settings.equil.heat_ps + settings.equil.equil_ps + (settings.equil.density_ps if md.explicit else 0)
    own_box = md.explicit and fe.abfe_protocol != "sdr"
    bound = "receptor" in MODES[run.mode].needs
    work = [LegWork("equilibration", True, md.explicit, count, equil_ps / 1000)] if bound else []
    work += [LegWork("equilibration, solvent", False, True, count, equil_ps / 1000)] if own_box else []
    if MODES[run.mode].free_energies:
        items = count
        if run.mode in COMPARING:
            items = _edges(settings.relative.network, count, notes)
            tasks["NETWORK_PLAN"] = 1
        tasks["FE_PREPARE"] = items
        protocol = protocol_of(run.mode, explicit=md.explicit, fe=fe)
        schedules = leg_schedules(fe, protocol)
        plan = sampling(md, fe)
        if run.mode in COMPARING:
            notes += _longer_edges(settings, protocol)
        runs = 0
        for leg in protocol:
            windows = len(schedules[leg.name])
            runs += run.replicates * (1 if fe.sampler == "exchange" else math.ceil(windows / windows_per_task))
            ns = windows * plan.samples * plan.sample_ps * run.replicates / 1000
            inside = "receptor" in leg.parts
            energies = windows**2 * plan.samples * run.replicates
            work.append(LegWork(leg.name, inside, leg.md(md).explicit, items, ns, energies))
        if fe.schedule == "auto":
            tasks["FE_PILOT"] = items * len(protocol)
            notes.append("pilots come on top, and place windows of another number")
        tasks["FE_RUN"] = items * runs
        if settings.analysis.target_error_kcal_per_mol is not None:
            notes.append("rounds of FE_EXTEND come on top, until the target error is reached")
        tasks["ANALYSIS_TRANSFORMATION"] = items
    tasks["ANALYSIS_CAMPAIGN"] = 1
    return Foreseen(tasks, tuple(work), tuple(notes))


def _longer_edges(settings: BindingConfig, protocol: Sequence[LegSpec]) -> list[str]:
    """Name edges that take more windows than are counted, where schedules follow what an edge changes."""
    explicit = settings.md.explicit

    def windows(*, dual: bool, changes: bool) -> int:
        table = of_edge(protocol, hard=True, dual=dual, charge_changes=changes, explicit=explicit)
        return max(len(states) for states in leg_schedules(settings.fe, table).values())

    if "auto" not in (getattr(settings.fe, leg.schedule) for leg in protocol):
        return []
    told = [f"edges of hard maps and of two whole ligands take {windows(dual=True, changes=False)} windows a leg"]
    if explicit and settings.fe.charge_correction == "counter_ion":
        more = [windows(dual=dual, changes=True) for dual in (False, True)]
        told.append(f"edges that change the net charge take {more[0]} windows a leg, of two whole ligands {more[1]}")
    return told


def _edges(network: str, ligands: int, notes: list[str]) -> int:
    if kind_of(network) is None:
        return len(read_network(Path(network), whole=False).edges)
    notes.append(f"edges are planned after equilibration: {ligands - 1} connect all ligands, others come on top")
    return ligands - 1


def ligand_atoms(row: Row) -> int | None:
    """Count the atoms of a ligand, hydrogens included.

    Parameters
    ----------
    row
        Of the samplesheet.

    Returns
    -------
    int or None
        None where its file does not tell in a moment.
    """
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    mol = None
    if row.smiles:
        mol = Chem.MolFromSmiles(row.smiles)
        mol = Chem.AddHs(mol) if mol is not None else None
    elif row.structure and row.structure.lower().endswith(".mol2"):
        mol = Chem.MolFromMol2File(row.structure, removeHs=False, sanitize=False)
    elif row.structure and row.structure.lower().endswith(".sdf"):
        mol = next(iter(Chem.SDMolSupplier(row.structure, removeHs=False, sanitize=False)), None)
    return None if mol is None else int(mol.GetNumAtoms())


def receptor_atoms(receptor: Path | None) -> int | None:
    """Count the atoms of a receptor; of a protein's file without hydrogens, twice those that it has.

    Parameters
    ----------
    receptor
        Its file; None for none.

    Returns
    -------
    int or None
        None where its file does not tell in a moment.
    """
    from rdkit import Chem

    if receptor is None:
        return 0
    suffix = receptor.suffix.lower()
    if suffix == ".sdf":
        mol = next(iter(Chem.SDMolSupplier(str(receptor), removeHs=False, sanitize=False)), None)
    elif suffix == ".mol2":
        mol = Chem.MolFromMol2File(str(receptor), removeHs=False, sanitize=False)
    elif suffix in (".pdb", ".ent"):
        with open(receptor, encoding="utf-8") as file:
            atoms = [line[76:78].strip() or line[12:14].strip() for line in file if line.startswith("ATOM")]
        hydrogens = sum(element.startswith("H") for element in atoms)
        return len(atoms) * (2 if hydrogens * 4 < len(atoms) else 1)
    else:
        return None
    return None if mol is None else int(mol.GetNumAtoms())
