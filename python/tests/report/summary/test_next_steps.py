"""What a page of a learning loop says to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loop_states import RECORD, config, generation

from gibbsflow.potential.loop import stopping
from gibbsflow.report.summary.next_steps import next_steps

GOOD = replace(generation(1, 0.05), fraction_above=0.0, failures={}, validation="PASS")


@pytest.mark.parametrize(
    ("history", "stopped_by", "said", "unsaid"),
    [
        ([GOOD], "converged", ["go on with it"], ["force error", "raise", "validat"]),
        ([replace(GOOD, validation="FAIL")], "converged", ["Its validation is FAIL"], ["train validate"]),
        ([replace(GOOD, validation="")], "converged", ["train validate --potential potential"], []),
        ([generation(0, 0.4), generation(1, 0.3)], "generations", [
            "raise convergence.max_generations (6)", "generation_01", "The force error is 0.3 eV/Å (wanted 0.1): more",
        ], ["no longer falls"]),
        ([generation(0, 0.3), generation(1, 0.3)], "labels", [
            "raise convergence.max_labels (400)", "no longer falls",
        ], []),
        ([replace(GOOD, stress_mae_gpa=3.0)], "generations", ["The stress error is 3 GPa"], ["force error"]),
        ([replace(GOOD, fraction_above=0.5)], "generations", ["50.0% of its MD is beyond"], ["force error"]),
        ([replace(GOOD, failures={"UNCONVERGED": 5})], "nothing_new", [
            "exploration.steps", "exploration.temperature_k", "5 of 12 labels failed",
        ], []),
        ([RECORD], "", ["under way: the same command goes on"], ["go on with it"]),
    ],
)  # fmt: skip
def test_each_end_names_the_settings_to_change(history, stopped_by, said, unsaid):
    text = " ".join(next_steps(config(), history, stopped_by))
    assert all(words in text for words in said), text
    assert not any(words in text for words in unsaid), text


def test_labels_that_are_held_are_told_and_every_end_is_known():
    assert "holds 2 of its labels" in next_steps(config(), [GOOD], "converged", held=2)[-1]
    first = {next_steps(config(), [GOOD], stop)[0] for stop in stopping.STOPS}
    assert len(first) == len(stopping.STOPS)
