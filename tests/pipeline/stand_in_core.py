"""Stands in for the core where a test is about exit codes alone: leaves what is expected and exits as planned.

The plan is a folder with one file an item (``<ligand>.<program>.<verb>[.<name>]``): exit codes, one a line; each call
takes the first; ``137=TIMEOUT`` has the stand-in for SLURM say TIMEOUT of its job; ``hog`` takes memory until it is
killed; ``wait`` leaves ``<item>.waiting``, waits to be stopped and leaves ``<item>.saved``; ``70@<item>`` ends when
that item waits, or after 30 s. Items without a file succeed. What is asked before all tasks is answered by the core
itself, unless STAND_IN_LAUNCH holds a code. STAND_IN_SAMPLER is that of the legs.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

program, verb, *options = sys.argv[sys.argv.index("-m") + 1 :]
program = program.split(".")[-1]
given = dict(zip(options[::2], options[1::2], strict=False))
if verb == "launch":
    if code := int(os.environ.get("STAND_IN_LAUNCH", "0")):
        sys.exit(code)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])

out = Path(given["--out"])
item = ".".join([out.parts[1] if out.parts[0] == "phases" else "all", program, verb, *out.parts[3:]])
plan = Path(os.environ["STAND_IN_PLAN"]) / item
codes = plan.read_text().split() if plan.exists() else []
if codes:
    plan.write_text("\n".join(codes[1:]))
    while codes[0] == "hog":
        taken = [*globals().get("taken", []), bytes([1]) * (16 << 20)]
    if codes[0] == "wait":
        signal.signal(signal.SIGTERM, lambda *_: (plan.with_suffix(".saved").touch(), sys.exit(75)))
        array = os.environ.get("SLURM_ARRAY_JOB_ID")
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ.get("SLURM_JOB_ID", "")
        plan.with_suffix(".partial").write_text(job)
        plan.with_suffix(".partial").rename(plan.with_suffix(".waiting"))
        time.sleep(300)
    word, _, other = codes[0].partition("@")
    end = time.monotonic() + 30
    while other and not plan.with_name(other).with_suffix(".waiting").exists() and time.monotonic() < end:
        time.sleep(0.02)
    word, _, state = word.partition("=")
    if state:
        (Path(os.environ["STAND_IN_SLURM"]) / f"{os.environ['SLURM_JOB_ID']}.state").write_text(state)
    if code := int(word):
        print(f"error: planned to exit with {code}\nwhat to do: nothing", file=sys.stderr)
        sys.exit(code)

out.mkdir(parents=True)
(out / "system.json").write_text(json.dumps({"name": item, "artifacts": {}, "meta": {"smiles": given.get("--smiles")}}))
(out / "result.json").write_text(json.dumps({"status": "finished", "versions": {"stand-in": "1"}}))
if (program, verb) == ("fe", "prepare"):
    for leg in ("complex", "solvent"):
        (out / "legs" / leg).mkdir(parents=True)
        content = {"states": [{}, {}], "fe": {"sampler": os.environ.get("STAND_IN_SAMPLER", "exchange")}}
        (out / "legs" / leg / "leg.json").write_text(json.dumps(content))
if (program, verb) in (("analysis", "transformation"), ("equil", "analyse")):
    runs = [Path(value).name for option, value in zip(options, options[1:], strict=False) if option == "--run"]
    (out / "record.json").write_text(json.dumps({"transformation": out.parts[1], "runs": runs}))
if (program, verb) == ("analysis", "campaign"):
    folders = [value for option, value in zip(options, options[1:], strict=False) if option == "--record"]
    records = [json.loads((Path(folder) / "record.json").read_text()) for folder in folders]
    (out / "results.csv").write_text(
        "transformation,status\n" + "".join(f"{r['transformation']},finished\n" for r in records)
    )
    (out / "record.all.json").write_text(json.dumps({r["transformation"]: r["runs"] for r in records}))
