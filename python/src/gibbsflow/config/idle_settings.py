"""Settings that are known and usable, and have no effect beside others: said, or refused where that would mislead."""

from __future__ import annotations

from collections.abc import Mapping

from gibbsflow.config.potential import Dft, Target
from gibbsflow.config.potential_training import Exploration
from gibbsflow.workflow.account import Account

_STOICHIOMETRY: Mapping[str, tuple[float, float]] = {
    "zincblende": (1, 1), "rocksalt": (1, 1), "cesiumchloride": (1, 1), "wurtzite": (1, 1), "fluorite": (1, 2),
}  # fmt: skip
_OF_ENGINES: Mapping[str, tuple[str, ...]] = {
    "gpaw_cutoff_ev": ("gpaw",),
    "tblite_method": ("tblite",),
    **dict.fromkeys(("functional", "kspacing_per_angstrom", "smearing", "degauss_ry"), ("quantum_espresso", "gpaw")),
    **dict.fromkeys(
        ("pseudo_library", "pseudopotentials", "ecutwfc_ry", "ecutrho_ry", "bands", "conv_thr_ry", "pw_command",
         "pseudo_dir", "electron_maxstep", "mixing_beta", "diagonalization"), ("quantum_espresso",)
    ),
}  # fmt: skip


def judge(target: Target, dft: Dft, exploration: Exploration, where: str) -> Account:
    """Look for settings that have no effect beside the others; what has its default is never one of them.

    Parameters
    ----------
    target, dft, exploration
        Sections, checked.
    where
        File they came from, for messages.

    Returns
    -------
    Account
        Refusals for what would be taken for the result's: a pressure at constant volume, a composition of what has its
        own, two structures. Notes for the rest.
    """
    account = Account(where)
    _structure(target, account)
    if exploration.ensemble == "nvt":
        for key in ("pressure_bar", "pressure_end_bar"):
            if value := getattr(exploration, key):
                right = "goal: phase_diagram or exploration: {ensemble: npt}, or no pressure"
                account.refuse(f"{value:g} bar has no effect at constant volume", right, field=f"exploration.{key}")
    for key, engines in _OF_ENGINES.items():
        if dft.engine not in engines and getattr(dft, key) != type(dft).model_fields[key].get_default():
            account.note(f"has no effect with engine {dft.engine}", field=f"dft.{key}")
    return account


def _structure(target: Target, account: Account) -> None:
    """Enter what a target says twice, or of something that has it by itself."""
    named = [key for key in ("structure_file", "molecule", "crystal") if getattr(target, key) is not None]
    if len(named) > 1:
        account.refuse(f"beside {named[1]}, of which it takes the place", "one of them", field=f"target.{named[0]}")
    if target.lattice_constant_angstrom is not None and named and named[0] != "crystal":
        right = f"without it: a {named[0]} has its own cell"
        account.refuse("has no effect", right, field="target.lattice_constant_angstrom")
    own = _own_composition(target, named[0]) if named else None
    if own is not None and any(abs(target.composition[symbol] - share) > 1e-5 for symbol, share in own.items()):
        equal = 1 / len(target.elements)
        if any(abs(share - equal) > 1e-5 for share in target.composition.values()):
            what = f"has no effect: the composition is that of the {target.crystal or named[0]}"
            account.refuse(what, "without it", field="target.composition")


def _own_composition(target: Target, named: str) -> dict[str, float] | None:
    """Share of each element that the structure itself sets; equal parts, the default, where only a file can tell."""
    if not target.elements:
        return None
    if named != "crystal":
        return dict.fromkeys(target.elements, 1 / len(target.elements))
    parts = _STOICHIOMETRY.get(str(target.crystal))
    if parts is None or len(target.elements) != len(parts):
        return None
    return {symbol: part / sum(parts) for symbol, part in zip(target.elements, parts, strict=True)}
