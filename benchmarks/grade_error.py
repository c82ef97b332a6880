"""Grade and committee against true force errors on mlearn Si; writes grade_error.json beside itself.

Usage: python benchmarks/grade_error.py --data DIR [--time-budget 2m]; DIR holds training.extxyz and test.extxyz
(materialsvirtuallab/mlearn, BSD-3). Two splits: the public one, whose test set lies all but inside of the training set,
and training without the frames of ab-initio MD, on which the potential is then tested.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ase.io import read, write

SETTINGS = "training: {cutoff_angstrom: 5.0, max_coefficients: 150, committee: true, processes: 1}\n"


def fit(folder: Path, time_budget: str) -> dict:
    """Fit to train.extxyz of a folder and return what the hold-out says of grade and committee."""
    (folder / "settings.yaml").write_text(SETTINGS)
    command = [sys.executable, "-m", "gibbsflow.cli.train", "fit", "--out", str(folder / "out")]
    command += ["--train", str(folder / "train.extxyz"), "--test", str(folder / "test.extxyz")]
    command += ["--config", str(folder / "settings.yaml"), "--time-budget", time_budget]
    subprocess.run(command, check=True)
    result = json.loads((folder / "out" / "result.json").read_text())
    errors = {key: value for key, value in result["test"].items() if key != "by_config_type"}
    return {"grade": result["grade"], "committee": result["committee"], "coefficients": result["coefficients"],
            "test": errors}  # fmt: skip


def main() -> int:
    """Fit both splits and record the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("GIBBSFLOW_REFERENCE_DATA"), help="folder of the set")
    parser.add_argument("--time-budget", default="2m")
    arguments = parser.parse_args()
    data = Path(arguments.data) if arguments.data else None
    if data and (data / "mlearn_si").is_dir():
        data = data / "mlearn_si"
    if data is None or not (data / "training.extxyz").exists():
        print("skipped: the mlearn Si set is not there (--data DIR)")
        return 0
    train, test = (read(data / f"{name}.extxyz", ":") for name in ("training", "test"))
    dynamic = [frame for frame in train + test if "AIMD" in frame.info["config_type"]]
    rest = [frame for frame in train if "AIMD" not in frame.info["config_type"]]
    record = {"settings": SETTINGS, "time_budget": arguments.time_budget}
    for name, frames in {"public split": (train, test), "without AIMD, tested on it": (rest, dynamic)}.items():
        with tempfile.TemporaryDirectory() as folder:
            for part, own in zip(("train", "test"), frames, strict=True):
                write(Path(folder) / f"{part}.extxyz", own)
            record[name] = fit(Path(folder), arguments.time_budget)
    Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    for name in list(record)[2:]:
        for part in ("grade", "committee"):
            curve = record[name][part]["curve"]
            print(f"{name}: {part}: rank correlation {curve['rank_correlation_atoms']:.2f} over {curve['atoms']} "
                  f"atoms, {curve['rank_correlation_frames']:.2f} over {curve['frames']} frames")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
