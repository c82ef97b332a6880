"""Fates of structures by a spring whose figures are known."""

import numpy as np
import pytest
from ase import Atoms

from gibbsflow.config.potential_training import Surrogate
from gibbsflow.errors import EngineError
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.explore.screening.screen import figures, screen
from gibbsflow.units import Floats

STIFFNESS = 10.0


class Spring:
    """½ k (d - 1)² between two atoms; it fails beyond 5 Å, and for one atom it is zero."""

    name, identity = "spring", "spring-1"

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        if len(atoms) == 1:
            return 0.0, np.full((1, 3), 1e3)
        apart = atoms.positions[1] - atoms.positions[0]
        length = float(np.linalg.norm(apart))
        if length > 5:
            raise EngineError("too long")
        pull = STIFFNESS * (length - 1) * apart / length
        return 0.5 * STIFFNESS * (length - 1) ** 2, np.array([pull, -pull])

    def close(self) -> None:
        return


def pair(length: float) -> Atoms:
    return Atoms("H2", [[0, 0, 0], [0, 0, length]], info={"config_type": "rattle", "generation": 3})


FRAMES = [pair(1.0), pair(1.2), pair(2.0), pair(9.0), Atoms("H")]


def test_what_is_above_the_limits_is_left_out_and_what_fails_goes_on() -> None:
    found = screen(FRAMES, Spring(), Surrogate(model="tblite", max_force_ev_per_angstrom=5))
    assert [one.fate for one in found] == ["kept", "kept", "screened", "unknown", "kept"]
    assert found[2].largest_force_ev_per_angstrom == pytest.approx(10.0)
    assert found[2].energy_ev_per_atom == pytest.approx(2.5)
    assert found[2].reason == "largest force 10 eV/Å, at most 5 eV/Å"
    told = figures(found, Spring())
    assert told["fates"] == {"kept": 3, "screened": 1, "unknown": 1}
    assert told["notes"] == [f"{structure_id(FRAMES[3])} goes on to its label: spring failed: too long"]


def test_a_charge_that_means_nothing_lets_its_structure_through() -> None:
    odd = pair(1.0)
    odd.info["charge"] = -40
    found = screen([odd, pair(1.0)], Spring(), Surrogate(model="tblite"))
    assert [one.fate for one in found] == ["unknown", "kept"]
    assert "charge -40 of 2 atoms" in found[0].reason


def test_energies_count_from_the_lowest_of_a_composition() -> None:
    settings = Surrogate(model="tblite", max_force_ev_per_angstrom=1e3, energy_window_ev_per_atom=1.0)
    found = screen(FRAMES[:3], Spring(), settings)
    assert [one.fate for one in found] == ["kept", "kept", "screened"]
    assert found[2].reason.startswith("2.5 eV/atom above the lowest")


def test_a_relaxation_ends_below_the_limit_and_is_recorded() -> None:
    settings = Surrogate(model="tblite", action="relax", max_force_ev_per_angstrom=5, steps=200)
    before = FRAMES[2].positions.copy()
    found = screen(FRAMES[:3], Spring(), settings)
    assert [one.fate for one in found] == ["kept", "kept", "relaxed"]
    (told,) = [one.as_record() for one in found if one.fate == "relaxed"]
    made = found[2].atoms
    assert np.array_equal(FRAMES[2].positions, before)
    assert told["gibbsflow_id"] == structure_id(FRAMES[2]) == made.info["relaxed_from"]
    assert told["becomes"] == structure_id(made) != told["gibbsflow_id"]
    assert told["relaxed_force_ev_per_angstrom"] <= 5 < told["largest_force_ev_per_angstrom"]
    assert told["relaxed_energy_ev_per_atom"] < told["energy_ev_per_atom"]
    assert told["steps"] > 0
    # at a force of 5 eV/Å the spring is 1.5 Å long; it is not relaxed further than it must be
    assert 1.2 < made.get_distance(0, 1) <= 1.5
    assert (made.info["config_type"], made.info["generation"]) == ("rattle", 3)


@pytest.mark.parametrize("word", ["unknown", float("nan")])
def test_tags_of_other_programs_do_not_stop_a_relaxation(word: object) -> None:
    settings = Surrogate(model="tblite", action="relax", max_force_ev_per_angstrom=5, steps=200)
    foreign = pair(2.0)
    foreign.info |= {"seed": word, "generation": word}
    (one,) = screen([foreign], Spring(), settings)
    assert (one.fate, one.atoms.info["seed"], one.atoms.info["generation"]) == ("relaxed", 0, 0)


def test_too_few_steps_leave_it_out() -> None:
    settings = Surrogate(model="tblite", action="relax", max_force_ev_per_angstrom=1e-3, steps=2)
    (found,) = screen(FRAMES[2:3], Spring(), settings)
    assert found.fate == "screened" and "after 2 steps" in found.reason
    assert found.atoms is FRAMES[2]
