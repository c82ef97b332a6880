"""A leg's folder for pmemd: what lies in it, and that its scripts go on where they were cut."""

import json
import os
import subprocess
from dataclasses import replace

import amber_legs
import numpy as np
import pytest

from gibbsflow.binding.forcefield.topology_file import masses_amu
from gibbsflow.binding.sample.amber.leg_files import write_leg_files
from gibbsflow.engines.openmm_systems import box_vectors_nm, create_system, read_positions_nm
from gibbsflow.errors import InputError

PROGRAM = """#!/usr/bin/env bash
# stands for pmemd.cuda, which needs a card and a licence: notes what it is called with, and writes what it would
while (($#)); do case $1 in -i) in=$2;; -c) start=$2;; -o) out=$2;; -r) restart=$2;; esac; shift; done
echo "$in" >>called.txt
[[ -s $start ]] || exit 1
[[ $in == "${CUT:-}" ]] && { echo half >"$out"; kill -9 $$; }
[[ $in == "${WRONG:-}" ]] && exit 1
printf '   5.  TIMINGS\\n' >"$out"; echo "$in" >"$restart"
"""


@pytest.fixture
def written(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "complex")
    return leg, tmp_path / "out", write_leg_files(leg, 1, tmp_path / "out")


def run(folder, *words, **changed):
    program = folder / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    environment = os.environ | {"PMEMD": str(program)} | changed
    return subprocess.run(["bash", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def called(folder):
    return (folder / "window_03" / "called.txt").read_text().split()


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
    with pytest.raises(InputError, match="holds the windows of another leg, or of other settings"):
        write_leg_files(leg, 0, out)
    with pytest.raises(InputError, match=r"replicate 2.*0 to 1"):
        write_leg_files(leg, 2, out)
    many = replace(leg, fe=leg.fe.model_copy(update={"window_ps": 6000.0}))
    with pytest.raises(InputError, match="3000 segments of a window.*999 at most: a longer segment_ps"):
        write_leg_files(many, 1, out)
    (out / "amber.json").unlink()
    with pytest.raises(InputError, match="holds the windows of another leg"):
        write_leg_files(leg, 1, out)


def test_a_window_goes_on_where_it_was_cut(written):
    _, out, _ = written
    window = out / "window_03"
    assert run(out, "run-window.bash", "window_03").returncode == 0
    assert called(out) == ["minimise.in", "warm.in", "relax.in", "md-001.in"]
    assert run(out, "run-window.bash", "window_03", CUT="md-002.in").returncode == 70
    assert not (window / "md-002.done").exists() and not (window / "FAILED").exists()
    for _ in range(2):
        assert run(out, "run-window.bash", "window_03").returncode == 0
    assert called(out)[4:] == ["md-002.in", "md-002.in", "md-003.in"] and (window / "FINISHED").exists()
    assert (window / "md-current.rst7").read_text() == "md-003.in\n"
    assert (window / "md-previous.rst7").read_text() == "md-002.in\n" and not (window / "md-001.rst7").exists()
    assert run(out, "run-window.bash", "window_03").returncode == 0 and len(called(out)) == 7


def test_three_failures_are_the_last(written):
    _, out, _ = written
    for _ in range(3):
        assert run(out, "run-window.bash", "window_03", WRONG="md-001.in").returncode == 70
    done = run(out, "run-window.bash", "window_03")
    assert done.returncode == 70 and (out / "window_03" / "FAILED").read_text() == "md-001: three attempts failed\n"
    assert called(out).count("md-001.in") == 3


def test_names_of_other_things(written):
    _, out, _ = written
    for name in ("", "../leg", "window_03; touch harm", "$(touch harm)"):
        assert run(out, "run-window.bash", name).returncode == 65 and not list(out.rglob("harm"))


def test_called_from_another_folder_where_cd_looks_elsewhere(written):
    """With CDPATH cd prints where it went, and goes to a folder of the same name."""
    _, out, _ = written
    (out / "elsewhere" / out.name).mkdir(parents=True)
    for path in (out.parent, out / "elsewhere"):
        words = ("bash", f"{out.name}/run-window.bash", "window_03")
        program = {"PMEMD": str(out / "program"), "CDPATH": str(path)}
        run(out, "-c", "true")  # which puts the program there
        done = subprocess.run(words, cwd=out.parent, env=os.environ | program, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert called(out)[-1] == "md-002.in"


def test_a_leg_that_exchanges(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "solvent", sampler="exchange")
    out = tmp_path / "out"
    write_leg_files(leg, 0, out)
    lines = (out / "groupfile-002").read_text().splitlines()
    assert len(lines) == 17 and "-c window_16/md-001.rst7" in lines[16] and (out / "lambda.sch").exists()
    mpi = out / "mpi"
    mpi.write_text(
        "#!/usr/bin/env bash\nwhile [[ $1 != -groupfile ]]; do shift; done\n"
        'while read -r -a words; do "$PMEMD" "${words[@]}" || exit 1; done <"$2"\n'
    )
    mpi.chmod(0o755)
    done = run(out, "run-local.bash", MPIRUN=str(mpi))
    assert done.returncode == 0, done.stderr
    assert (out / "FINISHED").exists() and len(list(out.glob("window_*/md-003.out"))) == 17
    assert (out / "called.txt").read_text().split().count("window_05/md-002.in") == 1
