#!/usr/bin/env python3
"""Hashes of every lock and of what it was made from, in setup/locks.json; the last step of setup/lock.sh.

setup/lock_hashes.py            writes them
setup/lock_hashes.py --check    compares, and names each lock that is not of its input, or was changed by hand
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "setup/locks.json"
PROJECT = "python/pyproject.toml"
LOCKS = ROOT / "python/locks"
OF_PROJECT = ("default", "dev", "compiled", "cuda", "core", "ml")


def inputs() -> dict[str, list[str]]:
    """Files that each lock is made from, by its path."""
    found = {f"python/locks/{name}.lock": [PROJECT, "python/locks/backend.in"] for name in OF_PROJECT}
    own = [path for path in sorted(LOCKS.glob("*.in")) if path.stem != "backend"]
    found |= {f"python/locks/{path.stem}.lock": [f"python/locks/{path.name}"] for path in own}
    return found | {"setup/uv.lock": ["setup/uv.in"], "setup/nextflow.sha256": ["setup/pom.xml"]}


def content(name: str) -> bytes:
    """What counts of a file: of the project's only what it depends on."""
    data = (ROOT / name).read_bytes()
    if name != PROJECT:
        return data
    project = tomllib.loads(data.decode())["project"]
    wanted = {key: project.get(key) for key in ("requires-python", "dependencies", "optional-dependencies")}
    return json.dumps(wanted, sort_keys=True).encode()


def hashes() -> dict[str, dict[str, str]]:
    """Hash of each lock and of its inputs together."""
    return {
        lock: {
            "lock": hashlib.sha256((ROOT / lock).read_bytes()).hexdigest(),
            "input": hashlib.sha256(b"\0".join(map(content, names))).hexdigest(),
        }
        for lock, names in sorted(inputs().items())
    }


def faults() -> list[str]:
    """What is not as it was written down; empty where all is."""
    written, now = json.loads(FILE.read_text()), hashes()
    told = {"input": "is not of its input", "lock": "was changed by hand"}
    found = [f"{lock} has no committed hash" for lock in sorted(now.keys() - written.keys())]
    found += [f"{lock} is gone, and its hash is not" for lock in sorted(written.keys() - now.keys())]
    both = sorted(now.keys() & written.keys())
    return found + [f"{lock} {told[kind]}" for lock in both for kind in told if now[lock][kind] != written[lock][kind]]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if wrong := faults():
            sys.exit("\n".join([*wrong, "`make lock` writes all locks anew, and their hashes"]))
    else:
        FILE.write_text(json.dumps(hashes(), indent=2) + "\n")
