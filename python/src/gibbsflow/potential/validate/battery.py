"""The battery: each property measured by the potential and, where asked, by the engine that labels; kept one by one."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential_validation import PropertyName, Validation
from gibbsflow.errors import EngineError, ScienceError, StateError, StoppedEarly
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.ensembles.coexistence import melting
from gibbsflow.potential.validate.ensembles.md_runs import MdRuns
from gibbsflow.potential.validate.ensembles.npt_expansions import npt_expansion
from gibbsflow.potential.validate.ensembles.radial_distributions import by_plan, by_runs
from gibbsflow.potential.validate.properties.crystals import Crystal, as_it_is, at_rest, rest_of
from gibbsflow.potential.validate.properties.dynamics import stability
from gibbsflow.potential.validate.properties.elasticity import elastic
from gibbsflow.potential.validate.properties.equations_of_state import equation_of_state
from gibbsflow.potential.validate.properties.normal_vibrations import molecule_at_rest, vibrations
from gibbsflow.potential.validate.properties.phonons import phonons
from gibbsflow.potential.validate.properties.plans import Evaluate, Measured, Plan, answered
from gibbsflow.potential.validate.properties.point_defects import interstitial, vacancy
from gibbsflow.potential.validate.properties.repulsions import repulsion
from gibbsflow.potential.validate.properties.surface_energies import surfaces
from gibbsflow.potential.validate.properties.thermal_expansions import thermal_expansion
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.workflow.files import inputs_hash, read_json, write_json
from gibbsflow.workflow.state.segments import Stopper

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
PHYSICS = 4
"""Raised by hand when a property changes for the same model and settings."""
REST: PropertyName = "cell"
_LEAST_MD_ANGSTROM = 6.0
_TELL_S = 15.0


@dataclass(frozen=True)
class Rest:
    """What a model has at rest.

    Attributes
    ----------
    crystal
        The crystal; None for a molecule.
    molecule
        The molecule; None for a crystal.
    species
        Elements that may meet.
    """

    crystal: Crystal | None
    molecule: Atoms | None
    species: tuple[str, ...]

    def md_start(self, settings: Validation) -> Atoms:
        """Give the structure that MD starts from.

        Parameters
        ----------
        settings
            Atoms of a supercell at least.

        Returns
        -------
        Atoms
            Supercell, or molecule.
        """
        if self.crystal is not None:
            return self.crystal.supercell(_LEAST_MD_ANGSTROM, least_atoms=settings.md_atoms_min)
        assert self.molecule is not None  # noqa: S101 - one of both is there
        return self.molecule


Make = Callable[[Rest, Validation, MdRuns | None], Plan[Measured]]


def _of_crystal(plan: Callable[[Crystal, Validation], Plan[Measured]]) -> Make:
    def made(rest: Rest, settings: Validation, _md: MdRuns | None) -> Plan[Measured]:
        assert rest.crystal is not None  # noqa: S101 - the table says that it is for crystals
        return plan(rest.crystal, settings)

    return made


def _by_md(
    measure: Callable[[Crystal, Validation, MdRuns], Measured],
    instead: Callable[[Crystal, Validation], Plan[Measured]] | None = None,
) -> Make:
    """Measure by MD in LAMMPS, which asks for no structure; by a plan, where a model has no MD of its own."""

    def made(rest: Rest, settings: Validation, md: MdRuns | None) -> Plan[Measured]:
        assert rest.crystal is not None  # noqa: S101 - the table says that it is for crystals
        if md is not None:
            return measure(rest.crystal, settings, md)
        if instead is None:
            raise ScienceError("only what LAMMPS runs can be asked for this")
        measured = yield from instead(rest.crystal, settings)
        return measured

    return made


def _of_molecule(rest: Rest, settings: Validation, _md: MdRuns | None) -> Plan[Measured]:
    assert rest.molecule is not None  # noqa: S101 - the table says that it is for molecules
    return vibrations(rest.molecule, settings)


PROPERTIES: Mapping[PropertyName, tuple[tuple[str, ...], Make]] = {
    "eos": (("crystal",), _of_crystal(equation_of_state)),
    "elastic": (("crystal",), _of_crystal(elastic)),
    "phonons": (("crystal",), _of_crystal(phonons)),
    "vacancy": (("crystal",), _of_crystal(vacancy)),
    "surface": (("crystal",), _of_crystal(surfaces)),
    "interstitial": (("crystal",), _of_crystal(interstitial)),
    "thermal_expansion": (("crystal",), _of_crystal(thermal_expansion)),
    "modes": (("molecule",), _of_molecule),
    "repulsion": (
        ("crystal", "liquid", "molecule"),
        lambda rest, settings, _: repulsion(rest.species, rest.crystal, settings, rest.molecule),
    ),
    "md": (("crystal", "liquid", "molecule"), lambda rest, settings, _: stability(rest.md_start(settings), settings)),
    "npt_expansion": (("crystal", "liquid"), _by_md(npt_expansion)),
    "rdf": (("crystal", "liquid"), _by_md(by_runs, by_plan)),
    "melting": (("crystal",), _by_md(melting)),
}
"""By name: what it can be measured of, and its plan. What is at rest (``cell``) comes before all of them."""
OF_SINGLE_ATOMS: tuple[PropertyName, ...] = ("vacancy", "interstitial")
"""Properties that would break molecules and molecular ions."""
ONLY_BY_LAMMPS: tuple[PropertyName, ...] = ("npt_expansion", "melting")
"""Properties that no plan measures in place of LAMMPS' MD of many atoms."""


@dataclass
class Model:
    """What is asked for energies.

    Attributes
    ----------
    name
        Name of the potential's backend, or of the engine.
    key
        Hash of all that changes what it says.
    evaluate
        Answers plans.
    keeps_failures
        Whether a property that it cannot give is kept as that; a label that failed is kept by its own store.
    doubts
        Called after each plan: what is to be known of the answers.
    md
        Runs MD of many atoms; None for what only answers.
    """

    name: str
    key: str
    evaluate: Evaluate
    keeps_failures: bool = True
    doubts: Callable[[], Sequence[str]] = tuple
    md: MdRuns | None = None


@dataclass
class Battery:
    """A battery of properties of one structure.

    Attributes
    ----------
    subject
        The structure.
    species
        Chemical symbols that the potential knows.
    settings
        Section ``validation``.
    state
        Folder where each property is kept as it is done.
    stopper
        Says when to stop.
    reused
        Properties that were there already.
    asked
        By model and property: numbers of atoms of the structures that were asked for.
    """

    subject: Subject
    species: tuple[str, ...]
    settings: Validation
    state: Path
    stopper: Stopper
    reused: int = 0
    asked: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def applicable(self, names: Sequence[PropertyName]) -> list[PropertyName]:
        """Choose the properties that this structure has.

        Parameters
        ----------
        names
            Properties asked for.

        Returns
        -------
        list of str
            In their order, that of the structure at rest first: all others start from it.
        """
        kind, breaking = self.subject.kind, OF_SINGLE_ATOMS if self.subject.ions else ()
        those = [name for name in names if name != REST and kind in PROPERTIES[name][0] and name not in breaking]
        return [REST, *those]

    def measure(self, model: Model, names: Sequence[PropertyName]) -> dict[PropertyName, Measured]:
        """Measure properties with one model; what was measured before is read.

        Parameters
        ----------
        model
            The potential, or the engine.
        names
            As :meth:`applicable` gives them.

        Returns
        -------
        dict
            By property. Where the model has no structure at rest, no other property is there.

        Raises
        ------
        StoppedEarly
            After a signal, or where time is up; what is done is kept.
        """
        found = {REST: self._kept(model, REST, lambda: self._at_rest(), "")}
        if found[REST].lost:
            return found
        rest = self._rest(found[REST])
        start = str(inputs_hash(files={}, settings={"rest": dict(found[REST].curves)}, physics=PHYSICS))
        for name in names:
            if name != REST:
                make = PROPERTIES[name][1]
                found[name] = self._kept(model, name, lambda make=make: make(rest, self.settings, model.md), start)  # type: ignore[misc]
        return found

    def _at_rest(self) -> Plan[Measured]:
        if self.subject.crystal is not None and self.subject.crystal.is_liquid:
            measured = yield from as_it_is(self.subject.crystal)
        elif self.subject.crystal is not None:
            _, _, measured = yield from at_rest(self.subject.crystal, self.settings)
        else:
            _, measured = yield from molecule_at_rest(self.subject.atoms, self.settings)
        return measured

    def _rest(self, measured: Measured) -> Rest:
        if self.subject.crystal is not None:
            crystal, _ = rest_of(measured, self.settings.symmetry_angstrom, self.subject.crystal)
            return Rest(crystal, None, self.species)
        molecule = self.subject.atoms.copy()
        molecule.positions = measured.curves["positions_angstrom"]
        return Rest(None, molecule, self.species)

    def _kept(self, model: Model, name: PropertyName, make: Callable[[], Plan[Measured]], start: str) -> Measured:
        """Read a property, or measure it and keep it."""
        self.stopper.check()
        if reason := self.stopper.out_of_time():
            raise StoppedEarly(f"{reason}; {model.name} is to measure {name} next")
        settings = {k: v for k, v in self.settings.model_dump(mode="json").items() if _matters(k, name)}
        content = {"model": model.key, "subject": self.subject.key, "settings": settings, "start": start,
                   "property": name, "species": self.species}  # fmt: skip
        if self.subject.kind == "liquid":
            content["kind"] = "liquid"
        if name == "rdf":
            content["by"] = "md" if model.md is not None else "plan"
        inputs = inputs_hash(files={}, settings=content, physics=PHYSICS)
        path = self.state / f"{model.name}-{model.key[:12]}" / f"{name}.json"
        counts = self.asked.setdefault(model.name, {}).setdefault(name, [])
        try:
            before = read_json(path) if path.exists() else {}
            if before.get("inputs_hash") == inputs:
                measured = Measured.of_json(before["measured"])
                counts.extend(before["asked"])
                self.reused += 1
                return measured
        except (StateError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read (%s): measured again", path, error)
        began = told = time.monotonic()

        def evaluate(frames: list[Atoms]) -> list[Prediction]:
            nonlocal told
            self.stopper.check()
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                log.info("%s: %s: %d structures so far", model.name, name, len(counts))
            counts.extend(len(frame) for frame in frames)
            return model.evaluate(frames)

        try:
            measured = answered(make(), evaluate)
        except (ScienceError, np.linalg.LinAlgError) as error:
            if isinstance(error, EngineError) and error.code in _KILLED:
                raise  # from outside: that says nothing of the model, and the next attempt measures it
            measured = Measured({}, lost=str(error))
        doubts = model.doubts()
        if doubts:
            measured = Measured(**{**vars(measured), "notes": (*measured.notes, *doubts)})
        measured = measured.finite()
        if model.keeps_failures or not measured.lost:
            write_json(path, {"inputs_hash": inputs, "asked": counts, "measured": measured.as_json()})
        took = time.monotonic() - began
        log.info("%s: %s (%d structures, %.0f s)", model.name, _told(name, measured), len(counts), took)
        return measured


_JUDGING = {
    "properties", "against_engine", "engine_properties", "references",
    *(name for name in Validation.model_fields if name.endswith(("_tolerance", "_floor_gpa", "_floor_thz", "_floor_ev",
                                                                 "_floor_j_per_m2"))),
}  # fmt: skip
"""Settings that only judge: another value of theirs measures nothing anew."""
_ONLY_OF: Mapping[str, tuple[PropertyName, ...]] = {
    "melting_": ("melting",), "rdf_": ("rdf",), "sample_": ("npt_expansion", "rdf"),
    "expansion_span": ("npt_expansion",),
}  # fmt: skip
"""By the beginning of a setting's name: the properties that it is for; the others do not go by it."""
_KILLED = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)


def _matters(setting: str, name: PropertyName) -> bool:
    """Whether a property goes by a setting."""
    of = next((properties for start, properties in _ONLY_OF.items() if setting.startswith(start)), None)
    return setting not in _JUDGING and (of is None or name in of)


def _told(name: str, measured: Measured) -> str:
    if measured.lost:
        return f"{name} lost: {measured.lost}"
    values: list[str] = [f"{key} {value:.4g}" for key, value in list(measured.values.items())[:6]]
    return ": ".join([name, ", ".join(values)]) if values else name


def relative_cost(asked: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """Say what properties would ask of an engine.

    Parameters
    ----------
    asked
        By property: numbers of atoms of the structures.

    Returns
    -------
    list of dict
        ``property``, ``labels``, ``atoms_least``, ``atoms_most``.
    """
    return [
        {"property": name, "labels": len(atoms), "atoms_least": min(atoms), "atoms_most": max(atoms)}
        for name, atoms in asked.items()
        if atoms
    ]
