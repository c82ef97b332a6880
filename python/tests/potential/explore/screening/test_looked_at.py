"""What was said of a structure is found again, unless a kill has cut it in half."""

from pathlib import Path

from ase import Atoms

from gibbsflow.potential.explore.screening.looked_at import LookedAt

ONE, OTHER = Atoms("H"), Atoms("He")


def test_half_a_line_is_not_read_and_spoils_no_other(tmp_path: Path) -> None:
    LookedAt(tmp_path, "m").keep(ONE, {"x": 0.1})
    LookedAt(tmp_path, "m").keep(OTHER, {"x": 1 / 3})
    path = tmp_path / "m.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    known = LookedAt(tmp_path, "m")
    assert (known.get(ONE), known.get(OTHER)) == ({"x": 0.1}, None)
    known.keep(OTHER, {"x": 1 / 3})
    assert LookedAt(tmp_path, "m").get(OTHER) == {"x": 1 / 3}


def test_another_model_way_or_charge_is_another_look(tmp_path: Path) -> None:
    LookedAt(tmp_path, "m").keep(ONE, {"x": 1.0})
    charged = Atoms("H", info={"charge": 1})
    assert LookedAt(tmp_path, "n").get(ONE) is None
    assert LookedAt(tmp_path, "m").get(ONE, "relaxed") is None
    assert LookedAt(tmp_path, "m").get(charged) is None


def test_without_a_folder_nothing_is_written() -> None:
    known = LookedAt(None, "m")
    known.keep(ONE, {"x": 1.0})
    assert known.get(ONE) == {"x": 1.0}
