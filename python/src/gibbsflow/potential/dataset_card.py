"""The data-set card: what is in a loop's data set, where it comes from, how it was labelled, and what has no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.convergence import GenerationRecord

_SETTINGS = (
    "engine", "functional", "pseudo_library", "ecutwfc_ry", "ecutrho_ry", "kspacing_per_angstrom", "smearing", "degauss_ry",
    "conv_thr_ry",
)  # fmt: skip


def dataset_card(
    config: PotentialConfig, history: Sequence[GenerationRecord], rows: Sequence[Mapping[str, Any]], programs: Sequence[str]
) -> str:
    """Describe a data set in Markdown.

    Parameters
    ----------
    config
        Settings of the loop.
    history
        Its generations.
    rows
        All structures of the database: :func:`structure_rows`.
    programs
        Programs that made the labels, with versions.
    """
    dft = config.dft.model_dump(mode="json")
    engine_settings = {"tblite": ("engine", "tblite_method"), "gpaw": ("engine", "functional", "gpaw_cutoff_ev", "kspacing_per_angstrom")}
    shown = engine_settings.get(config.dft.engine, _SETTINGS)
    last = history[-1]
    hashes = sorted({row["settings_hash"] for row in rows if row["settings_hash"]})
    lines = [
        f"# Data set: {'-'.join(config.target.elements)}", "",
        f"{last.labels} labelled structures to train on and {last.holdout_labels} of a hold-out that came from another sampler and was "
        f"labelled once. {last.labels_made} labels were attempted, {sum(last.failures.values())} failed.", "",
        "Energies in eV, forces in eV/Å, stress in eV/Å³ (Voigt xx yy zz yz xz xy, negative under compression); extended XYZ, as ASE "
        "reads it: `dataset/train.extxyz`, `dataset/holdout.extxyz`. Every structure, also without a label: `structures.csv` and "
        "`structures.db` (`dft status`, `dft explain ID`).", "",
        "## Labels", "",
        f"Made by {', '.join(programs) or config.dft.engine}; settings {', '.join(hashes)}.", "",
        "| setting | value |", "|---|---|",
        *(f"| {key} | {'default' if dft[key] is None else dft[key]} |" for key in shown), "",
        "## Structures", "", "| set | generation | config_type | labelled | failed | not labelled |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    counts: dict[tuple[str, int, str], Counter[str]] = {}
    for row in rows:
        counts.setdefault((row["set"], row["generation"], row["config_type"]), Counter())[row["status"]] += 1
    for (name, generation, kind), own in sorted(counts.items()):
        rest = own.total() - own["labelled"] - own["failed"]
        lines.append(f"| {name} | {generation} | {kind} | {own['labelled']} | {own['failed']} | {rest} |")
    if last.failures:
        lines += ["", "## Failed labels", "", "| cause | labels |", "|---|---|"]
        lines += [f"| {cause} | {count} |" for cause, count in sorted(last.failures.items())]
    lines += ["", "## Generations", "", "| generation | labels | force MAE, eV/Å | energy MAE, meV/atom | largest grade | MD above |",
              "|---|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {r.generation} | {r.labels} | {r.force_mae_ev_per_angstrom:.4f} | {r.energy_mae_mev_per_atom:.2f} | {r.largest_grade:.3g} "
        f"| {r.fraction_above:.1%} |"
        for r in history
    ]
    return "\n".join(lines) + "\n"


def structure_rows(explained: Sequence[Mapping[str, Any]], holdout: Sequence[str]) -> list[dict[str, Any]]:
    """One row a structure: id, set, generation, config_type, status, cause, settings hash, SCF steps and seconds."""
    apart = set(holdout)
    rows = []
    for known in explained:
        result = known.get("result") or {}
        rows.append(
            {
                "gibbsflow_id": known["gibbsflow_id"],
                "set": "holdout" if known["gibbsflow_id"] in apart else "train",
                "generation": known["generation"],
                "config_type": known["config_type"],
                "formula": known["formula"],
                "status": known["status"],
                "cause": known["cause"] or "",
                "message": result.get("message", ""),
                "settings_hash": known["settings_hash"] or "",
                "program": result.get("program", ""),
                "scf_steps": result.get("scf_steps", ""),
                "wall_s": result.get("wall_s", ""),
                "parent": known["parent"],
            }
        )
    return rows
