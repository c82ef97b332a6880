"""A free energy as enthalpy and entropy, and where that stands in results."""

from __future__ import annotations

from dataclasses import dataclass

KEY = "entropy"
"""Where the split stands in a record and in the result of a leg."""
FIGURES = ("dh_kcal_per_mol", "dh_error_kcal_per_mol", "minus_tds_kcal_per_mol", "minus_tds_error_kcal_per_mol")


@dataclass(frozen=True)
class Split:
    """A free energy difference as enthalpy and entropy.

    Attributes
    ----------
    dh, dh_error
        ⟨U⟩ of the last state less that of the first, and its standard error.
    minus_tds, minus_tds_error
        −TΔS, with which it adds up to ΔG, and its standard error.
    dof
        Degrees of freedom that the errors are known with.
    """

    dh: float
    dh_error: float
    minus_tds: float
    minus_tds_error: float
    dof: float

    def as_dict(self, unit: float = 1.0) -> dict[str, float]:
        """Figures with their units in the names.

        Parameters
        ----------
        unit
            kcal/mol that the values are in units of.

        Returns
        -------
        dict
            kcal/mol.
        """
        values = (self.dh, self.dh_error, self.minus_tds, self.minus_tds_error)
        return {name: value * unit for name, value in zip(FIGURES, values, strict=True)}
