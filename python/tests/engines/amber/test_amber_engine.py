"""AMBER's sander behind the protocol of engines: the energies of OpenMM, motion that can be repeated, its words."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber import amber_engine
from gibbsflow.engines.amber.amber_engine import AMBER
from gibbsflow.engines.amber.sander import BoxChangedError
from gibbsflow.engines.md_engine import Apart, Hold
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError, NumericalError, StoppedEarly

SMALL = hg.data("complex-vacuum.prmtop")
OBC2 = Md(platform="CPU")
BOXED = Md(solvent="tip3p", platform="CPU")


def placed(engine, md=OBC2, hold=None, seed=5, **words):
    name = "complex-explicit" if md.explicit else "complex-vacuum"
    made = engine.simulation(engine.system(hg.data(f"{name}.prmtop"), md, hold, **words), md, seed)
    box = box_vectors_nm(hg.data(f"{name}.inpcrd")) if md.explicit else None
    made.place(hg.positions_nm(name), None, box)
    return made


@pytest.mark.parametrize("md", [OBC2, Md(solvent="vacuum", platform="CPU"), BOXED], ids=lambda md: md.solvent)
def test_energy_is_that_of_openmm(md):
    sander, openmm = (placed(engine, md).potential_kj_per_mol() for engine in (AMBER, OPENMM))
    assert sander == pytest.approx(openmm, rel=1e-4)
    assert sander != openmm


def test_what_holds_atoms_has_the_energy_of_openmm():
    """Two groups of other constants: sander's energy has no 1/2."""
    reference = hg.positions_nm("complex-vacuum") + [0.01, 0.02, 0.0]
    hold = Hold((0, 1, 2, 7, 140), reference, 5.0, (1.0, 1.0, 0.4, 1.0, 0.4))
    bare = [placed(engine).potential_kj_per_mol() for engine in (AMBER, OPENMM)]
    held = [placed(engine, hold=hold).potential_kj_per_mol() for engine in (AMBER, OPENMM)]
    assert held[0] - bare[0] == pytest.approx(held[1] - bare[1], abs=5e-3) and held[1] - bare[1] > 1


def test_motion_is_that_of_its_seed_and_can_be_gone_on_with():
    """Repartitioned hydrogens at 4 fs; what is saved between two runs is all that decides what comes."""
    made = placed(AMBER)
    assert made.minimise(200, lambda: None) < placed(AMBER).potential_kj_per_mol()
    made.draw_velocities(298.15, 7)
    start = made.positions_nm(), made.velocities_nm_per_ps()
    ticks = []
    made.run(50, ticks.append)
    frame = made.frame()
    assert sum(ticks) == 50 and 100 < frame.temperature_k < 450 and frame.box_nm is None
    again, other = placed(AMBER), placed(AMBER, seed=6)
    for one in (again, other):
        one.place(*start)
        one.run(50, lambda n: None)
    np.testing.assert_array_equal(again.positions_nm(), frame.positions_nm)
    assert np.abs(other.positions_nm() - frame.positions_nm).max() > 1e-3
    assert np.abs(frame.positions_nm - start[0]).max() < 0.3


def test_atoms_that_fly_apart_are_told_as_such():
    made = placed(AMBER)
    made.place(hg.positions_nm("complex-vacuum"), np.random.default_rng(1).normal(size=(156, 3)) * 60)
    with pytest.raises(NumericalError, match="vlimit|SHAKE|not"):
        made.run(20, lambda n: None)


def test_a_stop_ends_the_program():
    made = placed(AMBER)
    made.draw_velocities(298.15, 7)

    def stop(steps):
        raise StoppedEarly("enough")

    with pytest.raises(StoppedEarly):
        made.run(10**7, stop)


def test_a_box_that_changed_too_much_is_gone_on_with_from_halfway(monkeypatch):
    """pmemd and sander set up their grid once: the run is cut in two, down to a bound."""
    made, asked, real = placed(AMBER), [], amber_engine.run_sander

    def grumbling(folder, text, *rest, **words):
        steps = int(text.partition("nstlim = ")[2].partition(",")[0])
        asked.append(steps)
        if steps > 60:
            raise BoxChangedError("changed")
        return real(folder, text, *rest, **words)

    monkeypatch.setattr(amber_engine, "run_sander", grumbling)
    made.draw_velocities(10.0, 7)
    made.run(100, lambda n: None)
    assert asked == [100, 50, 50]


def test_what_it_cannot_do_is_refused():
    with pytest.raises(InputError, match="openmm"):
        AMBER.system(SMALL, OBC2, apart=[Apart((0,), (1,), 10.0)])
    with pytest.raises(InputError, match="a membrane: .* openmm or gromacs"):
        AMBER.system(SMALL, OBC2, membrane=True)
    with pytest.raises(InputError, match="soft core"):
        AMBER.walker(None, BOXED, 1)


def test_the_box_moves_and_its_energy_stays_that_of_openmm():
    """PME at constant pressure, 1 fs: what the barostat leaves is read back, cell and all."""
    md = BOXED.model_copy(update={"timestep_fs": 1.0})
    made = placed(AMBER, md, constant_pressure=True)
    before = box_vectors_nm(hg.data("complex-explicit.inpcrd"))
    made.minimise(10, lambda: None)
    made.draw_velocities(298.15, 7)
    made.run(50, lambda n: None)
    frame = made.frame()
    volumes = [np.linalg.det(box) for box in (before, frame.box_nm)]
    assert 0 < abs(volumes[1] / volumes[0] - 1) < 0.1
    openmm = placed(OPENMM, md)
    openmm.place(frame.positions_nm, None, frame.box_nm)
    assert frame.potential_kj_per_mol == pytest.approx(openmm.potential_kj_per_mol(), rel=1e-4)
