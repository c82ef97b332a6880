"""Figures in the pages that choose and that count costs: each stands in a file that its row links to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:·10[⁰¹²³⁴-⁹]+)?")


def rows(page: str) -> list[tuple[str, str, str]]:
    """Name of each row of a table, what was measured, and its links."""
    lines = [line.strip("| ").split(" | ") for line in (DOCS / page).read_text().splitlines() if line.startswith("| ")]
    return [(cells[0], cells[1], cells[-1]) for cells in lines if not cells[-1].startswith("where")]


def strangers(measured: str, links: str) -> list[str]:
    """Figures of a cell that none of the files holds."""
    paths = [DOCS / link for link in re.findall(r"\]\(([^)#]+)", links)]
    known = set(NUMBER.findall("\n".join(path.read_text() for path in paths).replace(" ", "")))
    known |= {one.replace(",", "") for one in known} | {re.sub(r"0+$", "", one) for one in known if "." in one}
    text = re.sub(r"`[^`]*`|\bc\d\d\b|GFN\d|B2\b|H100|CB7|T4|pw\.x", "", measured)
    return [one for one in NUMBER.findall(text) if one not in known]


@pytest.mark.parametrize("page", ["choosing.md", "costs.md"])
def test_figures_are_those_of_their_source(page: str) -> None:
    found = rows(page)
    assert len(found) > 15
    assert [
        f"{name}: {', '.join(lost)}" for name, measured, links in found if (lost := strangers(measured, links))
    ] == []
    assert [name for name, _, links in found if "](" not in links] == []


def test_a_figure_of_nowhere_is_told() -> None:
    assert strangers("0.988 of the rate, 0.977 of it", "[rate](methods/explicit_solvent.md)") == ["0.977"]
