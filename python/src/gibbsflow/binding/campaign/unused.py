"""Settings that were given and that nothing in a campaign reads: noted, since whoever gives one expects something."""

from __future__ import annotations

from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Placing
from gibbsflow.config.modes import MODES
from gibbsflow.engines.md_engines import WHOLE_RUNS

_OF_BUILDING = {
    "system": (
        "receptor_kind",
        "receptor_charge",
        "ph",
        "protonation",
        "altloc",
        "keep",
        "parameters",
        "align_poses",
        "clash_angstrom",
    ),
    "param": ("ligand_ff", "charge_method", "protein_ff"),
    "md": ("padding_angstrom", "box_shape", "salt_mol_per_l"),
}
_OF_WATER = {
    "md": ("pressure_bar", "cutoff_angstrom", "padding_angstrom", "box_shape", "salt_mol_per_l"),
    "equil": ("density_ps",),
    "fe": ("soft_core",),
}
_OF_A_RECEPTOR = {"param": ("protein_ff",), "equil": ("unbound_threshold_angstrom",)}
_OF_RESTRAINTS = ("restraint", "com_", "flat_bottom_", "boresch_")
_OF_STAGES = ("heat_ps", "density_ps", "equil_ps")
_IN_THE_BOX = ("abfe_protocol", "charge_correction")
"""What decides of a box what is in it, in a mode without legs too: it can be gone on with by hand."""


def unused_settings(settings: BindingConfig, *, boxed: bool = False) -> list[str]:
    """Name settings that differ from their defaults and that neither solvent nor mode has a use for.

    Parameters
    ----------
    settings
        All of a campaign.
    boxed
        Whether all systems come solvated, whatever solvent the settings name.

    Returns
    -------
    list of str
        A sentence for each reason; empty where all that was given is used.
    """
    mode = MODES[settings.run.mode]
    reasons: list[tuple[str, list[str]]] = []
    if boxed:
        longer = settings.fe.abfe_protocol == "sdr"  # the only one that builds on a box
        md = tuple(key for key in _OF_BUILDING["md"] if not (longer and key == "padding_angstrom"))
        reasons.append(("for systems that come in their boxes", _given(settings, _OF_BUILDING | {"md": md})))
    elif not settings.md.explicit:
        reasons.append((f"in {settings.md.solvent}, which has no box", _given(settings, _OF_WATER)))
    if "receptor" not in mode.needs:
        every = {"system": tuple(type(settings.system).model_fields), **_OF_A_RECEPTOR}
        restraints = [key for key in type(settings.fe).model_fields if key.startswith(_OF_RESTRAINTS)]
        of_receptors = _given(settings, every) + _given(settings, {"fe": tuple(restraints)})
        reasons.append((f"in mode {settings.run.mode}, which has no receptor", of_receptors))
    elif mode.compares:
        restraints = [key for key in type(settings.fe).model_fields if key.startswith((*_OF_RESTRAINTS, "symmetry_"))]
        reasons.append(
            (f"in mode {settings.run.mode}, which restrains nothing", _given(settings, {"fe": tuple(restraints)}))
        )
        if not settings.md.explicit:
            reasons.append((f"in mode {settings.run.mode}", _given(settings, {"fe": ("abfe_protocol",)})))
    else:
        others = [key for kind in _kinds_not_taken(settings) for key in _of_kind(settings, kind)]
        reasons.append((f"with restraint {settings.fe.restraint}", _given(settings, {"fe": tuple(others)})))
    if mode.compares:
        reasons += _of_networks(settings)
    else:
        networks = _given(settings, {"relative": tuple(type(settings.relative).model_fields)})
        reasons.append((f"in mode {settings.run.mode}, which has no network", networks))
    if settings.equil.equil_stages is not None:
        reasons.append(
            ("beside equil_stages, which is all of the equilibration", _given(settings, {"equil": _OF_STAGES}))
        )
    if not mode.free_energies:
        every = {name: tuple(type(getattr(settings, name)).model_fields) for name in ("fe", "analysis")}
        every["fe"] = tuple(key for key in every["fe"] if key not in _IN_THE_BOX)
        reasons.append((f"in mode {settings.run.mode}, which has no free energies", _given(settings, every)))
        if settings.md.engine == WHOLE_RUNS:
            why = f"in mode {settings.run.mode}: GROMACS runs λ windows, and all else is OpenMM's"
            reasons.append((why, ["engine"]))
    else:
        if "receptor" not in mode.needs:
            protocol = _given(settings, {"fe": ("abfe_protocol",)})
            reasons.append((f"in mode {settings.run.mode}, which binds nothing", protocol))
        own = {
            leg.schedule
            for leg in protocol_of(settings.run.mode, explicit=boxed or settings.md.explicit, fe=settings.fe)
        }
        if settings.analysis.target_error_kcal_per_mol is None:
            reasons.append(("without target_error_kcal_per_mol", _given(settings, {"analysis": ("max_window_ps",)})))
        others = [key for key in type(settings.fe).model_fields if key.endswith("_schedule") and key not in own]
        reasons.append((f"in mode {settings.run.mode}, which has no such leg", _given(settings, {"fe": tuple(others)})))
        if settings.fe.schedule != "auto":
            pilots = tuple(key for key in Placing.model_fields if key != "schedule")
            reasons.append(("without schedule auto, which alone has pilots", _given(settings, {"fe": pilots})))
    sentences: list[str] = []
    told: set[str] = set()
    for why, keys in reasons:
        if left := [key for key in keys if key not in told]:
            sentences.append(f"{', '.join(left)}: given, and not used {why}")
            told.update(left)
    return sentences


def _kinds_not_taken(settings: BindingConfig) -> list[str]:
    """Kinds of restraint that will not be taken, whatever the receptor is."""
    kind, kinds = settings.fe.restraint, ["com", "flat_bottom", "boresch"]
    if not MODES[settings.run.mode].free_energies:
        return []
    if kind == "auto":
        return ["flat_bottom"] if settings.fe.boresch_atoms is None else ["com", "flat_bottom"]
    return [other for other in kinds if other != kind]


def _of_kind(settings: BindingConfig, kind: str) -> list[str]:
    """Settings of one kind of restraint; its anchors are refused with another, not left unused."""
    return [key for key in type(settings.fe).model_fields if key.startswith(f"{kind}_") and key != "boresch_atoms"]


def _given(settings: BindingConfig, keys: dict[str, tuple[str, ...]]) -> list[str]:
    """Those of some keys, by section, that are not at their defaults."""
    return [
        key
        for name, among in keys.items()
        for key in among
        if getattr(getattr(settings, name), key) != type(getattr(settings, name)).model_fields[key].get_default()
    ]


def _of_networks(settings: BindingConfig) -> list[tuple[str, list[str]]]:
    """What of the settings of a network its kind or its legs leave without a use."""
    reasons = []
    if settings.relative.network != "star":
        reasons.append(("in a network that is no star", _given(settings, {"relative": ("hub",)})))
    if settings.relative.edge_topology == "dual":
        shared = _given(settings, {"relative": ("map", "unusable_maps", "hard_map")})
        reasons.append(("with edge_topology dual, which shares no atoms", shared))
    elif settings.relative.map is None:
        reasons.append(("without a file of maps (map)", _given(settings, {"relative": ("unusable_maps",)})))
    legs = protocol_of(settings.run.mode, explicit=settings.md.explicit)
    if "auto" not in (getattr(settings.fe, leg.schedule) for leg in legs):
        reasons.append(("beside schedules for both legs", _given(settings, {"relative": ("hard_map",)})))
    return reasons
