from __future__ import annotations

import numpy as np
from ase import Atoms

from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited


def known(figures: dict[str, object], **more: object) -> KnownLabel:
    return KnownLabel(Atoms("Cu2", cell=[3, 3, 3], pbc=True, info={"gibbsflow_id": "gf-1"}), figures, "emt-1", **more)


def test_a_label_becomes_a_frame_and_a_tensor_six_numbers() -> None:
    tensor = np.array([[1.0, 6, 5], [6, 2, 4], [5, 4, 3]])
    (one,) = audited([known({"energy": -4.0, "forces": np.zeros((2, 3)), "stress": tensor})])
    assert isinstance(one, Audited) and one.frame is not None
    assert one.energy_ev_per_atom == -2.0 and one.name == "gf-1"
    assert one.frame.stress_ev_per_angstrom3.tolist() == [1, 2, 3, 4, 5, 6]


def test_what_is_not_whole_has_no_frame() -> None:
    for figures in (
        {}, {"energy": np.nan, "forces": np.zeros((2, 3))}, {"energy": -4.0, "forces": np.zeros((3, 3))},
        {"energy": -4.0, "forces": np.full((2, 3), np.inf)},
        {"energy": -4.0, "forces": np.zeros((2, 3)), "stress": [1.0, np.nan, 1, 1, 1, 1]},
    ):  # fmt: skip
        assert audited([known(figures)])[0].frame is None


def test_what_is_overruled_does_not_stand() -> None:
    (one,) = audited([known({"energy": -4.0, "forces": np.zeros((2, 3))}, released=("energy",))])
    one.reasons.update(energy="far", force="strong")
    assert one.standing == {"force": "strong"}


def test_charge_and_spin_are_told_apart() -> None:
    charged = known({})
    charged.atoms.info["charge"] = 1
    one, other = audited([known({}), charged])
    assert one.electrons != other.electrons
