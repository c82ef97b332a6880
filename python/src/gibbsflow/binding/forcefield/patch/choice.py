"""What membrane is asked for, and what of it cannot be had."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.forcefield.patch.lipid_names import LIPIDS
from gibbsflow.binding.forcefield.solvation import SALT_MOL_PER_L
from gibbsflow.errors import Problem

MIXABLE = (*(tail + head for tail in ("DL", "DM", "DO", "DP", "PO") for head in ("PC", "PE", "PG", "PS")), "CHL1")
"""Of which packmol-memgen has coordinates and lipid21 parameters."""
_SHARES = re.compile(r"[1-9]\d{0,2}(?::[1-9]\d{0,2})*")


@dataclass(frozen=True)
class MembraneChoice:
    """What is asked for.

    Attributes
    ----------
    lipid
        A name in `LIPIDS`, or several of `MIXABLE` with colons between them.
    ratio
        How many of each in a mixture, as ``3:1``; None for one kind.
    padding_angstrom
        Between the protein and each face of the box, at the least.
    orientation
        ``given`` or ``search``.
    salt_mol_per_l
        NaCl beside the ions that neutralise.
    pdb
        A bilayer that is prepared, which takes the place of lipid, padding and orientation; None to build one.
    """

    lipid: str = "POPC"
    ratio: str | None = None
    padding_angstrom: float = 10.0
    orientation: str = "given"
    salt_mol_per_l: float = SALT_MOL_PER_L[True]
    pdb: Path | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the lipids.

        Returns
        -------
        tuple of str
            As asked for.
        """
        return tuple(self.lipid.split(":"))

    @property
    def is_mixture(self) -> bool:
        """Tell whether packmol-memgen builds it.

        Returns
        -------
        bool
            False for one kind that OpenMM has a patch of.
        """
        return len(self.kinds) > 1

    @property
    def asked(self) -> str:
        """Say what was asked for.

        Returns
        -------
        str
            Lipids with their ratio, or the name of the file.
        """
        if self.pdb is not None:
            return self.pdb.name
        return f"{self.lipid} {self.ratio}" if self.ratio else self.lipid

    def problems(self) -> list[Problem]:
        """Say what cannot be had.

        Returns
        -------
        list of Problem
            Empty where all can.
        """
        where, found = "command line", []
        if self.is_mixture:
            found += self._mixture_problems(where)
        elif self.lipid not in LIPIDS:
            right = f"one of {', '.join(LIPIDS)}, or a mixture as POPC:CHL1 with membrane_ratio 3:1"
            what = f"a lipid that no patch is known of: {self.lipid}"
            found.append(Problem(where, what, right, field="membrane_lipid"))
        if self.ratio is not None and not self.is_mixture:
            what = f"is {self.ratio}, with one lipid"
            found.append(Problem(where, what, "left out, or a mixture in membrane_lipid", field="membrane_ratio"))
        if self.orientation not in ("given", "search"):
            found.append(Problem(where, f"is {self.orientation}", "given or search", field="membrane_orientation"))
        if not 5 <= self.padding_angstrom <= 50:  # noqa: PLR2004
            what = f"{self.padding_angstrom:g} Å round the protein"
            found.append(Problem(where, what, "5 to 50 Å", field="membrane_padding_angstrom"))
        if not 0 <= self.salt_mol_per_l <= 5:  # noqa: PLR2004
            found.append(Problem(where, f"is {self.salt_mol_per_l:g}", "0 to 5 mol/L", field="salt_mol_per_l"))
        if self.pdb is not None:
            usual = MembraneChoice(salt_mol_per_l=self.salt_mol_per_l, pdb=self.pdb)
            for name in ("lipid", "ratio", "padding_angstrom", "orientation"):
                if getattr(self, name) != getattr(usual, name):
                    what = f"is {getattr(self, name)}, and membrane_pdb says it already"
                    found.append(Problem(where, what, "one of both", field=f"membrane_{name}"))
        return found

    def _mixture_problems(self, where: str) -> list[Problem]:
        found = []
        for kind in self.kinds:
            if kind not in MIXABLE:
                what = f"a lipid that no mixture is known of: {kind or 'nothing between the colons'}"
                found.append(Problem(where, what, f"some of {', '.join(MIXABLE)}", field="membrane_lipid"))
        if len(set(self.kinds)) < len(self.kinds):
            found.append(Problem(where, f"{self.lipid} names a lipid twice", "each once", field="membrane_lipid"))
        shares = self.ratio or ""
        if not _SHARES.fullmatch(shares) or shares.count(":") + 1 != len(self.kinds):
            what = f"is {self.ratio or 'left out'}, for {len(self.kinds)} lipids"
            found.append(Problem(where, what, "a whole number for each, as 3:1", field="membrane_ratio"))
        return found
