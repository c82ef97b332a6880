from __future__ import annotations

import pytest

from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Correction
from gibbsflow.potential.label.recovery.scf_handlers import SCF_HANDLERS
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings

SCF = ScfSettings(80, 0.7)
FALLING = tuple(10.0 ** (-n / 4) for n in range(20))
STUCK = (1e-2,) * 20
HANDLERS = {handler.name: handler for handler in SCF_HANDLERS}


def correct(
    name: str, error: ScfError, scf: ScfSettings = SCF, *, accuracies: tuple[float, ...] = STUCK,
    density: bool = True, anisotropic: bool = False, bands: int | None = None, earlier: tuple[ScfSettings, ...] = (),
) -> Correction | None:  # fmt: skip
    outcome = Outcome(error, "", 1, accuracies, bands=bands, density=density)
    attempt = Attempt(scf, outcome, Case(SCF, anisotropic), earlier)
    return HANDLERS[name].correct(attempt) if HANDLERS[name].check(attempt) else None


def test_one_that_converges_gets_more_steps_from_its_density_and_to_a_limit() -> None:
    longer = correct("more_steps", "UNCONVERGED", ScfSettings(20, 0.7), accuracies=FALLING)
    assert longer is not None and (longer.scf.steps, longer.scf.beta, longer.kept) == (30, 0.7, "charge density")
    assert correct("more_steps", "UNCONVERGED", accuracies=STUCK) is None
    wandering = (0.1, *(10.0 ** (3 - n / 8) for n in range(20)))
    assert correct("more_steps", "UNCONVERGED", accuracies=wandering) is None
    assert correct("more_steps", "UNCONVERGED", ScfSettings(400, 0.7), accuracies=FALLING) is None


def test_one_that_does_not_mixes_less_and_from_scratch_where_it_grew() -> None:
    assert [correct("mixing_ladder", "UNCONVERGED", ScfSettings(20, beta)).scf.beta for beta in (0.7, 0.4, 0.2)] == [
        0.4, 0.2, 0.1,
    ]  # fmt: skip
    assert correct("mixing_ladder", "UNCONVERGED", ScfSettings(20, 0.1)) is None
    grown = correct("mixing_ladder", "UNCONVERGED", accuracies=(1e-3,) * 10 + (1e-1,) * 10)
    assert grown is not None and (grown.kept, grown.scf.steps) == ("nothing", 80)


def test_slabs_are_screened_at_once_and_bulk_at_the_end() -> None:
    assert correct("local_screening", "UNCONVERGED") is None
    slab = correct("local_screening", "UNCONVERGED", anisotropic=True)
    assert slab is not None and (slab.scf.mode, slab.scf.history, slab.scf.beta) == ("local-TF", 12, 0.7)
    last = correct("local_screening", "UNCONVERGED", ScfSettings(80, 0.1))
    assert last is not None and (last.scf.mode, last.scf.beta) == ("local-TF", 0.3)
    assert correct("local_screening", "UNCONVERGED", slab.scf, anisotropic=True) is None


def test_a_mixing_that_others_needed_is_given_up() -> None:
    carried = ScfSettings(80, 0.1, mode="local-TF", history=12)
    back = correct("own_mixing", "UNCONVERGED", carried, earlier=(carried,))
    assert back is not None and (back.scf.beta, back.scf.mode, back.scf.history) == (0.7, "plain", 8)
    assert correct("own_mixing", "UNCONVERGED", ScfSettings(80, 0.1), earlier=(SCF,)) is None


@pytest.mark.parametrize(
    "error", ["BANDS_NOT_CONVERGED", "S_MATRIX", "ZHEGVD", "QR", "EIGENVECTORS", "CHOLESKY", "SUBSPACE"]
)
def test_a_failed_diagonalisation_goes_through_the_methods_that_were_not_tried(error: ScfError) -> None:
    seen, scf, earlier = [], ScfSettings(80, 0.7, diagonalization="ppcg"), ()
    while (correction := correct("diagonalization", error, scf, earlier=earlier)) is not None:
        earlier, scf = (*earlier, scf), correction.scf
        seen.append(scf.diagonalization)
    assert seen == ["david", "paro", "cg"]


def test_histories_and_densities_that_are_wrong() -> None:
    assert correct("shorter_history", "BROYDEN").scf.history == 4
    assert correct("shorter_history", "BROYDEN", ScfSettings(80, 0.7, history=1)) is None
    for error in ("CHARGE_WRONG", "FERMI_ENERGY"):
        gentle = correct("gentler_density", error)
        assert (gentle.scf.beta, gentle.kept) == (0.4, "nothing")
    for error in ("RADIAL_FFT", "DENSITY_FILE", "CRASH"):
        anew = correct("new_density", error, ScfSettings(80, 0.7, from_density=True))
        assert anew is not None and anew.kept == "nothing"
        assert correct("new_density", error) is None  # it had none


def test_bands() -> None:
    assert correct("own_bands", "TOO_FEW_BANDS", ScfSettings(80, 0.7, bands=3)).scf.bands is None
    assert correct("own_bands", "TOO_FEW_BANDS") is None
    assert [correct("more_bands", "TOP_BAND_OCCUPIED", bands=there).scf.bands for there in (4, 200)] == [8, 210]
    assert correct("more_bands", "TOP_BAND_OCCUPIED") is None


@pytest.mark.parametrize("error", ["NOT_ORTHOGONAL", "G_PAR", "SYMMETRY", "K_POINTS"])
def test_symmetry_that_fails_is_left_out_once(error: ScfError) -> None:
    whole = correct("whole_mesh", error)
    assert whole is not None and not whole.scf.symmetry and not whole.scf.changes_physics
    assert correct("whole_mesh", error, whole.scf) is None


@pytest.mark.parametrize(
    "error", ["STRUCTURE", "PSEUDO", "KILLED", "OUT_OF_TIME", "CRASH", "BAD_OUTPUT", "DEXX_NEGATIVE"]
)
def test_nothing_mends_what_is_not_of_the_scf(error: ScfError) -> None:
    assert all(correct(name, error) is None for name in HANDLERS)
