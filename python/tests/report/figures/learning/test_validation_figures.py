from __future__ import annotations

from xml.etree import ElementTree

from gibbsflow.config.potential_validation import RadialReference
from gibbsflow.report.figures.learning.validation_figures import charts

BANDS = [
    {"ends": ["Γ", "X"], "distance": [0.0, 0.1, 0.2], "frequencies_thz": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]},
    {"ends": ["K", "Γ"], "distance": [0.2, 0.4], "frequencies_thz": [[-1.0, 3.0], [0.0, 1.0]]},
]
DOS = {"dos_frequency_thz": [0.0, 1.0, 2.0], "dos_per_thz": [0.0, 1.0, 0.5]}


def test_bands_are_named_and_imaginary_ones_shaded() -> None:
    (bands, caption), (dos, _) = charts("phonons", {"bands": BANDS, **DOS}, {"bands": BANDS, **DOS}, "dft")
    for svg in (bands, dos):
        ElementTree.fromstring(svg)
    assert ">X|K<" in bands and "--fail" in bands and "stroke-dasharray" in bands and "dashed or hollow: dft" in caption
    alone, caption = charts("phonons", {"bands": BANDS[:1], **DOS}, None, "")[0]
    assert "--fail" not in alone and "dashed" not in caption


def test_every_property_that_has_curves_is_drawn() -> None:
    eos = {"volume_angstrom3_per_atom": [10.0, 11.0], "energy_ev_per_atom": [0.1, 0.0],
           "fit_volume_angstrom3_per_atom": [10.0, 11.0], "fit_energy_ev_per_atom": [0.1, 0.0]}  # fmt: skip
    warm = {"temperature_k": [0.0, 300.0], "expansion_ppm_per_k": [0.0, 9.0], "volume_angstrom3_per_atom": [10.0, 10.1]}
    wall = {"pairs": {"Cu-Cu": {"distance_angstrom": [1.0, 2.0, 3.0], "energy_ev": [None, 50.0, 0.0]}},
            "crystal": {"edge": [0.6, 1.0], "energy_ev_per_atom": [20.0, 0.0]}}  # fmt: skip
    md = {"time_ps": [0.0, 0.1], "energy_mev_per_atom": [0.0, 0.1], "temperature_k": [600.0, 300.0],
          "radius_angstrom": [1.0, 2.0], "rdf": [0.0, 3.0]}  # fmt: skip
    for name, curves, count in (("eos", eos, 1), ("thermal_expansion", warm, 2), ("repulsion", wall, 2), ("md", md, 3),
                                ("modes", {"frequencies_thz": [1.0, 2.0]}, 1)):  # fmt: skip
        drawn = charts(name, curves, curves if name in ("eos", "modes") else None, "dft")
        assert len(drawn) == count
        for svg, _ in drawn:
            ElementTree.fromstring(svg)
    assert charts("vacancy", {"a": 1}, None, "") == [] and charts("eos", {}, None, "") == []


def test_what_long_md_measures_is_drawn_with_its_errors() -> None:
    warm = {"temperature_k": [200.0, 300.0], "volume_angstrom3_per_atom": [20.0, 20.1], "error_angstrom3": [0.01, 0.02]}
    run = {"start_k": 900.0, "temperature_k": 950.0, "error_k": 5.0}
    for name, curves, bars in (("npt_expansion", warm, 2), ("melting", {"runs": [run, run]}, 2)):
        ((svg, _),) = charts(name, curves, None, "")
        ElementTree.fromstring(svg)
        assert svg.count('class="bar"') == bars
    radii = tuple(float(n) for n in range(20))
    book = RadialReference(
        temperature_k=300, radius_angstrom=radii, density=radii, source="a <book> of a long, long name"
    )
    one = {"temperature_k": 300.0, "radius_angstrom": [1.0, 2.0, 3.0], "rdf": [0.0, 2.0, None]}
    ((svg, _),) = charts("rdf", {"distributions": [one]}, {"distributions": [one]}, "dft", (book,))
    ElementTree.fromstring(svg)
    assert all(word in svg for word in (">potential<", ">dft<", ">a &lt;book&gt; of a long, "))
    assert svg.count("dasharray") >= 2
