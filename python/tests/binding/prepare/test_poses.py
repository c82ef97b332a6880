"""Guests in CB7: where they come to lie, and what is refused."""

import functools

import numpy as np
import pytest
from known_molecules import B2, CB7, SMILES

from gibbsflow.binding.prepare import molecules, poses
from gibbsflow.binding.prepare.conformers import embed, settle_stereo
from gibbsflow.binding.prepare.molecules import MoleculeError

HOST = molecules.from_file(CB7)
HOST_HEAVY = HOST.heavy_angstrom
CARBONYL_ANGSTROM = 2.9
"""Height of CB7's carbonyl oxygens above its equator."""


@functools.cache
def placed(smiles: str, seed: int = 2026) -> molecules.Molecule:
    ligand = embed(settle_stereo(molecules.from_smiles(smiles)), count=10, seed=seed)
    return poses.place_inside(ligand, HOST, clash_angstrom=1.2, seed=seed)


def heavy(ligand: molecules.Molecule) -> np.ndarray:
    return ligand.heavy_angstrom


def test_cavity_of_cb7():
    site = poses.cavity(HOST)
    oxygens = HOST.positions_angstrom[[a.GetIdx() for a in HOST.mol.GetAtoms() if a.GetAtomicNum() == 8]]
    heights = (oxygens - site.centre_angstrom) @ site.axis
    assert np.sort(heights)[:7] == pytest.approx(-CARBONYL_ANGSTROM, abs=0.05)
    assert np.sort(heights)[7:] == pytest.approx(CARBONYL_ANGSTROM, abs=0.05)


@pytest.mark.parametrize(
    ("smiles", "centre_within_angstrom"),
    [
        (SMILES["b2"], 1.0),
        (SMILES["adamantanol"], 1.0),
        ("[NH3+]C12CC3CC(CC(C3)C1)C2", 1.0),
        ("c1ccccc1", 2.0),
        ("CCCC", 2.0),
        ("[NH3+]CCCCCC[NH3+]", 1.5),
    ],
    ids=["b2", "adamantanol", "amantadine", "benzene", "butane", "hexanediamine"],
)
def test_guests_lie_in_the_cavity(smiles, centre_within_angstrom):
    xyz = heavy(placed(smiles))
    assert np.linalg.norm(xyz.mean(0) - poses.cavity(HOST).centre_angstrom) < centre_within_angstrom
    assert np.linalg.norm(xyz[:, None] - HOST_HEAVY[None], axis=-1).min() > 2.6


def test_b2_lies_as_in_the_published_complex():
    """Against openmmtools' CB7·B2, which shares the frame: centre and the axis through both hydroxymethyl carbons."""
    known, ours = molecules.from_file(B2), placed(SMILES["b2"])
    assert np.linalg.norm(heavy(ours).mean(0) - heavy(known).mean(0)) < 1.5

    def axis(ligand):
        bridge = [m[0] for m in ligand.mol.GetSubstructMatches(molecules.Chem.MolFromSmarts("[CX4H2][OX2H]"))]
        along = np.diff(ligand.positions_angstrom[bridge], axis=0)[0]
        return along / np.linalg.norm(along)

    assert abs(axis(ours) @ poses.cavity(HOST).axis) > 0.85
    assert abs(axis(known) @ poses.cavity(HOST).axis) > 0.85


def test_ammonium_groups_face_the_portals():
    """Both nitrogens of the hexanediammonium beyond the carbonyls' planes or at them, on opposite sides."""
    ligand = placed("[NH3+]CCCCCC[NH3+]")
    site = poses.cavity(HOST)
    nitrogens = ligand.positions_angstrom[[a.GetIdx() for a in ligand.mol.GetAtoms() if a.GetAtomicNum() == 7]]
    heights = np.sort((nitrogens - site.centre_angstrom) @ site.axis)
    assert heights[0] < -2.0 and heights[1] > 2.0


def test_placing_is_deterministic():
    assert np.array_equal(placed("CCCC").positions_angstrom, placed.__wrapped__("CCCC").positions_angstrom)


def test_a_guest_that_ends_in_the_wall_is_sought_again_without_a_cap(monkeypatch):
    ligand = embed(settle_stereo(molecules.from_smiles(SMILES["adamantanol"])), count=1, seed=2026)
    site = poses.cavity(HOST)
    beside = HOST_HEAVY[np.argmax(np.linalg.norm(np.cross(HOST_HEAVY - site.centre_angstrom, site.axis), axis=1))]
    in_wall = poses.with_positions(ligand, ligand.positions_angstrom - ligand.heavy_angstrom.mean(axis=0) + beside)
    monkeypatch.setattr(poses, "best_pose", lambda *_, **__: in_wall)
    xyz = heavy(poses.place_inside(ligand, HOST, clash_angstrom=1.2, seed=2026))
    assert np.linalg.norm(xyz[:, None] - HOST_HEAVY[None], axis=-1).min() > 2.6
    assert np.linalg.norm(xyz.mean(0) - site.centre_angstrom) < 1.0


def test_a_wide_and_low_host_surrounds_an_atom_at_its_centre():
    """A ring of 24 atoms, 5 Å wide, in two layers: half of all directions from its centre, fewer from above."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.column_stack([5 * np.cos(turn), 5 * np.sin(turn), np.zeros(24)])
    host = np.vstack([ring + [0, 0, z] for z in (-2.0, 0.0, 2.0)])
    guest = molecules.from_file(B2)
    centred = guest.positions_angstrom - guest.heavy_angstrom.mean(axis=0)

    def told(height):
        posed = poses.with_positions(guest, 0.3 * centred + [0, 0, height])
        return [f.what for f in poses.pose_faults(posed, host, clash_angstrom=1.2, cage=True)]

    assert told(0.0) == []
    assert "outside the cavity" in told(6.0)[0]


def test_a_guest_far_too_large():
    with pytest.raises(MoleculeError, match="does not fit into the host's cavity"):
        placed("c1cc2ccc3ccc4ccc5ccc6ccc1c1c2c3c4c5c61")  # coronene


def faults(shift_along: float, shift_across: float) -> list[str]:
    guest, site = molecules.from_file(B2), poses.cavity(HOST)
    across = np.cross(site.axis, [0.0, 0.0, 1.0])
    moved = guest.positions_angstrom + shift_along * site.axis + shift_across * across / np.linalg.norm(across)
    posed = poses.with_positions(guest, moved)
    return [f.what for f in poses.pose_faults(posed, HOST_HEAVY, clash_angstrom=1.2, cage=True)]


@pytest.mark.parametrize(
    ("along", "across", "expected"),
    [(0, 0, []), (1, 0, []), (9, 0, ["outside the cavity"]), (0, 3, ["clash"]), (0, 12, ["outside the cavity"])],
)
def test_poses(along, across, expected):
    told = faults(along, across)
    assert len(told) == len(expected)
    for words, text in zip(expected, told, strict=True):
        assert words in text
