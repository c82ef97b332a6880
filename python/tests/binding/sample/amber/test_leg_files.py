"""A leg's folder for pmemd: what lies in it, and that its scripts go on where they were cut."""

import json
from dataclasses import replace

import amber_legs
import amber_programs
import numpy as np
import pytest

from gibbsflow.binding.forcefield.topology_file import masses_amu
from gibbsflow.binding.sample.amber.amber_states import amber_path
from gibbsflow.binding.sample.amber.leg_files import write_leg_files
from gibbsflow.binding.sample.amber.window_input import WindowInput
from gibbsflow.engines.openmm_systems import box_vectors_nm, create_system, read_positions_nm
from gibbsflow.errors import InputError
from gibbsflow.workflow.state.sentinels import read_sentinel


@pytest.fixture
def written(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "complex")
    return leg, tmp_path / "out", write_leg_files(leg, 1, tmp_path / "out")


def test_what_lies_there(written):
    leg, out, record = written
    assert json.loads((out / "amber.json").read_text()) == record
    assert (record["total_steps"], record["segments"], len(record["clambda"])) == (1250, 3, 24)
    system = create_system(leg.folder / leg.topology, leg.md)
    ours = [system.getParticleMass(atom)._value for atom in range(system.getNumParticles())]
    np.testing.assert_allclose(masses_amu(out / "topology.prmtop"), ours, atol=1e-6)
    start = out / "window_23" / "start.inpcrd"
    np.testing.assert_allclose(read_positions_nm(start), leg.starts_nm(1)[23], atol=1e-7)
    np.testing.assert_allclose(box_vectors_nm(start), leg.starts_boxes_nm(1)[23], atol=1e-5)
    assert (out / "disang.rest").read_text().count("&rst") == 6 and not (out / "cv.in").exists()
    assert len(list(out.glob("window_*/lambda.sch"))) == 24 and not (out / "run-exchange.bash").exists()
    # again it is the same folder; of another replicate it is not
    assert write_leg_files(leg, 1, out) == record
    with pytest.raises(InputError, match="written for something else, or with other settings"):
        write_leg_files(leg, 0, out)
    with pytest.raises(InputError, match=r"replicate 2.*0 to 1"):
        write_leg_files(leg, 2, out)
    many = replace(leg, fe=leg.fe.model_copy(update={"window_ps": 6000.0}))
    with pytest.raises(InputError, match="3000 segments of a window.*999 at most: a longer segment_ps"):
        write_leg_files(many, 1, out)
    (out / "amber.json").unlink()
    with pytest.raises(InputError, match="written for something else"):
        write_leg_files(leg, 1, out)


def test_a_window_goes_on_where_it_was_cut(written):
    _, out, _ = written
    window, run = out / "window_03", amber_programs.run
    for _ in range(4):
        assert run(out, "run-segment.bash", "window_03").returncode == 0
    before = amber_programs.called(out)
    assert before == ["minimise.in", "warm.in", "relax.in", "md-001.in"]
    assert run(out, "run-segment.bash", "window_03", CUT="md-002.in").returncode == 75
    assert not (window / "md-002.done").exists() and not (window / "FAILED").exists()
    assert run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out)[4:] == ["md-002.in", "md-002.in", "md-003.in"]
    assert (window / "md-current.rst7").read_text().split() == ["md-003.in"]
    assert (window / "md-previous.rst7").read_text().split() == ["md-002.in"]
    assert not (window / "md-001.rst7").exists()
    sentinel = read_sentinel(window, "FINISHED")
    assert sentinel.steps_done == 1250 + 20000 + 500 and len(sentinel.inputs_hash) == 64
    assert run(out, "run-segment.bash", "window_03").returncode == 0 and len(amber_programs.called(out)) == 7


def test_safer_inputs_are_those_of_half_the_time_step(written):
    """What awk makes of an input is what is written for the safer settings, but for the random numbers."""
    leg, out, _ = written
    for attempt, timestep_fs in ((2, 2.0), (3, 1.0)):
        half = replace(leg, md=leg.md.model_copy(update={"timestep_fs": timestep_fs}))
        wanted = WindowInput(half, amber_path(half), 3, 1)
        for name, text in (wanted.segments() | {"relax": wanted.relax(), "warm": wanted.warm()}).items():
            made = amber_programs.safer(out, f"window_03/{name}.in", attempt)
            assert without_seed(made) == without_seed(text)
            assert made != text
        minimised = amber_programs.safer(out, "window_03/minimise.in", attempt)
        assert f"maxcyc = {500 * 2 ** (attempt - 1)}," in minimised


def without_seed(text):
    return [line for line in text.splitlines() if "ig = " not in line]


def test_a_leg_that_exchanges(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "solvent", sampler="exchange")
    leg, out = replace(leg, states=leg.states[::4]), tmp_path / "out"
    write_leg_files(leg, 0, out)
    lines = (out / "groupfile-002").read_text().splitlines()
    assert len(lines) == 5 and "-c window_04/md-001.rst7" in lines[4] and (out / "lambda.sch").exists()
    assert "-c window_04/relax.rst7" in (out / "groupfile-001").read_text()
    mpi = amber_programs.mpi(out)
    done = amber_programs.run(out, "run-local.bash", MPIRUN=mpi, WRONG="window_03/md-002.in")
    assert done.returncode == 0, done.stderr
    assert (out / "FINISHED").exists() and len(list(out.glob("window_*/md-003.attempt-2"))) == 5
    called = (out / "called.txt").read_text().split()
    assert called.count("window_02/md-002.in") == 1 and called.count("window_02/md-002.attempt-2") == 1
    assert (out / "window_04" / "attempt-001" / "md-001.out").exists() and "dt = 0.002," in (
        out / "window_04" / "md-003.attempt-2"
    ).read_text()
    links = [(out / "window_04" / f"md-{one}.rst7").readlink().name for one in ("current", "previous")]
    assert links == ["md-003.rst7", "md-002.rst7"]


def test_a_restart_of_one_window_that_was_cut_since_has_all_windows_run_again(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "solvent", sampler="exchange")
    leg, out = replace(leg, states=leg.states[::8]), tmp_path / "out"
    write_leg_files(leg, 0, out)
    mpi = amber_programs.mpi(out)
    assert amber_programs.run(out, "run-exchange.bash", MPIRUN=mpi).returncode == 0
    assert (out / "window_01" / "md-previous.rst7").readlink().name == "relax.rst7"
    (out / "window_01" / "md-001.rst7").write_text("half")
    done = amber_programs.run(out, "run-exchange.bash", MPIRUN=mpi)
    assert done.returncode == 0 and "damaged since, so that md-001 is run again" in done.stderr
    called = (out / "called.txt").read_text().split()
    assert called == [f"window_{window:02d}/md-001.in" for window in (0, 1, 2)] * 2


def test_a_preparation_of_one_window_that_was_cut_since_is_run_again(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "solvent", sampler="exchange")
    leg, out = replace(leg, states=leg.states[::8]), tmp_path / "out"
    write_leg_files(leg, 0, out)
    mpi, run = amber_programs.mpi(out), amber_programs.run
    assert run(out, "run-exchange.bash", MPIRUN="no-mpirun").returncode == 78
    assert not (out / "md-001.done").exists() and (out / "window_01" / "relax.done").exists()
    before = len(amber_programs.called(out, "window_01"))
    (out / "window_01" / "relax.rst7").write_text("half")
    done = run(out, "run-exchange.bash", MPIRUN=mpi)
    assert done.returncode == 0 and "window_01: relax.rst7 has 4 bytes" in done.stderr, done.stderr
    assert amber_programs.called(out, "window_01")[before:] == ["relax.in"] and (out / "md-001.done").exists()
    # once the first segment is there, it is needed no more
    (out / "window_01" / "relax.rst7").write_text("half")
    done = run(out, "run-exchange.bash", MPIRUN=mpi)
    assert done.returncode == 0 and not done.stderr and (out / "md-002.done").exists()
