from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from silicon import si2

from gibbsflow.potential.label.recovery.second_reading import differences, not_as_asked, read_xml

XML = Path(__file__).with_name("si2.xml")  # of pw.x 6.7, symmetry operations of the lattice left out
# what ASE reads in the output of the same run
ENERGY_EV = -211.80045435672952
FORCE = [-0.8240226223525293, 0.0884354072252735, -0.2997967992535224]
FORCES = [FORCE, [-x for x in FORCE]]
STRESS = [0.017343997351, -0.005743994041, -0.000752889244, -0.064686958464, 0.022409472914, -0.032602858758]


def test_xml_and_output_of_a_run_agree() -> None:
    reading = read_xml(XML)
    assert differences(reading, ENERGY_EV, FORCES, STRESS) == []
    assert differences(reading, ENERGY_EV, FORCES, None) == []
    assert reading.energy_ev == pytest.approx(-15.567047631135854 * 13.6056919, abs=1e-5)
    assert reading.converged and reading.top_occupation == 0.0


def test_what_differs_is_named_with_both_numbers() -> None:
    reading = read_xml(XML)
    assert differences(reading, ENERGY_EV + 1e-4, FORCES, STRESS) == [
        "energy -211.80035436 eV in the output, -211.80045437 eV in the XML"
    ]
    forces = np.array(FORCES)
    forces[1, 2] += 1e-3
    assert differences(reading, ENERGY_EV, forces, STRESS) == [
        "force 0.30079680 eV/Å in the output, 0.29979671 eV/Å in the XML"
    ]
    swapped = [*STRESS[:3], STRESS[4], STRESS[3], STRESS[5]]
    assert differences(reading, ENERGY_EV, FORCES, swapped)[0].startswith(
        "stress -0.06468696 eV/Å³ in the output, 0.02240967 eV/Å³"
    )
    assert len(differences(reading, float("nan"), FORCES, STRESS)) == 1
    assert "forces of 1 atoms in the output, of 2 in the XML" in differences(reading, ENERGY_EV, FORCES[:1], STRESS)


def test_what_was_computed_is_what_was_asked_for() -> None:
    reading, atoms = read_xml(XML), si2()
    assert not_as_asked(reading, atoms, 10.0, 40.0, 1e-7) == []
    assert not_as_asked(reading, atoms, 10.0, 40.0, 1e-12)[0].endswith("1.0e-12 Ry asked for")
    assert not_as_asked(reading, atoms, 12.0, 40.0, 1e-7) == [
        "cutoffs of 10 and 40 Ry in the XML, 12 and 40 Ry asked for"
    ]
    moved = atoms.copy()
    moved.positions[1, 2] += 1e-4
    assert [word.split(" at ")[0] for word in not_as_asked(reading, moved, 10.0, 40.0, 1e-7)] == ["atom 1"]
    moved = atoms.copy()
    moved.cell[2] *= 1.001
    assert [word.split(" at ")[0] for word in not_as_asked(reading, moved, 10.0, 40.0, 1e-7)] == ["cell vector 2"]
    moved.symbols[0] = "Ge"
    assert not_as_asked(reading, moved, 10.0, 40.0, 1e-7) == ["Si2 in the XML, Ge1Si1 asked for"]
    assert not_as_asked(reading, atoms[:1], 10.0, 40.0, 1e-7) == ["Si2 in the XML, Si1 asked for"]


def test_the_highest_band(tmp_path: Path) -> None:
    text = XML.read_text()
    first, _, rest = text.partition("<occupations size=")
    values, _, tail = rest.partition("</occupations>")
    (tmp_path / "full.xml").write_text(
        f"{first}<occupations size={values.rsplit(None, 1)[0]} 2.5e-1\n{tail and '</occupations>'}{tail}"
    )
    assert read_xml(tmp_path / "full.xml").top_occupation == 0.25


@pytest.mark.parametrize(
    ("old", "new"),
    [("<etot>", "<other>"), ("</output>", ""), ('<forces rank="2"', '<nothing rank="2"'), ("</qes:espresso>", "")],
)
def test_what_is_damaged_is_refused_in_words(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "pwscf.xml").write_text(XML.read_text().replace(old, new))
    with pytest.raises(ValueError, match=r"pwscf\.xml cannot be read"):
        read_xml(tmp_path / "pwscf.xml")


def test_an_ion_has_no_stress_in_either(tmp_path: Path) -> None:
    before, _, rest = XML.read_text().partition("<stress ")
    (tmp_path / "ion.xml").write_text(before + rest.partition("</stress>")[2])
    reading = read_xml(tmp_path / "ion.xml")
    assert differences(reading, ENERGY_EV, FORCES, None) == []
    assert differences(reading, ENERGY_EV, FORCES, STRESS) == ["a stress in the output, and none in the XML"]


def test_no_xml_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the run left no pwscf\.xml"):
        read_xml(tmp_path / "pwscf.xml")


def test_a_schema_that_is_not_known_yet_is_read_by_the_newest(tmp_path: Path) -> None:
    later = (
        XML.read_text().replace("qes_030920.xsd", "qes_991231.xsd").replace("<input>", "<novelty>1</novelty><input>", 1)
    )
    (tmp_path / "pwscf.xml").write_text(later)
    assert differences(read_xml(tmp_path / "pwscf.xml"), ENERGY_EV, FORCES, STRESS) == []
