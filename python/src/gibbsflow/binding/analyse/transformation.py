"""The record of a transformation: its windows gathered, analysed, combined, and said where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME as LEG
from gibbsflow.binding.alchemy.protocols import GONE_ON_WITH, LegSpec, leg_names, mode_of_legs, protocol_of, restrains
from gibbsflow.binding.alchemy.restraint.restraints import restraint_from_dict
from gibbsflow.binding.alchemy.schedules import PLACEMENT
from gibbsflow.binding.analyse import cycle_split
from gibbsflow.binding.analyse.collect import group_windows
from gibbsflow.binding.analyse.combine import Expected, LegOutcome, analyse_legs, summarise
from gibbsflow.binding.analyse.enough.rounds import KEY, judge_system, refuse_other
from gibbsflow.binding.analyse.entropy.split import KEY as SPLIT
from gibbsflow.binding.analyse.frames.binding_site import binding_site
from gibbsflow.binding.analyse.frames.motion import analyse_motion, judge_motion, threshold_of, unreadable_noted, walk
from gibbsflow.binding.analyse.verdict import Finding, Thresholds, judge_account, judge_length, overall, sentences
from gibbsflow.binding.facts import BoundFacts, EdgeFacts, EquilibratedFacts, GivenFacts, LegFacts, SettingsFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Analysis, hashed
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import as_written, inputs_hash, read_json
from gibbsflow.workflow.result import read_results, versions

FILE_NAME = "record.json"
PHYSICS = 5
"""Raised by hand when the same samples give other numbers, or other doubts."""
_KEPT = ("md", "equil", "fe", "restraint", "param", "receptor_name", "receptor_kind", "ligand_smiles", "anchors")
"""Parts of the system's meta that are provenance."""


def analyse_transformation(
    system: SimSystem,
    runs: Sequence[Path],
    settings: Analysis,
    mode: str = GONE_ON_WITH,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Analyse all legs and replicates of a transformation.

    Parameters
    ----------
    system
        What `fe prepare` left: legs, standard state, settings.
    runs
        Folders of `fe run`, each with window files of one leg and replicate.
    settings
        Estimators and thresholds.
    mode
        Of the campaign: it decides which legs there are, and how they sum up.
    before
        Record of the round of sampling before; None in the first. Of use only with a target of the error.

    Returns
    -------
    dict
        Content of ``record.json`` (docs/contracts.md).

    Raises
    ------
    InputError
        For runs, or a record, of another transformation, for legs of another mode, and files that cannot be read.
    StateError
        For a system without legs, or without standard state where its legs need one.
    """
    refuse_other(system, before or {})
    simulated, given = system.find(SettingsFacts), system.facts(GivenFacts)
    explicit = simulated is not None and simulated.md.explicit
    prepared, edge = system.find(LegFacts), system.find(EdgeFacts)
    protocol = protocol_of(mode, explicit=explicit, fe=prepared.fe if prepared else None)
    mode = mode_of_legs(mode)
    legs = {path.parent.name: read_json(path) for path in sorted((system.root / "legs").glob("*/leg.json"))}
    placed = _placed(runs)
    if legs and (set(leg_names(protocol)) - set(legs) or any(leg.relative for leg in protocol) == (edge is None)):
        what = (
            f"has legs {' and '.join(legs)} of {'one ligand' if edge is None else 'an edge'}, not those of mode {mode}"
        )
        raise InputError(Problem(str(system.root), what, "the mode of its `fe prepare`", field="run.mode"))
    windows = {}
    for name, content in legs.items():
        with as_written(system.root / "legs" / name / "leg.json", "`fe prepare`"):
            windows[name] = len(content["states"])
    windows |= {name: content["windows"] for name, content in placed.items() if "windows" in content}
    standard_state = prepared.standard_state.as_meta() if prepared and prepared.standard_state else None
    if not legs or prepared is None or (restrains(protocol) and standard_state is None):
        where = system.root / "system.json"
        raise StateError(f"{where}: no legs or no standard state; right: the folder written by `fe prepare`")
    if absent := [run for run in runs if not Path(run).is_dir()]:
        raise InputError([Problem(str(run), "no such folder", "the output of `fe run`") for run in absent])
    paths = sorted({path for run in runs for path in Path(run).rglob("window_*.parquet")})
    results = read_results(runs)
    expected = Expected(
        replicates=prepared.run.replicates or next(iter(legs.values()))["replicates"],
        windows=windows,
    )
    limits = Thresholds.from_settings(settings.overlap_warn, settings.error_warn_kcal_per_mol)
    outcomes = analyse_legs(
        group_windows(paths, system.name),
        expected,
        temperature_k=simulated.md.temperature_k if simulated else None,
        decorrelate=settings.decorrelate,
        bridge_overlap=settings.overlap_warn,
        protocol=protocol,
    )
    account = system.account()
    choice = dict(prepared.restraint_choice or {})
    symmetry, finite_size = float(choice.get("symmetry_kcal_per_mol", 0.0)), prepared.finite_size
    motion, pose = analyse_motion(system, runs, _walks(outcomes))
    site = None
    with unreadable_noted(motion["unreadable"]):
        site = binding_site(system)
    seen, motion["notes"] = judge_motion(motion, threshold_of(system))
    doubts = [
        *judge_account(account),
        *_doubts_of_pilots(placed),
        *(Finding("WARN", d.check, d.reason, d.leg, d.replicate) for d in seen),
    ]
    figures = summarise(
        outcomes,
        standard_state,
        expected,
        limits,
        protocol,
        doubts=doubts,
        symmetry_kcal_per_mol=symmetry,
        finite_size=finite_size,
    )
    if settings.target_error_kcal_per_mol is not None and figures["dg_kcal_per_mol"] is not None:
        figures[KEY] = judge_system(system, figures, runs, settings, (before or {}).get(KEY))
        if figures[KEY]["stopped_by"] != "target":
            missed = Finding("WARN", "target", f"target error not reached: {figures[KEY]['stopped_because']}")
            findings = [*(Finding(**one) for one in figures["findings"]), missed]
            said = {"verdict": overall(findings), "reasons": sentences(findings)}
            figures |= said | {"findings": [vars(finding) for finding in findings]}
    if settings.entropy and figures["dg_kcal_per_mol"] is not None:
        figures[SPLIT] = _split(outcomes, figures, protocol, system)
    chosen = settings.model_dump(mode="json")
    return {
        "transformation": system.name,
        "ligand": given.ligand or system.name if edge is None else system.name,
        "mode": mode,
        **({} if edge is None else _of_edge(edge)),
        **figures,
        **({"restraint_choice": choice} if choice else {}),
        "experimental_dg_kcal_per_mol": given.experimental_dg_kcal_per_mol,
        "preparation": account.as_dict(),
        **({"placement": placed} if placed else {}),
        "motion": motion,
        "pose": pose,
        "site": site,
        "settings": {"analysis": chosen, **_provenance(system)},
        "seed": prepared.run.seed,
        "versions": versions("alchemlyb", "pymbar", "numpy"),
        "run_versions": _run_versions(list(results.values())),
        "begun_anew": [*_equil_anew(system), *_begun_anew(results)],
        "inputs_hash": inputs_hash(
            files={f"{number:04d}": path for number, path in enumerate(paths)},
            settings={
                "analysis": hashed(settings),
                "standard_state": standard_state,
                **({"symmetry_kcal_per_mol": symmetry} if symmetry else {}),
                **({"finite_size": finite_size} if finite_size else {}),
            },
            physics=PHYSICS,
        ),
    }


def _split(
    outcomes: Sequence[LegOutcome], figures: Mapping[str, Any], protocol: Sequence[LegSpec], system: SimSystem
) -> dict[str, Any]:
    """Enthalpy and entropy of the result, with what is to be borne in mind."""
    simulated, prepared = system.find(SettingsFacts), system.facts(LegFacts)
    release = 0.0
    if restrains(protocol):
        if prepared.restraint is None or simulated is None:
            raise StateError(f"{system.root}: no restraint or temperature; right: the folder written by `fe prepare`")
        restraint = restraint_from_dict(prepared.restraint, where=str(system.root))
        release = cycle_split.release_enthalpy(
            lambda temperature_k: restraint.standard_state(temperature_k).numeric_kcal_per_mol,
            simulated.md.temperature_k,
        )
    split = cycle_split.split_cycle(outcomes, figures, protocol, release_kcal_per_mol=release)
    return (
        split
        | {"release_dh_kcal_per_mol": release}
        | {"notes": cycle_split.notes(split, outcomes, figures, simulated.md if simulated else None)}
    )


def _placed(runs: Sequence[Path]) -> dict[str, Any]:
    """How the windows of legs were placed that had a pilot, by leg."""
    found = {}
    for run in runs:
        if (Path(run) / PLACEMENT).exists():
            found[read_json(Path(run) / LEG)["leg"]] = read_json(Path(run) / PLACEMENT)
    return found


def _doubts_of_pilots(placed: Mapping[str, Any]) -> list[Finding]:
    """What a pilot could not measure."""
    return [Finding("WARN", "pilot", text, leg) for leg, told in placed.items() for text in told["account"]["warnings"]]


def _of_edge(edge: EdgeFacts) -> dict[str, Any]:
    """What the record of an edge says beside that of a ligand."""
    pairs = [list(pair) for pair in edge.edge_pairs]
    told = {
        "ligands": list(edge.edge_ligands),
        "pairs": pairs,
        "difficulty": edge.edge_difficulty,
        "topology": edge.edge_topology,
    }
    told |= {} if edge.edge_smiles is None else {"smiles": list(edge.edge_smiles)}
    return told if edge.edge_ions is None else told | {"ions": edge.edge_ions}


def analyse_md(system: SimSystem) -> dict[str, Any]:
    """Make the record of a complex that was simulated alone (mode ``md``).

    Parameters
    ----------
    system
        As left by ``equil analyse``.

    Returns
    -------
    dict
        Content of ``record.json`` (docs/contracts.md).

    Raises
    ------
    StateError
        Where the system was not analysed.
    """
    found, given = system.find(BoundFacts), system.facts(GivenFacts)
    if found is None:
        raise StateError(f"{system.root}: not known whether bound; right: the folder written by `equil analyse`")
    bound = found.bound
    account = system.account()
    doubts = judge_account(account)
    doubts += judge_length(found.uncorrelated_samples, Thresholds())
    if not bound:
        doubts.append(Finding("FAIL", "bound", "the ligand left its site during equilibration"))
    reasons = sentences(doubts)
    return {
        "transformation": system.name,
        "ligand": given.ligand or system.name,
        "mode": "md",
        "status": "finished" if bound else "unbound",
        "verdict": overall(doubts),
        "reasons": reasons,
        "bound": bound,
        "ligand_site_distance_angstrom": found.ligand_site_distance_angstrom,
        "dg_kcal_per_mol": None,
        "dg_error_kcal_per_mol": None,
        "mbar_error_kcal_per_mol": None,
        "replicates": None,
        "legs": [],
        "cause": "" if bound else "Unbound: " + reasons[0],
        "experimental_dg_kcal_per_mol": given.experimental_dg_kcal_per_mol,
        "preparation": account.as_dict(),
        "site": binding_site(system),
        "settings": _provenance(system),
        "versions": versions(),
        "begun_anew": _equil_anew(system),
    }


def _walks(outcomes: Sequence[LegOutcome]) -> dict[tuple[str, int], dict[str, Any] | None]:
    """Where each walker of a leg was along λ, by leg and replicate."""
    found = {}
    for outcome in outcomes:
        if outcome.analysis is not None and (replica := outcome.analysis.energies.replica) is not None:
            index, states = outcome.analysis.energies.u_nk.index, len(outcome.analysis.energies.states)
            time_ps = index.get_level_values("time").to_numpy(dtype=float)
            window = index.get_level_values("state").to_numpy(dtype=int)
            found[outcome.leg, outcome.replicate] = walk(time_ps, window, replica, states)
    return found


def _provenance(system: SimSystem) -> dict[str, Any]:
    """What the record says of settings, as it stands in ``system.json``."""
    return {key: system.meta[key] for key in _KEPT if key in system.meta}


def _equil_anew(system: SimSystem) -> list[dict[str, Any]]:
    """How the equilibration came about where it had failed before."""
    known = system.find(EquilibratedFacts)
    return [{"what": "equil", **known.equil_begun_anew}] if known and known.equil_begun_anew else []


def _begun_anew(results: Mapping[Path, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Windows that had failed before, or whose state was set aside, with the settings that they then had."""
    found = []
    for path, result in results.items():
        with as_written(path, "`fe run`"):
            for anew in result.get("begun_anew", []):
                window = "" if anew["window"] is None else f" window {anew['window']}"
                found.append({"what": f"{result['leg']} replicate {result['replicate']}{window}", **anew})
    return found


def _run_versions(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in results:
        found |= result.get("versions", {})
    return found
