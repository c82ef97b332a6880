"""Which keys of a file of frames are its labels: one family of them, and never a mixture.

Frames carry labels under many names, and often of several levels of theory at once. The keys of one level are a family:
``REF_energy, REF_forces, REF_stress``, or ``energy, forces, stress`` (plain), or ``DFT_energy, ...``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from gibbsflow.potential.data.formats.extended_xyz import number
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

FAMILIES = ("REF", "", "DFT")
"""Families that are fitted to, the likeliest first; plain names are the family without a name."""
_KEY = re.compile(
    r"(?:(?P<before>.+?)[_-])??(?P<what>free_?energy|total_?energy|energy|forces?|stress(?:es)?|virials?)"
    r"(?:[_-](?P<after>.+))?", re.IGNORECASE,
)  # fmt: skip
# what stands beside a label and is none
_ASIDE = re.compile(
    r"(?i)(.*[_-])?(weights?|mask|sigma|units?|error|std|var|variance|uncertainty|per_atom|source|max|min|kinetic|"
    r"potential|cutoff|method|level|norm|rms|rmse|mae|converged)([_-].*)?"
)
_SAME_EV_PER_ATOM = 1e-5


@dataclass(frozen=True)
class LabelKeys:
    """Keys of a file's labels, in lower case.

    Attributes
    ----------
    energy, forces
        Keys that may hold it in a frame, the first that is there counts.
    stress, virial
        The same; not both at once unless they agree.
    family
        One of :data:`FAMILIES`.
    """

    energy: tuple[str, ...]
    forces: tuple[str, ...]
    stress: tuple[str, ...]
    virial: tuple[str, ...]
    family: str

    @property
    def named(self) -> tuple[str, str]:
        """Say how energy and forces should be named, for messages.

        Returns
        -------
        tuple of str
            Key of the energy, key of the forces.
        """
        before = f"{self.family}_" if self.family else ""
        return f"{before}energy", f"{before}forces"


def find(store: Any, keys: Sequence[str]) -> tuple[str, Any] | None:
    """Find the first key that a frame has, in any case.

    Parameters
    ----------
    store
        ``info`` or ``arrays`` of a frame.
    keys
        In lower case, the first counts.

    Returns
    -------
    tuple or None
        Key as written, and its value; None where there is none.
    """
    known = {str(key).lower(): key for key in store}
    return next(((str(known[key]), store[known[key]]) for key in keys if key in known), None)


def choose_keys(images: Sequence[Atoms], account: Account) -> LabelKeys:
    """Choose one family of labels for a file, and say in its account what is used and what is not.

    ``REF_*`` comes first, then the plain names, then ``DFT_*``; of the energies of a family the force-consistent one
    (``free_energy``), if all frames have it or it is the energy. A stress of another family is taken only where that
    family has nothing else, since it is then no second level of theory.

    Parameters
    ----------
    images
        Frames of the file with all that was written in ``info`` and ``arrays``.
    account
        Of the file; gets ``labels``, ``labels_not_used`` and doubts.

    Returns
    -------
    LabelKeys
        What to read.
    """
    there = _there(images)
    own = [family for family in FAMILIES if there.get(family, {}).keys() & {"energy", "forces"}]
    family = own[0] if own else ""
    mine = there.get(family, {})
    stress, virial = mine.get("stress", {}), mine.get("virial", {})
    if not stress and not virial:
        for other in FAMILIES:
            found = there.get(other, {})
            if other != family and other not in own and found.keys() & {"stress", "virial"}:
                stress, virial = found.get("stress", {}), found.get("virial", {})
                taken, first = (
                    next(iter({**stress, **virial}.values())),
                    next(iter(mine.get("energy", {"": ""}).values())),
                )
                account.warn(f"the stress is taken from {taken}, the energy from {first}", "one name for one level")
                break
    energy = _energies(images, tuple(mine.get("energy", {})), account)
    keys = LabelKeys(energy, tuple(mine.get("forces", {})), tuple(stress), tuple(virial), family)
    spelled = {key: name for found in there.values() for names in found.values() for key, name in names.items()}
    used = [spelled[key] for key in (*energy[:1], *keys.forces, *keys.stress, *keys.virial)]
    account.facts["labels"] = used
    _refuse_two_spellings(images, [*energy[:1], *keys.forces, *keys.stress, *keys.virial], account)
    equal = {spelled[key] for key in mine.get("energy", {}) if len(energy) > 1 or not _differ(images, energy[0], key)}
    account.facts["labels_not_used"] = sorted(set(spelled.values()) - set(used) - equal)
    if account.facts["labels_not_used"]:
        account.note(f"labels that are not used: {', '.join(account.facts['labels_not_used'])}")
    return keys


def _refuse_two_spellings(images: Sequence[Atoms], keys: Sequence[str], account: Account) -> None:
    """Refuse a label that one frame has in capitals and in small letters, with two values."""
    for key in keys:
        for row, atoms in enumerate(images, 1):
            names = [(str(name), store[name]) for store in (atoms.info, atoms.arrays) for name in store]
            same = [(name, value) for name, value in names if name.lower() == key]
            if any(not np.array_equal(same[0][1], value) for _, value in same[1:]):
                what = f"stands beside {', '.join(name for name, _ in same[1:])}, with another value"
                account.refuse(what, "one of them", row=row, field=same[0][0])
                break


def _differ(images: Sequence[Atoms], one: str, other: str) -> bool:
    for atoms in images:
        try:
            values = [one_number(found[1]) for key in (one, other) if (found := find(atoms.info, [key]))]
        except ValueError:
            return True
        if len(values) == 2 and not abs(values[0] - values[1]) <= _SAME_EV_PER_ATOM * len(atoms):
            return True
    return False


def one_number(value: Any) -> float:
    """Read a label that is one number.

    Parameters
    ----------
    value
        As written, or as a reader made it.

    Returns
    -------
    float
        Its value; may be no finite number.

    Raises
    ------
    ValueError
        With what was found, for anything else: words, two numbers, true, nothing.
    """
    values = many_numbers(value)
    if len(values) != 1:
        raise ValueError(f"is {_shown(value)}")
    return float(values[0])


def many_numbers(value: Any) -> Floats:
    """Read a label that is a list of numbers.

    Parameters
    ----------
    value
        As written, or as a reader made it.

    Returns
    -------
    ndarray
        Its values, shape (numbers,).

    Raises
    ------
    ValueError
        With what was found, for anything else.
    """
    try:
        if isinstance(value, str):
            text = value.removeprefix("_JSON ")
            return np.array([number(word) for word in re.sub(r"[\[\]{}(),;]", " ", text).split()], dtype=float)
        values = np.asarray(value)
        if values.dtype.kind not in "if":
            raise ValueError
        return np.asarray(values, dtype=float).ravel()
    except (ValueError, TypeError) as error:
        raise ValueError(f"is {_shown(value)}") from error


def tensor(key: str, value: Any) -> Floats:
    """Read a stress or a virial.

    Parameters
    ----------
    key
        Its name as written.
    value
        Nine numbers of a symmetric tensor, or six in Voigt order xx yy zz yz xz xy under any name but plain ``stress``
        and ``virial`` of extended XYZ, which are nine there.

    Returns
    -------
    ndarray
        Voigt xx yy zz yz xz xy, shape (6,).

    Raises
    ------
    ValueError
        With what was found, for anything else.
    """
    values = many_numbers(value)
    plain = key in ("stress", "virial")
    if len(values) == 6 and not (plain and isinstance(value, str)):
        return values
    if len(values) != 9:
        raise ValueError(f"is {_shown(value)}: {len(values)} numbers")
    full = values.reshape((3, 3), order="F" if plain and isinstance(value, str) else "C")
    if np.isfinite(full).all() and np.abs(full - full.T).max() > 0.01 * np.abs(full).max():
        raise ValueError(f"is not symmetric: {_shown(value)}")
    return np.asarray(full[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]])


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"{text[:60]!r}" if isinstance(value, str) else text[:60]


def _there(images: Sequence[Atoms]) -> dict[str, dict[str, dict[str, str]]]:
    """Keys of labels by family and quantity: in lower case, with one spelling."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    names: dict[tuple[str, bool], None] = {}
    for atoms in images:
        names |= {(str(name), False): None for name in atoms.info} | {(str(name), True): None for name in atoms.arrays}
    for name, column in names:
        match = _KEY.fullmatch(name)
        if match is None or (match["before"] and match["after"]) or _ASIDE.fullmatch(name):
            continue
        what = match["what"].lower()
        quantity = next((own for own in ("forces", "stress", "virial") if what.startswith(own.rstrip("s"))), "energy")
        if (quantity == "forces") != column:
            continue
        family = (match["before"] or match["after"] or "").upper()
        found.setdefault(family, {}).setdefault(quantity, {})[name.lower()] = name
    return {
        family: {what: _in_order(what, names) for what, names in quantities.items()}
        for family, quantities in found.items()
    }


def _in_order(what: str, names: dict[str, str]) -> dict[str, str]:
    def _place(key: str) -> int:
        if what != "energy":
            return 0
        return 0 if "free" in key else 2 if "total" in key else 1

    return {key: names[key] for key in sorted(names, key=_place)}


def _energies(images: Sequence[Atoms], keys: tuple[str, ...], account: Account) -> tuple[str, ...]:
    """Leave one energy: the force-consistent one, unless frames lack it that have another."""
    if len(keys) < 2:
        return keys
    values: list[list[float | None]] = []
    for atoms in images:
        own: list[float | None] = []
        for key in keys:
            found = find(atoms.info, [key])
            try:
                own.append(None if found is None else one_number(found[1]) / len(atoms))
            except ValueError:
                own.append(np.nan)
        values.append(own)
    labelled = [own for own in values if any(value is not None for value in own)]
    for i, key in enumerate(keys):
        lacking = sum(own[i] is None for own in labelled)
        apart = [
            abs(own[i] - other) for own in labelled for j, other in enumerate(own)  # type: ignore[operator]
            if j > i and own[i] is not None and other is not None
        ]  # fmt: skip
        differ = bool(apart) and not max(apart) <= _SAME_EV_PER_ATOM
        if not lacking:
            if differ:
                account.note(
                    f"energies are {key}, which differs from {', '.join(keys[i + 1 :])} by up to "
                    f"{1e3 * float(np.max(apart)):.3g} meV/atom"
                    + (": it is what forces are the gradient of" if "free" in key else "")
                )
            return (key,)
        if differ:
            account.refuse(
                f"{key} is missing in {lacking} of {len(labelled)} frames, and differs elsewhere from "
                f"{', '.join(keys[i + 1 :])} by up to {1e3 * float(np.max(apart)):.3g} meV/atom",
                "one energy for all frames", field=key,
            )  # fmt: skip
            return (key,)
    return keys
