"""Label engines: what each of them must be able to do, and the table of those that there are.

A new engine is a module in this folder with a class that follows `LabelEngine`, its row in `ENGINES`, and its name in
`config/label_engines.py`, by which settings know it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels, StructureSettings
from gibbsflow.potential.data.formats.alone import alone
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.electronic_state import without_its_spin
from gibbsflow.potential.label.hamiltonian import settings_keys
from gibbsflow.potential.label.plane_waves import reboxed
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms


_REFUSALS = 10
_UNLIKE = 0.5
"""Charges in e and moments in μB that differ by more are others."""


class LabelEngine(Protocol):
    """What makes labels: knows its settings, takes any structure, and never raises for a bad one.

    It travels to the workers of a `TaskQueue`, and so must be picklable.

    Attributes
    ----------
    name
        Name of the engine in settings and labels.
    settings_hash
        Hash of all that changes a label (`hash_settings`).
    periodic
        Whether it repeats every structure in space, as plane waves do.
    in_process
        Whether it computes within Python, whose process a failure of its libraries may end.
    """

    name: str
    periodic: bool
    in_process: bool
    settings_hash: str

    def electrons(self, atoms: Atoms) -> Electrons:
        """Say with which charge and spin a structure would be computed.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        Electrons
            What the structure says, and where it says nothing, what settings and tables do.

        Raises
        ------
        ValueError
            Where this engine cannot compute that, or it contradicts itself; in words.
        """
        ...

    def key(self, atoms: Atoms) -> str:
        """Say what a label depends on that neither the settings' hash nor the structure's id holds.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        str
            Hexadecimal digits; empty where nothing does, and for what cannot be computed.
        """
        ...

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        """Label one structure.

        Parameters
        ----------
        atoms
            The structure; it stays as it is.
        folder
            Where inputs and outputs are kept if it fails; default: they are not.

        Returns
        -------
        LabelResult
            The label, or the failure with its cause.
        """
        ...

    def describe(self) -> dict[str, str]:
        """Say what would make labels, in words.

        Returns
        -------
        dict
            `program`, `version`, `settings_hash`, and what else deserves to be known before anything starts.

        Raises
        ------
        MissingProgramError
            Where the program is there and does not start.
        """
        ...


def check_electrons(engine: LabelEngine, frames: Sequence[Atoms], account: Account) -> None:
    """Hold charge and spin of structures against an engine, before it starts.

    Parameters
    ----------
    engine
        What would make labels.
    frames
        The structures.
    account
        Gets a refusal for each structure that cannot be computed as it says; warnings on charged periodic structures,
        where moments or charges of an earlier calculation, which are not used, are others than are computed, and on
        molecules and actinides that are computed without the spin that they have; and
        notes: on such that agree, on charged molecules, on wider boxes, and on the spin of isolated atoms.
    """
    refused, results, others, charged, periodic, polarised, boxed = 0, 0, 0, 0, 0, 0, 0
    atoms_by_spin: dict[str, float] = {}
    spinless: Counter[str] = Counter()
    for number, frame in enumerate(frames):
        try:
            electrons = engine.electrons(frame)
        except ValueError as error:
            refused += 1
            if refused <= _REFUSALS:
                account.refuse(f"frame {number}: {error}", f"what {engine.name} can compute", field="charge and spin")
            continue
        earlier = frame.calc.results if frame.calc is not None else {}
        if any(np.any(earlier.get(name, 0)) for name in ("magmoms", "magmom", "charges")):
            agree = _agree(electrons, earlier)
            results, others = results + agree, others + (not agree)
        charged += bool(electrons.charge)
        periodic += bool(electrons.charge and frame.pbc.any())
        boxed += engine.periodic and reboxed(frame)
        polarised += electrons.polarised
        spinless[without_its_spin(frame, electrons)] += 1
        if alone(frame) and electrons.polarised:
            moment = abs(sum(electrons.moments_ub or ()))
            atoms_by_spin[frame[0].symbol] = electrons.multiplicity or 1 + moment
    elements = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
    account.facts |= {
        "frames": len(frames),
        "elements": elements,
        "charged": charged,
        "spin_polarised": polarised,
    }
    if refused > _REFUSALS:
        account.refuse(f"{refused - _REFUSALS} more frames", f"what {engine.name} can compute", field="charge and spin")
    if results:
        what = "with moments or charges that an earlier calculation found: they are not used"
        account.note(f"{_frames(results)} {what} (initial_magmoms and initial_charges are)")
    if others:
        what = "with moments or charges that an earlier calculation found, and computed with others"
        account.warn(f"{_frames(others)} {what}", "initial_magmoms, initial_charges to start from them")
    if periodic:
        what = "charged and periodic, and computed in a uniform neutralising background"
        right = "neutral cells, or pbc F F F for a molecule: energies of other cells and charges do not compare"
        account.warn(f"{_frames(periodic)} {what}", right)
    if (ions := charged - periodic) and engine.periodic:
        account.note(f"{_frames(ions)} charged and periodic nowhere: computed without its images and their background")
    for kind, count in spinless.items():
        if kind:
            right = "multiplicity or initial_magmoms of each structure, 1 or zeros where none is meant"
            account.warn(f"{_frames(count)} computed without spin: {kind}", right)
    if boxed:
        account.note(f"{_frames(boxed)} closer than 6 Å to an image where not periodic: computed in a wider box")
    if atoms_by_spin:
        each = ", ".join(f"{name} {spin:g}" for name, spin in atoms_by_spin.items())
        account.note(f"isolated atoms are computed spin-polarised, with the multiplicity: {each}")


def _agree(electrons: Electrons, earlier: Mapping[str, Any]) -> bool:
    """Whether charge and spin are those that an earlier calculation found, as far as a start can tell."""
    if (charges := earlier.get("charges")) is not None and abs(np.sum(charges) - electrons.charge) > _UNLIKE:
        return False
    if (moments := earlier.get("magmoms")) is None:
        return electrons.polarised or abs(earlier.get("magmom", 0.0)) <= _UNLIKE
    found = np.asarray(moments, dtype=float)
    if electrons.moments_ub is None or found.ndim > 1:
        small = electrons.polarised or bool(np.all(np.abs(found) <= _UNLIKE))
        return small and abs(abs(found.sum()) - (electrons.multiplicity or 1) + 1) <= _UNLIKE
    there = np.abs(found) > _UNLIKE
    signs = np.sign(found[there]) * np.sign(np.array(electrons.moments_ub)[there])
    return bool(np.all(signs == 1) or np.all(signs == -1))


def _frames(count: int) -> str:
    return "1 frame is" if count == 1 else f"{count} frames are"


Kind = Callable[[Sequence[str], Dft, Labels], LabelEngine]
"""Class of an engine: made of the elements of the whole data set and of the settings."""


@dataclass(frozen=True)
class EngineRow:
    """What is known of an engine before it is asked for.

    Attributes
    ----------
    load
        Imports its class.
    key
        Gives the hash of settings for all elements of a data set, on machines without the program, too.
    settings
        Keys of section ``dft`` that define its labels, as the data-set card lists them.
    """

    load: Callable[[], Kind]
    key: Callable[[Sequence[str], Dft], str]
    settings: tuple[str, ...]


def _quantum_espresso() -> Kind:
    from gibbsflow.potential.label.quantum_espresso import QuantumEspresso

    return QuantumEspresso


def _gpaw() -> Kind:
    from gibbsflow.potential.label.gpaw import Gpaw

    return Gpaw


def _tblite() -> Kind:
    from gibbsflow.potential.label.tblite import Tblite

    return Tblite


_PLANE_WAVES = ("engine", "functional", "kspacing_per_angstrom", "smearing", "degauss_ry")
ENGINES: Mapping[Engine, EngineRow] = {
    "quantum_espresso": EngineRow(
        _quantum_espresso,
        settings_keys.quantum_espresso,
        (
            *_PLANE_WAVES,
            "pseudo_library",
            "ecutwfc_ry",
            "ecutrho_ry",
            "conv_thr_ry",
            "magnetism",
            "moments_ub",
            "dispersion",
            "dispersion_three_body",
            "hubbard_u_ev",
        ),
    ),  # fmt: skip
    "gpaw": EngineRow(_gpaw, settings_keys.gpaw, (*_PLANE_WAVES, "gpaw_cutoff_ev", "magnetism", "moments_ub")),
    "tblite": EngineRow(_tblite, settings_keys.tblite, ("engine", "tblite_method")),
}
"""By name in the settings."""


def engine_for(frames: Sequence[Atoms], config: StructureSettings, account: Account) -> LabelEngine:
    """Make the engine for some structures, and hold their charge and spin against it.

    Parameters
    ----------
    frames
        What is to be labelled.
    config
        Sections ``target`` (whose elements are those of the whole data set; default: those of the structures), ``dft``
        and ``labels``.
    account
        As in `check_electrons`; is settled by the caller.

    Returns
    -------
    LabelEngine
        Ready to label.

    Raises
    ------
    InputError, MissingProgramError
        As `make_engine`.
    """
    there = tuple(dict.fromkeys(symbol for frame in frames for symbol in frame.get_chemical_symbols()))
    engine = make_engine(config.target.elements or there, config.dft, config.labels)
    check_electrons(engine, frames, account)
    return engine


def make_engine(elements: Sequence[str], dft: Dft, labels: Labels) -> LabelEngine:
    """Make the engine that the settings name, with program and pseudopotentials checked.

    Parameters
    ----------
    elements
        All elements of the whole data set, since cutoffs are the largest over them.
    dft, labels
        Settings.

    Returns
    -------
    LabelEngine
        Ready to label.

    Raises
    ------
    MissingProgramError
        Where the program is not installed.
    InputError
        Where a pseudopotential is missing or wrong.
    """
    return ENGINES[dft.engine].load()(elements, dft, labels)
