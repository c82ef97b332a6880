"""What AMBER needs on this machine, and what it is refused for."""

from __future__ import annotations

import shutil

from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.engines.amber.sander import sander_fault
from gibbsflow.engines.process import find_program
from gibbsflow.errors import MissingProgramError, Problem

PMEMD = "pmemd.cuda"
_OTHER = "openmm or gromacs; mode md for an equilibration by sander alone, which `equil prepare` and `run` do too"


def amber_problems(md: Md, where: str) -> list[Problem]:
    """Say what ``sander`` lacks on this machine.

    Parameters
    ----------
    md
        Settings; the platform counts.
    where
        What messages call them.

    Returns
    -------
    list of Problem
        Empty where it can be used.
    """
    found = []
    if md.platform != "CPU":
        what = f"amber with platform {md.platform}: sander runs on the CPU"
        found.append(Problem(where, what, "platform CPU, or engine openmm", field="platform"))
    if fault := sander_fault():
        found.append(Problem(where, f"amber, and {fault}", "AmberTools (sander), or engine openmm", field="engine"))
    return found


def pmemd_fault() -> str:
    """Say why λ windows cannot be run by AMBER here.

    Returns
    -------
    str
        In words; empty where ``pmemd.cuda`` can be run.
    """
    try:
        find_program(PMEMD)
    except MissingProgramError:
        alone = " (pmemd without .cuda has no smoothstep soft core)" if shutil.which("pmemd") else ""
        return f"there is no {PMEMD} on PATH{alone}"
    return ""


def window_problems(config: BindingConfig, where: str, *, programs: bool = True) -> list[Problem]:
    """Say what of a campaign's free energies AMBER cannot do: sander equilibrates, and pmemd.cuda runs windows.

    Parameters
    ----------
    config
        Settings of a campaign; only those of free energies are looked at.
    where
        What messages call them.
    programs
        Whether what is to run must be on this machine.

    Returns
    -------
    list of Problem
        Empty where it can.
    """
    fe, found = config.fe, []

    def refuse(what: str, right: str, field: str) -> None:
        found.append(Problem(where, f"amber, and {what}", right, field=field))

    if not config.md.explicit:
        what = f"free energies in {config.md.solvent}: sander has no soft core, and pmemd.cuda decouples in a box"
        refuse(what, f"{_OTHER}; or a water model (solvent) and pmemd.cuda", "engine")
    elif programs and (fault := pmemd_fault()):
        refuse(f"free energies: sander has no soft core, and {fault}", f"{_OTHER}; or pmemd.cuda on PATH", "engine")
    if config.run.mode == "rbfe":
        refuse("edges: atoms that both ligands share are one atom here, and two in AMBER", _OTHER, "mode")
    if fe.sampler == "exchange" and config.md.explicit:
        refuse("windows that exchange: whose walker is where is not read of pmemd", "independent", "sampler")
    if fe.schedule != "given":
        refuse("windows that place themselves: a pilot is run by OpenMM or GROMACS", "given", "schedule")
    if config.analysis.target_error_kcal_per_mol is not None:
        refuse("windows that are sampled longer", f"none, or {_OTHER}", "target_error_kcal_per_mol")
    if config.run.mode == "abfe" and fe.abfe_protocol == "sdr":
        refuse(
            "a copy of the ligand, which sander cannot keep away from the site", "double_decoupling", "abfe_protocol"
        )
    if config.run.mode == "abfe" and fe.restraint in ("com", "flat_bottom"):
        what = f"{fe.restraint}: with λ pmemd.cuda scales restraints between atoms, not those between centres"
        refuse(what, "boresch", "restraint")
    if fe.soft_core != "beutler":
        refuse(f"{fe.soft_core}: the soft core is pmemd's own", "beutler, which it takes the place of", "soft_core")
    if fe.charge_correction == "counter_ion":
        refuse("an ion that loses its charge and keeps its Lennard-Jones", "analytic", "charge_correction")
    return found
