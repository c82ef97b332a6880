from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.errors import InputError
from gibbsflow.potential.label.pseudopotentials import gth, pseudo_table
from gibbsflow.potential.label.pseudopotentials.upf import Header, read_header

FIRST = """<PP_INFO>
Generated using ...
</PP_INFO>
<PP_HEADER>
   0                   Version Number
  Fe                   Element
   US                  Ultrasoft pseudopotential
    T                  Nonlinear Core Correction
 SLA  PW   PBE  PBE     PBE    Exchange-Correlation functional
    8.00000000000      Z valence
  -42.00000000000      Total energy
</PP_HEADER>
"""


def test_version_one(tmp_path: Path) -> None:
    (tmp_path / "Fe.UPF").write_text(FIRST)
    assert read_header(tmp_path / "Fe.UPF") == Header("Fe", "pbe", "US", 8.0)


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("PBE", "pbe"), ("SLA-PW-PBX-PBC", "pbe"), ("PBESOL", "pbesol"), ("SLA PW PSX PSC", "pbesol"), ("PZ", "lda"),
        (" SLA  PZ   NOGX NOGC", "lda"), ("1 4 3 4", "pbe"), ("BLYP", "BLYP"), ("PW91", "PW91"),
    ],
)  # fmt: skip
def test_functionals_of_version_two(tmp_path: Path, words: str, known: str) -> None:
    text = (
        f"<UPF version='2.0.1'>\n<PP_HEADER element='si' pseudo_type='NC'\n functional='{words}' z_valence='4.0D0' />"
    )
    (tmp_path / "a.UPF").write_text(text)
    assert read_header(tmp_path / "a.UPF") == Header("Si", known, "NC", 4.0)


def test_what_is_written_here_is_read(tmp_path: Path) -> None:
    for file in sorted(pseudo_table.GTH_FOLDER.glob("*.gth")):
        gth.write_upf(file, tmp_path / "a.UPF")
        element, functional = file.name.split("-")[0].split(".")
        said = read_header(tmp_path / "a.UPF")
        assert (said.element, said.functional) == (element, functional)


@pytest.mark.parametrize("text", ["", "no header", "<PP_HEADER element='Si'/>", "<PP_HEADER>\nSi\n</PP_HEADER>"])
def test_what_has_no_header_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.UPF").write_text(text)
    with pytest.raises(InputError, match=r"a\.UPF: no header of a UPF file"):
        read_header(tmp_path / "a.UPF")


@pytest.mark.skipif(not pseudo_table.DEBIAN_FOLDER.is_dir(), reason="quantum-espresso-data is not installed")
def test_headers_of_debians_files_are_those_of_the_table() -> None:
    for row in pseudo_table.rows():
        if row.library == "debian":
            said = read_header(pseudo_table.DEBIAN_FOLDER / row.file)
            assert said == Header(row.element, row.functional, row.type, row.z_valence), row.file
