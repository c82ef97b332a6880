"""Methods of a learning loop: what the settings say, and no work that was not used."""

from loop_states import config, generation

from gibbsflow.report.summary.loop_methods import loop_methods


def test_what_was_used_is_told_and_cited_and_nothing_else():
    history = (generation(0, 0.2), generation(1, 0.1))
    versions = {"gibbsflow": "0.1.0", "lammps": "20250722"}
    text = loop_methods(config(), history, versions, ["tblite 0.5"], nextflow=False)
    assert "(POD) for Si" in text and "2 generations, from 15 labelled" in text and "300 to 900 K" in text
    assert "GFN1-xTB with tblite" in text and "0.1 eV/Å in forces" in text and "stress," not in text
    assert "| tblite | 0.5 |" in text and "| lammps | 20250722 |" in text
    for work in ("Larsen", "Nguyen, Rohskopf", "Thompson", "Podryabinkin", "Grimme, Bannwarth"):
        assert text.count(work) == 1
    for work in ("Giannozzi", "Mortensen", "Bannwarth, Ehlert", "Lysogorskiy", "Deng", "Di Tommaso", "MBAR"):
        assert work not in text


def test_labels_of_a_plane_wave_code_are_told_with_their_settings():
    text = loop_methods(config(engine="quantum_espresso"), (generation(0, 0.2),), {}, ["pw.x 7.4"])
    assert (
        "Quantum ESPRESSO with PBE" in text
        and "ecutwfc_ry by default, ecutrho_ry by default, kspacing_per_angstrom " in text
        and "1 generation," in text
    )
    assert "Giannozzi" in text and "Di Tommaso" in text and "| pw.x | 7.4 |" in text and "Thompson" not in text
