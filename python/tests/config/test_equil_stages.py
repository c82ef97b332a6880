"""Stages of an equilibration as a user gives them."""

import pytest

from gibbsflow.config.equil_stages import read_stages
from gibbsflow.errors import InputError

FREE = "  - {name: free, length_ps: 5, ensemble: NPT}\n"


def read(tmp_path, text):
    path = tmp_path / "stages.yaml"
    path.write_text(text)
    return read_stages(path)


def test_stages_with_their_defaults(tmp_path):
    cold, free = read(
        tmp_path,
        "stages:\n  - {name: cold, length_ps: 2, from_k: 10, hold: {solute_heavy: 5}, timestep_fs: 2}\n" + FREE,
    )
    assert (cold.ensemble, cold.from_k, cold.to_k, cold.hold.solute_heavy, cold.minimise_steps) == (
        "NVT",
        10,
        None,
        5,
        None,
    )
    assert free.ensemble == "NPT" and not free.hold.any


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages:\n  - {name: a, lenght_ps: 1}\n" + FREE, "did you mean 'length_ps'"),
        ("stages:\n  - {name: a, length_ps: 1, hold: {ligands: 1}}\n" + FREE, "did you mean 'ligand'"),
        ("stages:\n  - {name: a, length_ps: 1, ensemble: NPH}\n" + FREE, "ensemble"),
        ("stages:\n  - {name: a, length_ps: -1}\n" + FREE, "number > 0"),
        ("stages:\n  - {name: free, length_ps: 1}\n" + FREE, "twice"),
        ("stages:\n  - {name: a, length_ps: 1, from_k: 10, ensemble: NPT}\n" + FREE, "ramp at constant pressure"),
        ("stages:\n  - {name: a, length_ps: 1, hold: {ligand: 1}}\n", "last stage holds"),
        ("stages:\n  - {name: a, length_ps: 1, timestep_fs: 1}\n", "last stage has timestep_fs"),
        ("stages: []\n", "no list"),
        ("stages: [1]\n", "no stage"),
        ("steps:\n" + FREE, "'steps' is not known"),
    ],
)
def test_what_cannot_be_is_refused_by_row_and_key(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path, text)
    assert "stages.yaml" in str(caught.value)
