from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import database_writer
import numpy as np
import pytest
from ase.db import connect
from database_writer import result_of
from silicon import si2, si8

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import LabelResult, check_label, labelled_frame
from gibbsflow.potential.data.structures import structure_id

SERVER = os.environ.get("GIBBSFLOW_TEST_POSTGRES")


@contextmanager
def postgres_database() -> Iterator[str]:
    import psycopg2

    name = f"gibbsflow_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(SERVER)
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name}")
    yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not SERVER, reason="GIBBSFLOW_TEST_POSTGRES is not set"))])  # fmt: skip # noqa: E501
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "structures.db")
    else:
        with postgres_database() as address:
            yield address


def start(where: str, seed: int, count: int, mode: str) -> subprocess.Popen[str]:
    command = [sys.executable, database_writer.__file__, where, str(seed), str(count), mode]
    paths = os.pathsep.join([str(Path(database_writer.__file__).parent), *sys.path])
    variables = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables)


def test_a_structure_walks_through_all_statuses(where: str) -> None:
    manager = DatabaseManager(where)
    good, bad, held, unwanted = (si2(seed) for seed in range(4))
    assert len(manager.add([good, bad, good])) == 2
    manager.add([held], RowStatus.HELD, "grade below the threshold")
    manager.add([unwanted], RowStatus.REJECTED, "atoms too close")
    assert manager.counts() == {
        "pending": 2,
        "claimed": 0,
        "labelled": 0,
        "failed": 0,
        "held": 1,
        "screened": 0,
        "rejected": 1,
    }
    assert [a.info["gibbsflow_id"] for a in manager.pending(1)] == [good.info["gibbsflow_id"]]
    assert len(manager.claim(5, "me")) == 2
    assert manager.claim(5, "you") == []
    failure = LabelResult(
        bad.info["gibbsflow_id"], "failed", "UNCONVERGED", "80 steps", corrections=["mixing_beta 0.4"],
        audit=[{"run": 1, "error": "UNCONVERGED", "action": "mixing_beta 0.4", "kept": "charge density"}],
    )  # fmt: skip
    assert manager.record([result_of(good, -3.5), failure]) == {"labelled": 1, "failed": 1}
    assert manager.causes() == {"UNCONVERGED": 1}
    assert manager.retry_failed() == [bad.info["gibbsflow_id"]]
    manager.move([held.info["gibbsflow_id"]], RowStatus.PENDING, "wanted after all")
    assert manager.counts()["pending"] == 2
    labelled = manager.frames(RowStatus.LABELLED)
    assert labelled[0].get_potential_energy() == -3.5
    assert labelled[0].get_stress() == pytest.approx([0.0] * 6)
    assert labelled[0].info["settings_hash"] == "test-0123456789abcdef"
    known = manager.explain(bad.info["gibbsflow_id"])
    assert [event["status"] for event in known["history"]] == ["pending", "claimed", "failed", "pending"]
    assert known["result"]["corrections"] == ["mixing_beta 0.4"]
    assert known["corrections"] == [
        {"run": 1, "error": "UNCONVERGED", "done": "mixing_beta 0.4 (kept: charge density)"}
    ]
    assert known["attempts"] == 1


def test_a_late_result_changes_nothing(where: str) -> None:
    manager = DatabaseManager(where)
    atoms = si2()
    manager.add([atoms])
    assert manager.record([result_of(atoms, -1.0)]) == {"labelled": 1}
    assert manager.record([result_of(atoms, -2.0)]) == {"repeated": 1}
    assert manager.frames(RowStatus.LABELLED)[0].get_potential_energy() == -1.0


def test_an_unknown_result_writes_nothing_at_all(where: str) -> None:
    manager = DatabaseManager(where)
    known, unknown = si2(1), si2(2)
    manager.add([known])
    with pytest.raises(InputError, match=unknown.info["gibbsflow_id"]):
        manager.record([result_of(known), result_of(unknown)])
    assert manager.counts()["labelled"] == 0


def test_labels_come_in_where_the_caller_vouches_for_them_and_never_by_a_tag(where: str) -> None:
    manager = DatabaseManager(where)
    trusted, forged = (labelled_frame(atoms, result_of(atoms, -7.0)) for atoms in (si2(1), si2(2)))
    manager.add([trusted], RowStatus.LABELLED)
    assert manager.frames()[0].get_potential_energy() == -7.0
    forged.info["settings_hash"] = "another-1"
    manager.add([forged])
    assert manager.counts() | {"labelled": 1, "pending": 1} == manager.counts()
    manager.record([result_of(forged, -5.0)])
    assert [frame.get_potential_energy() for frame in manager.frames()] == [-7.0, -5.0]
    with pytest.raises(InputError, match=r"holds labels of test-0123456789abcdef; these are of another-1"):
        manager.add([labelled_frame(si2(3), replace(result_of(si2(3)), settings_hash="another-1"))], RowStatus.LABELLED)
    with pytest.raises(InputError, match="a frame without a label"):
        manager.add([si2(3)], RowStatus.LABELLED)


def test_labels_are_judged_by_the_thresholds_of_today(where: str) -> None:
    manager = DatabaseManager(where)
    weak, strong, broken = si2(1), si2(2), si2(3)
    manager.add([weak, strong, broken])
    forces = [[4.0, 0, 0], [-4.0, 0, 0]]
    made = replace(result_of(strong, -3.0), forces_ev_per_angstrom=forces)
    low, high = Labels(force_cap_ev_per_angstrom=3.0), Labels(force_cap_ev_per_angstrom=5.0)
    manager.record([check_label(result_of(weak), weak, low), check_label(made, strong, low)])
    manager.record([result_of(broken).failed("CRASH(1)", "no")])
    assert manager.counts() | {"labelled": 1, "failed": 2} == manager.counts()
    assert manager.judge(low) == {}
    assert manager.judge(high) == {"labelled": 1}
    frame = manager.frames(RowStatus.LABELLED)[1]
    assert (frame.get_potential_energy(), frame.get_forces().tolist()) == (-3.0, forces)
    assert manager.judge(low) == {"failed": 1}
    assert manager.causes() == {"BAD_STRUCTURE": 1, "CRASH(1)": 1}
    assert all(frame.calc is None for frame in manager.frames(RowStatus.FAILED))
    # a second result, judged by another cap
    manager.record([check_label(made, strong, high)])
    assert manager.counts()["labelled"] == 2
    manager.record([check_label(made, strong, low)])
    assert manager.explain(structure_id(strong))["cause"] == "BAD_STRUCTURE"


def test_a_second_label_that_is_another_is_said(where: str, caplog: pytest.LogCaptureFixture) -> None:
    manager = DatabaseManager(where)
    manager.add([si2(1)])
    manager.record([result_of(si2(1), -3.0)])
    assert manager.record([result_of(si2(1), -3.0)]) == {"repeated": 1} and not caplog.records
    assert manager.record([result_of(si2(1), -3.1)]) == {"repeated": 1}
    assert "its label in the database stands (-3.000000 eV)" in caplog.text


def test_illegal_move_is_refused_and_undone(where: str) -> None:
    manager = DatabaseManager(where)
    one, other = si2(1), si2(2)
    manager.add([one, other])
    manager.record([result_of(other)])
    with pytest.raises(StateError, match="labelled cannot become rejected"):
        manager.move([one.info["gibbsflow_id"], other.info["gibbsflow_id"]], RowStatus.REJECTED, "no")
    assert manager.counts()["pending"] == 1


def test_eight_writers_lose_nothing(where: str) -> None:
    DatabaseManager(where)
    writers = [start(where, seed, 5, "add") for seed in range(8)]
    assert [writer.wait(120) for writer in writers] == [0] * 8
    assert DatabaseManager(where).counts()["pending"] == 40
    labellers = [start(where, 0, 0, "label") for _ in range(3)]
    done = [labeller.communicate(timeout=120)[0].split() for labeller in labellers]
    names = [name for part in done for name in part]
    assert len(names) == len(set(names)) == 40  # none was given to two
    assert DatabaseManager(where).counts()["labelled"] == 40


@pytest.mark.parametrize("turn", range(4))
def test_a_new_database_is_opened_by_many_at_once(where: str, turn: int) -> None:
    # the first to come makes the tables while the others wait; four turns, as the race is short
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda seed: DatabaseManager(where).add([si2(seed)]), range(8)))
    assert sum(map(len, added)) == 8
    assert DatabaseManager(where).counts()["pending"] == 8


@pytest.mark.skipif(not SERVER, reason="GIBBSFLOW_TEST_POSTGRES is not set")
def test_an_absent_postgres_is_named_without_its_password() -> None:
    with pytest.raises(StateError, match="postgresql://me@127.0.0.1:1/none: PostgreSQL: ") as caught:
        DatabaseManager("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


def test_kill_in_a_transaction_leaves_no_half_row(where: str) -> None:
    manager = DatabaseManager(where)
    manager.add([si2()])
    writer = start(where, 5, 10, "half")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half way\n"
    writer.kill()
    writer.wait(30)
    after = DatabaseManager(where)
    assert after.counts()["pending"] == 1
    after.add([si2(2)])  # nobody holds the writer's place
    assert after.counts()["pending"] == 2
    assert len(after.pending()) == 2


def test_ase_reads_it(tmp_path: Path) -> None:
    manager = DatabaseManager(tmp_path / "s.db")
    atoms = si2()
    manager.add([atoms])
    manager.record([result_of(atoms, -1.5)])
    assert connect(tmp_path / "s.db").get(status="labelled").energy == -1.5


def test_labels_of_a_second_setting_do_not_come_in(where: str) -> None:
    manager = DatabaseManager(where)
    one, other = si2(1), si2(2)
    manager.add([one, other])
    manager.record([result_of(one, -1.0)])
    second = "test-fedcba9876543210"
    for names in ([one], [other]):
        with pytest.raises(InputError, match=f"holds labels of test-0123456789abcdef; these are of {second}"):
            manager.record([replace(result_of(atoms, -2.0), settings_hash=second) for atoms in names])
    with pytest.raises(InputError, match="another --database for other settings"):
        manager.require_setting(second)
    manager.require_setting("test-0123456789abcdef")
    assert manager.counts()["labelled"] == 1
    assert manager.frames(RowStatus.LABELLED)[0].get_potential_energy() == -1.0


def test_charge_and_moments_survive(where: str) -> None:
    manager = DatabaseManager(where)
    atoms = si8()
    atoms.info["charge"] = np.int64(1)  # as extended XYZ is read; the database cannot write it as it is
    atoms.set_initial_magnetic_moments([1.0, -1.0] * 4)
    atoms.info["gibbsflow_id"] = structure_id(atoms)
    manager.add([atoms])
    assert structure_id(manager.claim(1, "me")[0]) == atoms.info["gibbsflow_id"]
    manager.record([replace(result_of(atoms), charge_e=1, total_moment_ub=0.5, absolute_moment_ub=4.2)])
    (frame,) = manager.frames(RowStatus.LABELLED)
    assert structure_id(frame) == atoms.info["gibbsflow_id"]
    assert (frame.info["charge"], frame.info["total_moment_ub"], frame.info["absolute_moment_ub"]) == (1, 0.5, 4.2)
    assert manager.explain(atoms.info["gibbsflow_id"])["result"]["charge_e"] == 1


def test_an_address_of_another_kind_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"mysql://me@host/db: no database of a known kind"):
        DatabaseManager("mysql://me:secret@host/db")
    assert list(tmp_path.iterdir()) == []


def test_a_status_that_was_written_by_hand_is_named(tmp_path: Path) -> None:
    database = DatabaseManager(tmp_path / "s.db")
    database.add([si2(1)])
    with connect(tmp_path / "s.db") as edited:
        edited.update(1, status="done")
    with pytest.raises(StateError, match=r"s\.db: row 1 has 'done' \(right: pending, "):
        database.counts()
