"""The Nextflow DAG against `Pipeline.adjacency()`."""

from __future__ import annotations

import re

import yaml
from pipeline.launcher import REPO, Run

from gibbsflow.binding.campaign.phases import PIPELINES

REPORT = "report"  # gathers what all items left: no phase of an item


def phase_of_process() -> dict[str, str]:
    """Phase of each process, from its module's meta.yml."""
    metas = [yaml.safe_load(path.read_text()) for path in sorted((REPO / "modules").glob("*/*/meta.yml"))]
    return {meta["name"].upper(): meta["phase"] for meta in metas}


def followers(dot: str) -> dict[str, set[str]]:
    """Nodes of a Graphviz file with those that each points to."""
    out: dict[str, set[str]] = {}
    for source, target in re.findall(r"^(\w+) -> (\w+)", dot, flags=re.M):
        out.setdefault(source, set()).add(target)
    return out


def repeats() -> set[str]:
    """Processes and workflows that run a second time, under other names: the phases are those of the first."""
    texts = [path.read_text() for path in (REPO / "workflows").glob("*/main.nf")]
    return {name for text in texts for name in re.findall(r"^include \{ \w+ as (\w+) +\}", text, flags=re.M)}


def process_edges(dot: str) -> set[tuple[str, str]]:
    """Edges between processes, through whatever operators and repeats lie between."""
    labels = re.findall(r'^(\w+) \[label="([\w:]+)"\]', dot, flags=re.M)
    again = repeats()
    names = {node: label.split(":")[-1] for node, label in labels if not again & set(label.split(":"))}
    after = followers(dot)
    edges = set()
    for node, name in names.items():
        seen, stack = set(), list(after.get(node, ()))
        while stack:
            current = stack.pop()
            if current in names:
                edges.add((name, names[current]))
            elif current not in seen:
                seen.add(current)
                stack += after.get(current, ())
    return edges


def without_shortcuts(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges that no longer way implies: a later phase may read the folder of an earlier one besides."""

    def reaches(start: str, end: str, left_out: tuple[str, str]) -> bool:
        seen, stack = set(), [start]
        while stack:
            here = stack.pop()
            for edge in edges - {left_out}:
                if edge[0] == here and edge[1] not in seen:
                    if edge[1] == end:
                        return True
                    seen.add(edge[1])
                    stack.append(edge[1])
        return False

    return {edge for edge in edges if not reaches(*edge, left_out=edge)}


def assert_phases_follow_each_other(run: Run, mode: str) -> None:
    """The graph of a run with `-with-dag dag.dot` has the phases of its mode, in their order."""
    phase = phase_of_process()
    dot = (run.folder / "dag.dot").read_text()
    assert ("NETWORK_REPLAN" in dot and "MORE_TRANSFORMATIONS" in dot) == (mode == "rbfe")
    edges = {(phase[a], phase[b]) for a, b in process_edges(dot)}
    edges = without_shortcuts({edge for edge in edges if edge[0] != edge[1]})
    pipeline = PIPELINES[mode]
    assert {edge for edge in edges if REPORT not in edge} == {
        (step, follower) for step, after in pipeline.adjacency().items() for follower in after
    }
    ends = {step for step, after in pipeline.adjacency().items() if not after}
    assert {edge for edge in edges if REPORT in edge} == {(step, REPORT) for step in ends}
