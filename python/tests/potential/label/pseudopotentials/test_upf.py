from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gibbsflow.errors import InputError
from gibbsflow.potential.label.pseudopotentials import gth, pseudo_table
from gibbsflow.potential.label.pseudopotentials.upf import Header, read_header, read_shells, require_whole

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


def whole(folder: Path) -> str:
    gth.write_upf(pseudo_table.GTH_FOLDER / "Si.pbe-gth.gth", folder / "whole.UPF")
    return (folder / "whole.UPF").read_text()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text, ""),
        (lambda text: text.replace("\n", "\r\n"), ""),
        (lambda text: text.replace("</UPF>", ""), ""),
        (lambda text: text.replace("\n", "\r"), "carriage return alone"),
        (lambda text: text[: text.index("<PP_NONLOCAL") + 500], "section PP_NONLOCAL has no end"),
        (lambda text: text[: text.index("</PP_R>") - 40], "section PP_MESH has no end"),
        (lambda text: text[: text.index("<PP_RHOATOM")], "section PP_RHOATOM has no end"),
        (lambda text: text.replace("</UPF>", "<PP_FULL_WFC>\n 0.1\n"), "section PP_FULL_WFC has no end"),
        (
            lambda text: re.sub(r"(<PP_NONLOCAL>.*?<PP_BETA[^>]*>)", r"\1 NaN ", text, count=1, flags=re.DOTALL),
            "NaN for",
        ),
        (lambda text: re.sub(r"(<PP_LOCAL[^>]*>)[^<]*", r"\1 words ", text), "not readable as a potential"),
        (lambda text: text[: text.index(">", text.index("<PP_HEADER")) + 1], ""),  # left to pw.x
    ],
)
def test_what_was_cut_off_is_refused(tmp_path: Path, damage: Any, words: str) -> None:
    path = tmp_path / "a.UPF"
    path.write_bytes(damage(whole(tmp_path)).encode())
    if not words:
        require_whole(path, 4.0)
        return
    with pytest.raises(InputError, match=words):
        require_whole(path, 4.0)


def test_the_charge_of_a_potential_is_that_of_its_header(tmp_path: Path) -> None:
    (tmp_path / "a.UPF").write_text(whole(tmp_path))
    with pytest.raises(InputError, match=r"its potential is that of 4\.00 electrons, and its header says 5"):
        require_whole(tmp_path / "a.UPF", 5.0)


@pytest.mark.skipif(not pseudo_table.DEBIAN_FOLDER.is_dir(), reason="quantum-espresso-data is not installed")
def test_debians_files_are_whole() -> None:
    for path in sorted(pseudo_table.DEBIAN_FOLDER.glob("*.UPF")):
        require_whole(path, read_header(path).z_valence)


SECOND_SHELLS = """<PP_PSWFC>
<PP_CHI.1 type="real" label="4S" l="0" occupation="1.000000000000e0"
 n="4">
 1.0 2.0
</PP_CHI.1>
<PP_CHI.2 label="3D" l="2" occupation="7.0D0"> 1.0 </PP_CHI.2>
<PP_CHI.3 label="4P" l="1" occupation="-1.000000000000e0"> 1.0 </PP_CHI.3>
<PP_CHI.4 label="&lt;/" l="1" occupation="0.000000000000e0"> 1.0 </PP_CHI.4>
</PP_PSWFC>
<PP_FULL_WFC><PP_AEWFC.1 label="5F" l="3"></PP_AEWFC.1></PP_FULL_WFC>
"""
FIRST_SHELLS = """<PP_PSWFC>
4S    0  1.00          Wavefunction
  1.0E-01  2.0E-01
3D    2 -1.00          Wavefunction
</PP_PSWFC>
"""


def test_shells_are_those_that_the_program_takes(tmp_path: Path) -> None:
    (tmp_path / "a.UPF").write_text(SECOND_SHELLS)
    assert read_shells(tmp_path / "a.UPF") == [("4s", 0), ("3d", 2), ("&lt;/", 1)]
    (tmp_path / "a.UPF").write_text(FIRST_SHELLS)
    assert read_shells(tmp_path / "a.UPF") == [("4s", 0)]
    gth.write_upf(pseudo_table.GTH_FOLDER / "C.pbe-gth.gth", tmp_path / "a.UPF")
    assert ("2p", 1) in read_shells(tmp_path / "a.UPF")
    (tmp_path / "a.UPF").write_text(FIRST)
    assert read_shells(tmp_path / "a.UPF") == []
