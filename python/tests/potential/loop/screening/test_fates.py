"""What a surrogate has saved, generation by generation."""

from dataclasses import replace

from loop_states import RECORD

from gibbsflow.potential.loop.screening.fates import fates_by_generation
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase


def entry(generation: int, offered: int, screened: int) -> dict[str, object]:
    counts = {"kept": offered - screened, "screened": screened, "relaxed": 0, "unknown": 0}
    return {"generation": generation, "surrogate": "spring", "key": str(offered), "offered": offered, **counts}


def test_labels_and_failures_are_those_of_each_generation_alone() -> None:
    first = replace(RECORD, generation=0, labels_made=9, failures={"UNCONVERGED": 1})
    second = replace(RECORD, generation=1, labels_made=14, failures={"UNCONVERGED": 2, "CRASH": 1})
    screenings = (entry(0, 10, 4), entry(2, 6, 2), entry(2, 4, 1))
    rows = fates_by_generation(LoopCheckpoint(2, Phase.LABEL, 1, history=(first, second), screenings=screenings))
    assert [(row["offered"], row["screened"]) for row in rows] == [(10, 4), (0, 0), (6, 3)]
    assert [(row["labels"], row["failed"], row["labelled"]) for row in rows] == [(9, 1, 8), (5, 2, 3), (None,) * 3]
    assert [row["surrogate"] for row in rows] == ["spring", "", "spring"]


def test_without_a_surrogate_there_is_nothing_to_tell() -> None:
    assert fates_by_generation(LoopCheckpoint(0, Phase.LABEL, 1, history=(RECORD,))) == []
