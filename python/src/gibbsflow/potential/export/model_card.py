"""The card of a potential: what it is for, what it was made of, how wrong it is, and where it stops being one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.neighborlist import neighbor_list

from gibbsflow.potential.export.handed_over import Source
from gibbsflow.potential.label.engines import ENGINES
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3
from gibbsflow.version import __version__

if TYPE_CHECKING:
    from ase import Atoms

_REACH_ANGSTROM = 4.0
_ERRORS = ("frames", "atoms", "energy_mae_mev_per_atom", "energy_rmse_mev_per_atom", "force_mae_ev_per_angstrom",
           "force_rmse_ev_per_angstrom", "stress_mae_gpa")  # fmt: skip
_OUTSIDE = {
    True: "outside of it the grade is the judge, not this table.",
    False: "this potential has no grade, so that nothing tells where it does not hold.",
}
_PAPERS = {
    "pod": [
        "N. C. Nguyen and A. Rohskopf, J. Comput. Phys. 2023, 480, 112030 (proper orthogonal descriptors)",
        "A. P. Thompson et al., Comput. Phys. Commun. 2022, 271, 108171 (LAMMPS)",
        "E. V. Podryabinkin and A. V. Shapeev, Comput. Mater. Sci. 2017, 140, 171 (extrapolation grade)",
    ],
    "chgnet": [
        "B. Deng et al., Nat. Mach. Intell. 2023, 5, 1031 (CHGNet)",
        "A. Jain et al., APL Mater. 2013, 1, 011002 (Materials Project, whose relaxations it was made from)",
    ],
    "quantum_espresso": ["P. Giannozzi et al., J. Phys.: Condens. Matter 2017, 29, 465901 (Quantum ESPRESSO)"],
    "gpaw": ["J. J. Mortensen et al., J. Chem. Phys. 2024, 160, 092503 (GPAW)"],
    "tblite": ["C. Bannwarth et al., WIREs Comput. Mol. Sci. 2021, 11, e1493 (xTB)"],
}


def card(
    source: Source, *, licence: str, title: str, authors: Sequence[str], validation: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Collect what is known of a potential.

    Parameters
    ----------
    source
        The potential and what was found with it.
    licence
        Under which it is handed on; empty where its owner has not said.
    title
        Its name; empty for one made of its elements.
    authors
        Who made it.
    validation
        Result of a validation, with ``verdict`` and ``reasons``; None where there was none.

    Returns
    -------
    dict
        JSON-serialisable; units in the names.
    """
    figures, grader, frames = source.figures, source.grader, source.labelled
    backend = source.backend
    engine = source.config.dft.engine if source.config else next((f.info.get("engine") for f in frames), None)
    verdict = dict(validation) if validation is not None else {"verdict": "not validated", "reasons": []}
    papers = [*_PAPERS.get(backend, []), *_PAPERS.get(str(engine), [])]
    return {
        "title": title or f"{'-'.join(source.potential.species)} potential",
        "authors": list(authors),
        "licence": licence or "not stated",
        "made_by": f"gibbsflow {__version__}",
        "elements": list(source.potential.species),
        "kind": {
            "backend": backend, "pair_style": source.potential.lammps_style,
            "cutoff_angstrom": source.potential.cutoff_angstrom,
            "coefficients": figures.get("coefficients", _coefficients(source)),
            "repulsion_angstrom": figures.get("zbl_angstrom"), "references": figures.get("references"),
            **_tuned(source),
        },
        "range": span(source.frames.get("train", [])),
        "data": {
            name: {"frames": len(own), "atoms": sum(map(len, own)),
                   "config_types": dict(Counter(str(f.info.get("config_type", "")) for f in own))}
            for name, own in source.frames.items()
        },
        "labels": {
            "settings_key": source.settings_hash or "not recorded",
            "engine": engine,
            "settings": _label_settings(source),
        },
        "errors": {name: _errors(figures[name]) for name in ("train", "test") if name in figures},
        "grade": {
            "lower": grader.lower, "upper": grader.upper, "calibration": dict(grader.calibration),
            "against_error": figures.get("grade", {}).get("curve"),
        } if grader is not None else None,
        "validation": {"verdict": verdict.get("verdict"), "reasons": list(verdict.get("reasons", []))},
        "cite": ["gibbsflow (CITATION.cff)", *papers],
        "doubts": [*figures.get("warnings", []), *figures.get("notes", [])],
    }  # fmt: skip


def span(frames: Iterable[Atoms]) -> dict[str, Any]:
    """Range of what a potential was trained on.

    Parameters
    ----------
    frames
        Its training frames.

    Returns
    -------
    dict
        Compositions, volumes an atom, shortest distances by pair, temperatures of MD, pressures, largest force, total
        charges and moments; what no frame says, charges that are all zero and moments likewise are left out.
    """
    shortest: dict[str, float] = {}
    found: dict[str, list[float]] = {key: [] for key in ("volume", "temperature", "pressure", "force", "moment")}
    compositions: Counter[str] = Counter()
    charges: Counter[str] = Counter()
    for atoms in frames:
        charges[f"{int(atoms.info.get('charge', 0)):+d} e"] += 1
        if atoms.info.get("total_moment_ub") is not None:
            found["moment"].append(float(atoms.info["total_moment_ub"]))
        compositions[atoms.get_chemical_formula("hill", empirical=True)] += 1
        for i, j, d in zip(*neighbor_list("ijd", atoms, _REACH_ANGSTROM), strict=True):
            pair = "-".join(sorted((atoms.symbols[i], atoms.symbols[j])))
            shortest[pair] = min(shortest.get(pair, np.inf), float(d))
        if atoms.pbc.all():
            found["volume"].append(atoms.get_volume() / len(atoms))
        if atoms.info.get("temperature_k") is not None:
            found["temperature"].append(float(atoms.info["temperature_k"]))
        results = atoms.calc.results if atoms.calc is not None else {}
        if "stress" in results:
            found["pressure"].append(-float(np.mean(results["stress"][:3])) * GPA_PER_EV_PER_ANGSTROM3)
        if "forces" in results:
            found["force"].append(float(np.linalg.norm(results["forces"], axis=1).max()))
    names = {"volume": "volume_angstrom3_per_atom", "temperature": "md_temperature_k", "pressure": "pressure_gpa"}
    ranges: dict[str, Any] = {
        name: [round(min(found[key]), 4), round(max(found[key]), 4)] for key, name in names.items() if found[key]
    }
    if found["force"]:
        ranges["largest_force_ev_per_angstrom"] = round(max(found["force"]), 4)
    # a potential knows neither: who uses it has to
    if set(charges) - {"+0 e"}:
        ranges["total_charge"] = dict(charges)
    if any(found["moment"]):
        ranges["total_moment_ub"] = [round(min(found["moment"]), 4), round(max(found["moment"]), 4)]
    return {
        "compositions": dict(compositions.most_common(20)),
        "shortest_distance_angstrom": {pair: round(value, 4) for pair, value in sorted(shortest.items())},
        **ranges,
    }


def _program(pair_style: str) -> str:
    return f"LAMMPS pair_style {pair_style}" if pair_style else "ASE alone, by a process of its own environment"


def card_text(content: Mapping[str, Any]) -> str:
    """Write a card in Markdown.

    Parameters
    ----------
    content
        As :func:`card` gives it.

    Returns
    -------
    str
        Markdown.
    """
    kind, labels, grade = content["kind"], content["labels"], content["grade"]
    verdict, tuned = content["validation"], content["kind"].get("tuned", {})
    lines = [
        f"# {' '.join(content['title'].split())}", "",
        *_table(["", ""], [
            ["elements", ", ".join(content["elements"])],
            ["kind", f"{kind['backend']} ({_program(kind['pair_style'])}), cutoff "
             f"{kind['cutoff_angstrom']:g} Å, {kind['coefficients'] or 'unknown number of'} coefficients"],
            *([["tuned", _said(tuned)], ["calculated by", _said(kind["environment"])]] if tuned else []),
            ["labels", f"{labels['engine'] or 'engine not recorded'}, settings {labels['settings_key']}"],
            ["validation", f"{verdict['verdict']}" + "".join(f"; {reason}" for reason in verdict["reasons"])],
            ["licence", content["licence"]],
            ["authors", ", ".join(content["authors"]) or "not stated"],
            ["made by", content["made_by"]],
        ]),
        "", "## Range", "",
        f"Trained on what follows; {_OUTSIDE[grade is not None]}", "",
        *_table(["", ""], [[_words(key), _said(value)] for key, value in content["range"].items()]),
    ]  # fmt: skip
    if content["data"]:
        rows = [[name, str(own["frames"]), str(own["atoms"]), _said(own["config_types"])]
                for name, own in content["data"].items()]  # fmt: skip
        lines += ["", "## Data", "", *_table(["set", "frames", "atoms", "config_type"], rows)]
    if labels["settings"]:
        lines += ["", *_table(["setting", "value"], [[k, _said(v)] for k, v in labels["settings"].items()])]
    if content["errors"]:
        rows = [[name, group, *(_said(own.get(key)) for key in _ERRORS)]
                for name, groups in content["errors"].items() for group, own in groups.items()]  # fmt: skip
        lines += ["", "## Errors", "", *_table(["set", "config_type", *map(_words, _ERRORS)], rows)]
    if grade is not None:
        lines += [
            "", "## Grade", "",
            f"Up to 1 inside of the training set. From {grade['lower']:.3g} on a frame is new to it; from "
            f"{grade['upper']:.3g} on it must not be used (`include in.grade` halts there).", "",
            *_table(["where from", ""], [[_words(k), _said(v)] for k, v in grade["calibration"].items()]),
        ]  # fmt: skip
    if content["doubts"]:
        lines += ["", "## To be known", "", *(f"- {doubt}" for doubt in content["doubts"])]
    lines += ["", "## How to cite", "", *(f"- {paper}" for paper in content["cite"])]
    return "\n".join(lines) + "\n"


def _coefficients(source: Source) -> int | None:
    """Number of coefficients, of a potential that has them at hand."""
    own = getattr(source.potential, "coefficients", None)
    return None if own is None else len(own)


def _tuned(source: Source) -> dict[str, Any]:
    """How a foundation model was tuned, and in which environment; empty of what was made from nothing."""
    meta = getattr(source.potential, "meta", {}) if source.backend == "chgnet" else {}
    return {"tuned": dict(meta["made_with"]), "environment": dict(meta["environment"])} if meta else {}


def _label_settings(source: Source) -> dict[str, Any]:
    if source.config is None:
        return {}
    dft = source.config.dft.model_dump(mode="json")
    return {key: dft[key] for key in ENGINES[source.config.dft.engine].settings}


def _errors(figures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    groups = {"all": figures, **figures.get("by_config_type", {})}
    return {group: {key: own.get(key) for key in _ERRORS} for group, own in groups.items()}


def _words(key: str) -> str:
    return key.replace("_", " ")


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(own)}" for key, own in value.items()) or "not stated"
    if isinstance(value, (list, tuple)):
        return " to ".join(map(_said, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of Markdown; line ends and bars in a text from outside (authors, kinds of frames) would end its cell."""
    lines = [
        [" ".join(cell.split()).replace("|", "/") for cell in cells] for cells in (heads, ["---"] * len(heads), *rows)
    ]
    return [f"| {' | '.join(cells)} |" for cells in lines]
