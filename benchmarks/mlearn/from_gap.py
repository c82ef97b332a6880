"""Make data/ELEMENT/training.json of mlearn from the training frames inside a GAP of the same repository.

Usage: python benchmarks/mlearn/from_gap.py mvl_models/Ni/gap/gap.xml FOLDER/data/Ni/training.json

For elements whose training.json is not at hand. gap.xml keeps its frames with six decimals, but not their groups: these
are told by size and forces, which leave no doubt in nickel and copper (bulk cells have forces below 0.01 or above 1
eV/Å; those with one atom less are vacancies).
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

_STILL_EV_PER_ANGSTROM = 0.1


def main() -> int:
    """Read, tell groups, write."""
    source, target = (Path(argument) for argument in sys.argv[1:3])
    text = re.search(r"<XYZ_data.*?</XYZ_data>", source.read_text(), re.DOTALL)
    if text is None:
        raise SystemExit(f"{source}: has no training frames (XYZ_data)")
    frames = list(_frames(re.sub(r"<!\[CDATA\[|\]\]>", "\n", text.group(0)).splitlines()))
    bulk, _ = Counter(frame["num_atoms"] for frame in frames).most_common(1)[0]
    for frame in frames:
        frame["group"] = _group(frame["num_atoms"], np.array(frame["outputs"]["forces"]), bulk)
    target.write_text(json.dumps(frames) + "\n")
    print(f"{target}: {len(frames)} frames,", dict(Counter(frame["group"] for frame in frames)))
    return 0


def _frames(lines: list[str]):
    place = 0
    while place < len(lines):
        words = lines[place].split()
        if len(words) != 1 or not words[0].isdigit():
            place += 1
            continue
        count, head = int(words[0]), lines[place + 1]
        rows = [line.split() for line in lines[place + 2 : place + 2 + count]]
        numbers = np.array([row[1:] for row in rows], dtype=float)  # x, y, z, atomic number, forces
        cell = np.array(re.search(r'Lattice="([^"]+)"', head).group(1).split(), dtype=float).reshape(3, 3)
        sites = [
            {"species": [{"element": row[0], "occu": 1}], "abc": scaled.tolist()}
            for row, scaled in zip(rows, numbers[:, :3] @ np.linalg.inv(cell), strict=True)
        ]
        energy = float(re.search(r"dft_energy=(\S+)", head).group(1))
        yield {
            "structure": {"lattice": {"matrix": cell.tolist()}, "sites": sites},
            "outputs": {"energy": energy, "forces": numbers[:, 4:7].tolist()},
            "num_atoms": count,
        }
        place += 2 + count


def _group(count: int, forces: np.ndarray, bulk: int) -> str:
    if count == bulk:
        return "Elastic" if np.abs(forces).max() < _STILL_EV_PER_ANGSTROM else "AIMD-NVT"
    return "Vacancy" if count == bulk - 1 else "Surface"


if __name__ == "__main__":
    sys.exit(main())
