"""Enthalpy of a leg: oscillators, whose mean energy is known; pymbar's formula; errors that hold over seeds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from oscillators import Oscillators
from xvg_ladder import Ladder, parts_of, put

from gibbsflow.binding.analyse import collect
from gibbsflow.binding.analyse.entropy.leg_split import refuse_differences, split_leg
from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.verdict import leg_figures
from gibbsflow.binding.sample.energies import read_leg
from gibbsflow.errors import InputError

LEG = Oscillators(3, 4.0, 7.0)
"""U = ½ K r² + c in three dimensions: ⟨U⟩ = 3/2 kT + c, so that ΔH = Δc and −TΔS = 3/2 kT ln(K_last/K_first)."""
EXACT = 7.0, 1.5 * math.log(4.0)


def split(folder, **options):
    energies = read_leg(sorted(LEG.write(folder, **options).glob("*.parquet")), allow_missing=True)
    mbar = fit_mbar(energies.u_nk)
    return split_leg(energies, mbar.delta_f_.iloc[0].to_numpy()), mbar


def test_oscillators_and_the_formula_of_pymbar(tmp_path):
    found, mbar = split(tmp_path, count=2000, seed=4)
    for value, error, exact in zip(
        (found.dh, found.minus_tds), (found.dh_error, found.minus_tds_error), EXACT, strict=True
    ):
        assert abs(value - exact) < 4 * error < 0.3
    oracle = mbar._mbar.compute_entropy_and_enthalpy()
    assert found.dh == pytest.approx(oracle["Delta_u"][0, -1], abs=1e-6)
    assert found.minus_tds == pytest.approx(-oracle["Delta_s"][0, -1], abs=1e-6)
    assert found.dh_error == pytest.approx(oracle["dDelta_u"][0, -1], rel=0.35)
    assert found.minus_tds_error == pytest.approx(oracle["dDelta_s"][0, -1], rel=0.35)


def test_errors_hold_over_seeds_of_correlated_samples(tmp_path):
    found = [split(tmp_path / str(seed), count=200, seed=seed, correlation=0.8)[0] for seed in range(12)]
    for name, exact in zip(("dh", "minus_tds"), EXACT, strict=True):
        z = [(getattr(one, name) - exact) / getattr(one, f"{name}_error") for one in found]
        assert 0.5 < np.sqrt(np.mean(np.square(z))) < 1.6, name


def test_few_samples_have_an_error_without_blocks(tmp_path):
    found, _ = split(tmp_path, count=30)
    assert 0 < found.dh_error < 2 and found.dof == 10
    for seed in range(3):
        one, _ = split(tmp_path / str(seed), count=1, seed=seed)
        assert 0 < one.dh_error < 10 and 0 < one.minus_tds_error < 10


def test_a_split_adds_up_where_the_value_is_of_uncorrelated_samples(tmp_path):
    energies = read_leg(sorted(LEG.write(tmp_path, count=200, correlation=0.6).glob("*.parquet")))
    auto, always = (leg_figures(energies, how, entropy=True) for how in ("auto", "always"))
    for name in ("dh_kcal_per_mol", "dh_error_kcal_per_mol", "minus_tds_error_kcal_per_mol"):
        assert always["entropy"][name] == pytest.approx(auto["entropy"][name], rel=1e-4), name
    for told in (auto, always):
        both = told["entropy"]["dh_kcal_per_mol"] + told["entropy"]["minus_tds_kcal_per_mol"]
        assert both == pytest.approx(told["mbar"]["dg_kcal_per_mol"])


def test_differences_of_energies_have_no_enthalpy(tmp_path):
    files = Ladder().write(tmp_path / "differences")
    with pytest.raises(InputError, match=r"differences from each frame's own state.*dhdl-print-energy = potential"):
        refuse_differences(collect.read_leg(files))
    whole = read_leg(sorted(LEG.write(tmp_path / "window").glob("*.parquet")))
    own = whole.u_nk.to_numpy()[np.arange(len(whole.u_nk)), whole.u_nk.index.get_level_values("state")]
    with pytest.raises(InputError, match="u_KK with the whole potential energy"):
        refuse_differences(replace(whole, u_nk=whole.u_nk.sub(own, axis=0)))


def test_gromacs_files_with_potential_energies_are_whole(tmp_path):
    """U = ½ K x²: the mean energy is the same at every stiffness, so that ΔH = 0."""
    ladder, files = Ladder(frames=1500), []
    for state, path in enumerate(ladder.write(tmp_path / "plain")):
        _, rows = parts_of(path)
        energies = [float(row.split()[1]) / (560.0 - 100.0) * (100.0 + 460.0 * ladder.lambdas[state]) for row in rows]
        with_energy = [
            " ".join([row.split()[0], f"{energy:.8g}", *row.split()[1:]])
            for row, energy in zip(rows, energies, strict=True)
        ]
        head = ladder.head(state, ("Potential Energy (kJ/mol)",))
        files.append(put(tmp_path / f"{state}.xvg", head + with_energy))
    energies = collect.read_leg(files)
    refuse_differences(energies)
    found = split_leg(energies, fit_mbar(energies.u_nk).delta_f_.iloc[0].to_numpy())
    assert abs(found.dh) < 4 * found.dh_error < 0.3
    assert abs(found.minus_tds - 0.5 * math.log(5.6)) < 4 * found.minus_tds_error
    # the total energy of one window beside the potential energies of the others
    last = files[-1].read_text()
    files[-1].write_text(last.replace("Potential Energy", "Total Energy"))
    with pytest.raises(InputError, match="dhdl-print-energy = potential in the mdp of all windows"):
        refuse_differences(collect.read_leg(files))
