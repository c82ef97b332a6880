"""LAMMPS' process as its caller sees it: the names of results, and what cannot be done."""

import subprocess
import sys

import numpy as np
import pytest

from gibbsflow.engines import lammps_worker, messages


class _Lammps:
    """Three atoms whose numbers are 3, 1, 2 in LAMMPS' own order, with a ghost behind them."""

    class numpy:  # noqa: N801 - as LAMMPS names it
        @staticmethod
        def extract_atom(name):
            own = np.array([3, 1, 2, 1]) if name == "id" else np.array([[3.0] * 3, [1.0] * 3, [2.0] * 3, [9.0] * 3])
            return own

        @staticmethod
        def extract_compute(name, style, kind):
            return np.array({"virial": [1.0, 2, 3, 4, 5, 6], "grade": [[30.0], [10.0], [20.0]]}[name])

    def extract_global(self, name):
        return {"nlocal": 3}[name]

    def extract_box(self):
        return [0, 0, 0], [1, 2, 3], 0.1, 0.2, 0.3, None, None  # lo, hi, xy, yz, xz


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("forces", [[1.0] * 3, [2.0] * 3, [3.0] * 3]),
        ("atoms:grade", [[10.0], [20.0], [30.0]]),
        ("box", [0, 0, 0, 1, 2, 3, 0.1, 0.3, 0.2]),
        ("virial", [1, 2, 3, 6, 5, 4]),  # LAMMPS gives xx yy zz xy xz yz
    ],
)
def test_results_come_by_the_numbers_of_the_atoms_and_in_voigts_order(what, expected):
    assert lammps_worker.extract(_Lammps(), what) == pytest.approx(np.array(expected))


def test_an_unknown_result_is_an_error():
    with pytest.raises(ValueError, match="unknown result 'charge'"):
        lammps_worker.extract(_Lammps(), "charge")


def test_the_process_answers_errors_and_goes_on(tmp_path):
    command = [sys.executable, "-m", "gibbsflow.engines.lammps_worker", "log"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        header, _ = messages.receive(process.stdout)
        assert "pod" in header["styles"]
        messages.send(process.stdin, {"commands": ["no_such_command"], "results": []}, {})
        answer, _ = messages.receive(process.stdout)
        assert "Unknown command" in answer["error"]
        messages.send(process.stdin, {"commands": ["units metal"], "results": []}, {})
        answer, _ = messages.receive(process.stdout)
        assert answer == {"atoms": 0}
        process.stdin.close()
        assert process.wait(20) == 0
