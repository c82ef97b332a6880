"""Cells of tables: of CSV none that is taken for a formula, of pages numbers and units as people write them."""

from __future__ import annotations

import re
from typing import Any

_FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def cell(value: Any) -> Any:
    """Make a value one that a spreadsheet does not execute.

    Parameters
    ----------
    value
        Of a cell.

    Returns
    -------
    Any
        A text that begins as a formula does (``=``, ``+``, ``-``, ``@``, tab, line end, also of full width) and is no
        number gets a ``'`` before it, which is how spreadsheets mark text; all else is as it was.
    """
    if isinstance(value, str) and value[:1] and value[0] in _FORMULA and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def quantity_value(number: float | None) -> str:
    """Write a quantity of a validation for a page.

    Parameters
    ----------
    number
        Its value.

    Returns
    -------
    str
        To four digits; a dash for None.
    """
    return "–" if number is None else f"{number:.4g}".replace("-", "−")


def quantity_unit(unit: str) -> str:
    """Write its unit.

    Parameters
    ----------
    unit
        As in ``validation.csv``.

    Returns
    -------
    str
        With raised exponents.
    """
    return unit.replace("^3", "³").replace("^2", "²").replace("1e-6", "10⁻⁶")
