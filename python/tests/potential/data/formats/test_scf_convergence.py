from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.scf_convergence import refuse_unconverged

PWO = """     scf convergence threshold =      {}
     estimated scf accuracy    <       0.05462792 Ry
     estimated scf accuracy    <       {} Ry
     convergence has been achieved in   2 iterations
"""
REACHED = "------------------------ aborting loop because EDIFF is reached ----------------------------------------\n"


def outcar(*steps: tuple[int, bool], most: int = 3) -> str:
    """Text of an OUTCAR: electronic steps of each ionic one, and whether it says that EDIFF is reached."""
    text = f"   NELM   =    {most:3d};   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
    for ionic, (count, reached) in enumerate(steps, 1):
        text += "".join(f"----------------- Iteration {ionic:6d}({k:4d})  ------------\n" for k in range(1, count + 1))
        text += REACHED * reached
    return text


def vasprun(*steps: list[float], most: int = 3) -> str:
    """Text of a vasprun.xml: energies of the electronic steps of each ionic one."""
    text = f'<i type="int" name="NELM">     {most}</i>\n<i name="EDIFF">      0.00010000</i>\n'
    text += '<i type="int" name="NELM">     1</i>\n'
    for energies in steps:
        text += " <calculation>\n"
        for energy in energies:
            text += '  <scstep>\n    <i name="e_fr_energy">  0.0 </i>\n'
            text += f'    <i name="e_wo_entrp">   {energy:.8f} </i>\n  </scstep>\n'
        text += f'  <energy>\n   <i name="e_wo_entrp">   {energies[-1]:.8f} </i>\n  </energy>\n </calculation>\n'
    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PWO.format("1.0E-08", "0.00429179"), "line 4: ended at an scf accuracy of 0.00429179 Ry"),
        (outcar((2, True), (3, False), (2, True)), "line 8: ionic step 2 ended after NELM = 3"),
        (outcar((2, True), (3, False)), "ionic step 2 ended after NELM = 3"),
        (vasprun([-1.0, -1.1], [-1.0, -1.1, -1.2]), "ionic step 2 ended after NELM = 3"),
        ("aborting loop EDIFF was not reached (unconverged)\n", "line 1"),
        (f" {'>' * 10} Convergence criterion not met.\n", "line 1"),
    ],
)
def test_an_energy_of_no_converged_density_is_refused(tmp_path: Path, text: str, words: str) -> None:
    for path in (tmp_path / "OUT", tmp_path / "OUT.gz"):
        path.write_bytes(gzip.compress(text.encode()) if path.suffix else text.encode())
        with pytest.raises(InputError) as error:
            refuse_unconverged(path)
        assert words in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        PWO.format("1.0E-08", "1.0E-08"),
        PWO.format("1.0D-06", "8.2E-09"),
        "     EXX-fraction              =        0.25000000\n" + PWO.format("1.0E-08", "1.0E-06").split("\n", 1)[1],
        outcar((2, True), (3, True), (2, True)),
        outcar((1, False), (1, False), most=1),
        vasprun([-1.0, -1.1], [-1.0, -1.1, -1.10001]),
        vasprun([-1.0], most=1),
        "energies",
    ],
)
def test_what_converged_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "OUT"
    path.write_text(text)
    refuse_unconverged(path)


def test_a_packed_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "OUTCAR.gz"
    path.write_bytes(gzip.compress(b"vasp.5.4.4\n" * 100)[:-12])
    with pytest.raises(InputError, match="not unpacked"):
        refuse_unconverged(path)
