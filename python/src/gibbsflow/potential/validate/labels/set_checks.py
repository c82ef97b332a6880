"""Checks of labels against each other: one set of settings, one energy and one magnetic state, and no outliers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.config.potential import Audit
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.data.twins import DISTANCE_ANGSTROM, VOLUME_SHARE, same_distances, sorted_distances
from gibbsflow.potential.label.pseudopotentials.pseudo_table import MOMENTS_UB
from gibbsflow.potential.validate.labels.audited import Audited
from gibbsflow.units import DEVIATIONS_PER_MAD, Floats

FEWEST = 10
"""Fewer labels of one composition have no outliers."""
_LEAST_EV_PER_ATOM = 0.05
_LEAST_DECADES = 0.15
_FLOOR_EV_PER_ATOM, _FLOOR_EV_PER_ANGSTROM = 0.005, 0.05
_DISTANCES = 24
_MAGNETIC_UB = 0.1


def check_settings(labels: Sequence[Audited]) -> None:
    """Enter the reason ``settings`` where a label was made by others than most.

    Parameters
    ----------
    labels
        All of a database.
    """
    counts = Counter(label.known.settings_hash for label in labels)
    if len(counts) < 2:
        return
    (most, number), *_ = counts.most_common()
    for label in labels:
        if label.known.settings_hash != most:
            own = label.known.settings_hash or "no settings"
            label.reasons["settings"] = f"made with {own}; {number} of {len(labels)} labels with {most or 'none said'}"


def check_duplicates(labels: Sequence[Audited], settings: Audit) -> None:
    """Enter the reason ``duplicate`` where one structure, turned or reordered or not, has two energies.

    Of two states of one structure the lower is the ground state: the higher one is held.

    Parameters
    ----------
    labels
        Whole labels.
    settings
        Section ``audit``.
    """
    groups: dict[Hashable, list[tuple[Audited, LabelledFrame]]] = {}
    for label in labels:
        if label.frame is not None and len(label.frame.atoms) > 1:
            atoms = label.frame.atoms
            kind = np.sort(atoms.numbers).tobytes(), np.sort(atoms.pbc).tobytes(), label.electrons
            groups.setdefault(kind, []).append((label, label.frame))
    for members in groups.values():
        if len(members) < 2:
            continue
        distances = [sorted_distances(frame) for _, frame in members]
        prints = np.array([_print(frame, own) for (_, frame), own in zip(members, distances, strict=True)])
        near = cKDTree(prints).query_pairs(DISTANCE_ANGSTROM, p=np.inf, output_type="set")
        for first, second in sorted(near):
            (one, a), (other, b) = members[first], members[second]
            apart = 1e3 * (other.energy_ev_per_atom - one.energy_ev_per_atom)
            if abs(apart) <= settings.duplicate_mev_per_atom or not _same_volume(a, b):
                continue
            if same_distances(distances[first], distances[second]):
                higher, lower = (other, one) if apart > 0 else (one, other)
                higher.reasons["duplicate"] = (
                    f"the structure of {lower.name}, and {abs(apart):.3g} meV/atom above its energy"
                )


def check_moments(labels: Sequence[Audited], settings: Audit) -> None:
    """Enter the reason ``moment`` where a label has lost the moment that labels of the same elements keep.

    A run that starts from ferromagnetic moments may end without: in another state, on an energy surface of its own,
    which no potential of positions alone can follow together with the first. Moments are counted for each atom that may
    have one, so that few of them among others have lost nothing.

    Parameters
    ----------
    labels
        Whole labels.
    settings
        Section ``audit``: the share of the median moment an atom that a label must keep.
    """
    groups: dict[frozenset[str], list[tuple[Audited, float]]] = {}
    for label in labels:
        moment_ub = label.known.result.get("absolute_moment_ub")
        if label.frame is not None and not label.frame.isolated and moment_ub is not None:
            symbols = label.frame.atoms.get_chemical_symbols()
            label.figures["absolute_moment_ub_per_atom"] = float(moment_ub) / len(symbols)
            carriers = sum(symbol in MOMENTS_UB for symbol in symbols) or len(symbols)
            groups.setdefault(frozenset(symbols), []).append((label, float(moment_ub) / carriers))
    for elements, members in groups.items():
        usual = float(np.median([moment for _, moment in members]))
        # where most have none there is nothing to lose
        if len(members) < FEWEST or usual < _MAGNETIC_UB:
            continue
        magnetic = [symbol for symbol in MOMENTS_UB if symbol in elements and not elements <= set(MOMENTS_UB)]
        each = f"an atom of {' and '.join(magnetic)}" if magnetic else "an atom"
        for label, moment in members:
            if moment < settings.moment_share * usual:
                label.reasons["moment"] = (
                    f"an absolute moment of {moment:.3g} μB {each}, where the {len(members)} labels of its elements "
                    f"have {usual:.3g} (median): it has lost its moment"
                )


def check_outliers(labels: Sequence[Audited], settings: Audit) -> None:
    """Enter the reasons ``energy`` and ``force`` where a label is far from all others of its composition.

    Energies a potential is made for rise from a ground state, over decades where atoms come close: below the median,
    deviations are judged as they are, above it by their logarithm, and so are forces. Standard deviations are those of
    the median absolute deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993). A label is none where
    the work of its forces links it to a like structure, however rare it is: the one crystal in a set of melts.

    Parameters
    ----------
    labels
        Whole labels.
    settings
        Section ``audit``.
    """
    groups: dict[Hashable, list[Audited]] = {}
    for label in labels:
        if label.frame is not None and not label.frame.isolated:
            atoms = label.frame.atoms
            kind = atoms.get_chemical_formula(empirical=True), atoms.pbc.tobytes(), label.electrons
            groups.setdefault(kind, []).append(label)
    for members in groups.values():
        if len(members) < FEWEST:
            continue
        energies = np.array([label.energy_ev_per_atom for label in members])
        below = _below(energies)
        kept = below < settings.outlier_factor
        excess = np.log10(np.maximum(energies - energies[kept].min(), 0.0) + _FLOOR_EV_PER_ATOM)
        above = _above(excess, excess[kept])
        forces = np.array([label.figures["largest_force_ev_per_angstrom"] for label in members])
        moved = forces > _FLOOR_EV_PER_ANGSTROM
        strong = np.zeros(len(members))
        if moved.sum() >= FEWEST:
            sizes = np.log10(np.maximum(forces, _FLOOR_EV_PER_ANGSTROM))
            strong = _above(sizes, sizes[moved])
        middle = float(np.median(energies))
        for label, low, high, force in zip(members, below, above, strong, strict=True):
            score = -low if low > high else high
            label.figures |= {"energy_z": float(score), "force_z": float(force)}
            if label.linked:
                continue
            if max(low, high) >= settings.outlier_factor:
                where = "below" if low > high else "above"
                label.reasons["energy"] = (
                    f"{label.energy_ev_per_atom:.4f} eV/atom, {max(low, high):.3g} robust standard deviations {where} "
                    f"the {len(members)} labels of its composition (median {middle:.4f})"
                )
            if force >= settings.outlier_factor:
                size = label.figures["largest_force_ev_per_angstrom"]
                label.reasons["force"] = (
                    f"a force of {size:.3g} eV/Å, {force:.3g} robust standard deviations (of logarithms) above others"
                )


def _below(energies: Floats) -> Floats:
    middle = np.median(energies)
    deviations = middle - energies[energies <= middle]
    spread = max(DEVIATIONS_PER_MAD * float(np.median(deviations)), _LEAST_EV_PER_ATOM)
    return np.asarray(np.maximum(middle - energies, 0.0) / spread)


def _above(values: Floats, judged_by: Floats) -> Floats:
    middle = np.median(judged_by)
    spread = DEVIATIONS_PER_MAD * max(float(np.median(np.abs(judged_by - middle))), _LEAST_DECADES)
    return np.asarray(np.maximum(values - middle, 0.0) / spread)


def _print(frame: LabelledFrame, distances: dict[tuple[int, int], Floats]) -> Floats:
    """The shortest distances, which a structure keeps however it is turned; far ones may be missed at the reach."""
    all_of_them = np.sort(np.concatenate([*distances.values(), np.zeros(0)]))
    found = np.full(_DISTANCES, 9.0)
    found[: min(_DISTANCES, len(all_of_them))] = all_of_them[:_DISTANCES]
    return np.append(found, len(frame.atoms))


def _same_volume(one: LabelledFrame, other: LabelledFrame) -> bool:
    if not one.atoms.pbc.all():
        return True
    volumes = one.atoms.get_volume(), other.atoms.get_volume()
    return abs(volumes[0] - volumes[1]) <= VOLUME_SHARE * max(volumes)
