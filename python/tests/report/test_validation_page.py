from __future__ import annotations

import re
from pathlib import Path

from pair_crystals import fcc

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.validate.comparisons import judge, overall
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.potential.validate.validating import Validated
from gibbsflow.report.validation_page import write_validation
from gibbsflow.workflow.files import read_json


def test_page_table_and_data(tmp_path: Path) -> None:
    stiff = Measured({"c11": 150.0}, ("Born: <unstable>",), notes=("3 free",), curves={"matrix_gpa": [[150.0, -1.0]]})
    melts = Measured({"melting_temperature": 1690.0}, errors={"melting_temperature": 6.21})
    parts = (
        judge("elastic", stiff, Measured({"c11": 100.0}), [], Validation(), engine_name="dft"),
        judge("melting", melts, None, [], Validation()),
        judge("vacancy", Measured({}, lost="does not relax"), None, [], Validation()),
    )
    verdict, reasons = overall(parts)
    found = Validated(Subject(fcc(), None, "a & b"), parts, verdict, tuple(reasons), (), "dft")
    write_validation(found, {**found.figures(), "notes": ["n"], "warnings": ["w<"]}, tmp_path)
    page = (tmp_path / "validation.html").read_text()
    assert (
        "Born: &lt;unstable&gt;" in page and "a &amp; b" in page and "w&lt;" in page and "could not be measured" in page
    )
    # what nothing is compared with has no empty columns, what an error has is written with it
    assert page.count(">Reference<") == 1 and "1690 ± 6.2</td>" in page
    assert "Stiffness matrix of the potential" in page and "beside dft by the same settings" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    told = read_json(tmp_path / "validation.json")
    assert told["verdict"] == "FAIL" and told["properties"]["elastic"]["engine"]["values"] == {"c11": 100.0}
    assert (tmp_path / "validation.csv").read_text().splitlines()[1].startswith("elastic,c11,GPa,150")


def test_nothing_measured_makes_an_empty_table(tmp_path: Path) -> None:
    parts = (judge("md", Measured({}, lost="exploded"), None, [], Validation()),)
    found = Validated(Subject(fcc(), None, "x"), parts, "FAIL", ("md: exploded",), ())
    write_validation(found, {**found.figures(), "notes": [], "warnings": []}, tmp_path)
    assert (tmp_path / "validation.csv").read_text().startswith("property,quantity")
