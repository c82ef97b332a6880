"""How long a look at a made campaign takes for `gibbsflow watch`: the first, and the next where nothing has changed.

    python benchmarks/live_view.py FOLDER [--ligands 1000] [--windows 12]

Prints JSON: items, their parts, and of each look seconds of wall clock and of CPU. The campaign is made below FOLDER
without fsync, and left there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "tests"))

from watched_campaigns import many, phases  # noqa: E402

from gibbsflow.workflow.watch.campaign_view import CampaignView  # noqa: E402


def main() -> None:
    """Make the campaign where it is not there yet, and look at it four times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ligands", type=int, default=1000)
    parser.add_argument("--windows", type=int, default=12)
    given = parser.parse_args()
    state = given.folder / "state" / "many"
    if not state.is_dir():
        os.fsync = lambda _: None  # type: ignore[assignment]
        many(given.folder, given.ligands, given.windows)
    view, looks = CampaignView(state, phases), []
    for _ in range(4):
        wall, cpu = time.perf_counter(), time.process_time()
        found = view.look()
        looks.append({"wall_s": round(time.perf_counter() - wall, 3), "cpu_s": round(time.process_time() - cpu, 3)})
    print(json.dumps({"items": len(found.items), "parts": sum(found.parts.values()), "looks": looks}))


if __name__ == "__main__":
    main()
