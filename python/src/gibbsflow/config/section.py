"""Base of all settings, their fields and files, and their errors in words: the key, the value and the range."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from gibbsflow.errors import InputError, Problem


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused, units in the names."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse yes and no where no field takes them: Python would count them as 1 and 0."""
        if not _takes_truth(cls.model_fields[str(info.field_name)].annotation) and _holds_truth(value):
            raise ValueError("yes, no, true and false are neither numbers nor words; in quotes they are words")
        return value


S = TypeVar("S", bound=Section)


def setting(default: Any, text: str, *, unit: str = "", hidden: bool = False, **bounds: Any) -> Any:
    """Declare a setting of a section.

    Parameters
    ----------
    default
        Its default.
    text
        What it is, in a sentence, for ``--help`` and the docs.
    unit
        Its unit, as people write it; empty where it has none.
    hidden
        Whether launch forms show it to experts alone.
    **bounds
        Range or pattern, in pydantic's words: ``ge``, ``gt``, ``le``, ``lt``, ``pattern``.

    Returns
    -------
    Any
        The field; of no type, so that it can be assigned to a setting of any.
    """
    return Field(default, description=text, json_schema_extra={"unit": unit, "hidden": hidden}, **bounds)


def read_section(section: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """Check values against a schema.

    Parameters
    ----------
    section
        The schema.
    values
        The values, nested as the schema is.
    where
        File or command line they came from, for messages.

    Returns
    -------
    Section
        The settings, of the class given.

    Raises
    ------
    InputError
        With all problems at once.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise InputError([_problem(section, where, item) for item in error.errors()]) from error


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was meant, as far as spelling tells.

    Parameters
    ----------
    name
        What was written.
    known
        The names there are.

    Returns
    -------
    str or None
        The one most alike; None where none is alike enough.
    """
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, as the end of a message.

    Parameters
    ----------
    name
        What was written.
    known
        The names there are.

    Returns
    -------
    str
        A question with the nearest name, or where to look them up.
    """
    close = nearest_name(name, known)
    return f"did you mean {close!r}?" if close else "see --help for the names"


def range_of(field: FieldInfo) -> str:
    """Say in words which numbers a field takes, with its unit.

    Parameters
    ----------
    field
        A field of a section.

    Returns
    -------
    str
        Such as ``a number >= 200 and <= 500 K``; empty for a field without bounds.
    """
    low = high = None
    for item in field.metadata:
        for attribute, sign in (("ge", ">="), ("gt", ">")):
            if (bound := getattr(item, attribute, None)) is not None:
                low = f"{sign} {bound:g}"
        for attribute, sign in (("le", "<="), ("lt", "<")):
            if (bound := getattr(item, attribute, None)) is not None:
                high = f"{sign} {bound:g}"
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = f" {extra['unit']}" if extra.get("unit") else ""
    if low or high:
        return "a number " + " and ".join(b for b in (low, high) if b) + unit
    return ""


def _takes_truth(annotation: Any) -> bool:
    """Whether a field may hold yes or no; one that holds a section leaves that to the section's own fields."""
    if annotation in (bool, Any) or isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_takes_truth(part) for part in get_args(annotation))


def _holds_truth(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_truth, value.values()))
    return any(map(_holds_truth, value)) if isinstance(value, list | tuple) else isinstance(value, bool)


def _problem(section: type[Section], where: str, item: Any) -> Problem:
    keys = [str(part) for part in item["loc"]]
    holder: type[BaseModel] = section
    field: FieldInfo | None = None
    for key in item["loc"]:
        fields = getattr(holder, "model_fields", {})
        field = fields.get(key) if isinstance(key, str) else field
        annotation = field.annotation if field is not None else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            holder = annotation
    name = ".".join(keys)
    if item["type"] == "extra_forbidden":
        return Problem(
            where,
            "unknown parameter",
            nearest(keys[-1], holder.model_fields),
            field=name,
        )
    if item["type"] == "missing":
        return Problem(where, "missing", field.description or "" if field else "", field=name)
    right = (range_of(field) if field is not None else "") or item["msg"]
    return Problem(where, f"{item['input']!r} is not usable", right, field=name)
