"""One family of labels, and what is said of the others."""

import numpy as np
import pytest
from ase import Atoms

from gibbsflow.potential.data.label_keys import choose_keys, many_numbers, one_number, tensor
from gibbsflow.workflow.account import Account


def _chosen(*frames):
    """Keys and account of frames, given as names with values; arrays are told by their shape."""
    images = []
    for values in frames:
        atoms = Atoms("Cu2", positions=[[0, 0, 0], [2, 0, 0]])
        for name, value in values.items():
            if np.shape(value) == (2, 3):
                atoms.arrays[name] = value
            else:
                atoms.info[name] = value
        images.append(atoms)
    account = Account("a.xyz")
    return choose_keys(images, account), account


F = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("names", "used", "unused"),
    [
        (["energy", "forces", "REF_energy", "REF_forces"], ["REF_energy", "REF_forces"], ["energy", "forces"]),
        (["energy", "REF_energy", "REF_forces"], ["REF_energy", "REF_forces"], ["energy"]),
        (["energy", "forces", "DFT_energy", "PBE_stress"], ["energy", "forces"], ["DFT_energy", "PBE_stress"]),
        (["dft_energy", "dft_forces", "DFT_virial"], ["dft_energy", "dft_forces", "DFT_virial"], []),
        (["energy_ref", "forces_REF"], ["energy_ref", "forces_REF"], []),
        (["total_energy", "force", "virials"], ["total_energy", "force", "virials"], []),
        (["energy_corrected", "energy", "forces"], ["energy", "forces"], ["energy_corrected"]),
        (["energy", "forces", "energy_weight", "force_units", "max_force"], ["energy", "forces"], []),
        (["REF_energy", "REF_forces", "energy", "virial"], ["REF_energy", "REF_forces"], ["energy", "virial"]),
    ],
)
def test_one_family_is_read_and_the_others_named(names, used, unused):
    _, account = _chosen(
        {
            name: F if "force" in name and name[-1] in "sSF" and "unit" not in name or name == "force" else 1.0
            for name in names
        }
    )
    assert account.facts == {"labels": used, "labels_not_used": unused}


def test_what_the_family_lacks_is_not_taken_from_another():
    keys, _ = _chosen({"REF_energy": 1.0, "forces": F})
    assert (keys.energy, keys.forces, keys.named) == (("ref_energy",), (), ("REF_energy", "REF_forces"))


def test_a_stress_alone_under_another_name_is_taken_with_a_warning():
    keys, account = _chosen({"energy": 1.0, "forces": F, "REF_stress": np.zeros(6)})
    assert keys.stress == ("ref_stress",)
    assert "the stress is taken from REF_stress, the energy from energy" in str(account.of_weight("warn")[0])


def test_the_force_consistent_energy_comes_first_and_is_never_mixed():
    keys, account = _chosen({"energy": 1.0, "free_energy": 1.2, "forces": F})
    assert keys.energy == ("free_energy",) and account.facts["labels_not_used"] == ["energy"]
    assert "free_energy, which differs from energy by up to 100 meV/atom" in str(account.doubts[0])
    keys, account = _chosen({"energy": 1.0, "free_energy": 1.0, "forces": F}, {"energy": 2.0, "forces": F})
    assert keys.energy == ("energy",) and not account.doubts
    _, account = _chosen({"energy": 1.0, "free_energy": 1.2, "forces": F}, {"energy": 2.0, "forces": F})
    assert "free_energy is missing in 1 of 2 frames" in str(account.of_weight("refuse")[0])


def test_numbers_as_written_and_as_read():
    assert one_number("-1.5D0") == -1.5 and one_number(np.float64(2)) == 2
    assert many_numbers("_JSON [[1, 2], [3, 4]]").tolist() == [1, 2, 3, 4]
    for value in ("None", "T", True, None, "-3.5 eV", [1.0, 2.0], ""):
        with pytest.raises(ValueError, match="is "):
            one_number(value)


def test_tensors():
    nine = "1 6 5 6 2 4 5 4 3"
    assert tensor("stress", nine).tolist() == [1, 2, 3, 4, 5, 6]
    assert tensor("REF_virial", np.array([1.0, 2, 3, 4, 5, 6])).tolist() == [1, 2, 3, 4, 5, 6]
    for key, value in (("stress", "1 2 3 4 5 6"), ("REF_stress", "1 2 3"), ("virial", "1 0 0 5 1 0 0 0 1")):
        with pytest.raises(ValueError, match="is "):
            tensor(key, value)


def test_one_label_in_two_spellings_has_one_value() -> None:
    _, account = _chosen({"energy": "-1.0", "forces": F}, {"energy": "-1.0", "Energy": "-2.0", "forces": F})
    (refusal,) = account.of_weight("refuse")
    assert (refusal.row, refusal.field) == (2, "energy")
    assert "stands beside Energy, with another value" in str(refusal)
    _, account = _chosen({"energy": -1.0, "Energy": -1.0, "forces": F}, {"Energy": -2.0, "forces": F})
    assert not account.of_weight("refuse")
