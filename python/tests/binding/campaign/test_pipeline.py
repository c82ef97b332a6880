"""Steps and pipelines: order, immutability, refusals."""

import dataclasses

import pytest

from gibbsflow.binding.campaign.pipeline import Pipeline, Step


def test_order_respects_requirements_whatever_order_is_given():
    pipeline = Pipeline([Step("c", ("b",)), Step("a"), Step("b", ("a",))])
    assert [s.name for s in pipeline] == ["a", "b", "c"]


def test_adjacency_and_dependencies_mirror_each_other():
    pipeline = Pipeline([Step("a"), Step("b", ("a",)), Step("c", ("a",)), Step("d", ("b", "c"))])
    assert pipeline.adjacency() == {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}
    assert pipeline.dependencies()["d"] == ("b", "c")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([Step("a", ("b",)), Step("b", ("a",))], "cycle"),
        ([Step("a", ("x",))], "requires 'x', which is no step"),
        ([Step("a"), Step("a")], "two steps named"),
        (
            [Step("a", gives=int), Step("b", ("a",), payload=str)],
            "takes str, but 'a' gives int",
        ),
    ],
)
def test_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        Pipeline(steps)


def test_step_that_requires_itself_is_refused():
    with pytest.raises(ValueError, match="requires itself"):
        Step("a", ("a",))


def test_steps_are_immutable_and_replace_copies():
    step = Step("a", text="old")
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.text = "new"  # type: ignore[misc]
    pipeline = Pipeline([step, Step("b", ("a",))])
    changed = pipeline.replace(step.replace(text="new"))
    assert pipeline["a"].text == "old"
    assert changed["a"].text == "new"
    with pytest.raises(ValueError, match="no step named"):
        pipeline.replace(Step("z"))


def test_run_hands_outcomes_on():
    pipeline = Pipeline([Step("a"), Step("b", ("a",)), Step("c", ("a",)), Step("d", ("b", "c"))])
    runners = {
        "a": lambda x: x + 1,
        "b": lambda x: x * 10,
        "c": lambda x: -x,
        "d": lambda x: x["b"] + x["c"],
    }
    assert pipeline.run(runners, 1) == {"a": 2, "b": 20, "c": -2, "d": 18}
    with pytest.raises(ValueError, match="no runner for d"):
        pipeline.run({k: v for k, v in runners.items() if k != "d"}, 1)
