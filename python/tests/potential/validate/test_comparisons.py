from __future__ import annotations

import pytest

from gibbsflow.config.potential_validation import RadialReference, ReferenceValue, Validation
from gibbsflow.potential.validate.comparisons import judge, overall, worst
from gibbsflow.potential.validate.properties.plans import Measured

SETTINGS = Validation()


def reference(name: str, value: float) -> ReferenceValue:
    return ReferenceValue(property=name, value=value, source="book")


def test_differences_are_judged_by_tolerance() -> None:
    measured = Measured({"c11": 109.0, "c12": 85.0, "c44": 75.0})
    found = judge(
        "elastic", measured, None, [reference("c11", 100), reference("c12", 100), reference("c44", 100)], SETTINGS
    )
    assert [row.verdict for row in found.rows] == ["PASS", "WARN", "FAIL"]
    assert found.verdict == "FAIL" and found.compared == 3
    assert found.reasons[0] == (
        "c44 75 GPa beside 100 (book, -25.0%; good within 10, bearable within 20)"
    ) and found.reasons[1].startswith("c12 85 GPa")
    assert found.rows[0].as_json()["difference"] == 9.0


def test_the_engine_comes_first_and_both_count() -> None:
    found = judge("eos", Measured({"bulk_modulus": 100.0}), Measured({"bulk_modulus": 101.0}),
                  [reference("bulk_modulus", 150)], SETTINGS, engine_name="tblite")  # fmt: skip
    assert [(row.source, row.verdict) for row in found.rows] == [("tblite", "PASS"), ("book", "FAIL")]


def test_what_is_wrong_by_itself_fails_unless_the_engine_finds_it_too() -> None:
    bad = Measured({}, ("imaginary modes",))
    assert judge("phonons", bad, None, [], SETTINGS).verdict == "FAIL"
    assert judge("phonons", bad, Measured({}, ("imaginary modes, too",)), [], SETTINGS).verdict == "WARN"
    assert judge("phonons", Measured({}), Measured({}, ("imaginary modes",)), [], SETTINGS).verdict == "FAIL"
    assert judge("phonons", Measured({}, lost="it exploded"), None, [], SETTINGS).verdict == "FAIL"
    assert judge("phonons", Measured({}), Measured({}, lost="a label failed"), [], SETTINGS).verdict == "WARN"
    assert judge("phonons", Measured({}, warnings=("so so",)), None, [], SETTINGS).verdict == "WARN"
    assert judge("phonons", Measured({}), None, [], SETTINGS).verdict == "PASS"


def test_a_reference_that_meets_nothing_is_told() -> None:
    found = judge("elastic", Measured({"c11": 1.0}), None, [reference("c14", 3.0), reference("volume", 3.0)], SETTINGS)
    assert found.reasons == ("c14 has a reference and was not measured",) and found.verdict == "WARN"


def test_phonons_are_compared_mode_by_mode() -> None:
    def crystal(shift: float) -> Measured:
        curves = {"mesh_frequencies_thz": [[4.0 + shift, 6.0 - shift]], "mesh_weights": [1.0]}
        return Measured({"mean_frequency": 5.0, "highest_frequency": 6.0}, curves=curves)

    found = judge("phonons", crystal(0.5), crystal(0.0), [], SETTINGS, engine_name="dft")
    row = found.rows[-1]
    assert (row.quantity, round(row.potential, 6), row.verdict) == ("frequency_rms_difference", 0.5, "WARN")


def test_an_error_that_does_not_decide_is_a_warning() -> None:
    def judged(value: float, error: float):  # type: ignore[no-untyped-def]
        measured = Measured({"melting_temperature": value}, errors={"melting_temperature": error})
        return judge("melting", measured, None, [reference("melting_temperature", 1000.0)], SETTINGS)

    assert judged(1010.0, 5.0).verdict == "PASS" and judged(1010.0, 5.0).rows[0].as_json()["error"] == 5.0
    found = judged(1010.0, 40.0)
    assert found.verdict == "WARN"
    assert "1010 ± 40 K" in found.reasons[0] and "not decided within two" in found.reasons[0]
    assert judged(1300.0, 40.0).verdict == "FAIL" and judged(1160.0, 40.0).verdict == "WARN"


def test_distributions_beside_references_and_the_engine() -> None:
    radii = [0.05 * n for n in range(1, 161)]
    density = [1.0 if r > 2 else 0.0 for r in radii]

    def at(factor: float) -> Measured:
        one = {"temperature_k": 300.0, "radius_angstrom": radii, "rdf": [factor * g for g in density[:-9]] + [None] * 9,
               "noise": 0.01}  # fmt: skip
        return Measured({}, curves={"distributions": [one]})

    def ref(kelvin: float, first: float) -> RadialReference:
        places = [first + r for r in radii]
        return RadialReference(temperature_k=kelvin, radius_angstrom=places, density=density, source="book")

    settings = Validation(rdf_references=(ref(300, 0.0), ref(900, 0.0)))
    found = judge("rdf", at(1.2), at(1.0), [], settings, engine_name="dft")
    assert [(row.source, row.verdict) for row in found.rows] == [("book", "WARN"), ("dft", "WARN")]
    assert found.rows[0].potential == pytest.approx(0.2) and found.rows[0].quantity == "rdf_distance_300K"
    assert judge("rdf", at(1.5), None, [], settings).verdict == "FAIL"
    apart = judge("rdf", at(1.0), None, [], Validation(rdf_references=(ref(300, 7.5),)))
    assert apart.reasons == ("the distribution at 300 K shares less than 1 Å with that of book",)


def test_the_worst_of_all_with_its_reasons_first() -> None:
    told = {"md": Measured({}), "eos": Measured({}, warnings=("w",)), "phonons": Measured({}, ("f",))}
    parts = [judge(name, measured, None, [], SETTINGS) for name, measured in told.items()]
    assert overall(parts) == ("FAIL", ["phonons: f", "eos: w"])
    assert worst([]) == "PASS"
