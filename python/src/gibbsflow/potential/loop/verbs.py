"""The verbs of a learned potential as functions: generate, label, fit, explore, select, and round again.

They pass structures as lists of ASE's Atoms, tagged as docs/contracts.md says, and potentials as folders. Labels and MD
keep their state as the verbs do: the same call goes on where it was interrupted. A fit is made anew by each call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import StoppedEarly
from gibbsflow.potential.data.structures import structure_id, write_frames
from gibbsflow.potential.explore import md, selection
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.generators.generate import Generated, generate
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.potential.label.engines import make_engine
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import Sentinel
from gibbsflow.workflow.state.state_folder import StateFolder

if TYPE_CHECKING:
    from ase import Atoms


def generate_structures(
    config: PotentialConfig, *, generation: int = 0, holdout: bool = False, known: Iterable[Atoms] = ()
) -> Generated:
    """Make structures to learn from: ``system_prep structures``.

    Parameters
    ----------
    config
        Sections ``target`` and ``generator``; the same give the same structures.
    generation
        Tag of all structures.
    holdout
        Make the hold-out set, from a sampler of its own.
    known
        Structures that are there already; what equals them is dropped.

    Returns
    -------
    Generated
        The structures (``frames``), how many each method gave, and what was dropped.

    Raises
    ------
    InputError
        Where the target gives nothing to start from, or the methods give no structure.

    Examples
    --------
    >>> import gibbsflow as gf
    >>> config = gf.PotentialConfig.from_mapping({"elements": ["Si"], "structure": "diamond"}, where="here")
    >>> made = gf.generate_structures(config)
    >>> made.by_generator["bulk"], made.frames[0].info["config_type"]
    (1, 'bulk')
    """
    return generate(config.target, config.generator, generation=generation, holdout=holdout, known=known)


def label_structures(
    frames: Sequence[Atoms],
    config: PotentialConfig,
    out: Path | str,
    *,
    state: Path | str | None = None,
    workers: int | None = None,
) -> Batch:
    """Label structures with energies, forces and stresses: ``dft label``.

    Parameters
    ----------
    frames
        The structures.
    config
        Sections ``target``, ``dft`` and ``labels``.
    out
        Gets ``labelled.extxyz``, ``labels.jsonl`` and the logs of what failed.
    state
        State folder, where finished labels are kept and found again; default: ``state`` in `out`.
    workers
        Labels at a time; default: the settings'.

    Returns
    -------
    Batch
        Every structure's result; ``labelled()`` gives the frames that have a label: energy in eV, forces in eV/Å,
        stress in eV/Å^3.

    Raises
    ------
    InputError
        For a pseudopotential that is missing or wrong, or no structures.
    MissingProgramError
        Where the program that labels is not installed.
    ScienceError
        Where not one label succeeded.
    StoppedEarly
        After a signal, such as an interrupt; what is finished is kept.

    Examples
    --------
    >>> batch = gf.label_structures(made.frames, config, "out/labels")  # doctest: +SKIP
    >>> batch.figures()["counts"]  # doctest: +SKIP
    {'labelled': 27, 'failed': 0}
    """
    out = Path(out)
    elements = config.target.elements
    engine = make_engine(elements, config.dft, config.labels)
    batch = Batch(frames)
    try:
        with Stopper() as stopper:
            label_batch(
                batch,
                engine,
                config.labels,
                store=LabelStore(Path(state or out / "state"), engine.settings_hash),
                workers=workers or config.labels.workers,
                logs=out / "failed",
                stopper=stopper,
            )
    finally:
        batch.write(out)
    return batch


def fit_potential(
    train: Sequence[Atoms],
    test: Sequence[Atoms],
    config: PotentialConfig,
    out: Path | str,
    *,
    backend: str | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Fit a potential to labelled structures: ``train fit``.

    Parameters
    ----------
    train
        Labelled structures to fit to.
    test
        Labelled structures that are only predicted.
    config
        Sections ``training``, whose time budget shapes the search, and ``loop``, whose seed splits for validation.
    out
        Gets ``potential/`` and the data set as ``train.extxyz`` and ``test.extxyz``.
    backend
        Trainer; default: ``training.backend``.

    Returns
    -------
    folder
        Of the potential, as LAMMPS and :class:`.PotentialCalculator` read it.
    figures
        Its errors on both sets (``test: energy_mae_mev_per_atom, force_mae_ev_per_angstrom, ...``), its size, the
        search, the calibration of its grade, and what was read of the data: ``labels`` and ``account`` by set,
        ``notes`` and ``warnings``.

    Raises
    ------
    InputError
        With all that is wrong with the labelled structures.
    ScienceError
        Where LAMMPS does not give the energies that were fitted.
    StoppedEarly
        After a signal, such as an interrupt; the best potential so far has been written.

    Examples
    --------
    >>> potential, figures = gf.fit_potential(train, test, config, "out/fit")  # doctest: +SKIP
    >>> figures["test"]["force_mae_ev_per_angstrom"] < 0.1  # doctest: +SKIP
    True
    """
    out = Path(out)
    paths = out / "train.extxyz", out / "test.extxyz"
    for path, frames in zip(paths, (train, test), strict=True):
        write_frames(path, frames)
    settings = config.training
    with Stopper() as stopper:
        inputs = Inputs.read(*paths)
        made = training.fit(
            inputs,
            settings,
            backend=backend,
            seed=config.loop.seed,
            stopper=stopper,
            budget_s=60 * settings.time_budget_min,
            out=out,
        )
    if made.stopped_by:
        raise StoppedEarly(f"{made.stopped_by}: the best potential so far lies in {out / POTENTIAL}")
    return out / POTENTIAL, {**made.figures, **inputs.figures()}


def explore_from(
    start: Atoms,
    potential: Path | str,
    config: PotentialConfig,
    out: Path | str,
    *,
    state: Path | str | None = None,
    generation: int = 0,
) -> tuple[list[Atoms], dict[str, Any]]:
    """Run MD that knows when its potential is guessing: ``infer explore``.

    Parameters
    ----------
    start
        Structure that MD starts from.
    potential
        Folder of the potential.
    config
        Sections ``exploration`` and ``loop``, whose seed is that of velocities and thermostat.
    out
        Gets ``frames.extxyz``.
    state
        State folder, kept between calls; default: ``state`` in `out`.
    generation
        Generation that the frames are tagged with.

    Returns
    -------
    frames
        Between the lower and the upper threshold of the grade, and the one that stopped MD; perhaps none.
    figures
        ``steps`` done, ``stopped_by`` (``steps``, ``grade`` or ``unstable``), ``max_grade``, ...

    Raises
    ------
    InputError
        For an element that the potential does not know, or constant pressure without a periodic cell.
    StoppedEarly
        After a signal, such as an interrupt, with state saved.

    Examples
    --------
    >>> frames, figures = gf.explore_from(made.frames[0], potential, config, "out/md")  # doctest: +SKIP
    >>> figures["stopped_by"]  # doctest: +SKIP
    'grade'
    """
    out, potential = Path(out), Path(potential)
    settings, seed = config.exploration, config.loop.seed
    fitted, grader = training.load_potential(potential), Grader.read(potential / ACTIVE_SET)
    md.check_start(start, fitted.species, settings, where=structure_id(start), potential=potential)
    place = Path(state or out / "state")
    write_frames(out / "start.extxyz", [start])
    content = {**settings.model_dump(mode="json"), "seed": seed, "frame": 0, "generation": generation}
    files = {"potential": potential, "structure": out / "start.extxyz"}
    with Stopper() as stopper:
        home = StateFolder(place, files=files, settings=content, physics=md.PHYSICS, stopper=stopper)
        with home:
            run = md.Trajectory(fitted, grader, start, settings, seed, generation, place, home.inputs_hash)
            trail = run.run(stopper)
            Sentinel("FINISHED", home.inputs_hash, steps_done=trail.steps, settings=content).write(place)
    frames = run.frames()
    write_frames(out / "frames.extxyz", frames)
    return frames, md.figures(run)


def select_structures(
    candidates: Sequence[Atoms],
    labelled: Sequence[Atoms],
    potential: Path | str,
    config: PotentialConfig,
) -> list[Atoms]:
    """Choose what is worth a label: sane, no copies, and as new to the potential as it can be: ``infer select``.

    Parameters
    ----------
    candidates
        Structures to choose from.
    labelled
        All that is labelled.
    potential
        Folder of the potential.
    config
        Sections ``selection``, with the budget, and ``loop``, whose seed decides between candidates of one worth.

    Returns
    -------
    list of Atoms
        The chosen ones, in the order of the candidates; perhaps none.

    Examples
    --------
    >>> chosen = gf.select_structures(frames, train, potential, config)  # doctest: +SKIP
    >>> len(chosen) <= config.selection.budget  # doctest: +SKIP
    True
    """
    settings, potential = config.selection, Path(potential)
    calculator = PotentialCalculator(potential)
    try:
        known, offered = (
            selection.describe([(structure_id(frame), frame) for frame in frames], calculator)
            for frames in (labelled, candidates)
        )
        decided = selection.choose(
            offered,
            [candidate for candidate in known if not candidate.fate],
            Grader.read(potential / ACTIVE_SET),
            settings,
            budget=settings.budget,
            seed=config.loop.seed,
            largest_force=selection.surrogate_force(calculator),
        )
    finally:
        calculator.close()
    return [candidate.atoms for candidate in decided if candidate.fate == "selected"]
