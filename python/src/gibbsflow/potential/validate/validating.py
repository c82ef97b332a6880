"""One validation from a potential and a structure to verdicts: measured, compared, judged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gibbsflow.config.potential_validation import PropertyName, ReferenceValue, Validation
from gibbsflow.errors import InputError, Problem, ScienceError
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.potential.validate.battery import OF_SINGLE_ATOMS, ONLY_BY_LAMMPS, Battery, Model, relative_cost
from gibbsflow.potential.validate.comparisons import Judged, Level, Row, judge, overall, worst
from gibbsflow.potential.validate.engine_labels import EngineLabels
from gibbsflow.potential.validate.ensembles.md_runs import MdRuns
from gibbsflow.potential.validate.label_cells import beside_label_cell, cells_to_compare
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.potential.validate.quantities import checked, quantity
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
_OTHER_PHASE = 0.15
_ABOUT_THE_CELL: tuple[PropertyName, ...] = ("thermal_expansion", "npt_expansion", "rdf")
"""Properties whose value goes by the volume that they are measured about."""


@dataclass(frozen=True)
class Validated:
    """What a validation found.

    Attributes
    ----------
    subject
        What was measured.
    judged
        Its properties, in the order in which they were measured.
    verdict
        The worst of them.
    reasons
        Why it is not PASS, the worst first.
    notes
        What is to be known of all.
    engine
        Name of the engine that was asked; empty for none.
    """

    subject: Subject
    judged: tuple[Judged, ...]
    verdict: Level
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    engine: str = ""

    def figures(self) -> dict[str, Any]:
        """Say it in figures.

        Returns
        -------
        dict
            For ``result.json``: ``verdict``, ``reasons``, ``structure``, ``structure_source``, ``space_group``,
            ``properties`` (verdict by property), ``counts`` (properties by verdict), ``compared`` and ``quantities``.
        """
        crystal = self.subject.crystal
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "structure": self.subject.name,
            "structure_source": self.subject.source,
            "space_group": crystal.number if crystal is not None else None,
            "engine": self.engine,
            "properties": {one.name: one.verdict for one in self.judged},
            "counts": {"PASS": 0, "WARN": 0, "FAIL": 0, **Counter(one.verdict for one in self.judged)},
            "compared": sum(one.compared for one in self.judged),
            "quantities": self.rows(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """Give the quantities as a table.

        Returns
        -------
        list of dict
            One row a quantity and reference (:meth:`.Row.as_json`).
        """
        return [row.as_json() for one in self.judged for row in one.rows]


def md_of(
    potential: Potential, key: str, state: Path, stopper: Stopper, names: Sequence[PropertyName], where: str
) -> MdRuns | None:
    """Give what runs MD of many atoms, where LAMMPS runs the potential.

    Parameters
    ----------
    potential
        The potential.
    key
        Hash of all that changes what it says.
    state
        Folder that keeps the runs.
    stopper
        Says when to stop.
    names
        Properties that are to be measured.
    where
        Folder of the potential, for messages.

    Returns
    -------
    MdRuns or None
        None for a potential that ASE alone runs: radial distributions are then those of a short MD, as an engine's.

    Raises
    ------
    InputError
        Where properties need LAMMPS, and it does not run the potential.
    """
    if potential.lammps_style:
        return MdRuns(potential, key, state, stopper)
    if lost := [name for name in names if name in ONLY_BY_LAMMPS]:
        what = f"{', '.join(lost)}: takes MD of many atoms in LAMMPS, which does not run this potential"
        right = "other properties (thermal_expansion, rdf), or a potential of `train fit --backend pod`"
        raise InputError(Problem(where, what, right, field="validation.properties"))
    return None


def validate(
    battery: Battery, potential: Model, *, engine: EngineLabels | None = None, where: str = "validation.references"
) -> Validated:
    """Measure, compare and judge.

    Parameters
    ----------
    battery
        Structure and settings.
    potential
        The potential.
    engine
        The engine of the reference; None for none.
    where
        Where the references of the settings come from, for messages.

    Returns
    -------
    Validated
        With a verdict.

    Raises
    ------
    InputError
        For references that are none.
    StoppedEarly
        After a signal or where time is up; what is done is kept.
    """
    settings = battery.settings
    references = checked(settings.references, where)
    names = battery.applicable(settings.properties)
    own = battery.measure(potential, names)
    other: dict[PropertyName, Measured] = {}
    apart = ""
    if engine is not None:
        wanted = [name for name in names if name in settings.engine_properties or name == "cell"]
        # what the potential cannot give needs no label
        wanted = [name for name in wanted if name in own and (not own[name].lost or name == "cell")]
        model = Model(engine.engine.name, engine.engine.settings_hash, engine, False, engine.take_doubts)
        other = battery.measure(model, wanted)
        other["cell"], apart = _beside_labels(other["cell"], battery, engine)
    name = engine.engine.name if engine is not None else ""
    judged = [
        judge(one, own[one], other.get(one), references, settings, engine_name=name or "engine")
        for one in names
        if one in own
    ]
    judged = [_about_the_cell(_beside_harmonic(one, own.get("thermal_expansion")), judged[0]) for one in judged]
    verdict, reasons = overall(judged)
    notes = [*_left_out(battery, names, references, settings, own["cell"]), *([apart] if apart else [])]
    if not any(one.compared for one in judged):
        notes.append(
            "compared with nothing: the verdict says whether the potential is sane, not whether it is right, and not "
            "whether what is wrong is of its labels already: against_engine (--against-engine) asks their engine too"
        )
    return Validated(battery.subject, tuple(judged), verdict, tuple(reasons), tuple(notes), name)


def _beside_labels(cell: Measured, battery: Battery, engine: EngineLabels) -> tuple[Measured, str]:
    """Hold the engine against itself in the cell of labels: a warning where it differs by much, else a note."""
    try:
        found = beside_label_cell(battery.subject, engine)
    except ScienceError as error:
        return cell, f"{engine.engine.name} gives nothing in the cell of labels to hold this cell against: {error}"
    finally:
        engine.take_doubts()
    if found is None:
        return cell, ""
    text = found.in_words()
    if abs(found.energy_mev_per_atom) <= battery.settings.eos_residual_mev_per_atom:
        return cell, f"{engine.engine.name} {text}"
    told = f"{text}: these settings are too coarse to tell the potential's differences from its own"
    return replace(cell, warnings=(*cell.warnings, told)), ""


def _about_the_cell(judged: Judged, cell: Judged) -> Judged:
    """What MD or phonons find about a cell that is off is no PASS, whatever their own numbers."""
    rows = [
        f"{row.quantity} {row.potential / row.reference - 1:+.1%} beside {row.source}"
        for row in cell.rows
        if row.off and row.reference
    ]
    off = [*rows, *cell.potential.failures, *cell.potential.warnings]
    if judged.name not in _ABOUT_THE_CELL or not off:
        return judged
    reason = f"measured about a cell that is off ({'; '.join(dict.fromkeys(off))})"
    return replace(judged, verdict=worst((judged.verdict, "WARN")), reasons=(*judged.reasons, reason))


def _beside_harmonic(judged: Judged, harmonic: Measured | None) -> Judged:
    """Lay the expansion of MD beside the quasi-harmonic one of the same potential, without a verdict."""
    value = harmonic.values.get("thermal_expansion") if harmonic is not None else None
    if judged.name != "npt_expansion" or value is None or not judged.rows:
        return judged
    source = "quasi-harmonic by the same potential, with quantum nuclei: no verdict"
    first = next(row for row in judged.rows if row.quantity == "npt_expansion")
    bare = Row(first.of, first.quantity, first.unit, first.potential, error=first.error)
    return replace(judged, rows=(*judged.rows, replace(bare, reference=value, source=source)))


def engine_cost(battery: Battery, potential: Model, engine: EngineLabels) -> dict[str, Any]:
    """Count what the engine would be asked, by the potential in its place: relaxations take about as many steps.

    Parameters
    ----------
    battery
        Structure and settings.
    potential
        The potential.
    engine
        The engine; nothing is labelled.

    Returns
    -------
    dict
        ``labels`` in all, by property ``of``, and ``core_hours`` where labels of the same settings are kept, else None.
    """
    settings = battery.settings
    names = [n for n in battery.applicable(settings.properties) if n in (*settings.engine_properties, "cell")]
    battery.measure(replace(potential, md=None), names)
    asked = battery.asked[potential.name]
    if pair := cells_to_compare(battery.subject, engine):
        # the other of both is where the relaxation begins
        asked = {**asked, "the cell of labels": [len(pair[1])]}
    rows = relative_cost(asked)
    seconds = engine.seconds([count for counts in asked.values() for count in counts])
    return {
        "engine": engine.engine.name,
        "labels": sum(row["labels"] for row in rows),
        "of": rows,
        "core_hours": round(seconds / 3600, 3) if seconds is not None else None,
    }


def _of_another_phase(rest: Measured, references: Sequence[ReferenceValue]) -> list[str]:
    """References so far from the crystal at rest that they must be of another phase, cell or unit."""
    return [
        f"{one.property} of {one.source} is {one.value / rest.values[one.property] - 1:+.0%} off: "
        "another phase, a primitive cell, or a volume of the whole cell?"
        for one in references
        if one.property in rest.values and abs(one.value / rest.values[one.property] - 1) > _OTHER_PHASE
    ]


def _left_out(
    battery: Battery,
    names: Sequence[PropertyName],
    references: Sequence[ReferenceValue],
    settings: Validation,
    own: Measured,
) -> list[str]:
    told = []
    everything = settings.properties == Validation().properties
    if not everything and (out := [name for name in settings.properties if name not in names]):
        told.append(f"{', '.join(out)} cannot be measured of a {battery.subject.kind}")
    if (ions := battery.subject.ions) and set(OF_SINGLE_ATOMS) & set(settings.properties):
        told.append(f"no vacancy and no interstitial: single atoms would break {', '.join(ions)}")
    kinds = {one.property: quantity(one.property) for one in references}
    lost = sorted(key for key, kind in kinds.items() if kind is not None and kind.property not in names)
    told += _of_another_phase(own, references)
    if lost:
        told.append(f"references of properties that were not measured: {', '.join(lost)}")
    return told
