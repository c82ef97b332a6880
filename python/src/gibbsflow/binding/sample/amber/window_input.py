"""Inputs (mdin) of pmemd.cuda for one λ window: minimisation, warming up, relaxation, segments with MBAR energies.

What each option means, and where the Amber manual says so, is in docs/methods/amber_decoupling.md; a test holds the
two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.sampling_plan import Sampling
from gibbsflow.binding.sample.amber.amber_states import DIGITS, AmberPath
from gibbsflow.engines.amber.mdin import consecutive, headed, steps_per_volume_move
from gibbsflow.engines.amber.scripts.run_scripts import Step
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.seeds import derive_seed

Options = Mapping[str, str]
MINIMISE_STEPS, WARM_STEPS = 500, 20_000
MINIMISED, WARMED, RELAXED = "minimise", "warm", "relax"
"""What comes before the segments, in this order."""
_WARM_DT_PS = "0.001"
_LONGEST_MASK = 256
_SEEDS = 999_999
_SWITCH_ANGSTROM = 2.0


@dataclass(frozen=True)
class WindowInput:
    """Writes the inputs of one window.

    Attributes
    ----------
    leg
        The leg.
    path
        Its states in AMBER.
    window
        Number of the state, from 0.
    replicate
        Of which the seeds are.
    """

    leg: AlchemicalLeg
    path: AmberPath
    window: int
    replicate: int

    @property
    def name(self) -> str:
        """Name of the window's folder.

        Returns
        -------
        str
            As the scripts take it.
        """
        return f"window_{self.window:02d}"

    def preparation(self) -> dict[str, str]:
        """Give the inputs of what comes before the segments.

        Returns
        -------
        dict
            By name, in the order that they are run.
        """
        return {MINIMISED: self.minimise(), WARMED: self.warm(), RELAXED: self.relax()}

    def segments(self) -> dict[str, str]:
        """Give the inputs of all segments.

        Returns
        -------
        dict
            By name, in the order that they are run.
        """
        return {segment_name(number): self.segment(number) for number in range(segments(self.leg.sampling))}

    def steps(self, options: str) -> list[Step]:
        """Tell what is run in the window's own folder.

        Parameters
        ----------
        options
            Of the program, for each.

        Returns
        -------
        list of Step
            Its preparation, and the segments unless windows exchange, which are run together.
        """
        plan = self.leg.sampling
        counts = {MINIMISED: 0, WARMED: WARM_STEPS, RELAXED: _relax_steps(plan)}
        if self.leg.fe.sampler != "exchange":
            counts |= {segment_name(number): steps_of(plan, number) for number in range(segments(plan))}
        return [Step(name, count, options) for name, count in counts.items()]

    def minimise(self) -> str:
        """Take the start downhill, by steepest descent: pmemd has no other with a soft core.

        Returns
        -------
        str
            A mdin.
        """
        steps = {"imin": "1", "ntmin": "2", "maxcyc": str(MINIMISE_STEPS), "ntb": "1", "ntpr": "100"}
        return self._mdin(MINIMISED, 0, steps | self._common() | self._alchemy(), self._restraints())

    def warm(self) -> str:
        """Draw velocities and come to temperature at constant volume.

        Returns
        -------
        str
            A mdin.
        """
        md, start = self.leg.md, {"imin": "0", "irest": "0", "ntx": "1", "nstlim": str(WARM_STEPS), "dt": _WARM_DT_PS}
        heat = {"tempi": f"{md.temperature_k:g}", "ntb": "1", "ntpr": "1000", "ntwx": "0", "ntwr": str(WARM_STEPS)}
        chosen = start | heat | self._thermostat("warm") | self._shake() | self._common() | self._alchemy()
        return self._mdin(WARMED, WARM_STEPS, chosen, self._restraints())

    def relax(self) -> str:
        """Come to pressure, for the time that is discarded at the start of a window.

        Returns
        -------
        str
            A mdin.
        """
        plan = self.leg.sampling
        steps = str(_relax_steps(plan))
        chosen = {"nstlim": steps, "ntpr": str(plan.steps_per_sample), "ntwx": "0", "ntwr": steps}
        return self._mdin(RELAXED, int(steps), chosen | self._pressed("relax", int(steps)), self._restraints())

    def segment(self, number: int) -> str:
        """Go on for a segment at constant pressure, with energies of all states at each sample.

        Parameters
        ----------
        number
            From 0.

        Returns
        -------
        str
            A mdin, whose head has the steps of the window in all.
        """
        plan = self.leg.sampling
        every = str(plan.steps_per_sample)
        samples, steps = steps_of(plan, number) // plan.steps_per_sample, str(steps_of(plan, number))
        if self.leg.fe.sampler == "exchange":
            chosen = {"nstlim": every, "numexchg": str(samples), "gremd_acyc": "1"}
        else:
            chosen = {"nstlim": steps}
        chosen |= {"ntpr": every, "ntwx": steps, "ntwr": steps}
        chosen |= self._pressed(f"segment {number}", int(chosen["nstlim"]))
        chosen |= {"ifmbar": "1", "bar_intervall": every, "mbar_states": str(len(self.path.clambdas))}
        chosen |= {"mbar_lambda": ", ".join(_lambda(value) for value in self.path.clambdas)}
        title = f"segment {number + 1} of {segments(plan)}"
        # windows that exchange run in the leg's folder, the others each in its own
        alone = self.leg.fe.sampler != "exchange"
        held = self._restraints() if alone else self._restraints("", f"{self.name}/")
        return self._mdin(title, total_steps(plan), chosen, held)

    def _pressed(self, stage: str, steps: int) -> dict[str, str]:
        md = self.leg.md
        chosen = {"imin": "0", "irest": "1", "ntx": "5", "dt": f"{md.timestep_fs / 1000:g}"}
        chosen |= {"ntb": "2", "ntp": "1", "barostat": "2", "pres0": f"{md.pressure_bar:g}"}
        chosen |= {"mcbarint": steps_per_volume_move(steps)}
        return chosen | self._thermostat(stage) | self._shake() | self._common() | self._alchemy()

    def _thermostat(self, stage: str) -> dict[str, str]:
        md = self.leg.md
        # not that of the segment before: a thermostat that begins its numbers again moves all windows alike
        seed = derive_seed(self.leg.seed, self.leg.leg, self.replicate, self.window, stage) % _SEEDS + 1
        return {"ntt": "3", "temp0": f"{md.temperature_k:g}", "gamma_ln": f"{md.friction_per_ps:g}", "ig": str(seed)}

    @staticmethod
    def _shake() -> dict[str, str]:
        return {"ntc": "2", "ntf": "1", "tol": "0.000001"}

    def _common(self) -> dict[str, str]:
        found = {"cut": f"{self.leg.md.cutoff_angstrom:g}", "iwrap": "0", "ntxo": "2", "ioutfm": "1"}
        if self.leg.restraint is not None:
            found["nmropt"] = "1"
        if self.leg.apart:
            found["infe"] = "1"
        return found

    def _alchemy(self) -> dict[str, str]:
        cut = self.leg.md.cutoff_angstrom
        first, second = mask(self.leg.ligand_atoms), mask(self.leg.copy_atoms)
        for name, text in (("the ligand", first), ("its copy", second)):
            if len(text) > _LONGEST_MASK:
                what = f"the mask of {name} has {len(text)} characters, and pmemd reads {_LONGEST_MASK}"
                raise InputError(Problem(f"leg {self.leg.leg}", what, "ligand atoms that stand together"))
        return {
            "icfe": "1",
            "clambda": _lambda(self.path.clambdas[self.window]),
            "ifsc": "1",
            "timask1": f"'{first}'",
            "timask2": f"'{second}'",
            "scmask1": f"'{first}'",
            "scmask2": f"'{second}'",
            "scalpha": "0.5",
            "scbeta": "1.0",
            "gti_lam_sch": "1",
            "gti_ele_sc": "1",
            "gti_vdw_sc": "1",
            "gti_scale_beta": "1",
            "gti_ele_exp": "2",
            "gti_vdw_exp": "2",
            "gti_cut": "1",
            "gti_cut_sc": "2",
            "gti_cut_sc_on": f"{cut - _SWITCH_ANGSTROM:g}",
            "gti_cut_sc_off": f"{cut:g}",
            "gti_add_sc": "2",
            "gti_chg_keep": "1",
            "gti_output": "1",
        }

    def _restraints(self, leg: str = "../", own: str = "") -> str:
        held = f" &wt type='END' /\nDISANG={leg}disang.rest\nLISTOUT=POUT\n" if self.leg.restraint is not None else ""
        walls = f" &pmd output_file='{own}walls.txt', output_freq=100000, cv_file='{leg}cv.in' /\n"
        return (walls if self.leg.apart else "") + held

    @staticmethod
    def _mdin(title: str, steps: int, chosen: Options, tail: str) -> str:
        lines = "".join(f"  {key} = {value},\n" for key, value in chosen.items())
        return f"{headed(title, steps)}\n &cntrl\n{lines} /\n{tail}"


def _relax_steps(plan: Sampling) -> int:
    return max(1, plan.discarded) * plan.steps_per_sample


def segment_name(number: int) -> str:
    """Name a segment's files.

    Parameters
    ----------
    number
        From 0.

    Returns
    -------
    str
        Such as ``md-001``.
    """
    return f"md-{number + 1:03d}"


def steps_of(plan: Sampling, number: int) -> int:
    """Count the steps of one segment.

    Parameters
    ----------
    plan
        Lengths of the leg.
    number
        Of the segment, from 0.

    Returns
    -------
    int
        MD steps.
    """
    left = plan.samples - plan.discarded - number * plan.samples_per_segment
    return min(plan.samples_per_segment, left) * plan.steps_per_sample


def total_steps(plan: Sampling) -> int:
    """Count the steps of a window.

    Parameters
    ----------
    plan
        Lengths of the leg.

    Returns
    -------
    int
        MD steps that give samples; those discarded at the start are a run of their own.
    """
    return (plan.samples - plan.discarded) * plan.steps_per_sample


def segments(plan: Sampling) -> int:
    """Count the segments of a window.

    Parameters
    ----------
    plan
        Lengths of the leg.

    Returns
    -------
    int
        The last may be shorter.
    """
    return math.ceil((plan.samples - plan.discarded) / plan.samples_per_segment)


def mask(atoms: Iterable[int]) -> str:
    """Write atoms as an AMBER mask.

    Parameters
    ----------
    atoms
        0-based.

    Returns
    -------
    str
        Such as ``@1-12,20``; empty for none.
    """
    runs = consecutive(atom + 1 for atom in atoms)
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    return f"@{','.join(texts)}" if texts else ""


def _lambda(value: float) -> str:
    return f"{value:.{DIGITS}f}"
