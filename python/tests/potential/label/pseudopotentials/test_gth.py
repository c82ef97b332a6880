from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import simpson

from gibbsflow.errors import InputError
from gibbsflow.potential.label.pseudopotentials.gth import local_potential, projector, read, slater, write_upf
from gibbsflow.potential.label.pseudopotentials.pseudo_table import GTH_FOLDER

FILES = sorted(GTH_FOLDER.glob("*.gth"))


def test_silicon_reads_as_published() -> None:
    silicon = read(GTH_FOLDER / "Si.lda-gth.gth")
    assert (silicon.element, silicon.z_valence, silicon.radius_bohr) == ("Si", 4.0, 0.44)
    assert silicon.local_hartree == (-7.33610297,)
    assert silicon.channels[0].strengths_hartree == pytest.approx(
        np.array([[5.90692831, -1.26189397], [-1.26189397, 3.25819622]])
    )
    assert silicon.channels[1].strengths_hartree == pytest.approx(np.array([[2.72701346]]))


@pytest.mark.parametrize(("momentum", "number"), [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1)])
def test_projectors_are_normalised(momentum: int, number: int) -> None:
    r = np.linspace(0, 12, 20_001)
    assert simpson((r * projector(momentum, number, 0.5, r)) ** 2, x=r) == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_the_starting_density_holds_the_valence_electrons(file: Path, tmp_path: Path) -> None:
    write_upf(file, tmp_path / "upf")
    text = (tmp_path / "upf").read_text()
    assert text.count("<PP_CHI.") == 2
    rab, density = (
        np.array(text.split(f"<{name} ")[1].split(">")[1].split("<")[0].split(), float)
        for name in ("PP_RAB", "PP_RHOATOM")
    )
    assert (rab * density).sum() == pytest.approx(read(file).z_valence, abs=1e-6)


def test_orbitals_are_normalised() -> None:
    r = np.linspace(0, 40, 40_001)
    assert simpson(slater(3, 1.4284, r) ** 2, x=r) == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_far_away_all_is_coulomb(file: Path) -> None:
    parameters = read(file)
    r = np.array([0.0, 5.0, 9.0])
    potential = local_potential(parameters, r)
    assert potential[1:] == pytest.approx(-parameters.z_valence / r[1:], abs=1e-9)
    assert np.isfinite(potential[0])


def test_the_upf_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_upf(GTH_FOLDER / "Ge.pbe-gth.gth", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_text().count("<PP_BETA.") == 6


def test_what_is_no_gth_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "Si.gth").write_text("nothing\n")
    with pytest.raises(InputError, match=r"Si\.gth: not readable"):
        read(tmp_path / "Si.gth")


def test_the_element_is_that_of_the_file_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "Si.pbe-gth.gth").write_bytes((GTH_FOLDER / "Ge.pbe-gth.gth").read_bytes())
    assert read(tmp_path / "Si.pbe-gth.gth").element == "Ge"
