"""AMBER's restart files in NetCDF: positions and velocities in double precision, so that a restart loses nothing.

The form is AMBER's NetCDF convention, version 1.0 revision C (https://ambermd.org/netcdf/nctraj.xhtml).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openmm import unit
from openmm.app.internal.unitcell import computeLengthsAndAngles, computePeriodicBoxVectors
from scipy.io import netcdf_file

from gibbsflow.errors import EngineError
from gibbsflow.units import Floats

AMBER_VELOCITY_NM_PER_PS = 2.0455
"""AMBER's unit of velocity, Å per 1/20.455 ps, in nm/ps."""


@dataclass(frozen=True)
class Restart:
    """Where MD goes on from.

    Attributes
    ----------
    positions_nm
        Shape (N, 3), nm.
    velocities_nm_per_ps
        Shape (N, 3), nm/ps; None after a minimisation.
    box_nm
        Vectors of the box as rows, shape (3, 3), nm; None without a box.
    time_ps
        Time of it, ps; None where the file does not say.
    """

    positions_nm: Floats
    velocities_nm_per_ps: Floats | None = None
    box_nm: Floats | None = None
    time_ps: float | None = None


def write_restart(path: Path, restart: Restart) -> None:
    """Write a restart file.

    Parameters
    ----------
    path
        The file.
    restart
        What goes into it.
    """
    with netcdf_file(path, "w", version=2) as file:
        file.Conventions, file.ConventionVersion = "AMBERRESTART", "1.0"
        file.program, file.programVersion, file.title = "gibbsflow", "1.0", "gibbsflow"
        sizes = {"spatial": 3, "atom": len(restart.positions_nm), "cell_spatial": 3, "cell_angular": 3, "label": 5}
        for name, size in sizes.items():
            file.createDimension(name, size)
        for name, letters in (("spatial", b"xyz"), ("cell_spatial", b"abc")):
            file.createVariable(name, "c", (name,)).data[...] = np.array(list(letters), np.uint8).view("S1")
        angles = np.array([list(word.ljust(5)) for word in ("alpha", "beta", "gamma")], "S1")
        file.createVariable("cell_angular", "c", ("cell_angular", "label")).data[...] = angles
        _variable(file, "time", np.array(0.0), (), "picosecond")
        _variable(file, "coordinates", restart.positions_nm * 10, ("atom", "spatial"), "angstrom")
        if restart.velocities_nm_per_ps is not None:
            scaled = restart.velocities_nm_per_ps / AMBER_VELOCITY_NM_PER_PS
            _variable(file, "velocities", scaled, ("atom", "spatial"), "angstrom/picosecond")
            file.variables["velocities"].scale_factor = 10 * AMBER_VELOCITY_NM_PER_PS
        if restart.box_nm is not None:
            found = computeLengthsAndAngles(restart.box_nm * unit.nanometer)
            _variable(file, "cell_lengths", np.array(found[:3]) * 10, ("cell_spatial",), "angstrom")
            _variable(file, "cell_angles", np.degrees(found[3:]), ("cell_angular",), "degree")


def read_restart(path: Path) -> Restart:
    """Read a restart file.

    Parameters
    ----------
    path
        As ``sander`` writes it.

    Returns
    -------
    Restart
        What it holds.

    Raises
    ------
    EngineError
        Where there is none, or it is cut short.
    """
    try:
        with netcdf_file(path, "r", mmap=False) as file:
            held = {name: np.array(variable[...], dtype=float) for name, variable in file.variables.items()
                    if name in ("coordinates", "velocities", "cell_lengths", "cell_angles", "time")}  # fmt: skip
        velocities, box = held.get("velocities"), None
        if "cell_lengths" in held:
            sizes = [*held["cell_lengths"] / 10, *np.radians(held["cell_angles"])]
            box = np.array(computePeriodicBoxVectors(*sizes).value_in_unit(unit.nanometer), dtype=float)
        scaled = None if velocities is None else velocities * AMBER_VELOCITY_NM_PER_PS
        time_ps = float(held["time"]) if "time" in held else None
        return Restart(held["coordinates"] / 10, scaled, box, time_ps)
    except (OSError, LookupError, ValueError, TypeError) as error:
        raise EngineError(f"{path}: not a whole restart file of AMBER ({error})") from error


def _variable(file: netcdf_file, name: str, values: Floats, dimensions: tuple[str, ...], unit_name: str) -> None:
    made = file.createVariable(name, "d", dimensions)
    made.units = unit_name
    made.data[...] = values  # assignValue() fails on a scalar
