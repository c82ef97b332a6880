"""Anchors of a Boresch restraint as ``equil analyse`` leaves them: the set that was taken, and those beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from gibbsflow.binding.facts import Facts


@dataclass(frozen=True)
class Anchors:
    """Six anchors of a Boresch restraint and their reference geometry.

    Attributes
    ----------
    receptor, ligand
        (P1, P2, P3) and (L1, L2, L3), 0-based.
    r0_angstrom, theta_a_deg, theta_b_deg, phi_a_deg, phi_b_deg, phi_c_deg
        Means over the frames, of the angles circular ones; see :class:`.BoreschRestraint`.
    why
        How they were chosen.
    """

    receptor: tuple[int, int, int]
    ligand: tuple[int, int, int]
    r0_angstrom: float
    theta_a_deg: float
    theta_b_deg: float
    phi_a_deg: float
    phi_b_deg: float
    phi_c_deg: float
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Give the fields by name.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return asdict(self)


@dataclass(frozen=True)
class AnchorCandidate:
    """One set of anchors with its figures over an equilibration.

    Attributes
    ----------
    receptor, ligand
        (P1, P2, P3) and (L1, L2, L3), 0-based.
    r0_angstrom, theta_a_deg, theta_b_deg, phi_a_deg, phi_b_deg, phi_c_deg
        Means over the frames, of the angles circular ones.
    sd_r_angstrom, sd_angles_deg, sd_dihedrals_deg
        Standard deviations of r, of θA and θB, and of φA, φB and φC.
    least_angle_deg, largest_angle_deg
        Extremes of θA and θB.
    receptor_rmsf_angstrom
        Largest fluctuation of the three receptor anchors.
    score_kcal_per_mol
        Free energy of letting go a restraint as tight as that (`anchoring/anchors.py`); the least is the best.
    why
        What it was chosen from.
    names
        Names of the six atoms, as setting ``boresch_atoms`` takes them.
    """

    receptor: tuple[int, int, int]
    ligand: tuple[int, int, int]
    r0_angstrom: float
    theta_a_deg: float
    theta_b_deg: float
    phi_a_deg: float
    phi_b_deg: float
    phi_c_deg: float
    sd_r_angstrom: float
    sd_angles_deg: tuple[float, float]
    sd_dihedrals_deg: tuple[float, float, float]
    least_angle_deg: float
    largest_angle_deg: float
    receptor_rmsf_angstrom: float
    score_kcal_per_mol: float
    why: str
    names: tuple[str, ...] = ()

    @property
    def anchors(self) -> Anchors:
        """Atoms and reference geometry.

        Returns
        -------
        Anchors
            As a restraint takes them, with the figures in words.
        """
        angles = " ".join(f"±{sd:.0f}°" for sd in self.sd_angles_deg)
        dihedrals = " ".join(f"±{sd:.0f}°" for sd in self.sd_dihedrals_deg)
        called = f"{','.join(self.names)}: " if self.names else ""
        why = (
            f"{called}{self.why} (score {self.score_kcal_per_mol:.2f} kcal/mol): distance "
            f"±{self.sd_r_angstrom:.2f} Å, angles {angles}, dihedrals {dihedrals}"
        )
        return Anchors(
            self.receptor, self.ligand, self.r0_angstrom, self.theta_a_deg, self.theta_b_deg, self.phi_a_deg,
            self.phi_b_deg, self.phi_c_deg, why,
        )  # fmt: skip


class AnchorFacts(Facts):
    """Anchors of a bound ligand.

    Attributes
    ----------
    anchors
        The best; None where there are none that could carry a restraint.
    anchors_problem
        Why there are none.
    anchor_candidates
        The best sets, that of `anchors` first; None where there are none, or an earlier version looked for them.
    """

    written_by: ClassVar[str] = "equil analyse"
    anchors: Anchors | None
    anchors_problem: str | None = None
    anchor_candidates: tuple[AnchorCandidate, ...] | None = None
