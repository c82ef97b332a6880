"""Files of references: values with unit and source, and radial distributions in files of two columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import model_validator

from gibbsflow.config.potential_validation import RadialReference, ReferenceValue
from gibbsflow.config.section import Section, read_section, setting
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.potential.validate.quantities import UNITS, checked
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.workflow.input_files import SETTINGS_BYTES, read_text
from gibbsflow.workflow.settings_file import read_mapping

_RIGHT = "two columns, distance and g(r), lines of comment with #"
_FAR = 0.6


class DistributionFile(Section):
    """A radial distribution in a file of its own."""

    temperature_k: float = setting(..., "Its temperature.", unit="K", gt=0, le=20_000)
    file: Path = setting(..., "Two columns, distance and g(r), parted by blanks or commas; # begins a comment.")
    unit: str = setting(..., "Unit of its distances: Å, nm or bohr.")
    source: str = setting(..., "Where it comes from.", min_length=1)


class ReferenceFile(Section):
    """Content of a file of references."""

    space_group: int | None = setting(None, "Number of the space group that they are of.", ge=1, le=230)
    references: tuple[ReferenceValue, ...] = setting((), "List of property, value, unit, source.")
    distributions: tuple[DistributionFile, ...] = setting((), "List of temperature_k, file, unit, source.")

    @model_validator(mode="after")
    def _something(self) -> ReferenceFile:
        if not self.references and not self.distributions:
            raise ValueError("references: a list of property, value, unit and source; or distributions")
        return self


@dataclass(frozen=True)
class ReferenceSet:
    """What a file of references holds.

    Attributes
    ----------
    where
        The file.
    values
        Values in our units.
    distributions
        Radial distributions, in Å.
    space_group
        Space group that they are of; None where the file does not say.
    """

    where: str
    values: tuple[ReferenceValue, ...]
    distributions: tuple[RadialReference, ...]
    space_group: int | None

    def require(self, subject: Subject) -> None:
        """Check that they are of what is measured.

        Parameters
        ----------
        subject
            What is measured.

        Raises
        ------
        InputError
            Where they are of another phase.
        """
        number = subject.crystal.number if subject.crystal is not None else None
        if self.space_group is not None and self.space_group != number:
            is_of = f"is of space group {self.space_group}"
            what = f"{subject.name} ({number})" if number is not None else f"{subject.name}, a molecule"
            raise InputError(Problem(self.where, is_of, f"that of what is measured, {what}", field="space_group"))

    def beside(
        self, chosen: dict[str, Any], values: tuple[ReferenceValue, ...], rdf: tuple[RadialReference, ...]
    ) -> None:
        """Put them beside those of the settings.

        Parameters
        ----------
        chosen
            Section ``validation``; is changed.
        values, rdf
            References that are in it.
        """
        chosen["references"] = (*values, *self.values)
        chosen["rdf_references"] = (*rdf, *self.distributions)


def read_references(path: Path) -> ReferenceSet:
    """Read a file of references.

    Parameters
    ----------
    path
        YAML or JSON: ``references``, a list of ``property``, ``value``, ``unit`` and ``source``; ``distributions``, a
        list of ``temperature_k``, ``file`` (beside it), ``unit`` and ``source``; ``space_group`` that they are of.

    Returns
    -------
    ReferenceSet
        In our units.

    Raises
    ------
    InputError
        For what cannot be used, all of it at once.
    """
    read = read_section(ReferenceFile, read_mapping(path), where=str(path))
    found, problems = [], []
    for number, one in enumerate(read.distributions):
        try:
            found.append(_distribution(one, path, f"distributions[{number}]"))
        except InputError as error:
            problems += error.problems
    try:
        values = checked(read.references, str(path))
    except InputError as error:
        problems = [*error.problems, *problems]
    if problems:
        raise InputError(problems)
    return ReferenceSet(str(path), values, tuple(found), read.space_group)


def _distribution(one: DistributionFile, beside: Path, field: str) -> RadialReference:
    factor = UNITS["Å"].get(one.unit)
    if factor is None:
        right = " or ".join(UNITS["Å"])
        raise InputError(Problem(str(beside), f"{shown(one.unit)} is no unit of length", right, field=f"{field}.unit"))
    path = Path(beside).parent / one.file
    rows = []
    for number, line in enumerate(read_text(path, _RIGHT, SETTINGS_BYTES).splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            radius, density = map(float, words)
        except ValueError:
            raise InputError(Problem(str(path), f"{shown(line.strip())} is no row", _RIGHT, row=number)) from None
        if not (math.isfinite(radius) and math.isfinite(density)):
            raise InputError(Problem(str(path), f"{shown(line.strip())} is not finite", _RIGHT, row=number))
        rows.append((radius * factor, density))
    radii, densities = [row[0] for row in rows], [row[1] for row in rows]
    made = read_section(
        RadialReference,
        {"temperature_k": one.temperature_k, "radius_angstrom": radii, "density": densities, "source": one.source},
        where=str(path),
    )
    # shells of a crystal part far out, too: over half of the radius, by volume, they even out
    outer = [(radius**2, density) for radius, density in rows if radius > radii[-1] / 2]
    mean = sum(weight * density for weight, density in outer) / sum(weight for weight, _ in outer)
    if abs(mean - 1) > _FAR:
        what = f"has a mean of {mean:.2g} by volume over the outer half of its distances"
        raise InputError(Problem(str(path), what, "g(r), which goes to 1 far away: no coordination, no 4πr²ρg(r)"))
    return made
