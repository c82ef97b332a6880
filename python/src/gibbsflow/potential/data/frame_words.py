"""What frames say of their labels beside them: units, level of theory, convergence, charge, masks of forces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ase import Atoms

from gibbsflow.potential.data.formats.electrons import CHARGE_KEYS
from gibbsflow.potential.data.formats.masks import FORCE_MASK, RIGHT_MASK, masked_atoms
from gibbsflow.potential.data.label_keys import one_number
from gibbsflow.workflow.account import Account

_UNIT = re.compile(r"(?i)(?:(.*?)[_-]?)units?(?:[_-](.*))?")
# units that are those of the labels, without blanks, brackets and signs of powers
_RIGHT_UNITS = {
    "energy": {"ev"},
    "force": {"ev/a", "ev/å", "ev/ang", "ev/angstrom"},
    "stress": {"ev/a3", "ev/å3", "ev/ang3", "ev/angstrom3"},
    "length": {"a", "å", "ang", "angstrom", "angstroms"},
}  # fmt: skip
_UNIT_OF = {
    "energy": "energy", "energies": "energy", "free_energy": "energy", "e": "energy", "virial": "energy",
    "virials": "energy", "force": "force", "forces": "force", "f": "force", "stress": "stress", "stresses": "stress",
    "pressure": "stress", "length": "length", "pos": "length", "position": "length", "positions": "length",
    "lattice": "length", "cell": "length", "distance": "length", "coordinates": "length",
}  # fmt: skip
_LEVEL = re.compile(
    r"(?i)head|(?:dft_?)?functional|xc(?:_?functional)?|level(?:_?of_?theory)?|theory(?:_?level)?|gga|basis(?:_?set)?"
)
_CONVERGED = re.compile(r"(?i)(?:is_?)?(?:(scf|electronic|dft|density)_?)?converged(?:_?(scf|electronic|electrons))?")
_FALSE = ("f", "false", "0", "no")


def judge_words(images: Sequence[Atoms], used: Sequence[int], account: Account) -> None:
    """Refuse labels that their frames call something else than what they are read as.

    Parameters
    ----------
    images
        All frames with what was written in ``info`` and ``arrays``.
    used
        Positions of those that count.
    account
        Of the file: refused are units that are not eV and Å, calculations that did not converge, and masks that are
        neither 0 nor 1; warned of are several levels of theory and several total charges.
    """
    levels: dict[str, dict[str, list[int]]] = {}
    charges: dict[float, list[int]] = {}
    units: dict[tuple[str, str], int] = {}
    not_converged: dict[str, list[int]] = {}
    masked, atoms_count = 0, 0
    no_mask: list[int] = []
    for k in used:
        row, atoms = k + 1, images[k]
        charge = 0.0
        for key, value in atoms.info.items():
            text = " ".join(str(value).split())
            if (wanted := _wrong_unit(str(key), text)) is not None:
                units.setdefault((f"{key} is {text[:40]!r}", wanted), row)
            elif _LEVEL.fullmatch(str(key)):
                levels.setdefault(str(key), {}).setdefault(text[:40], []).append(row)
            elif _CONVERGED.fullmatch(str(key)) and text.lower() in _FALSE:
                not_converged.setdefault(str(key), []).append(row)
            elif str(key).lower() in CHARGE_KEYS:
                charge = _number(value)
        charges.setdefault(charge, []).append(row)
        out = masked_atoms(atoms)
        if out is None:
            no_mask.append(row)
        masked += out or 0
        atoms_count += len(atoms)
    for (what, wanted), row in units.items():
        account.refuse(what, wanted, row=row, field="units")
    for key, rows in not_converged.items():
        match = _CONVERGED.fullmatch(key)
        enter = account.refuse if match is not None and (match[1] or match[2]) else account.warn
        enter(f"is false in {_rows(rows)}", "labels of converged densities; config_weight 0 leaves a frame out",
              row=rows[0], field=key)  # fmt: skip
    for key, found in levels.items():
        if len(found) > 1:
            words = ", ".join(f"{value!r} in {_rows(rows)}" for value, rows in list(found.items())[:4])
            account.warn(f"is {words}", "labels of one level of theory", field=key)
    if len(charges) > 1:
        words = ", ".join(f"{charge:+g} in {_rows(rows)}" for charge, rows in sorted(charges.items())[:4])
        account.warn(f"is {words}: a potential knows no charge", "frames of one charge", field="charge")
    if no_mask:
        account.refuse(
            f"is not 0 or 1 for each atom in {_rows(no_mask)}",
            RIGHT_MASK,
            row=no_mask[0],
            field=FORCE_MASK,
        )
    if masked:
        account.note(f"force_mask leaves the forces of {masked} of {atoms_count} atoms out of the fit")


def _wrong_unit(key: str, text: str) -> str | None:
    """What would be right where a key names a unit that is not the one that labels are read in; else None."""
    match = _UNIT.fullmatch(key)
    if match is None:
        return None
    word = re.sub(r"(?i)^(?:ref|dft)_", "", (match[1] or match[2] or "").lower())
    kind = _UNIT_OF.get(word)
    if word and kind is None:
        return None
    own = re.sub(r"[\s^*{}()]|\*\*", "", text.lower()).replace("angstroms", "angstrom").replace("³", "3")
    if kind is None:
        right = {unit for units in _RIGHT_UNITS.values() for unit in units} | {"metal", "ase"}
        parts = re.split(r"[\s,;:=]+", text.lower())
        fits = own in right or all(part in right or part in _UNIT_OF for part in parts if part)
        return None if fits else "eV, eV/Å, eV/Å^3 and Å"
    if own in _RIGHT_UNITS[kind] | {"metal", "ase"}:
        return None
    return {"energy": "eV", "force": "eV/Å", "stress": "eV/Å^3", "length": "Å"}[kind]


def _number(value: Any) -> float:
    try:
        return one_number(value)
    except ValueError:
        return 0.0


def _rows(rows: Sequence[int]) -> str:
    return f"frame {rows[0]}" if len(rows) == 1 else f"{len(rows)} frames ({rows[0]}, ...)"
