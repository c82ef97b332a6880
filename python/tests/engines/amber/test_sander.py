"""What sander says, understood."""

import os

import pytest

from gibbsflow.engines.amber import sander
from gibbsflow.engines.amber.sander import (
    BoxChangedError,
    potential_kcal_per_mol,
    run_sander,
    sander_fault,
    temperature_k,
)
from gibbsflow.errors import EngineError, MachineError, NumericalError

FINAL = """
                    FINAL RESULTS

   NSTEP       ENERGY          RMS            GMAX         NAME    NUMBER
      1      -7.4363E+02     3.2677E+01     2.8730E+02     O3        115

 BOND    =       83.1612  ANGLE   =      152.2845  DIHED      =       93.8624
 1-4 VDW =       11.1145  1-4 EEL =    -2397.2197  RESTRAINT  =        1.5000
 EAMBER  =    -2056.7973
   5.  TIMINGS
"""
STEP = " NSTEP =       50   TIME(PS) =       0.200  TEMP(K) =   %s  PRESS =     0.0\n"


def test_energies_and_temperature():
    assert potential_kcal_per_mol(FINAL) == pytest.approx(83.1612 + 152.2845 + 93.8624 + 11.1145 - 2397.2197 + 1.5)
    assert temperature_k(STEP % "298.15", 50) == 298.15
    with pytest.raises(NumericalError, match="BOND"):
        potential_kcal_per_mol(FINAL.replace("    83.1612", "***********"))
    with pytest.raises(NumericalError, match="NaN"):
        temperature_k(STEP % "NaN", 50)
    with pytest.raises(EngineError, match="no step 100"):
        temperature_k(STEP % "298.15", 100)
    with pytest.raises(EngineError, match="no final energy"):
        potential_kcal_per_mol("")


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ("vlimit exceeded for step      3; vmax =    44.1", NumericalError, "vlimit"),
        ("     COORDINATE RESETTING (SHAKE) CANNOT BE ACCOMPLISHED,\n     DEVIATION", NumericalError, "SHAKE"),
        ("ERROR: Periodic box dimensions have changed too much from their initial values", BoxChangedError, "box"),
        (" Cutoff list exceeds largest sphere in unit cell!!", BoxChangedError, "box"),
        ("| CHECK of an error\nSANDER BOMB in subroutine rdparm", EngineError, "SANDER BOMB"),
    ],
)  # fmt: skip
def test_its_complaints(tmp_path, monkeypatch, words, error, told):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ncat > md.out <<'END'\n{words}\nEND\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sander, "find_program", lambda name: str(program))
    with pytest.raises(error, match=told):
        run_sander(tmp_path, "", tmp_path / "start.rst7", lambda: None, topology="system.prmtop")


def test_a_signal_is_told_by_its_name(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    os.chmod(program, 0o755)
    monkeypatch.setattr(sander, "find_program", lambda name: str(program))
    with pytest.raises(EngineError, match="SIGKILL"):
        run_sander(tmp_path, "", tmp_path / "start.rst7", lambda: None, topology="system.prmtop")


LACKS_A_LIBRARY = "#!/bin/sh\necho 'sander: error while loading shared libraries: libnetcdf.so' >&2\nexit 127\n"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0, "program 'sander' is not installed"),
        ("#!/bin/sh\n", 0o644, "/sander is not executable"),
        ("\x7fELF of another machine", 0o755, "/sander cannot be started: Exec format error"),
        (LACKS_A_LIBRARY, 0o755, "it ends with code 127, sander: error while loading shared libraries: libnetcdf.so"),
    ],
)
def test_one_that_cannot_be_started_is_known_beforehand(tmp_path, monkeypatch, content, mode, told):
    assert sander_fault() == ""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    if content is not None:
        (tmp_path / "sander").write_text(content)
        (tmp_path / "sander").chmod(mode)
    assert sander_fault().endswith(told)
    if mode == 0o755:  # or it has gone between two runs
        with pytest.raises(MachineError, match="cannot be started"):
            run_sander(tmp_path, "", tmp_path / "start.rst7", lambda: None, topology="system.prmtop")
