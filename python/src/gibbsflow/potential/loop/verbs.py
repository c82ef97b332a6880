"""The verbs of a learned potential as functions: generate, label, fit, explore, select, and round again.

They pass structures as lists of ASE's Atoms, tagged as docs/contracts.md says, and potentials as folders. Labels and MD
keep their state as the verbs do: the same call goes on where it was interrupted. A fit is made anew by each call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import ScienceError, StoppedEarly
from gibbsflow.potential.data.structures import structure_id, write_frames
from gibbsflow.potential.explore import selection
from gibbsflow.potential.explore.exploring import Exploring
from gibbsflow.potential.generators.generate import Generated, generate
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.potential.label.engines import engine_for
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.state.segments import Stopper

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)


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
        stress in eV/Å^3. Those that failed have their cause there; where all did, a warning is logged.

    Raises
    ------
    InputError
        For a pseudopotential that is missing or wrong, no structures, or a charge or spin that cannot be computed.
    MissingProgramError
        Where the program that labels is not installed.
    StoppedEarly
        After a signal, such as an interrupt; what is finished is kept.

    Examples
    --------
    >>> batch = gf.label_structures(made.frames, config, "out/labels")  # doctest: +SKIP
    >>> batch.figures()["counts"]  # doctest: +SKIP
    {'labelled': 27, 'failed': 0}
    """
    out = Path(out)
    account = Account("structures")
    engine = engine_for(frames, config, account)
    account.settle()
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
    except ScienceError as error:
        if batch.figures()["left"]:
            raise
        # each structure has its cause: a few candidates that fail are no end of a loop
        log.warning("%s", error)
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
        Sections ``exploration``, ``labels`` (what would get no label is no start) and ``loop``, whose seed is that of
        velocities and thermostat.
    out
        Gets ``frames.extxyz``, and ``start.extxyz``.
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
        For a folder without a potential, a structure that MD cannot start from, or an element that the potential does
        not know.
    StoppedEarly
        After a signal, such as an interrupt, with state saved.

    Examples
    --------
    >>> frames, figures = gf.explore_from(made.frames[0], potential, config, "out/md")  # doctest: +SKIP
    >>> figures["stopped_by"]  # doctest: +SKIP
    'grade'
    """
    out = Path(out)
    write_frames(out / "start.extxyz", [start])
    with Stopper() as stopper:
        exploring = Exploring.prepare(
            out / "start.extxyz", Path(potential), config.exploration, Path(state or out / "state"),
            seed=config.loop.seed, generation=generation, labels=config.labels, stopper=stopper,
        )  # fmt: skip
        figures = exploring.run(stopper, out)
    return exploring.trajectory.frames(), figures


def select_structures(
    candidates: Sequence[Atoms],
    labelled: Sequence[Atoms],
    potential: Path | str,
    config: PotentialConfig,
) -> list[Atoms]:
    """Choose what is worth a label: sane, no copies, and by itself such as all others are near to: ``infer select``.

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
    known, offered = ([(structure_id(frame), frame) for frame in frames] for frames in (labelled, candidates))
    with selection.Selector(Path(potential), known, config.selection) as selector:
        decided = selector.choose(offered, budget=config.selection.budget, seed=config.loop.seed)
    return [candidate.atoms for candidate in decided if candidate.fate == "selected"]
