"""The table of modes: one row a mode, and words for whoever prints it."""

from typing import get_args

from gibbsflow.config.binding import Launch
from gibbsflow.config.modes import COMPARING, MODES, Mode


def test_each_mode_has_a_row_that_names_parameters_there_are():
    assert tuple(MODES) == get_args(Mode)
    known = {key for section in Launch.sections().values() for key in section.model_fields}
    for row in MODES.values():
        assert set(row.needs) <= known and row.needs
        assert row.text and row.results


def test_what_has_no_receptor_needs_none():
    assert {mode for mode, row in MODES.items() if "receptor" in row.needs} == {"abfe", "rbfe", "md"}
    assert {mode for mode, row in MODES.items() if row.free_energies} == {"abfe", "asfe", "rbfe", "rsfe"}
    assert COMPARING == ("rbfe", "rsfe")
