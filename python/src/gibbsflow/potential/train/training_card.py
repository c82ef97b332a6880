"""The card of a fit: the data in Markdown, with the potential's errors on each part of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.workflow.account import Account


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
        fitted_to(figures), "",
        "| set | config_type | frames | atoms | with forces | with stress "
        "| E MAE, meV/atom | F MAE, eV/Å | S MAE, GPa |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name in ("train", "test"):
        groups = {**figures[name]["by_config_type"], "all": figures[name]}
        for kind, errors in groups.items():
            lines.append(
                f"| {name} | {kind} | {errors['frames']} | {errors['atoms']} | {errors.get('force_frames', '')} "
                f"| {errors.get('stress_frames', 0)} | {_shown(errors['energy_mae_mev_per_atom'], 2)} "
                f"| {_shown(errors['force_mae_ev_per_angstrom'], 4)} | {_shown(errors['stress_mae_gpa'], 3)} |"
            )
    if inputs.account.facts:
        lines += ["", "## What was read", "", account_text(inputs.account)]
    return "\n".join(lines) + "\n"


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def fitted_to(figures: Mapping[str, Any]) -> str:
    """Say to which labels a potential was fitted.

    Parameters
    ----------
    figures
        Of the fit.

    Returns
    -------
    str
        Frames by kind of label; where there are stresses and none of them is in the fit, that too.
    """
    train, used = figures["train"], figures.get("stress_frames_used", 0)
    # errors may be of fewer frames than the fit, whose trainer then says so
    counts = (figures.get(f"{kind}_frames_used", train.get(f"{kind}_frames")) for kind in ("energy", "force"))
    frames = [f"{count} frames" for count in counts if count is not None]
    text = "".join(f"{kind} of {count}, " for kind, count in zip(("energies", "forces"), frames, strict=False))
    left_out = train.get("stress_frames", 0) > 0 and not used
    return f"Fitted to {text}stress of {used} frames." + (" **Stresses are labelled, and not in the fit.**" * left_out)


def errors_in_words(errors: Mapping[str, Any]) -> str:
    """Say how large errors are, of the labels that there are.

    Parameters
    ----------
    errors
        As :func:`.summarise_errors` gives them.

    Returns
    -------
    str
        Mean absolute errors of energy, forces and stress.
    """
    said = [
        f"{name} MAE {_shown(errors[key], digits)} {unit}"
        for name, key, digits, unit in (
            ("energy", "energy_mae_mev_per_atom", 2, "meV/atom"), ("force", "force_mae_ev_per_angstrom", 4, "eV/Å"),
            ("stress", "stress_mae_gpa", 3, "GPa"),
        )
        if errors[key] is not None
    ]  # fmt: skip
    return ", ".join(said) or "no label that counts"


def labels_text(account: Account) -> str:
    """Say which labels are read.

    Parameters
    ----------
    account
        Of :class:`.Inputs`.

    Returns
    -------
    str
        A line for each set, and what else was there.
    """
    lines = []
    for name, facts in account.facts.items():
        unused = facts.get("labels_not_used")
        words = ", ".join(facts.get("labels", [])) or "none"
        lines.append(f"{name} labels: {words}" + (f"; not used: {', '.join(unused)}" if unused else ""))
    return "\n".join(lines)


_LEFT_OUT = {
    "repeated": "repeated", "weight_zero": "of weight 0", "in_test_too": "in the test set too",
    "copies_of_training": "copies of training frames",
}  # fmt: skip


def account_lines(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Describe what was read of one file of labelled data.

    Parameters
    ----------
    facts
        Of one set, as the account of :class:`.Inputs` and ``account`` in a fit's ``result.json`` hold them.

    Returns
    -------
    list of tuple
        Term and words.
    """
    ranges = facts.get("ranges") or {}
    left_out = [f"{facts[key]} {words}" for key, words in _LEFT_OUT.items() if facts.get(key)]
    lines = [("labels", ", ".join(facts.get("labels", [])) or "none")]
    if facts.get("labels_not_used"):
        lines.append(("not used", ", ".join(facts["labels_not_used"])))
    if "frames" in facts:
        out = f" ({', '.join(left_out)})" if left_out else ""
        atoms = f"{facts['atoms']} atoms, {', '.join(facts['elements'])}"
        lines.append(("frames", f"{facts['frames']} of {facts['frames_read']}{out}, {atoms}"))
        lines.append(("with stress", str(facts["with_stress"])))
        if facts.get("energy_alone"):
            lines.append(("energy alone", f"{facts['energy_alone']} frames, whose forces and stress do not count"))
    if facts.get("isolated_atoms"):
        lines.append(("isolated atoms", ", ".join(facts["isolated_atoms"])))
    if facts.get("twins"):
        lines.append(("copies", f"{facts['twins']} frames are others shifted, turned or reordered"))
    if ranges.get("energy_ev_per_atom"):
        low, median, high = ranges["energy_ev_per_atom"]
        lines.append(("energy", f"{low:.4f} to {high:.4f}, median {median:.4f} eV/atom"))
        lines.append(("largest force", f"{ranges['largest_force_ev_per_angstrom']:.3f} eV/Å"))
    if ranges.get("largest_stress_gpa") is not None:
        lines.append(("largest stress", f"{ranges['largest_stress_gpa']:.3f} GPa"))
    if ranges.get("config_types"):
        lines.append(("config_type", ", ".join(f"{kind} {n}" for kind, n in ranges["config_types"].items())))
    if "outliers" in facts:
        rows = sorted({*facts["outliers"], *facts.get("energies_apart", [])})
        lines.append(("outliers", f"frames {', '.join(map(str, rows[:20]))}" if rows else "none"))
    if work := facts.get("work"):
        parts = [
            f"{work[f'{name}_factor']:.3g} ± {work[f'{name}_error']:.1g} times what {name} say"
            for name in ("forces", "stress") if f"{name}_factor" in work
        ]  # fmt: skip
        lines.append(
            ("consistency", f"energies differ by {' and '.join(parts)}, in {work['pairs']} pairs of like frames")
        )
    return lines


_PARETO = (
    "md_us_per_atom_step", "validation_energy_mae_mev_per_atom", "validation_energy_rmse_mev_per_atom",
    "validation_force_rmse_ev_per_angstrom", "validation_score", "coefficients", "environments", "cutoff_angstrom",
    "radial_degrees", "energy_weight", "ridge",
)  # fmt: skip
_BASIS = ("coefficients", "environments", "cutoff_angstrom", "radial_degrees")


def pareto_table(figures: Mapping[str, Any]) -> str:
    """Tell what a search has tried, as CSV; the last two columns say which are on the front, and which was taken.

    Parameters
    ----------
    figures
        Of ``result.json``: ``search``, ``pareto`` and ``basis``.

    Returns
    -------
    str
        One row a basis, the fastest in MD first; µs, meV/atom, eV/Å, Å.
    """
    taken = {key: figures["basis"][key] for key in _BASIS}
    rows = [",".join((*_PARETO, "on_front", "taken"))]
    for record in sorted((r for r in figures["search"] if _PARETO[0] in r), key=lambda r: float(r[_PARETO[0]])):
        marks = (record in figures["pareto"], all(record[key] == value for key, value in taken.items()))
        rows.append(",".join([*(_cell(record[key]) for key in _PARETO), *("yes" if mark else "no" for mark in marks)]))
    return "\n".join(rows) + "\n"


def _cell(value: float | Sequence[int]) -> str:
    return " ".join(map(str, value)) if isinstance(value, Sequence) else f"{value:.6g}"


def account_text(account: Account) -> str:
    """Describe what was read of labelled data, and every doubt about it.

    Parameters
    ----------
    account
        Of :class:`.Inputs`.

    Returns
    -------
    str
        A Markdown list for each file, then one of the doubts.
    """
    lines = _listed(account.facts)
    words = {"note": "note", "warn": "WARN", "refuse": "REFUSED"}
    lines += [f"- {words[doubt.weight]}: {doubt}" for doubt in account.doubts]
    return "\n".join(lines).rstrip()


def told_text(figures: Mapping[str, Any]) -> str:
    """Say the same of a fit that was made before.

    Parameters
    ----------
    figures
        Of its ``result.json``.

    Returns
    -------
    str
        Markdown; empty where the fit says nothing of its data.
    """
    lines = _listed(figures.get("account", {}))
    lines += [f"- note: {said}" for said in figures.get("notes", [])]
    lines += [f"- WARN: {said}" for said in figures.get("warnings", [])]
    return "\n".join(lines).rstrip()


def _listed(sets: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, facts in sets.items():
        lines += [f"{name}:", *(f"- {term}: {words}" for term, words in account_lines(facts)), ""]
    return lines
