"""The card of a fit: the data in Markdown, with the potential's errors on each part of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gibbsflow.potential.train.shared.inputs import Inputs


def training_card(inputs: Inputs, figures: Mapping[str, Any]) -> str:
    """Describe the data: what is in it, how it was labelled, how well the potential knows it.

    Parameters
    ----------
    inputs
        Frames of the fit.
    figures
        What the trainer says of it, as :func:`.check_figures` asks.

    Returns
    -------
    str
        Markdown.
    """
    settings = sorted({f.settings_hash for f in inputs.train + inputs.test if f.settings_hash})
    sources = figures["references"]
    lines = [
        "# Data set", "",
        f"Elements: {', '.join(inputs.species)}. Labels: {', '.join(settings) or 'settings not recorded'}.",
        f"Reference energies ({sources['source']}): "
        + ", ".join(f"{s} {e:.6f} eV" for s, e in sources["energy_ev"].items()) + ".",
        f"Inner validation split by {figures['split']}.", "",
        "| set | config_type | frames | atoms | with stress | E MAE, meV/atom | F MAE, eV/Å | S MAE, GPa |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name in ("train", "test"):
        groups = {**figures[name]["by_config_type"], "all": figures[name]}
        for kind, errors in groups.items():
            stress = "–" if errors["stress_mae_gpa"] is None else f"{errors['stress_mae_gpa']:.3f}"
            lines.append(
                f"| {name} | {kind} | {errors['frames']} | {errors['atoms']} | {errors.get('stress_frames', 0)} "
                f"| {errors['energy_mae_mev_per_atom']:.2f} | {errors['force_mae_ev_per_angstrom']:.4f} | {stress} |"
            )
    return "\n".join(lines) + "\n"
