"""Base of all settings, their fields and files, and their errors in words: the key, the value and the range."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from gibbsflow.errors import InputError, Problem, shown

_DIGITS = "in decimal digits and without quotes"


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused, units in the names."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_of_another_type(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse yes and no, and texts, where numbers are taken: pydantic would make numbers of them."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if not _may_hold(annotation, value, bool):
            raise ValueError("yes, no, true and false are neither numbers nor words; in quotes they are words")
        if not _may_hold(annotation, value, str):
            raise ValueError("true or false, without quotes" if annotation is bool else f"a number, {_DIGITS}")
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
        found = error.errors()
        # pydantic counts an item that it refuses as missing too
        items = [item for item in found if item["type"] != "too_short" or not _has_wrong_items(item["loc"], found)]
        raise InputError([_problem(section, where, item) for item in items]) from error


def _has_wrong_items(place: tuple[int | str, ...], found: Sequence[Any]) -> bool:
    return any(len(item["loc"]) > len(place) and item["loc"][: len(place)] == place for item in found)


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


_FEW = 8
"""So many names are listed in a message."""


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
    names = list(known)
    if close := nearest_name(name, names):
        return f"did you mean {close!r}?"
    return f"one of {', '.join(names)}" if len(names) <= _FEW else "see --help for the names"


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


def _may_hold(annotation: Any, value: Any, kind: type[bool] | type[str]) -> bool:
    """Whether a field may hold a value, as far as yes and no, or texts, in it go; all else is left to pydantic."""
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part is not Ellipsis]
    if origin is Annotated:
        return _may_hold(parts[0], value, kind)
    if origin in (Union, UnionType):
        fitting = [part for part in parts if _shape(part) == _shape_of(value) or part is Any]
        return not fitting or any(_may_hold(part, value, kind) for part in fitting)
    if _shape_of(value) is not None:
        if _shape(annotation) != _shape_of(value) or not parts:
            return True  # another shape is pydantic's to refuse; a section's own fields say it of theirs
        if isinstance(value, Mapping):
            return all(_may_hold(parts[-1], item, kind) for item in value.values())
        return all(any(_may_hold(part, item, kind) for part in parts) for item in value)
    if not isinstance(value, kind) or annotation is Any:
        return True
    if origin is Literal:
        return any(isinstance(part, kind) for part in parts)
    if isinstance(annotation, type) and origin is None:
        return issubclass(annotation, kind | BaseModel) or (kind is str and issubclass(annotation, PurePath))
    return True


def _shape(annotation: Any) -> type | None:
    """Whether a type is of mappings or of lists; None for others."""
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type) or issubclass(kind, str):
        return None
    return Mapping if issubclass(kind, Mapping | BaseModel) else list if issubclass(kind, Collection) else None


def _shape_of(value: Any) -> type | None:
    return Mapping if isinstance(value, Mapping) else list if isinstance(value, list | tuple) else None


def _in_words(item: Any, field: FieldInfo | None) -> str:
    """What would be right, where pydantic's own words speak of Python or of a pattern."""
    if item["type"] in ("model_type", "dict_type", "model_attributes_type"):
        return "keys with values"
    if item["type"] in ("tuple_type", "list_type"):
        return "a list, in brackets"
    if item["type"] == "string_type":
        return "text, in quotes"
    if item["type"] == "string_pattern_mismatch" and field is not None and field.description:
        return field.description
    return str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


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
    right = (range_of(field) if field is not None else "") or _in_words(item, field)
    if item["type"] == "value_error" and item["msg"].endswith(_DIGITS) and not right.endswith(_DIGITS):
        right += f", {_DIGITS}"
    return Problem(where, f"{shown(item['input'])} is not usable", right, field=name)
