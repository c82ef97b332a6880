"""``dhdl.xvg``: the header says which column is what, and a file that is not whole is refused by its line."""

import numpy as np
import pytest

from gibbsflow.engines.gromacs.dhdl_file import read_dhdl
from gibbsflow.errors import InputError

HEAD = r"""@ subtitle "T = 300 (K) \xl\f{} state 1: (coul-lambda, vdw-lambda) = (1.0000, 0.5000)"
@ s0 legend "Potential Energy (kJ/mol)"
@ s1 legend "dH/d\xl\f{} coul-lambda = 1.0000"
@ s2 legend "dH/d\xl\f{} vdw-lambda = 0.5000"
@ s3 legend "\xD\f{}H \xl\f{} to (0.0000, 0.0000)"
@ s4 legend "\xD\f{}H \xl\f{} to (1.0000, 0.5000)"
@ s5 legend "pV (kJ/mol)"
"""


def test_columns_by_their_legends(tmp_path):
    path = tmp_path / "dhdl.xvg"
    path.write_text(HEAD + "0.0 -100.0 1.5 2.5 3.0 0.0 0.4\n1.0 -101.0 1.5 2.5 4.0 0.0 0.4\n")
    file = read_dhdl(path)
    assert file.header.state == 1 and file.header.numbered and file.header.temperature_k == 300
    assert file.header.foreign == [4, 5] and file.header.gradients == [2, 3]
    assert file.header.columns("Potential Energy") == [1] and file.header.columns("pV") == [6]
    np.testing.assert_array_equal(file.table[:, 4], [3.0, 4.0])
    assert list(file.rows) == [8, 9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        (HEAD, "no samples"),
        (HEAD + "0.0 -100.0 1.5\n", "row 8: 3 numbers instead of 7"),
        (HEAD + "0.0 -100.0 1.5 2.5 3.0 0.0 0.4", "row 8.*has no end"),
        ("0.0 1.0\n", "no dhdl.xvg header"),
    ],
)
def test_a_file_that_is_not_whole(tmp_path, text, message):
    path = tmp_path / "dhdl.xvg"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_dhdl(path)
