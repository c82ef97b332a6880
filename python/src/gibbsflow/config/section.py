"""Base of all settings, and their errors in words that name the key, the value and the range."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from gibbsflow.errors import InputError, Problem


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused, units in the names."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


S = TypeVar("S", bound=Section)


def setting(default: Any, text: str, *, unit: str = "", **bounds: Any) -> Any:
    """Declare one key of a section.

    Parameters
    ----------
    default
        Its value where none is given; an ellipsis where one must be.
    text
        Description for help, schemas and messages.
    unit
        Unit of the value, as the key's name ends.
    **bounds
        What pydantic's ``Field`` takes: ``ge``, ``lt``, ``pattern``, ...

    Returns
    -------
    FieldInfo
        The field.
    """
    return Field(default, description=text, json_schema_extra={"unit": unit}, **bounds)


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

    Raises
    ------
    InputError
        With all problems at once.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise InputError([_problem(section, where, item) for item in error.errors()]) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, as the end of a message."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else "see --help for the names"


def range_of(field: FieldInfo) -> str:
    """Say in words what a field takes: range, choices or type, with its unit."""
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
