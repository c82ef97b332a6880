"""Which reader takes a receptor's file, and which files none does."""

import pytest
from known_molecules import CB7, LYSOZYME

from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError

PROTEIN = LYSOZYME / "receptor.pdb"


def test_the_ending_decides():
    assert read_receptor(CB7, System()).kind == "host"
    protein = read_receptor(PROTEIN, System(), complete=False)
    assert (protein.kind, protein.charge, protein.protein) == ("protein", None, None)


@pytest.mark.parametrize(("path", "kind"), [(CB7, "protein"), (PROTEIN, "host")])
def test_a_kind_that_the_file_is_not(path, kind):
    with pytest.raises(InputError, match=f"but receptor_kind is {kind}"):
        read_receptor(path, System(receptor_kind=kind))


def test_files_that_no_reader_takes(tmp_path):
    (tmp_path / "r.xyz").write_text("1\n\nC 0 0 0\n")
    with pytest.raises(InputError, match=r"unknown kind '.xyz' \(right: a file: a host"):
        read_receptor(tmp_path / "r.xyz", System())
    with pytest.raises(InputError, match=r"r.sdf, receptor: no such file"):
        read_receptor(tmp_path / "r.sdf", System())


def test_what_is_for_proteins_is_refused_with_a_host(tmp_path):
    with pytest.raises(InputError, match="altloc, keep given with a host"):
        read_receptor(CB7, System(altloc="A:1=B", keep="ZN"))
