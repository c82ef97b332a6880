"""The data-set card: what is in a loop's data set, where it comes from, how it was labelled, and what has no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.label.engines import ENGINES
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.potential.train.training_card import told_text

_FORMATS = (
    "Energies in eV, forces in eV/Å, stress in eV/Å³ (Voigt xx yy zz yz xz xy, negative under compression), as "
    "extended XYZ for ASE: `dataset/train.extxyz`, `dataset/holdout.extxyz`. Every structure, also without a label: "
    "`structures.csv` and `structures.db` (`dft status`, `dft explain ID`)."
)

_HELD = (
    "An audit speaks against them: they are in neither set. `dft audit generation_NN/structures.db --release ID --out "
    "DIR` lets one in, and a loop that goes on from there trains to it."
)


def dataset_card(
    config: PotentialConfig,
    history: Sequence[GenerationRecord],
    rows: Sequence[Mapping[str, Any]],
    programs: Sequence[str],
    doubts: Mapping[str, Sequence[str]] | None = None,
    fit: Mapping[str, Any] | None = None,
    fates: Sequence[Mapping[str, Any]] = (),
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
    doubts
        What was said of the labelled structures: ``warnings`` and ``notes``, as sentences; default: nothing.
    fit
        Figures of the last fit, which say what it read.
    fates
        What a surrogate left out: ``fates_by_generation``; default: none was asked.

    Returns
    -------
    str
        Markdown.
    """
    last = history[-1]
    hashes = sorted({row["settings_hash"] for row in rows if row["settings_hash"]})
    parts = [
        f"# Data set: {'-'.join(config.target.elements)}",
        f"{last.labels} labelled structures to train on, and {last.holdout_labels} of a hold-out that came from "
        "another sampler and was labelled once. "
        f"{last.labels_made} labels were attempted, {sum(last.failures.values())} failed, {_held(rows)} are held.",
        _FORMATS,
        "## Labels",
        f"Made by {', '.join(programs) or config.dft.engine}; settings {', '.join(hashes)}."
        + (f" Engine chosen by itself: {config.dft.engine_because}." if config.dft.engine_because else ""),
        _settings(config),
        *_doubts(doubts or {}),
        "## Structures",
        _structures(rows),
    ]
    if told := told_text(fit or {}):
        parts += ["## Labels that were fitted", told]
    if last.failures:
        causes = [[cause, str(count)] for cause, count in sorted(last.failures.items())]
        parts += ["## Failed labels", _table(["cause", "labels"], causes)]
    if held := [row for row in rows if row["status"] == "held" and row["settings_hash"]]:
        lines = [[row["gibbsflow_id"], row["cause"], row["message"]] for row in held]
        parts += ["## Labels that are held", _HELD, _table(["structure", "by", "why"], lines)]
    if fates:
        parts += ["## Structures that a surrogate looked at", _fates(fates)]
    heads = [
        "generation",
        "labels",
        "force MAE, eV/Å",
        "energy MAE, meV/atom",
        "stress MAE, GPa",
        "largest grade",
        "MD above the threshold",
    ]
    parts += ["## Generations", _table(heads, [_generation(record) for record in history])]
    return "\n\n".join(parts) + "\n"


def _fates(fates: Sequence[Mapping[str, Any]]) -> str:
    heads = {
        "generation": "generation", "surrogate": "surrogate", "offered": "offered", "screened": "left out",
        "relaxed": "relaxed", "unknown": "it failed on", "labels": "labels made", "failed": "failed",
    }  # fmt: skip
    lines = [["–" if row[key] is None else str(row[key]) for key in heads] for row in fates]
    return _table(list(heads.values()), lines)


def _held(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["status"] == "held" and bool(row["settings_hash"]) for row in rows)


def _doubts(doubts: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [f"- {weight.removesuffix('s')}: {text}" for weight, found in doubts.items() for text in found]
    return ["## To be known of structures and labels", "\n".join(lines)] if lines else []


def _settings(config: PotentialConfig) -> str:
    dft = config.dft.model_dump(mode="json")
    return _table(
        ["setting", "value"],
        [[key, "default" if dft[key] is None else str(dft[key])] for key in ENGINES[config.dft.engine].settings],
    )


def _structures(rows: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[tuple[str, int, str], Counter[str]] = {}
    for row in rows:
        counts.setdefault((row["set"], row["generation"], row["config_type"]), Counter())[row["status"]] += 1
    lines = [
        [*map(str, key), str(own["labelled"]), str(own["failed"]), str(own.total() - own["labelled"] - own["failed"])]
        for key, own in sorted(counts.items())
    ]
    return _table(["set", "generation", "config_type", "labelled", "failed", "not labelled"], lines)


def _generation(record: GenerationRecord) -> list[str]:
    return [
        str(record.generation),
        str(record.labels),
        f"{record.force_mae_ev_per_angstrom:.4f}",
        f"{record.energy_mae_mev_per_atom:.2f}",
        "–" if record.stress_mae_gpa is None else f"{record.stress_mae_gpa:.3f}",
        f"{record.largest_grade:.3g}",
        f"{record.fraction_above:.1%}",
    ]


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *lines))


def _left_out(known: Mapping[str, Any]) -> str:
    return str(known["history"][-1]["why"]) if known["status"] == "screened" else ""


def structure_rows(explained: Sequence[Mapping[str, Any]], holdout: Sequence[str]) -> list[dict[str, Any]]:
    """Make the table of all structures.

    Parameters
    ----------
    explained
        What the database knows of each: ``DatabaseManager.explain``.
    holdout
        Ids of the hold-out.

    Returns
    -------
    list of dict
        One row a structure: id, set, generation, config_type, status, cause, settings hash, SCF steps and seconds.
    """
    apart = set(holdout)
    rows = []
    for known in explained:
        result, audit = known.get("result") or {}, known.get("audit") or {}
        rows.append(
            {
                "gibbsflow_id": known["gibbsflow_id"],
                "set": "holdout" if known["gibbsflow_id"] in apart else "train",
                "generation": known["generation"],
                "config_type": known["config_type"],
                "formula": known["formula"],
                "status": known["status"],
                "cause": known["cause"] or "",
                "message": "; ".join(audit.get("held", {}).values()) or result.get("message", "") or _left_out(known),
                "settings_hash": known["settings_hash"] or "",
                "program": result.get("program", ""),
                "scf_steps": result.get("scf_steps", ""),
                "wall_s": result.get("wall_s", ""),
                "parent": known["parent"],
            }
        )
    return rows
