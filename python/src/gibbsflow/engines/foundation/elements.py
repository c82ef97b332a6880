"""Elements that the foundation model has seen, and the refusal of others."""

from __future__ import annotations

from collections.abc import Iterable

from ase.data import atomic_numbers, chemical_symbols

from gibbsflow.errors import InputError, Problem

# the 89 elements of MPtrj (Deng et al., Nat. Mach. Intell. 2023, 5, 1031): up to plutonium, without five
_LAST, _ABSENT = 94, ("Po", "At", "Rn", "Fr", "Ra")
ELEMENTS = tuple(symbol for symbol in chemical_symbols[1 : _LAST + 1] if symbol not in _ABSENT)
"""Chemical symbols that CHGNet was trained on, by atomic number."""


def refuse_unknown(symbols: Iterable[str], where: str, *, row: int | None = None) -> None:
    """Refuse elements that the foundation model has not seen.

    Parameters
    ----------
    symbols
        Chemical symbols.
    where
        File or structure that they are in, for the message.
    row
        Frame in the file.

    Raises
    ------
    InputError
        With all of them.
    """
    if alien := sorted(set(symbols) - set(ELEMENTS), key=lambda symbol: atomic_numbers[symbol]):
        right = f"elements up to {chemical_symbols[_LAST]}, without {', '.join(_ABSENT)}"
        raise InputError(Problem(where, f"CHGNet does not know {', '.join(alien)}", right, row=row))
