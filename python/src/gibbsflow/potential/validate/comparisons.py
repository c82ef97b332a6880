"""PASS, WARN or FAIL for each property with reasons in words; every tolerance is a setting of section validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gibbsflow.config.potential_validation import ReferenceValue, Validation
from gibbsflow.potential.validate.properties.phonons import frequency_difference_thz
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.potential.validate.quantities import bounds, quantity

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
            All attributes, and ``difference``.
        """
        return {
            "property": self.of, "quantity": self.quantity, "unit": self.unit, "potential": self.potential,
            "reference": self.reference, "difference": self.difference, "good_within": self.good,
            "bearable_within": self.bearable, "verdict": self.verdict or "", "source": self.source,
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
    """

    name: str
    verdict: Level
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    potential: Measured
    engine: Measured | None = None

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
        if not beside:
            rows.append(Row(name, key, unit, value))
        for reference, source in beside:
            rows.append(_compared(name, key, unit, value, reference, source, settings))
    if (
        name == "phonons"
        and engine is not None
        and "mesh_frequencies_thz" in (engine.curves or {})
        and potential.curves
    ):
        rows += _phonon_row(potential, engine, settings, engine_name)
    findings += [(row.verdict, _sentence(row)) for row in rows if row.verdict in ("WARN", "FAIL")]  # type: ignore[misc]
    missing = [one.property for one in references if _of(one.property) == name and one.property not in potential.values]
    findings += [("WARN", f"{key} has a reference and was not measured") for key in dict.fromkeys(missing)]
    findings.sort(key=lambda found: -_ORDER.index(found[0]))
    notes = (*potential.notes, *(f"{engine_name}: {text}" for text in (engine.notes if engine is not None else ())))
    return Judged(
        name, worst(level for level, _ in findings), tuple(text for _, text in findings), notes, tuple(rows), potential,
        engine,
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


def _compared(name: str, key: str, unit: str, value: float, reference: float, source: str, settings: Validation) -> Row:
    limits = bounds(key, reference, settings)
    if limits is None:
        return Row(name, key, unit, value, reference, source)
    good, bearable = limits
    off = abs(value - reference)
    level: Level = "PASS" if off <= good else "WARN" if off <= bearable else "FAIL"
    return Row(name, key, unit, value, reference, source, good, bearable, level)


def _phonon_row(potential: Measured, engine: Measured, settings: Validation, engine_name: str) -> list[Row]:
    """Difference of all frequencies over the mesh, relative to their mean."""
    off = frequency_difference_thz(potential, engine)
    if off is None:
        return []
    limits: Mapping[str, float] = engine.values
    bound = bounds("mean_frequency", limits["mean_frequency"], settings)
    assert bound is not None  # noqa: S101 - frequencies have a tolerance
    level: Level = "PASS" if off <= bound[0] else "WARN" if off <= bound[1] else "FAIL"
    source = f"{engine_name}, mode by mode over the mesh"
    return [Row("phonons", "frequency_rms_difference", "THz", off, 0.0, source, bound[0], bound[1], level)]


def _sentence(row: Row) -> str:
    assert row.reference is not None  # noqa: S101 - rows with a verdict have one
    share = f", {row.potential / row.reference - 1:+.1%}" if row.reference else ""
    good = f"good within {row.good:.3g}, bearable within {row.bearable:.3g}"
    unit = f" {row.unit}" if row.unit else ""
    return f"{row.quantity} {row.potential:.4g}{unit} beside {row.reference:.4g} ({row.source}{share}; {good})"
