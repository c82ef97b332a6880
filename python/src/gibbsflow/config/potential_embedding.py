"""Settings of the boxes that are cut from cells too large to be labelled."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from gibbsflow.config.potential import check_element
from gibbsflow.config.section import Section, setting


class Embedding(Section):
    """Periodic boxes around uncertain atoms, labelled in place of the cell that they are cut from."""

    largest_cell_atoms: int | None = setting(
        None, "Selected structures with more atoms are labelled by boxes cut from them; default: always whole.", ge=8,
        le=10**6,
    )  # fmt: skip
    core_radius_angstrom: float = setting(
        4.0, "Atoms this near to the uncertain one are what is learnt: their forces count.", unit="Å", ge=1, le=30
    )
    buffer_angstrom: float = setting(
        3.0, "Around the core, at least: atoms whose forces do not count. From the potential's cutoff on, the core has "
        "all of its surroundings.", unit="Å", ge=0.5, le=30,
    )  # fmt: skip
    boxes: int = setting(
        1, "Boxes from one structure at most, one a region of unknown atoms, the worst first.", ge=1, le=100
    )
    seam_distance_factor: float = setting(
        0.75, "Atoms that meet nearer at a seam than this fraction of the sum of covalent radii lose the outer one.",
        ge=0.2, le=1.2,
    )  # fmt: skip
    stoichiometry: Literal["auto", "free", "neutral"] = setting(
        "auto", "neutral: formal charges sum to zero, by leaving out ions of the buffer; free: atoms as they are cut; "
        "auto: neutral where metals meet F, Cl, Br, I, O, S, Se or N and nothing else, and charges can be guessed.",
    )  # fmt: skip
    formal_charges: dict[str, float] = setting(
        {}, "Formal charges by element; default: guessed from the composition.", unit="e"
    )
    energy_weight: float = setting(0.0, "Weight of a box's energy, which its seams are part of.", ge=0, le=1e4)
    stress_weight: float = setting(0.0, "Weight of a box's stress.", ge=0, le=1e4)

    @field_validator("formal_charges")
    @classmethod
    def _known_keys(cls, value: dict[str, float]) -> dict[str, float]:
        return {check_element(symbol): charge for symbol, charge in value.items()}
