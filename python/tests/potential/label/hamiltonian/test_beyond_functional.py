from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from silicon import coarse, needs_pw, si2

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.label.hamiltonian.beyond_functional import (
    dispersion,
    hubbard,
    in_words,
    kinds_of,
    names_shells,
    part_of_key,
    require_shells,
)
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso

qe = [pytest.mark.qe, needs_pw]
DEBIAN = Path("/usr/share/espresso/pseudo/Fe.pbe-nd-rrkjus.UPF")


def test_keys_of_labels_without_them_stay_as_they_were() -> None:
    assert part_of_key(Dft(), ("Si",)) == {} == part_of_key(Dft(hubbard_u_ev={"Fe": 3.0}), ("Si",))
    parts = [
        part_of_key(Dft(**given), ("Fe", "O"))
        for given in (
            {"dispersion": "d3"},
            {"dispersion": "d3-bj"},
            {"dispersion": "d3-bj", "dispersion_three_body": False},
            {"hubbard_u_ev": {"Fe": 3.0}},
            {"hubbard_u_ev": {"Fe": 4.0}},
        )
    ]
    assert all(parts) and all(one != other for n, one in enumerate(parts) for other in parts[:n])


def test_dispersion_as_the_program_takes_it() -> None:
    assert dispersion(Dft()) == {}
    # dftd3_version of pw.x: 3 damps to zero, 4 as Becke and Johnson do
    assert dispersion(Dft(dispersion="d3"))["dftd3_version"] == 3
    said = dispersion(Dft(dispersion="d3-bj", dispersion_three_body=False))
    assert said == {"vdw_corr": "grimme-d3", "dftd3_version": 4, "dftd3_threebody": False}


def test_a_u_is_given_to_each_kind_of_its_element() -> None:
    atoms = Atoms("FeOFeFe", cell=[6, 6, 6])
    atoms.set_initial_magnetic_moments([0.5, 0.0, -0.5, 0.5])
    kinds = kinds_of(atoms, polarised=True)
    assert kinds == ["Fe", "O", "Fe1"] and kinds_of(atoms, polarised=False) == ["Fe", "O"]
    dft = Dft(hubbard_u_ev={"Fe": 4.6})
    old, nothing = hubbard(dft, kinds, named_shells=False)
    assert (old["lda_plus_u"], old["Hubbard_U(1)"], old["Hubbard_U(3)"], nothing) == (True, 4.6, 4.6, [])
    assert "Hubbard_U(2)" not in old
    assert hubbard(dft, kinds, named_shells=True) == ({}, ["HUBBARD (atomic)", "U Fe-3d 4.6", "U Fe1-3d 4.6"])
    assert hubbard(dft, ["O"], named_shells=True) == ({}, [])


@pytest.mark.parametrize(
    ("version", "named"), [("6.7MaX", False), ("7.0", False), ("7.1", True), ("7.2", True), ("unknown version", False)]
)
def test_versions(version: str, named: bool) -> None:
    assert names_shells(version) is named


def test_words_for_people() -> None:
    assert in_words(Dft()) == {}
    said = in_words(Dft(dispersion="d3", hubbard_u_ev={"O": 2.0}))
    assert said == {"dispersion": "d3, with three-body term", "Hubbard U": "O 2p 2 eV; atomic projectors"}


def difference(one: Any, other: Any) -> np.ndarray:
    assert one.status == other.status == "labelled", (one.message, other.message)
    return np.concatenate(
        [
            [one.energy_ev - other.energy_ev],
            np.subtract(one.stress_ev_per_angstrom3, other.stress_ev_per_angstrom3),
            np.ravel(np.subtract(one.forces_ev_per_angstrom, other.forces_ev_per_angstrom)),
        ]
    )


class TestRealRuns:
    pytestmark = qe

    @pytest.fixture
    def iron(self) -> Iterator[Dft]:
        if not DEBIAN.is_file():
            pytest.skip("no pseudopotentials of quantum-espresso-data")
        own = {"Fe": {"file": DEBIAN.name, "ecutwfc_ry": 25.0, "ecutrho_ry": 200.0}}
        yield Dft.model_validate(
            {"pseudopotentials": own, "pseudo_dir": DEBIAN.parent, "kspacing_per_angstrom": 1.0, "degauss_ry": 0.03,
             "smearing": "gaussian", "conv_thr_ry": 1e-9}
        )  # fmt: skip

    def test_forces_and_stress_have_the_part_of_the_dispersion(self) -> None:
        engines = [QuantumEspresso(["Si"], coarse(functional="pbe", **d), Labels()) for d in ({}, {"dispersion": "d3"})]
        assert engines[0].settings_hash != engines[1].settings_hash
        atoms, step = si2(), 0.005

        def added(changed: Atoms) -> np.ndarray:
            return difference(*(engine.label(changed) for engine in reversed(engines)))

        here = added(atoms)
        assert here[0] < -0.1
        sides = []
        for sign in (1, -1):
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array * (1 + sign * step), scale_atoms=True)
            sides.append(added(strained)[0])
        assert here[1:4].sum() * atoms.get_volume() == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=0.02)

    def test_stress_with_a_u_is_the_derivative_of_the_energy(self, iron: Dft) -> None:
        with_u = iron.model_copy(update={"hubbard_u_ev": {"Fe": 3.0}})
        engine = QuantumEspresso(["Fe"], with_u, Labels())
        assert engine.settings_hash != QuantumEspresso(["Fe"], iron, Labels()).settings_hash
        assert engine.describe()["Hubbard U"].startswith("Fe 3d 3 eV")
        labels = [engine.label(bulk("Fe", a=2.87 * scale)) for scale in (0.99, 1.0, 1.01)]
        assert [label.status for label in labels] == ["labelled"] * 3
        # -759.2426 eV without a U
        assert labels[1].energy_ev == pytest.approx(-757.37877, abs=1e-3)
        trace = np.sum(labels[1].stress_ev_per_angstrom3[:3]) * bulk("Fe", a=2.87).get_volume()
        assert trace == pytest.approx((labels[2].energy_ev - labels[0].energy_ev) / 0.02, rel=0.01)


def shells(folder: Path, *labels: str) -> dict[str, Path]:
    """Pseudopotential of iron that has these orbitals."""
    momenta = {"s": 0, "p": 1, "d": 2, "f": 3}
    tags = (f'<PP_CHI.1 label="{own}" l="{momenta[own[1].lower()]}" occupation="0.0">' for own in labels)
    (folder / "Fe.UPF").write_text("\n".join(["<PP_PSWFC>", *tags, "</PP_PSWFC>"]))
    return {"Fe": folder / "Fe.UPF"}


def test_a_u_without_an_orbital_to_act_on_is_refused(tmp_path: Path) -> None:
    dft = Dft(hubbard_u_ev={"Fe": 3.0, "O": 2.0})
    for named in (False, True):
        require_shells(dft, shells(tmp_path, "4S", "3D"), named_shells=named)
        require_shells(Dft(), shells(tmp_path, "4S"), named_shells=named)
        with pytest.raises(InputError) as caught:
            require_shells(dft, shells(tmp_path, "4S", "4P"), named_shells=named)
        (problem,) = caught.value.problems
        assert problem.what == "has no orbital 3d of Fe for a U to act on, only 4p, 4s"
        assert (problem.field, Path(problem.where).name) == ("dft.hubbard_u_ev.Fe", "Fe.UPF")
    # up to 7.0 pw.x goes by the momentum, from 7.1 on by the name
    require_shells(dft, shells(tmp_path, "4D"), named_shells=False)
    with pytest.raises(InputError, match="only 4d"):
        require_shells(dft, shells(tmp_path, "4D"), named_shells=True)
