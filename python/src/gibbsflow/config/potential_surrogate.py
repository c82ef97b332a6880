"""Settings of a cheap model that looks at structures before they are labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from gibbsflow.config.section import Section, setting


class Surrogate(Section):
    """A cheap model before DFT: what it is, and what it does with structures that it finds out of all measure."""

    model: Literal["none", "tblite", "classical", "potential"] = setting(
        "none",
        "Model of `infer screen`: tblite, a classical potential of LAMMPS, or one that was trained (--potential).",
    )
    action: Literal["screen", "relax"] = setting(
        "screen", "What is above the limits is left out, or first relaxed until it is below them."
    )
    max_force_ev_per_angstrom: float = setting(
        30.0, "Largest force on an atom by the surrogate.", unit="eV/Å", gt=0, le=1e5
    )
    energy_window_ev_per_atom: float | None = setting(
        None, "Energy above the lowest of the same composition, at most; default: any.", unit="eV/atom", gt=0, le=1e3
    )
    steps: int = setting(20, "Steps of a relaxation at most.", ge=1, le=10_000)
    tblite_method: Literal["GFN1-xTB", "GFN2-xTB"] = setting("GFN1-xTB", "Method of tblite as surrogate.")
    pair_style: Literal["sw", "tersoff", "eam/alloy", "eam/fs"] | None = setting(
        None, "Pair style of LAMMPS of the classical potential."
    )
    pair_file: Path | None = setting(None, "File of the classical potential, beside the settings.")

    @model_validator(mode="after")
    def _whole(self) -> Surrogate:
        given = [name for name in ("pair_style", "pair_file") if getattr(self, name) is not None]
        if self.model == "classical" and len(given) < 2:
            raise ValueError("model classical needs pair_style (sw, tersoff, eam/alloy or eam/fs) and pair_file")
        if self.model != "classical" and given:
            raise ValueError(f"{given[0]} has no effect with model {self.model}; right: model classical, or without it")
        return self
