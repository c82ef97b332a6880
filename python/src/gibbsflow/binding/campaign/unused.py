"""Settings that were given and that nothing in a campaign reads: noted, since whoever gives one expects something."""

from __future__ import annotations

from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES

_OF_BUILDING = ("padding_angstrom", "box_shape", "salt_mol_per_l")
_OF_WATER = {
    "md": ("pressure_bar", "cutoff_angstrom", "padding_angstrom", "box_shape", "salt_mol_per_l"),
    "equil": ("density_ps",),
    "fe": ("soft_core",),
}
_OF_A_RECEPTOR = {"param": ("protein_ff",), "equil": ("unbound_threshold_angstrom",)}
_OF_RESTRAINTS = ("restraint", "com_", "flat_bottom_", "boresch_")


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
        longer = settings.fe.abfe_protocol == "sdr"
        of_building = tuple(key for key in _OF_BUILDING if not (longer and key == "padding_angstrom"))
        reasons.append(("for systems that come in their boxes", _given(settings, {"md": of_building})))
    elif not settings.md.explicit:
        reasons.append((f"in {settings.md.solvent}, which has no box", _given(settings, _OF_WATER)))
    if "receptor" not in mode.needs:
        every = {"system": tuple(type(settings.system).model_fields), **_OF_A_RECEPTOR}
        restraints = [key for key in type(settings.fe).model_fields if key.startswith(_OF_RESTRAINTS)]
        of_receptors = _given(settings, every) + _given(settings, {"fe": tuple(restraints)})
        reasons.append((f"in mode {settings.run.mode}, which has no receptor", of_receptors))
    if not mode.free_energies:
        every = {name: tuple(type(getattr(settings, name)).model_fields) for name in ("fe", "analysis")}
        reasons.append((f"in mode {settings.run.mode}, which has no free energies", _given(settings, every)))
    else:
        own = {
            leg.schedule
            for leg in protocol_of(settings.run.mode, explicit=boxed or settings.md.explicit, fe=settings.fe)
        }
        others = [key for key in type(settings.fe).model_fields if key.endswith("_schedule") and key not in own]
        reasons.append((f"in mode {settings.run.mode}, which has no such leg", _given(settings, {"fe": tuple(others)})))
    return [f"{', '.join(keys)}: given, and not used {why}" for why, keys in reasons if keys]


def _given(settings: BindingConfig, keys: dict[str, tuple[str, ...]]) -> list[str]:
    """Those of some keys, by section, that are not at their defaults."""
    return [
        key
        for name, among in keys.items()
        for key in among
        if getattr(getattr(settings, name), key) != type(getattr(settings, name)).model_fields[key].get_default()
    ]
