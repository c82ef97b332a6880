"""The verbs of a binding free energy as functions: five calls from a host and a guest to ΔG°.

Each takes what the one before gave and leaves in its folder what the verbs leave there (docs/contracts.md), but for
``result.json`` of a phase and figures. State is kept as theirs is: a call that was interrupted goes on where it was
when it is made again, and one that has finished gives back what it found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.analyse.placement.pilot import hand_on, place_by_pilot
from gibbsflow.binding.analyse.transformation import FILE_NAME as RECORD
from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.equilibrate.stages import chosen_stages, stage_problems
from gibbsflow.binding.facts import RunFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.given.given_topologies import is_solvated, md_of, parameters_of, topologies_of
from gibbsflow.binding.forcefield.remote import lacking_room
from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.solvated_facts import StageFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.equil_stages import read_stages
from gibbsflow.engines.choice.engine_choice import Choice, engine_versions, settled
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.result import Result, versions
from gibbsflow.workflow.state.segments import Stopper

RUNS = "runs"
"""Folder below a sampled system: one folder for each leg and replicate."""


def prepare_complex(
    ligand: str,
    receptor: Path | str,
    settings: BindingConfig,
    out: Path | str,
    *,
    structure: Path | None = None,
    smiles: str | None = None,
    charge: int | None = None,
    pose: str | None = None,
) -> SimSystem:
    """Put a ligand into its receptor: ``system_prep system``.

    Parameters
    ----------
    ligand
        Name of the ligand.
    receptor
        File of a host (SDF, MOL2) or protein (PDB, mmCIF).
    settings
        Sections ``system`` and ``run`` are used.
    out
        Folder of the system.
    structure, smiles
        The ligand: a file (SDF, MOL2) with 3-D coordinates, or SMILES protonated as in the complex; one of both.
    charge
        Net charge of the ligand in e, as a check.
    pose
        ``given``, ``place``, or a file with the bound pose; default: given for a structure, placed for SMILES.

    Returns
    -------
    SimSystem
        With ``receptor`` and ``ligand`` in one frame.

    Raises
    ------
    InputError
        With all that is wrong with either.

    Examples
    --------
    >>> import gibbsflow as gf
    >>> settings = gf.BindingConfig()
    >>> placed = gf.prepare_complex("b2", "cb7.sdf", settings, "out/placed", smiles="OCC12CCC(CC1)(CC2)CO")
    >>> placed.meta["receptor_kind"], placed.meta["ligand_charge"]
    ('host', 0)
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    row = row_from_options(ligand, structure, smiles, charge, pose)
    system, _ = prepare_system(row, Path(receptor), settings, out)
    system.write()
    return system


def parametrise_complex(
    system: SimSystem, settings: BindingConfig, out: Path | str, *, cache: Path | str | None = None
) -> SimSystem:
    """Give a complex its force field: ``param ligand`` and ``equil prepare``.

    Parameters
    ----------
    system
        From :func:`prepare_complex`.
    settings
        Sections ``param``, ``md``, ``equil`` and ``run``; the last three travel with the system from here on.
    out
        Folder of the system that is returned.
    cache
        Folder of the parameter cache, which several calls may share; default: ``cache`` in `out`.

    Returns
    -------
    SimSystem
        With the topologies ``complex_prmtop`` and ``ligand_prmtop``, and starting coordinates.

    Raises
    ------
    ParametrisationError
        Naming the molecule, the log and what the program said.

    Examples
    --------
    >>> parametrised = gf.parametrise_complex(placed, settings, "out/parametrised")  # doctest: +SKIP
    >>> len(parametrised.meta["ligand_atoms"])  # b2, C10H18O2  # doctest: +SKIP
    30
    """
    out = Path(out)
    parametrised, _ = parameters_of(system, settings.param, cache=Path(cache or out / "cache"), out=out / "parameters")
    parametrised.write()
    built, _ = prepare_topologies(parametrised, settings, out)
    return built


def prepare_topologies(
    system: SimSystem, settings: BindingConfig, out: Path, *, state: Path | None = None
) -> tuple[SimSystem, Choice]:
    """Build or hand on the topologies of a system, with the settings of its equilibration: ``equil prepare``.

    Parameters
    ----------
    system
        With its parameters.
    settings
        Sections ``md``, ``equil``, ``run``, and of ``fe`` what goes into a box.
    out
        Folder of the system that is returned; written.
    state
        State folder, which remembers the engine that ``auto`` was settled to; None for none.

    Returns
    -------
    system
        Ready to be equilibrated.
    choice
        The engine, and why.

    Raises
    ------
    InputError
        For what cannot be built, and for stages or time steps that cannot be used.
    """
    asked, choice = settled(md_of(system, settings.md), state)
    path = settings.equil.equil_stages
    stages = () if path is None else read_stages(path)
    if problems := stage_problems(asked, stages, built=not is_solvated(system), where=str(path)):
        raise InputError(problems)
    # of an edge nothing is put far into a box beforehand: waters of it become ions, if the edge changes the charge
    fe = None if settings.run.mode == "rbfe" else settings.fe
    built = topologies_of(system, asked, out, seed=settings.run.seed, fe=fe)
    if fe is None and asked.explicit and settings.fe.charge_correction == "counter_ion":
        built = built.with_account(_room_for_ions(built))
    md = built.facts(TopologyFacts).md  # of a system that comes solvated the solvent is its own
    built = built.with_facts(SettingsFacts(md=md, equil=settings.equil, run=RunFacts(seed=settings.run.seed)))
    if stages:
        chosen_stages(stages, md, where=str(path))
        built = built.with_facts(StageFacts(stages=stages))
    built.write()
    return built, choice


def _room_for_ions(system: SimSystem) -> Account:
    """Say of the boxes of an edge whether its charge may change, before they are equilibrated."""
    known, account = system.facts(TopologyFacts), Account(system.name)
    boxes = {"complex": (*known.receptor_atoms, *known.ligand_atoms), "solvent": range(len(known.ligand_atoms))}
    for name, solute in boxes.items():
        if f"{name}_inpcrd" in system.artifacts:
            files = system.path(f"{name}_prmtop"), system.path(f"{name}_inpcrd")
            if (fault := lacking_room(*files, solute, known.md, system.name)) is not None:
                what = f"{name}: {fault.what}, so that no edge from here can change the net charge"
                account.warn(what, fault.right, field=fault.field)
    return account


def equilibrate_complex(system: SimSystem, out: Path | str, *, state: Path | str | None = None) -> SimSystem:
    """Heat a complex and let it go, and see whether it stays bound: ``equil run`` and ``equil analyse``.

    Parameters
    ----------
    system
        From :func:`parametrise_complex`, with the settings that it was given.
    out
        Folder of the system that is returned.
    state
        State folder, kept between calls; default: ``state`` in `out`.

    Returns
    -------
    SimSystem
        Bound, with trajectory, representative frame and, where there are any, anchors for a Boresch restraint.

    Raises
    ------
    UnboundError
        Where the ligand left its site.
    NumericalError
        For an energy that stays high after minimisation, or NaN.
    StoppedEarly
        After a signal, such as an interrupt, with state saved.

    Examples
    --------
    >>> bound = gf.equilibrate_complex(parametrised, "out/equilibrated")  # doctest: +SKIP
    >>> bound.meta["bound"], bound.meta["ligand_site_distance_angstrom"] < 2  # doctest: +SKIP
    (True, True)
    """
    out = Path(out)
    with Stopper() as stopper:
        equilibrated = equilibrate(system, Path(state or out / "state"), out / "trajectory", stopper, Result())
    equilibrated.write()
    analysis = analyse_equilibration(equilibrated, out, Result())
    analysis.system.write()
    analysis.require_bound()
    return analysis.system


def sample_legs(
    system: SimSystem, settings: BindingConfig, out: Path | str, *, state: Path | str | None = None
) -> SimSystem:
    """Sample all λ windows of all legs and replicates, one after the other: ``fe prepare`` and ``fe run``.

    Parameters
    ----------
    system
        From :func:`equilibrate_complex`.
    settings
        Sections ``fe`` and ``run``.
    out
        Folder of the system that is returned, with ``legs/`` and ``runs/<leg>_replicate_<R>/``.
    state
        State folder, kept between calls; default: ``state`` in `out`.

    Returns
    -------
    SimSystem
        With restraint and standard state in its meta, and the artifact ``runs``: energies of every window.

    Raises
    ------
    InputError
        For schedules, lengths or restraints that cannot be used.
    UnboundError
        Where the system is not bound.
    NumericalError
        For NaN in a window.
    StoppedEarly
        After a signal, such as an interrupt, with state saved.

    Examples
    --------
    >>> sampled = gf.sample_legs(bound, settings, "out/sampled")  # doctest: +SKIP
    >>> sorted(path.name for path in sampled.path("runs").iterdir())  # doctest: +SKIP
    ['complex_replicate_0', 'complex_replicate_1', 'solvent_replicate_0', 'solvent_replicate_1']
    """
    out = Path(out)
    prepared = prepare_legs(system, settings, out, Result())
    with Stopper() as stopper:
        for folder in sorted((out / "legs").iterdir()):
            leg, home = read_leg_folder(folder), Path(state or out / "state") / folder.name
            if settings.fe.schedule == "auto":
                leg = place_by_pilot(leg, home / "pilot", out / "pilot" / leg.leg, stopper, Result())
            for replicate in range(leg.replicates):
                place = home / f"replicate_{replicate}"
                run = out / RUNS / f"{leg.leg}_replicate_{replicate}"
                result = Result(versions=versions(*engine_for(leg.md).programs) | engine_versions(leg.md))
                sample_leg(leg, replicate, None, place, run, stopper, result)
                result.write(run)
                hand_on(leg.folder, run)
    sampled = prepared.with_artifacts(runs=RUNS)
    sampled.write()
    return sampled


def binding_free_energy(system: SimSystem, settings: BindingConfig) -> dict[str, Any]:
    """Say how strongly the ligand binds, how sure that is, and why: ``analysis transformation``.

    Parameters
    ----------
    system
        From :func:`sample_legs`.
    settings
        Section ``analysis``, and the mode.

    Returns
    -------
    dict
        Content of ``record.json``, which is also written beside the system: ``dg_kcal_per_mol`` is ΔG° of binding at
        1 mol/L, ``dg_error_kcal_per_mol`` its error, ``verdict`` and ``reasons`` what is to be thought of it.

    Raises
    ------
    StateError
        For a system that was not sampled.

    Examples
    --------
    >>> record = gf.binding_free_energy(sampled, settings)  # doctest: +SKIP
    >>> f"{record['dg_kcal_per_mol']:.1f} ± {record['dg_error_kcal_per_mol']:.1f} kcal/mol"  # doctest: +SKIP
    """
    runs = sorted(path for path in system.path(RUNS).iterdir() if path.is_dir())
    record = analyse_transformation(system, runs, settings.analysis, settings.run.mode)
    write_json(system.root / RECORD, record)
    return record
