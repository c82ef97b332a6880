"""How a protein stands in a membrane: as given, by OPM's planes, on itself, or where it is hydrophobic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.facts import MembranePlanes
from gibbsflow.binding.geometry import best_rotation
from gibbsflow.binding.prepare.protein.residue_names import parent_of
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

HALF_ANGSTROM = 15.0
"""Half the thickness of the tails, assumed where the protein is to tell: POPC has 28.8 Å at 30 °C (Kučerka, Nieh,
Katsaras, Biochim. Biophys. Acta 1808, 2761 (2011))."""
CORE_ANGSTROM = 10.0
LEAST_INSIDE = 5
"""Residues in the core of a protein that crosses it: a helix has thirteen."""
LEAST_CONTRAST = 1.0
"""Mean hydropathy inside less that outside, below which nothing says that a protein belongs into a membrane."""
DIRECTIONS = 400
OFFSETS_ANGSTROM = np.arange(-40.0, 41.0, 1.0)
_HYDROPATHY = {
    "ILE": 4.5, "VAL": 4.2, "LEU": 3.8, "PHE": 2.8, "CYS": 2.5, "MET": 1.9, "ALA": 1.8, "GLY": -0.4, "THR": -0.7,
    "SER": -0.8, "TRP": -0.9, "TYR": -1.3, "PRO": -1.6, "HIS": -3.2, "GLU": -3.5, "GLN": -3.5, "ASP": -3.5,
    "ASN": -3.5, "LYS": -3.9, "ARG": -4.5,
}  # fmt: skip
"""Kyte, Doolittle, J. Mol. Biol. 157, 105 (1982)."""


@dataclass(frozen=True)
class Standing:
    """Where a protein goes.

    Attributes
    ----------
    rotation
        Positions as rows times its transpose, shape (3, 3); then `shift_angstrom` is added.
    shift_angstrom
        Shape (3,), Å; the middle of the membrane comes to z = 0.
    how
        ``given``, ``opm``, ``hydropathy`` or ``prepared``.
    tilt_degrees
        Between the normal of the membrane and the z of the file.
    contrast
        Mean hydropathy of residues between the tails less that of the others; NaN where all are inside.
    inside
        Residues within 10 Å of the middle.
    tails_angstrom
        Thickness of the tails that was assumed, or that OPM gives.
    """

    rotation: Floats
    shift_angstrom: Floats
    how: str
    tilt_degrees: float
    contrast: float
    inside: int
    tails_angstrom: float = 2 * HALF_ANGSTROM

    def placed(self, positions_angstrom: Floats) -> Floats:
        """Move atoms.

        Parameters
        ----------
        positions_angstrom
            In the frame of the file, shape (N, 3), Å.

        Returns
        -------
        ndarray
            In that of the membrane, shape (N, 3), Å.
        """
        return positions_angstrom @ self.rotation.T + self.shift_angstrom

    def as_dict(self) -> dict[str, object]:
        """Say what was done and assumed.

        Returns
        -------
        dict
            For the record.
        """
        told: dict[str, object] = {"orientation": self.how, "residues_in_core": self.inside}
        if self.how != "given":
            told["tilt_degrees"] = round(self.tilt_degrees, 1)
        if self.how in ("opm", "hydropathy"):
            told["opm_tails_angstrom" if self.how == "opm" else "assumed_tails_angstrom"] = self.tails_angstrom
        if not math.isnan(self.contrast):
            told["hydropathy_contrast"] = round(self.contrast, 2)
        return told

    def doubts(self) -> list[str]:
        """Say what speaks against it.

        Returns
        -------
        list of str
            Empty where nothing does, and where all of the protein is inside.
        """
        if self.contrast >= LEAST_CONTRAST or math.isnan(self.contrast):
            return []
        what = "residues between the tails are no more hydrophobic than the others"
        return [f"the protein as it stands ({self.how}): {what} ({self.contrast:+.1f} on Kyte's scale)"]


def stand(
    names: Sequence[str],
    centres_angstrom: Floats,
    how: str,
    planes: MembranePlanes | None = None,
    *,
    where: str,
) -> Standing:
    """Find how a protein stands in its membrane.

    Parameters
    ----------
    names
        Of its residues.
    centres_angstrom
        Of each the α carbon, shape (R, 3), Å.
    how
        ``given``: the normal is z and the middle z = 0, as in files of the OPM database; ``search``: the slab of
        30 Å with the greatest difference of mean hydropathy between inside and outside, weighed by √(n_in n_out).
    planes
        Where dummy atoms of the file say that the membrane is: they count for ``given``; None for none.
    where
        What messages call it.

    Returns
    -------
    Standing
        Where it goes.

    Raises
    ------
    InputError
        For a protein that is not in the membrane.
    """
    hydropathy = np.array([_HYDROPATHY.get(parent_of(name), 0.0) for name in names])
    if how == "given":
        found = _given(planes, hydropathy, centres_angstrom)
        right = "the protein across z = 0 with the membrane's normal along z, or orientation search"
    else:
        found = _searched(hydropathy, centres_angstrom)
        right = "a protein with a hydrophobic belt, or its orientation given"
        if math.isnan(found.contrast):
            what = f"all of it fits between tails of {2 * HALF_ANGSTROM:g} Å, which does not say how it stands"
            raise InputError(Problem(where, what, "its orientation given", field="membrane_orientation"))
        if found.contrast < LEAST_CONTRAST:
            what = f"no slab in it is hydrophobic: {found.contrast:.1f} on Kyte's scale, below {LEAST_CONTRAST:g}"
            raise InputError(Problem(where, what, right, field="membrane_orientation"))
    if found.inside < LEAST_INSIDE:
        what = f"the protein is not embedded: {found.inside} residues within {CORE_ANGSTROM:g} Å of the middle"
        raise InputError(Problem(where, what, right, field="membrane_orientation"))
    return found


def laid_on(
    names: Sequence[str], centres_angstrom: Floats, places_angstrom: Floats, middle_angstrom: float
) -> Standing:
    """Stand as the same protein does in a bilayer that is there, by the rotation that fits best.

    Parameters
    ----------
    names
        Of its residues.
    centres_angstrom
        Of each the α carbon, shape (R, 3), Å.
    places_angstrom
        Where they are in the bilayer, shape (R, 3), Å.
    middle_angstrom
        Height of its middle, which comes to z = 0.

    Returns
    -------
    Standing
        Where it goes.
    """
    ours, theirs = centres_angstrom.mean(axis=0), places_angstrom.mean(axis=0)
    rotation = best_rotation(places_angstrom - theirs, centres_angstrom - ours)
    hydropathy = np.array([_HYDROPATHY.get(parent_of(name), 0.0) for name in names])
    shift = theirs - rotation @ ours - [0, 0, middle_angstrom]
    return _standing(rotation, shift, "prepared", hydropathy, centres_angstrom)


def _given(planes: MembranePlanes | None, hydropathy: Floats, centres: Floats) -> Standing:
    """As the file has it; the least turn that brings the normal of OPM's planes to z, and their middle to z = 0."""
    if planes is None:
        return _standing(np.eye(3), np.zeros(3), "given", hydropathy, centres)
    normal = np.array(planes.normal)
    axis = np.cross(normal, [0, 0, 1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + cross + cross @ cross / (1 + normal[2])
    middle = rotation @ np.array(planes.middle_angstrom)
    return _standing(rotation, np.array([0, 0, -middle[2]]), "opm", hydropathy, centres, planes.thickness_angstrom)


def _standing(
    rotation: Floats,
    shift: Floats,
    how: str,
    hydropathy: Floats,
    centres: Floats,
    tails_angstrom: float = 2 * HALF_ANGSTROM,
) -> Standing:
    heights = np.abs((centres @ rotation.T + shift)[:, 2])
    inside = heights < tails_angstrom / 2
    both = inside.any() and not inside.all()
    contrast = float(hydropathy[inside].mean() - hydropathy[~inside].mean()) if both else float("nan")
    tilt = float(np.degrees(np.arccos(np.clip(rotation[2, 2], -1, 1))))
    in_core = int((heights < CORE_ANGSTROM).sum())
    return Standing(rotation, shift, how, min(tilt, 180 - tilt), contrast, in_core, tails_angstrom)


def _searched(hydropathy: Floats, centres: Floats) -> Standing:
    """Over directions of a half sphere (Fibonacci's lattice) and offsets along each."""
    k = np.arange(DIRECTIONS) + 0.5
    z, turn = k / DIRECTIONS, math.pi * (1 + 5**0.5) * k
    normals = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1)
    normals = np.vstack([[0.0, 0.0, 1.0], normals])
    middle = centres.mean(axis=0)
    best, chosen = -math.inf, (normals[0], 0.0)
    for normal in normals:
        heights = (centres - middle) @ normal
        inside = np.abs(heights[None] - OFFSETS_ANGSTROM[:, None]) < HALF_ANGSTROM
        within = inside.sum(axis=1)
        means = (inside @ hydropathy) / np.maximum(within, 1)
        outside = (~inside @ hydropathy) / np.maximum(len(heights) - within, 1)
        scores = (means - outside) * np.sqrt(within * np.maximum(len(heights) - within, 1.0))
        scores = np.where(within > 0, scores - 1e-3 * np.abs(OFFSETS_ANGSTROM), -math.inf)
        place = int(np.argmax(scores))
        if scores[place] > best + 1e-9:
            best, chosen = float(scores[place]), (normal, float(OFFSETS_ANGSTROM[place]))
    normal, offset = chosen
    across = np.cross([0.0, 1.0, 0.0] if abs(normal[1]) < 0.9 else [1.0, 0.0, 0.0], normal)  # noqa: PLR2004
    across /= np.linalg.norm(across)
    rotation = np.array([across, np.cross(normal, across), normal])
    shift = -(rotation @ middle) - [0.0, 0.0, offset]
    return _standing(rotation, shift, "hydropathy", hydropathy, centres)
