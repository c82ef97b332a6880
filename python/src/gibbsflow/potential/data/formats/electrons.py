"""Charge and spin of a structure: what its file says of them, and the ground states of isolated atoms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

CHARGE_KEYS = ("charge", "total_charge", "tot_charge", "net_charge", "totalcharge")
MULTIPLICITY_KEYS = ("multiplicity", "spin_multiplicity", "mult", "spin_mult", "spinmultiplicity", "2s+1")
UNPAIRED_KEYS = (
    "uhf", "unpaired_electrons", "tot_magnetization", "total_magnetization", "unpaired", "n_unpaired", "num_unpaired",
    "n_unpaired_electrons", "num_unpaired_electrons",
)  # fmt: skip
KEPT = (*CHARGE_KEYS, *MULTIPLICITY_KEYS, *UNPAIRED_KEYS)
"""Keys of `info`, in any case, that say what is computed: what is made from a structure keeps them."""
_UNCLEAR = ("spin", "total_spin", "spins", "magnetization", "magnetisation", "magmom_total")
_UNCLEAR_ARRAYS = (
    "magmom", "magmoms", "initial_magmom", "magnetic_moments", "initial_magnetic_moments", "start_magmoms", "spin",
    "spins", "charge", "initial_charge",
)  # fmt: skip
# Names that may be meant for a charge or a spin as well: refused where they would change what is computed.
_LIKE_CHARGE = re.compile(
    r"(?:(?:system|sys|mol|molecule|molecular|cell|formal|ionic|ion|overall|whole|global|structure|cluster|complex)_?)?"
    r"charge(?:_?(?:state|number|e|total|tot))?|q|q_?tot|q_?total|tot_?q|total_?q|oxidation(?:_?(?:state|number))?",
    re.IGNORECASE,
)
_LIKE_SPIN = re.compile(
    r"(?:(?:total|tot|net|initial|init|fixed|target|cell|ground_state)_?)*"
    r"(?:spin|mag(?:netic)?_?mom(?:ent)?|moment|magneti[sz]ation)s?(?:_?(?:state|z|total|tot))?",
    re.IGNORECASE,
)
_LIKE_CHARGES = re.compile(
    r"(?:(?:initial|init|start|formal|ionic|atomic|partial|mulliken|bader|hirshfeld|loewdin|lowdin|resp|esp|net|site)_?)*"
    r"(?:charges?|q|oxidation_?states?|oxi_?states?)",
    re.IGNORECASE,
)
_APART_E = 0.5
_MOST_EXTRA = 4  # electrons an atom, as of carbides; more are not bound, and no program says so
_WHOLE = 1e-3
# Ground terms of NIST's Atomic Spectra Database where ASE's table has none or, by its parity, another's.
_UNPAIRED_BY_NIST: Mapping[str, int] = {"Ce": 0, "Es": 3, "Lr": 1}


@dataclass(frozen=True)
class Electrons:
    """Charge and spin that a structure asks for.

    Attributes
    ----------
    charge
        Total charge in e.
    multiplicity
        2S + 1; None where it is left to the program.
    moments_ub
        Starting moment of each atom in μB, shape (atoms,); None where it is left to the settings.
    """

    charge: int = 0
    multiplicity: int | None = None
    moments_ub: tuple[float, ...] | None = None

    @classmethod
    def of(cls, atoms: Atoms) -> Electrons:
        """Read charge and spin from a structure.

        The charge is `charge` in `info`, or the sum of `initial_charges`; the spin is `multiplicity` in `info`, or the
        number of unpaired electrons (`uhf`); moments are `initial_magmoms`.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        Electrons
            What it says.

        Raises
        ------
        ValueError
            Where that contradicts itself, is not whole, or could mean two things; in words.
        """
        charge = cls._charge(atoms)
        multiplicity = cls._multiplicity(atoms)
        _refuse_other_names(atoms, charge)
        moments = atoms.arrays.get("initial_magmoms")
        if moments is not None:
            if np.ndim(moments) != 1:
                raise ValueError("initial_magmoms with directions, and moments are computed along one axis only")
            if not np.isfinite(np.asarray(moments, dtype=float)).all():
                raise ValueError("initial_magmoms are not finite")
        found = None if moments is None else tuple(round(float(m), 6) + 0.0 for m in moments)
        if found is not None and multiplicity is not None and abs(abs(sum(found)) - multiplicity + 1) > 0.5:
            raise ValueError(f"multiplicity={multiplicity} and initial_magmoms of {sum(found):g} μB together")
        return cls(charge, multiplicity, found)

    @staticmethod
    def _charge(atoms: Atoms) -> int:
        said = {key: _whole(key, atoms.info[key]) for name in CHARGE_KEYS for key in _keys(atoms.info, name)}
        if (charges := atoms.arrays.get("initial_charges")) is not None and np.any(charges):
            said["the sum of initial_charges"] = _whole("the sum of initial_charges", np.sum(charges))
        if len(set(said.values())) > 1:
            raise ValueError("charges contradict each other: " + ", ".join(f"{k} is {v}" for k, v in said.items()))
        charge = next(iter(said.values()), 0)
        if -charge > _MOST_EXTRA * len(atoms):
            raise ValueError(f"charge {charge:+d} of {len(atoms)} atoms, which hold no such number of electrons")
        return charge

    @staticmethod
    def _multiplicity(atoms: Atoms) -> int | None:
        said: dict[str, int] = {}
        for name in MULTIPLICITY_KEYS:
            said |= {key: _whole(key, atoms.info[key]) for key in _keys(atoms.info, name)}
        for name in UNPAIRED_KEYS:
            said |= {key: abs(_whole(key, atoms.info[key])) + 1 for key in _keys(atoms.info, name)}
        if len(set(said.values())) > 1:
            raise ValueError("spins contradict each other: " + ", ".join(said))
        found = next(iter(said.values()), None)
        if found is not None and found < 1:
            raise ValueError(f"multiplicity={found}, and the least is 1")
        return found

    @property
    def polarised(self) -> bool:
        """Whether up and down are computed apart.

        Returns
        -------
        bool
            True for a multiplicity above 1 or a moment that is not zero.
        """
        return (self.multiplicity or 1) > 1 or any(self.moments_ub or ())

    def require_parity(self, electrons: int) -> None:
        """Check that as many electrons can have this multiplicity.

        Parameters
        ----------
        electrons
            Their number in the neutral structure.

        Raises
        ------
        ValueError
            Where they are too few, or odd where they should be even; in words.
        """
        left = electrons - self.charge
        if left < 0 or (self.charge and not left):
            raise ValueError(f"charge {self.charge:+d}, with {electrons} electrons")
        unpaired = (self.multiplicity or 1) - 1
        if self.multiplicity is not None and (unpaired > left or (left - unpaired) % 2):
            raise ValueError(f"multiplicity {self.multiplicity}, with {left} electrons")


def said_token(atoms: Atoms) -> bytes:
    """Give charge and spin for a hash of a structure's content.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    bytes
        Empty where it says nothing of them, so that such structures keep their names.
    """
    try:
        said = Electrons.of(atoms)
    except (ValueError, TypeError) as error:
        return str(error).encode()
    return b"" if said == Electrons() else repr(said).encode()


def kept_info(atoms: Atoms) -> dict[str, Any]:
    """Give the entries of `info` that say what is computed.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    dict
        Charge and spin, as they are there; numbers as Python's own, for a database of ASE cannot write NumPy's.
    """
    return {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in atoms.info.items()
        if str(key).lower() in KEPT
    }


def repeated_info(atoms: Atoms, cells: int) -> dict[str, Any]:
    """Give the same entries for a supercell.

    Parameters
    ----------
    atoms
        The cell.
    cells
        How many of it make the supercell.

    Returns
    -------
    dict
        `charge` and `multiplicity` of the supercell, where the cell has them.

    Raises
    ------
    ValueError
        As :meth:`Electrons.of`.
    """
    said = Electrons.of(atoms)
    found: dict[str, Any] = {"charge": said.charge * cells} if said.charge else {}
    if said.multiplicity is not None:
        found["multiplicity"] = (said.multiplicity - 1) * cells + 1
    return found


def atomic_multiplicity(atoms: Atoms) -> int:
    """Look up the multiplicity of an isolated atom's ground state, by Hund's first rule and NIST's ground terms.

    Parameters
    ----------
    atoms
        One neutral atom.

    Returns
    -------
    int
        2S + 1, from `ase.data.ground_state_magnetic_moments`.

    Raises
    ------
    ValueError
        For an ion, whose ground state is not in the table.
    """
    from ase.data import ground_state_magnetic_moments

    if Electrons.of(atoms).charge:
        raise ValueError("an isolated ion without its spin: write multiplicity=2S+1")
    symbol, number = atoms[0].symbol, int(atoms.numbers[0])
    unpaired = _UNPAIRED_BY_NIST.get(symbol, ground_state_magnetic_moments[number] if number < 103 else number % 2)
    return int(round(float(unpaired))) + 1


def _refuse_other_names(atoms: Atoms, charge: int) -> None:
    """Refuse keys and columns that may ask for another charge or spin than is read."""
    for name in _UNCLEAR:
        if key := next(iter(_keys(atoms.info, name)), None):
            raise ValueError(f"{key}={atoms.info[key]} may be a multiplicity or a moment: write multiplicity=2S+1")
    for name in _UNCLEAR_ARRAYS:
        if name in atoms.arrays:
            raise ValueError(f"the column {name} is not known: write initial_magmoms, or initial_charges")
    for key, value in atoms.info.items():
        name = str(key)
        bare = name.rstrip(":")
        if bare != name and (bare.lower() in KEPT or _LIKE_CHARGE.fullmatch(bare) or _LIKE_SPIN.fullmatch(bare)):
            raise ValueError(f"{name} is followed by a word, which is not read: write {bare.lower()}=..., or drop it")
        if name.lower() in KEPT or not (number := _number(value)):
            continue
        if _LIKE_CHARGE.fullmatch(name) and abs(number - charge) > _WHOLE:
            raise ValueError(f"{name}={value} may be a charge, and is not read: write charge={value}, or drop it")
        if _LIKE_SPIN.fullmatch(name):
            raise ValueError(f"{name}={value} may be a multiplicity or a moment: write multiplicity=2S+1")
    for name, column in atoms.arrays.items():
        if name in ("initial_charges", "initial_magmoms") or column.dtype.kind not in "iuf":
            continue
        if _LIKE_SPIN.fullmatch(name) and np.any(column):
            raise ValueError(f"the column {name} may be moments: write initial_magmoms, or drop it")
        if _LIKE_CHARGES.fullmatch(name) and abs(float(np.sum(column)) - charge) > _APART_E:
            what = f"the column {name} has a sum of {float(np.sum(column)):g}, and the charge is {charge}"
            raise ValueError(f"{what}: write charge=Q, or drop it")


def _number(value: Any) -> float | None:
    """Read a value that is one number; None for all else, and for yes and no."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _keys(info: Mapping[str, Any], name: str) -> list[str]:
    """Give all spellings of a name that are there: two of them may contradict each other."""
    return [key for key in info if str(key).lower() == name]


def _whole(name: str, value: Any) -> int:
    try:
        number = float(value) if not isinstance(value, bool | np.bool_) else float("nan")
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number - round(number) if np.isfinite(number) else np.inf) <= _WHOLE:
        raise ValueError(f"{name} is {value}, and not a whole number")
    return round(number)
