"""What AMBER needs on this machine, and what it is refused for."""

from __future__ import annotations

import shutil

from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.config.modes import COMPARING
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
    fe, absolute = config.fe, config.run.mode == "abfe"
    kept = {"counter_ion": "an ion that loses its charge and keeps its Lennard-Jones"}
    between = "with λ pmemd.cuda scales restraints between atoms, not those between centres"
    fault = pmemd_fault() if programs and config.md.explicit else ""
    in_box = f"free energies in {config.md.solvent}: sander has no soft core, and pmemd.cuda decouples in a box"
    table = (
        (not config.md.explicit, "engine", in_box, f"{_OTHER}; or a water model (solvent) and pmemd.cuda"),
        (bool(fault), "engine", f"free energies: sander has no soft core, and {fault}", f"{_OTHER}; or pmemd.cuda"),
        (
            config.run.mode in COMPARING,
            "mode",
            "edges: atoms that both ligands share are one atom here, and two in AMBER",
            _OTHER,
        ),
        (
            config.md.explicit and fe.sampler == "exchange",
            "sampler",
            "windows that exchange: whose walker is where is not read of pmemd",
            "independent",
        ),
        (fe.schedule != "given", "schedule", "windows that place themselves: pilots are OpenMM's or GROMACS'", "given"),
        (
            config.analysis.target_error_kcal_per_mol is not None,
            "target_error_kcal_per_mol",
            "windows that are sampled longer",
            f"none, or {_OTHER}",
        ),
        (
            config.analysis.entropy,
            "entropy",
            "enthalpies: of outputs of pmemd differences of energies alone are read",
            f"false, or {_OTHER}",
        ),
        (
            absolute and fe.abfe_protocol == "sdr",
            "abfe_protocol",
            "a copy of the ligand, which sander cannot keep away from the site",
            "double_decoupling",
        ),
        (absolute and fe.restraint in ("com", "flat_bottom"), "restraint", f"{fe.restraint}: {between}", "boresch"),
        (fe.soft_core != "beutler", "soft_core", f"{fe.soft_core}: the soft core is pmemd's own", "beutler, as it is"),
        (fe.charge_correction in kept, "charge_correction", kept.get(str(fe.charge_correction), ""), "analytic"),
    )
    return [Problem(where, f"amber, and {what}", right, field=field) for odd, field, what, right in table if odd]
