"""PASS, WARN or FAIL for each property with reasons in words; every tolerance is a setting of section validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from gibbsflow.config.potential_validation import RadialReference, ReferenceValue, Validation
from gibbsflow.potential.validate.ensembles.radial_distributions import distance_between
from gibbsflow.potential.validate.properties.phonons import frequency_difference_thz
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.potential.validate.quantities import bounds, quantity
from gibbsflow.units import Floats

Level = Literal["PASS", "WARN", "FAIL"]
_ORDER: tuple[Level, ...] = ("PASS", "WARN", "FAIL")


@dataclass(frozen=True)
class Row:
    """One quantity beside one reference, or by itself.

    Attributes
    ----------
    of, quantity, unit
        Property, quantity and its unit.
    potential
        Its value.
    reference
        What it is compared with; None where there is nothing.
    source
        Where the reference comes from.
    good, bearable
        Differences up to which it is PASS and WARN; None for what is only reported.
    verdict
        The worst that follows; None where nothing was compared.
    error
        Standard error of the potential's value; 0 for what has none.
    """

    of: str
    quantity: str
    unit: str
    potential: float
    reference: float | None = None
    source: str = ""
    good: float | None = None
    bearable: float | None = None
    verdict: Level | None = None
    error: float = 0.0

    @property
    def undecided(self) -> bool:
        """Whether two standard errors lead to another verdict.

        Returns
        -------
        bool
            Never, where the value has no error.
        """
        if self.difference is None or self.good is None or self.bearable is None or not self.error:
            return False
        off, two = abs(self.difference), 2 * self.error
        return _level(max(off - two, 0.0), self.good, self.bearable) != _level(off + two, self.good, self.bearable)

    @property
    def off(self) -> bool:
        """Whether it is farther from its reference than is good.

        Returns
        -------
        bool
            Never, where nothing was compared.
        """
        return self.verdict in ("WARN", "FAIL")

    @property
    def difference(self) -> float | None:
        """Potential minus reference.

        Returns
        -------
        float or None
            In the unit of the row.
        """
        return None if self.reference is None else self.potential - self.reference

    def as_json(self) -> dict[str, Any]:
        """Give it for tables and files.

        Returns
        -------
        dict
            All attributes, and ``difference``; ``error`` is None for what has none.
        """
        return {
            "property": self.of, "quantity": self.quantity, "unit": self.unit, "potential": self.potential,
            "reference": self.reference, "difference": self.difference, "good_within": self.good,
            "bearable_within": self.bearable, "verdict": self.verdict or "", "source": self.source,
            "error": self.error or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A property with its verdict.

    Attributes
    ----------
    name
        Name of the property.
    verdict
        The worst of all reasons.
    reasons
        Why it is not PASS, the worst first.
    notes
        What is to be known.
    rows
        Its quantities.
    potential, engine
        What was measured; None for an engine that was not asked.
    distributions
        Radial distributions that it was compared with.
    """

    name: str
    verdict: Level
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    potential: Measured
    engine: Measured | None = None
    distributions: tuple[RadialReference, ...] = ()

    @property
    def compared(self) -> int:
        """Quantities that were compared with something.

        Returns
        -------
        int
            Their number.
        """
        return sum(row.verdict is not None for row in self.rows)


def worst(levels: Iterable[Level]) -> Level:
    """Take the worst of some verdicts.

    Parameters
    ----------
    levels
        Any number.

    Returns
    -------
    Level
        PASS where there are none.
    """
    return _ORDER[max((_ORDER.index(level) for level in levels), default=0)]


def judge(
    name: str,
    potential: Measured,
    engine: Measured | None,
    references: Sequence[ReferenceValue],
    settings: Validation,
    *,
    engine_name: str = "engine",
) -> Judged:
    """Judge one property.

    Parameters
    ----------
    name
        The property.
    potential
        What the potential says of it.
    engine
        What the engine that labels says of it; None where it was not asked.
    references
        Values to compare with, in our units; those of other properties are left out.
    settings
        Tolerances.
    engine_name
        Name of the engine.

    Returns
    -------
    Judged
        With its rows.
    """
    findings: list[tuple[Level, str]] = []
    if potential.lost:
        findings.append(("FAIL", f"could not be measured: {potential.lost}"))
    # a crystal that is unstable in the reference, too, says nothing against the potential
    alike = engine is not None and bool(engine.failures)
    for text in potential.failures:
        if alike and engine is not None:
            findings.append(("WARN", f"{text}; {engine_name} finds the like: {'; '.join(engine.failures)}"))
        else:
            findings.append(("FAIL", text))
    if alike and engine is not None and not potential.failures and not potential.lost:
        findings.append(("FAIL", f"{engine_name} finds what the potential does not: {'; '.join(engine.failures)}"))
    findings += [("WARN", text) for text in potential.warnings]
    if engine is not None:
        findings += [("WARN", f"{engine_name}: {text}") for text in engine.warnings]
        if engine.lost:
            findings.append(("WARN", f"{engine_name} gives no value to compare with: {engine.lost}"))
    rows = []
    for key, value in potential.values.items():
        beside = [(one.value, one.source) for one in references if one.property == key]
        if engine is not None and key in engine.values:
            beside.insert(0, (engine.values[key], engine_name))
        kind = quantity(key)
        unit = kind.unit if kind is not None else ""
        row = Row(name, key, unit, value, error=potential.errors.get(key, 0.0))
        # the engine's value has an error of its own
        both = math.hypot(row.error, engine.errors.get(key, 0.0)) if engine is not None else row.error
        if not beside:
            rows.append(row)
        for reference, source in beside:
            error = both if source == engine_name else row.error
            limits = bounds(key, reference, settings)
            rows.append(_against(replace(row, error=error), reference, source, limits))
    if (
        name == "phonons"
        and engine is not None
        and "mesh_frequencies_thz" in (engine.curves or {})
        and potential.curves
    ):
        rows += _phonon_row(potential, engine, settings, engine_name)
    if name == "rdf" and potential.curves:
        more, apart = _distribution_rows(potential, engine, settings, engine_name)
        rows += more
        findings += [("WARN", text) for text in apart]
    findings += [(row.verdict, _sentence(row)) for row in rows if row.verdict in ("WARN", "FAIL")]  # type: ignore[misc]
    missing = [one.property for one in references if _of(one.property) == name and one.property not in potential.values]
    findings += [("WARN", f"{key} has a reference and was not measured") for key in dict.fromkeys(missing)]
    findings.sort(key=lambda found: -_ORDER.index(found[0]))
    notes = (*potential.notes, *(f"{engine_name}: {text}" for text in (engine.notes if engine is not None else ())))
    return Judged(
        name, worst(level for level, _ in findings), tuple(text for _, text in findings), notes, tuple(rows), potential,
        engine, settings.rdf_references if name == "rdf" else (),
    )  # fmt: skip


def overall(judged: Sequence[Judged]) -> tuple[Level, list[str]]:
    """Put all properties together.

    Parameters
    ----------
    judged
        At least one.

    Returns
    -------
    verdict : Level
        The worst.
    reasons : list of str
        Of all that are not PASS, the worst first, each with its property.
    """
    order = sorted(judged, key=lambda one: -_ORDER.index(one.verdict))
    return worst(one.verdict for one in judged), [f"{one.name}: {text}" for one in order for text in one.reasons]


def _of(name: str) -> str:
    kind = quantity(name)
    return kind.property if kind is not None else ""


def _level(off: float, good: float, bearable: float) -> Level:
    return "PASS" if off <= good else "WARN" if off <= bearable else "FAIL"


def _against(row: Row, reference: float, source: str, limits: tuple[float, float] | None) -> Row:
    """Compare; where the error does not decide between two verdicts, it is a WARN."""
    made = replace(row, reference=reference, source=source)
    if limits is None:
        return made
    made = replace(made, good=limits[0], bearable=limits[1])
    level = "WARN" if made.undecided else _level(abs(made.potential - reference), *limits)
    return replace(made, verdict=level)


def _distribution_rows(
    potential: Measured, engine: Measured | None, settings: Validation, engine_name: str
) -> tuple[list[Row], list[str]]:
    """Distances of radial distributions from those of references and of the engine; and which have none, in words."""
    rows, apart = [], []
    for one in potential.curves["distributions"]:
        kelvin = one["temperature_k"]
        beside = [
            (ref.radius_angstrom, ref.density, ref.source, 0.0)
            for ref in settings.rdf_references
            if abs(ref.temperature_k - kelvin) < 1
        ]
        for like in engine.curves.get("distributions", ()) if engine is not None else ():
            if like["temperature_k"] == kelvin:
                beside.append((like["radius_angstrom"], like["rdf"], engine_name, like["noise"] or 0.0))
        for radii, density, source, noise in beside:
            own, other = (_numbers(x) for x in (one["rdf"], density))
            off = distance_between(np.array(one["radius_angstrom"]), own, np.array(radii), other)
            if not math.isfinite(off):
                apart.append(f"the distribution at {kelvin:.0f} K shares less than 1 Å with that of {source}")
                continue
            row = Row("rdf", f"rdf_distance_{kelvin:.0f}K", "", off, error=math.hypot(one["noise"] or 0.0, noise))
            rows.append(_against(row, 0.0, source, settings.rdf_tolerance))
    return rows, apart


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _phonon_row(potential: Measured, engine: Measured, settings: Validation, engine_name: str) -> list[Row]:
    """Difference of all frequencies over the mesh, relative to their mean."""
    off = frequency_difference_thz(potential, engine)
    if off is None:
        return []
    limits: Mapping[str, float] = engine.values
    bound = bounds("mean_frequency", limits["mean_frequency"], settings)
    assert bound is not None  # noqa: S101 - frequencies have a tolerance
    row = Row("phonons", "frequency_rms_difference", "THz", off)
    return [_against(row, 0.0, f"{engine_name}, mode by mode over the mesh", bound)]


def _sentence(row: Row) -> str:
    assert row.reference is not None  # noqa: S101 - rows with a verdict have one
    share = f", {row.potential / row.reference - 1:+.1%}" if row.reference else ""
    good = f"good within {row.good:.3g}, bearable within {row.bearable:.3g}"
    unit = f" {row.unit}" if row.unit else ""
    own = f"{row.potential:.4g} ± {row.error:.2g}" if row.error else f"{row.potential:.4g}"
    decided = "; not decided within two standard errors" if row.undecided else ""
    return f"{row.quantity} {own}{unit} beside {row.reference:.4g} ({row.source}{share}; {good}{decided})"
