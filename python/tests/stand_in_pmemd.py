"""Stands for pmemd.cuda: looks at its arguments and inputs, and writes outputs of its form.

The form is that of the published outputs of alchemtest (PMEMD, Release 16); no pmemd has been at hand. Energies are
those of shifted oscillators of which each state is DG_KT kT times its λ above the first.
"""

import os
import random
import re
import sys
import time

KT = 0.0019872041 * 298.15
HEAD = """
          Amber 22 PMEMD                              2022

 Here is the input file:

{text}

   2.  CONTROL  DATA  FOR  THE  RUN

General flags:
     imin    =       0, nmropt  =       0

Nature and format of output:
     ntxo    =       2, ntpr    = {every:7d}, ntrx    =       1, ntwr    =   50000

Molecular dynamics:
     nstlim  = {steps:9d}, nscm    =      1000, nrespa  =         1
     t       =   0.00000, dt      =   {dt:7.5f}, vlimit  =  -1.00000

Langevin dynamics temperature regulation:
     ig      =  515746
     temp0   = 298.15000, tempi   =   0.00000, gamma_ln=   1.00000

Free energy options:
     icfe    =       1, ifsc    =       1, klambda =       1
     clambda =  {own:6.4f}, scalpha =  0.5000, scbeta  =  1.0000
     sceeorder =       2
{mbar}
   3.  ATOMIC COORDINATES AND VELOCITIES

 begin time read from input coords = {begin_ps:9.3f} ps

   4.  RESULTS

"""
MBAR = """
FEP MBAR options:
     ifmbar  =       1,  bar_intervall = {every:8d}
     mbar_states = {count:7d}

    MBAR - lambda values considered:
     {count:3d} total:  {listed}
    Extra energies will be computed {times:6d} times.
"""
STEP = """

| TI region  {region}

 NSTEP = {step:8d}   TIME(PS) = {ps:11.3f}  TEMP(K) =   298.15  PRESS =     0.0
 Etot   =     -1000.0000  EKtot   =       100.0000  EPtot      =     -1100.0000
 DV/DL  = {slope:14.4f}
 ------------------------------------------------------------------------------
"""


def checked(given: dict[str, str]) -> dict[str, str]:
    """The options of an input, once all that pmemd would look for is there."""
    assert set(given) == {"-i", "-p", "-c", "-o", "-r", "-x", "-inf"}, given
    for name in (given["-i"], given["-p"], given["-c"], "lambda.sch"):
        assert os.path.getsize(name), name
    with open(given["-i"]) as file:
        text = file.read()
    chosen = dict(re.findall(r"^  (\w+) = (.*),$", text, re.M))
    assert chosen["icfe"] == chosen["ifsc"] == chosen["gti_lam_sch"] == "1" and chosen["timask1"].startswith("'@")
    if "DISANG" in text:
        with open(re.search(r"DISANG=(\S+)", text)[1]) as file:  # type: ignore[index]
            assert chosen["nmropt"] == "1" and "&rst" in file.read()
    return chosen | {"text": text}


def begin_ps(start: str) -> float:
    """The time that a restart of this program tells, that of equilibration for other coordinates."""
    with open(start, errors="replace") as file:
        told = re.fullmatch(r"\S+ *\nat +(\S+) ps\n", file.read(100))
    return float(told[1]) if told else 20.0


def blocks(chosen: dict[str, str], lambdas: list[float], steps: int, every: int, begun_ps: float, seed: str) -> str:
    """What is printed of each sample."""
    own, dg_kt, draw, made = float(chosen["clambda"]), float(os.environ["DG_KT"]), random.Random(seed), []
    for step in range(every, steps + 1, every):
        y = draw.gauss(own, 1)
        if lambdas:
            energies = [KT * ((y - x) ** 2 / 2 + dg_kt * x) - 1000 for x in lambdas]
            rows = [f"Energy at {x:6.4f} = {energy:12.4f}" for x, energy in zip(lambdas, energies, strict=True)]
            made += ["MBAR Energy analysis:", *rows, " " + "-" * 78]
        ps = begun_ps + step * float(chosen["dt"])
        made += [STEP.format(region=n, step=step, ps=ps, slope=KT * (own - y + dg_kt)) for n in (1, 2)]
    return "\n".join(made)


def main(words: list[str]) -> None:
    """Run once."""
    assert words.pop(0) == "-O"
    given = dict(zip(words[::2], words[1::2], strict=True))
    chosen = checked(given)
    with open("called.txt", "a") as file:
        file.write(given["-i"] + "\n")
    if os.environ.get("WRONG") == given["-i"]:
        sys.exit("vlimit exceeded")
    if os.environ.get("SLOW") == given["-i"]:
        with open("slow.pid", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    steps, every = int(chosen.get("nstlim", 0)), int(chosen["ntpr"])
    lambdas = [float(value) for value in chosen.get("mbar_lambda", "").split(", ") if value]
    listed = " ".join(f"{value:.4f}" for value in lambdas)
    mbar = MBAR.format(every=every, count=len(lambdas), listed=listed, times=steps // every) if lambdas else ""
    dt, own, begun_ps = float(chosen.get("dt", 0)), float(chosen["clambda"]), begin_ps(given["-c"])
    head = HEAD.format(text=chosen["text"], every=every, steps=steps, dt=dt, own=own, mbar=mbar, begin_ps=begun_ps)
    with open(given["-o"], "w") as file:
        file.write(
            head + blocks(chosen, lambdas, steps, every, begun_ps, given["-i"] + os.getcwd()) + "\n   5.  TIMINGS\n"
        )
    with open(given["-r"], "w") as file:
        file.write(f"{given['-i']:<32}\nat {begun_ps + steps * dt!r:>26} ps\n")  # restarts are as long as each other


if __name__ == "__main__":
    main(sys.argv[1:])
