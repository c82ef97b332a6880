from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from silicon import coarse, needs_pw, overlapping, si2

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.label.plane_waves import k_mesh
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso
from gibbsflow.potential.label.quantum_espresso_recovery import Outcome, ScfSettings, diagnose, next_settings

qe = [pytest.mark.qe, needs_pw]


def test_k_mesh_comes_from_reciprocal_vectors() -> None:
    # in the primitive cell of fcc, |b| = 2π sqrt(3)/a, not 2π divided by the length of a vector
    primitive = bulk("Si", a=5.43)
    assert k_mesh(primitive, 2 * np.pi * np.sqrt(3) / 5.43 / 3.9) == (4, 4, 4)
    assert k_mesh(bulk("Si", cubic=True, a=5.43), 2 * np.pi / 5.43 / 2) == (2, 2, 2)
    slab = Atoms("Si", cell=[3, 3, 20], pbc=[True, True, False])
    assert k_mesh(slab, 0.5)[2] == 1


def outcome(accuracies: tuple[float, ...], *, density: bool = True) -> Outcome:
    return Outcome("unconverged", "", 2, accuracies, density=density)


def test_the_ladder_goes_on_where_it_converges_and_mixes_less_where_not() -> None:
    falling = tuple(10.0 ** (-n / 4) for n in range(20))
    stuck = (1e-2,) * 20
    attempt = ScfSettings(20, 0.7)
    assert outcome(falling).slope == pytest.approx(-np.log(10) / 4)
    longer, _ = next_settings(attempt, outcome(falling)) or pytest.fail()
    assert (longer.steps, longer.beta, longer.from_density) == (30, 0.7, True)
    seen = []
    step = next_settings(attempt, outcome(stuck))
    while step is not None:
        attempt, what = step
        seen.append(what)
        step = next_settings(attempt, outcome(stuck))
    assert [what.split(" from")[0] for what in seen] == [
        "mixing_beta 0.4", "mixing_beta 0.2", "mixing_beta 0.1", "mixing_mode local-TF, mixing_ndim 12",
        "mixing_beta 0.2", "mixing_beta 0.1",
    ]  # fmt: skip
    grown, what = next_settings(ScfSettings(20, 0.7), outcome((1e-3,) * 10 + (1e-1,) * 10)) or pytest.fail()
    assert not grown.from_density and "from scratch" in what


@pytest.mark.parametrize(
    ("text", "code", "kind", "cause"),
    [
        ("convergence NOT achieved after 2 iterations: stopping\n JOB DONE.", 2, "unconverged", "UNCONVERGED"),
        ("Error in routine setup (1):\n too few bands", 1, "bands", "CRASH(1)"),
        ("Error in routine cdiaghg (3):\n S matrix not positive definite", 3, "diagonalization", "UNCONVERGED"),
        ("", None, "resource", "RESOURCE"),
        ("", -9, "resource", "RESOURCE"),
        ("Error in routine readpp (2):\n file x not readable", 2, "pseudo", "MISSING_PSEUDO"),
        ("convergence has been achieved in 5 iterations", 0, "crash", "CRASH(0)"),
        ("JOB DONE.", 0, "crash", "CRASH(0)"),
        ("convergence has been achieved in 5 iterations\n JOB DONE.", 0, "converged", "CRASH(0)"),
    ],
)
def test_outputs_are_told_apart(text: str, code: int | None, kind: str, cause: str) -> None:
    found = diagnose(text, code)
    assert found.kind == kind
    if kind != "converged":
        assert found.cause == cause


class TestRealRuns:
    pytestmark = qe

    def test_forces_and_stress_are_derivatives_of_the_energy(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(conv_thr_ry=1e-10), Labels())
        atoms, step = si2(), 5e-3
        label = engine.label(atoms)
        assert (label.status, label.corrections, label.attempts) == ("labelled", [], 1)
        assert label.program.startswith("pw.x 6") or label.program.startswith("pw.x 7")
        sides = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[1, 0] += sign * step
            sides.append(engine.label(moved).energy_ev)
        assert label.forces_ev_per_angstrom[1][0] == pytest.approx(-(sides[0] - sides[1]) / (2 * step), abs=5e-3)

    def test_shear_stress_is_the_derivative_of_the_energy(self) -> None:
        # pw.x 6.7 gets this wrong when it reads .gth files itself
        engine = QuantumEspresso(["Si"], coarse(conv_thr_ry=1e-10, ecutwfc_ry=24.0), Labels())
        atoms, step = si2(), 4e-3
        sides = []
        for sign in (1, -1):
            sheared = atoms.copy()
            strain = np.eye(3)
            strain[0, 1] = strain[1, 0] = sign * step / 2
            sheared.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            sides.append(engine.label(sheared).energy_ev)
        numeric = (sides[0] - sides[1]) / (2 * step) / atoms.get_volume()
        assert engine.label(atoms).stress_ev_per_angstrom3[5] == pytest.approx(numeric, abs=4e-4)

    def test_too_few_steps_fail_without_corrections_and_are_mended_with_them(self, tmp_path: Path) -> None:
        strict = QuantumEspresso(["Si"], coarse(electron_maxstep=2), Labels(corrections_max=0))
        failed = strict.label(si2(), tmp_path / "kept")
        assert (failed.status, failed.cause) == ("failed", "UNCONVERGED")
        assert "not converged after 2 steps" in failed.message
        assert {p.name for p in (tmp_path / "kept").iterdir()} >= {"run1.pwi", "run1.pwo"}
        assert "pseudo_dir       = '.'" in (tmp_path / "kept" / "run1.pwi").read_text()  # no absolute paths in inputs
        patient = QuantumEspresso(["Si"], coarse(electron_maxstep=2), Labels())
        mended = patient.label(si2())
        assert mended.status == "labelled"
        assert mended.corrections == ["up to 30 steps from its charge density"]
        plain = QuantumEspresso(["Si"], coarse(), Labels()).label(si2())
        assert mended.energy_ev == pytest.approx(plain.energy_ev, abs=1e-5)
        assert mended.settings_hash == plain.settings_hash  # a neutral correction is none of the physics

    def test_too_few_bands(self) -> None:
        failed = QuantumEspresso(["Si"], coarse(bands=3), Labels(corrections_max=0)).label(si2())
        assert (failed.cause, failed.status) == ("CRASH(1)", "failed")
        assert "too few bands" in failed.message
        mended = QuantumEspresso(["Si"], coarse(bands=3), Labels()).label(si2())
        assert (mended.status, mended.corrections) == ("labelled", ["bands 3 -> the program's own number"])

    def test_overlapping_atoms_and_strangers_never_start_a_program(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(), Labels())
        assert engine.label(overlapping()).cause == "BAD_STRUCTURE"
        strange = engine.label(tag(bulk("Ge", a=5.6), "bulk", generator="test", seed=0))
        assert (strange.cause, "Ge" in strange.message) == ("MISSING_PSEUDO", True)

    def test_a_time_bound_is_a_resource(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(ecutwfc_ry=60.0), Labels(label_time_min=0.002))
        assert engine.label(si2()).cause == "RESOURCE"

    def test_what_counts_is_in_the_hash_and_nothing_else(self) -> None:
        base = QuantumEspresso(["Si"], coarse(), Labels()).settings_hash
        for same in ({"mixing_beta": 0.3}, {"electron_maxstep": 50}, {"diagonalization": "cg"}):
            assert QuantumEspresso(["Si"], coarse(**same), Labels(workers=4)).settings_hash == base
        for other in (
            {"ecutwfc_ry": 12.0},
            {"kspacing_per_angstrom": 0.9},
            {"degauss_ry": 0.02},
            {"functional": "pbe"},
        ):
            assert QuantumEspresso(["Si"], coarse(**other), Labels()).settings_hash != base
        assert QuantumEspresso(["Si", "Ge"], coarse(), Labels()).settings_hash != base

    def test_missing_pseudopotential_is_named_before_anything_starts(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="pseudopotential of Si is missing"):
            QuantumEspresso(["Si"], coarse(pseudo_library="debian", pseudo_dir=tmp_path), Labels())
