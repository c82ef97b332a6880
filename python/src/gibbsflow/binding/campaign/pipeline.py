"""Steps, the order that their requirements leave, and how to run them one after the other in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any


@dataclass(frozen=True)
class Step:
    """One phase: what it needs, what it takes and gives. Immutable.

    Attributes
    ----------
    name
        Phase name.
    requires
        Names of the steps whose outcome it reads.
    payload
        Type of the payload that its runner takes.
    gives
        Type of what its runner returns.
    verb
        Program and verb that carry it out; empty where it is carried out otherwise.
    text
        One line for people.
    """

    name: str
    requires: tuple[str, ...] = ()
    payload: type = object
    gives: type = object
    verb: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if self.name in self.requires:
            raise ValueError(f"step {self.name!r} requires itself")
        if len(set(self.requires)) != len(self.requires):
            raise ValueError(f"step {self.name!r} requires a step twice: {', '.join(self.requires)}")

    def describe(self) -> str:
        """Describe the step to people.

        Returns
        -------
        str
            One line: name, what it is, what it waits for.
        """
        after = f" (after {', '.join(self.requires)})" if self.requires else ""
        return f"{self.name}: {self.text or self.gives.__name__}{after}"

    def replace(self, **changes: Any) -> Step:
        """Return a copy with some fields changed.

        Parameters
        ----------
        **changes
            New values by the names of the fields.

        Returns
        -------
        Step
            Held to the same rules.

        Raises
        ------
        ValueError
            For a step that requires itself, or another twice.
        """
        return replace(self, **changes)


Runner = Callable[[Any], Any]


@dataclass(frozen=True)
class Pipeline:
    """Steps in an order that respects what each requires. Immutable.

    Parameters
    ----------
    steps
        The steps, in any order.

    Raises
    ------
    ValueError
        For two steps of one name, a requirement that is no step, payload types that do not fit, or a cycle.
    """

    steps: tuple[Step, ...]
    _by_name: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __init__(self, steps: Sequence[Step]) -> None:
        by_name = {step.name: step for step in steps}
        if len(by_name) != len(steps):
            names = [step.name for step in steps]
            raise ValueError(f"two steps named {sorted({n for n in names if names.count(n) > 1})}")
        for step in steps:
            for needed in step.requires:
                if needed not in by_name:
                    raise ValueError(f"step {step.name!r} requires {needed!r}, which is no step of this pipeline")
            if len(step.requires) == 1 and not issubclass(by_name[step.requires[0]].gives, step.payload):
                gives = by_name[step.requires[0]].gives
                raise ValueError(
                    f"step {step.name!r} takes {step.payload.__name__}, but {step.requires[0]!r} gives {gives.__name__}"
                )
        try:
            order = tuple(TopologicalSorter({s.name: s.requires for s in steps}).static_order())
        except CycleError as error:
            raise ValueError(f"steps in a cycle: {' -> '.join(error.args[1])}") from error
        object.__setattr__(self, "steps", tuple(by_name[name] for name in order))
        object.__setattr__(self, "_by_name", by_name)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, name: str) -> Step:
        return self._by_name[name]

    def describe(self) -> str:
        """Describe the pipeline to people.

        Returns
        -------
        str
            One line a step, in order.
        """
        return "\n".join(step.describe() for step in self.steps)

    def adjacency(self) -> dict[str, tuple[str, ...]]:
        """Followers of each step.

        Returns
        -------
        dict
            Names of the steps that read its outcome, by the name of each step.
        """
        return {s.name: tuple(t.name for t in self.steps if s.name in t.requires) for s in self.steps}

    def dependencies(self) -> dict[str, tuple[str, ...]]:
        """What each step requires.

        Returns
        -------
        dict
            Names of the steps that it requires, by the name of each step.
        """
        return {s.name: s.requires for s in self.steps}

    def replace(self, step: Step) -> Pipeline:
        """Return a pipeline with the step of the same name replaced.

        Parameters
        ----------
        step
            The new one.

        Returns
        -------
        Pipeline
            Held to the same rules.

        Raises
        ------
        ValueError
            Where there is no step of that name, or the new one does not fit.
        """
        if step.name not in self._by_name:
            raise ValueError(f"no step named {step.name!r} to replace")
        return Pipeline([step if s.name == step.name else s for s in self.steps])

    def until(self, name: str) -> Pipeline:
        """Return the pipeline that ends with the named step: it and all that it requires, at any distance.

        Parameters
        ----------
        name
            Name of the step.

        Returns
        -------
        Pipeline
            In the same order.

        Raises
        ------
        KeyError
            Where there is no step of that name.
        """
        wanted, stack = set(), [name]
        while stack:
            wanted.add(current := stack.pop())
            stack.extend(self._by_name[current].requires)
        return Pipeline([s for s in self.steps if s.name in wanted])

    def run(self, runners: Mapping[str, Runner], payload: Any) -> dict[str, Any]:
        """Run all steps in order, in this process.

        Parameters
        ----------
        runners
            A function a step, by name: takes the outcome of what it requires (the payload for a first step, the sole
            outcome for one requirement, a dict by name for several) and returns its own.
        payload
            For the steps that require nothing.

        Returns
        -------
        dict
            Outcome of each step by name.

        Raises
        ------
        ValueError
            Where a step has no runner.
        """
        missing = [s.name for s in self.steps if s.name not in runners]
        if missing:
            raise ValueError(f"no runner for {', '.join(missing)}")
        outcomes: dict[str, Any] = {}
        for step in self.steps:
            if not step.requires:
                given = payload
            elif len(step.requires) == 1:
                given = outcomes[step.requires[0]]
            else:
                given = {name: outcomes[name] for name in step.requires}
            outcomes[step.name] = runners[step.name](given)
        return outcomes
