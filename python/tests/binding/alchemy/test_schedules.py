"""λ schedules: the shipped ones are sound, a user's is checked, every fault is named."""

import numpy as np
import pytest
import yaml

from gibbsflow.binding.alchemy.protocols import RELATIVE, SDR
from gibbsflow.binding.alchemy.schedules import (
    OF_EDGE,
    HybridState,
    LambdaState,
    _shipped,
    check_schedule,
    leg_schedules,
    read_schedule,
)
from gibbsflow.config.binding import Fe
from gibbsflow.errors import InputError


def test_all_shipped_are_sound():
    for name in _shipped():
        states = read_schedule(name)
        assert len(states) == int(name.rsplit("_", 1)[1])
        if name.startswith(("rbfe", "dual")):
            assert list(states[0].as_dict()) == list(OF_EDGE) and isinstance(states[0], HybridState)
            assert [1 - value for value in states[0].as_dict().values()] == list(states[-1].as_dict().values())
            continue
        assert states[0] == LambdaState(0, 1, 1, 0 if name.startswith("sdr") else None)
    last = read_schedule("complex_16")[-1]
    assert last == LambdaState(1, 0, 0)


def test_a_file_of_the_user(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"states": [[0, 1, 1], [1, 0, 1], [1, 0, 0]]}))
    assert read_schedule(str(path)) == (LambdaState(0, 1, 1), LambdaState(1, 0, 1), LambdaState(1, 0, 0))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, 1, 1]], "at least two"),
        ([[1, 1, 1], [1, 0, 0]], "row 1: starts at"),
        ([[0, 1, 1], [1, 0, 0.5]], "row 2: ends at"),
        ([[0, 1, 1], [1, 0, 1], [0.5, 0, 0]], "row 3, lambda_restraints: falls"),
        ([[0, 1, 1], [1, 0, 0.4], [1, 0, 0.5], [1, 0, 0]], "row 3, lambda_sterics: rises"),
        ([[0, 1, 1], [1, 0.5, 0.5], [1, 0, 0]], "row 2: .* charges on soft atoms"),
        ([[0, 1, 1], [0, 1, 1], [1, 0, 0]], "row 2: .* repeats"),
        ([[0, 1, 1], [1, 0], [1, 0, 0]], "row 2: .* is no λ state"),
        ([[0, 1, 1], [1, 0, 1.5], [1, 0, 0]], "row 2: .* is no λ state"),
        ([[0, 1, 1], ["a", 0, 1], [1, 0, 0]], "row 2: .* is no λ state"),
        ([[0, 1, 1, 0], [1, 0, 1], [1, 0, 0, 1]], "four in all, or three"),
        ([[0, 1, 1, 0.1], [1, 1, 1, 1], [1, 0, 0, 1]], "row 1: starts at"),
        ([[0, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 1], [1, 0, 0, 0.9]], "row 4: ends at"),
        ([[0, 1, 1, 0], [1, 1, 1, 0.6], [1, 1, 1, 0.5], [1, 1, 1, 1], [1, 0, 0, 1]], "row 3, lambda_sterics_copy"),
        ([[0, 1, 1, 0], [1, 0.9, 1, 0], [1, 0.5, 1, 1], [1, 0, 0, 1]], "row 2: .* charges on a soft copy"),
        ([[0, 1, 1, 0], [1, 0.9, 1, 0.7], [1, 0.5, 1, 1], [1, 0, 0, 1]], "row 2: .* charges on a soft copy"),
        ([[0, 1, 1, 0, 0], [1, 0, 0, 1]], "row 1: .* is no λ state"),
        ([[0, 1, 1, 0, 0], [1, 0, 0, 1, 2]], "row 2: .* is no λ state of an edge .*lambda_core"),
        ([[0, 1, 1, 0, 0.5], [1, 0, 0, 1, 1]], "row 1: .* at an end .*a ligand as it is"),
        ([[0, 1, 1, 0, 0], [0.9, 0, 0, 1, 1]], "row 2: .* at an end"),
        ([[0, 1, 1, 0, 0], [0.5, 0, 1, 1, 0], [0.4, 0, 0, 1, 1], [1, 0, 0, 1, 1]], "row 3, lambda_core: falls"),
        ([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0.1, 1, 1, 0], [1, 0, 0, 1, 1]], "row 3, lambda_electrostatics: rises"),
        ([[0, 1, 1, 0, 0], [0.5, 0.5, 0.5, 1, 0], [1, 0, 0, 1, 1]], "row 2: .* charges on soft atoms"),
        ([[0, 1, 1, 0, 0], [0.5, 0, 1, 0.5, 0.5], [1, 0, 0, 1, 1]], "row 2: .* charges on soft atoms"),
    ],
)
def test_faults(rows, message):
    with pytest.raises(InputError, match=message):
        check_schedule(rows, where="mine.yaml")


def test_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        check_schedule([[0.1, 1, 1], [0, 0, 1], [1, 0, 0.1]], where="mine.yaml")
    assert len(caught.value.problems) == 3


def test_an_empty_name_is_no_folder():
    with pytest.raises(InputError, match="neither a shipped λ schedule nor a file"):
        read_schedule("")


def test_unknown_name_is_met_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match="did you mean 'complex_16'"):
        read_schedule("complex_61")
    path = tmp_path / "bad.yaml"
    path.write_text("states: {")
    with pytest.raises(InputError, match="not readable"):
        read_schedule(str(path))
    path.write_text("windows: 3")
    with pytest.raises(InputError, match="holds no list"):
        read_schedule(str(path))


def test_restraints_where_they_belong():
    with pytest.raises(InputError) as caught:
        leg_schedules(Fe(complex_schedule="solvent_6", solvent_schedule="complex_16"))
    told = [str(problem) for problem in caught.value.problems]
    assert [text.split(" (right")[0] for text in told] == [
        "solvent_6, states: ends without the full restraint",
        "complex_16, states: has restraints",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("states: [[0, 1, 1], [1, 0, 0]]\nstates: []\n", "row 2, states: given twice"),
        ("states: [[0, 1, 1], [1, '0', 0]]\n", "row 2: [1, '0', 0] is no"),
        ("states: [[0, 1, 1], [1, 0x0, 0]]\n", "row 2: [1, '0x0', 0] is no"),
        ("states: [[0, 1, 1], [1, .inf, 0]]\n", "row 2: [1, '.inf', 0] is no"),
        ("states: [[0, 1, 1], [yes, 0, 0]]\n", "row 2: [True, 0, 0] is no"),
        ("b0: &b0 [1, 1]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 9)),
         "more than 100000 values"),
    ],
)  # fmt: skip
def test_a_file_is_read_as_settings_are(tmp_path, text, told):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        read_schedule(str(tmp_path / "s.yaml"))
    assert told in str(error.value) and "\n" not in str(error.value)


def test_a_schedule_has_a_column_for_the_copy_where_there_is_one_and_only_there():
    assert leg_schedules(Fe(), SDR)["sdr"][0].as_dict() == {
        "lambda_restraints": 0.0, "lambda_electrostatics": 1.0, "lambda_sterics": 1.0, "lambda_sterics_copy": 0.0
    }  # fmt: skip
    with pytest.raises(InputError, match="says nothing of the copy"):
        leg_schedules(Fe(sdr_schedule="complex_in_water_24"), SDR)
    with pytest.raises(InputError, match="the leg none"):
        leg_schedules(Fe(complex_schedule="sdr_41"))


def test_a_schedule_from_ligand_to_ligand_is_for_edges_alone():
    """And reads the same from its other end: A to B goes as B to A."""
    assert [len(states) for states in leg_schedules(Fe(), RELATIVE).values()] == [11, 11]
    with pytest.raises(InputError, match="leads from one ligand to another"):
        leg_schedules(Fe(solvent_schedule="rbfe_11"))
    with pytest.raises(InputError, match="no schedule from one ligand to another"):
        leg_schedules(Fe(complex_schedule="complex_16"), RELATIVE)
    for name in ("rbfe_11", "rbfe_21"):
        rows = [list(state.as_dict().values()) for state in read_schedule(name)]
        mirrored = [[1 - core, *others[::-1]] for core, *others in reversed(rows)]
        assert np.allclose(rows, mirrored)
        assert check_schedule([state.as_dict() for state in read_schedule(name)], where="leg") == read_schedule(name)
