"""How many tasks of each process a campaign will have, and how much MD: from settings and samplesheet alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.alchemy.protocols import LegSpec, of_edge, protocol_of
from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.equilibrate.stages import chosen_stages, plan_equilibration
from gibbsflow.binding.forcefield.given.box_settings import as_given
from gibbsflow.binding.forcefield.given.given_topologies import boxes_kept
from gibbsflow.binding.forcefield.topology import boxes_built
from gibbsflow.binding.network.design.links import kind_of
from gibbsflow.binding.network.design.network_files import read_network
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.config.equil_stages import read_stages
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
    windows
        λ states of one replicate; none of an equilibration.
    box
        Of systems that come solvated, what of a row it is in: ``complex``, ``solvent``, or ``ligand`` without a box;
        empty for those that are built here.
    """

    name: str
    with_receptor: bool
    explicit: bool
    items: int
    ns: float
    energies: int = 0
    windows: int = 0
    box: str = ""


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
        For a λ schedule, stages or a network's file that cannot be used.
    """
    run, fe, count = settings.run, settings.fe, len(rows)
    notes: list[str] = []
    each = ("SYSTEM_PREP", "PARAM_LIGAND", "EQUIL_PREPARE", "EQUIL_RUN", "EQUIL_ANALYSE")
    tasks = dict.fromkeys(each, count)
    given = [row for row in rows if row.solvated]
    work = _equilibrations(given, settings, count - len(given))
    if MODES[run.mode].free_energies:
        edges = count
        if run.mode in COMPARING:
            edges = _edges(settings.relative.network, count, notes)
            tasks["NETWORK_PLAN"] = 1
        tasks["FE_PREPARE"] = edges
        runs = pilots = 0
        for items, boxed in ((len(given), True), (edges - len(given), False)):
            if items:
                legs = _legs(items, settings, boxed=boxed)
                alone = [1 if fe.sampler == "exchange" else math.ceil(leg.windows / windows_per_task) for leg in legs]
                runs += items * run.replicates * sum(alone)
                pilots += items * len(legs)
                work += legs
        if run.mode in COMPARING:
            notes += _longer_edges(settings, protocol_of(run.mode, explicit=settings.md.explicit, fe=fe))
        if fe.schedule == "auto":
            tasks["FE_PILOT"] = pilots
            notes.append("pilots come on top, and place windows of another number")
        tasks["FE_RUN"] = runs
        if settings.analysis.target_error_kcal_per_mol is not None:
            notes.append("rounds of FE_EXTEND come on top, until the target error is reached")
        tasks["ANALYSIS_TRANSFORMATION"] = edges
    tasks["ANALYSIS_CAMPAIGN"] = 1
    return Foreseen(tasks, tuple(work), tuple(notes))


def _equilibrations(given: Sequence[Row], settings: BindingConfig, built: int) -> list[LegWork]:
    """MD of the boxes that ``equil run`` finds: those that come along, and those that are built."""
    bound = "receptor" in MODES[settings.run.mode].needs
    md, fe = as_given(settings.md), None if settings.run.mode in COMPARING else settings.fe
    found = Counter(box for row in given for box in boxes_kept(boxes_of(row), fe))
    work = [_equilibration(box, md, settings, found[box], box) for box in ("complex", "solvent") if found[box]]
    boxes = boxes_built(settings.md, fe, receptor=bound) if built else ()
    return work + [_equilibration(box, settings.md, settings, built, "") for box in boxes]


def _equilibration(box: str, md: Md, settings: BindingConfig, items: int, given: str) -> LegWork:
    path = settings.equil.equil_stages
    stages = () if path is None else chosen_stages(read_stages(path), md, where=str(path))
    ns = plan_equilibration(md, settings.equil, stages).length_ps(md.timestep_fs) / 1000
    name = "equilibration" if box == "complex" else "equilibration, solvent"
    return LegWork(name, box == "complex", md.explicit, items, ns, box=given)


def _legs(items: int, settings: BindingConfig, *, boxed: bool) -> list[LegWork]:
    """The legs that ``fe prepare`` writes, by its own table and schedules."""
    md, fe, replicates = settings.md, settings.fe, settings.run.replicates
    md = as_given(md) if boxed else md
    protocol, plan = protocol_of(settings.run.mode, explicit=md.explicit, fe=fe), sampling(md, fe)
    schedules, legs = leg_schedules(fe, protocol), []
    for leg in protocol:
        windows, explicit, bound = len(schedules[leg.name]), leg.md(md).explicit, "receptor" in leg.parts
        legs.append(
            LegWork(
                leg.name,
                bound,
                explicit,
                items,
                windows * plan.samples * plan.sample_ps * replicates / 1000,
                energies=windows**2 * plan.samples * replicates,
                windows=windows,
                box=("complex" if bound else "solvent" if explicit else "ligand") if boxed else "",
            )
        )
    return legs


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


def boxes_of(row: Row) -> tuple[str, ...]:
    """Name the boxes that a row brings.

    Parameters
    ----------
    row
        Of the samplesheet.

    Returns
    -------
    tuple of str
        Of ``complex`` and ``solvent``; empty where its system is built here.
    """
    return tuple(box for box in ("complex", "solvent") if getattr(row, f"{box}_topology"))


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
