"""The page of citations is that of the table, and each work can be found."""

from __future__ import annotations

import re
from pathlib import Path

from gibbsflow.report.summary.citations import CITATIONS, citations_page


def test_the_page_is_up_to_date() -> None:
    assert (Path(__file__).parents[4] / "CITATIONS.md").read_text() == citations_page()


def test_each_work_has_a_year_and_an_identifier_of_its_own() -> None:
    assert len({one.doi for one in CITATIONS.values()}) == len(CITATIONS)
    for name, one in CITATIONS.items():
        assert re.fullmatch(r"10\.\d{4,5}/\S+", one.doi) and one.used_for, name
        assert re.search(r"\((19|20)\d\d\)$", one.work) or name == "rdkit", name
