"""What can be wrong with a surrogate before anything is run: its file, its elements, and limits that do nothing."""

from __future__ import annotations

from contextlib import closing

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.explore.screening.surrogates import make_surrogate
from gibbsflow.workflow.account import Account


def check_surrogate(config: PotentialConfig, account: Account) -> dict[str, str]:
    """Check the surrogate that settings name, if any.

    Parameters
    ----------
    config
        Settings, with the surrogate's file as it can be opened from here.
    account
        Takes the doubts: limits by which it leaves out nothing, or no more than others do.

    Returns
    -------
    dict
        ``surrogate``: the model in words; empty without one.

    Raises
    ------
    InputError
        Where its file is missing, is of another style or does not know all elements.
    MissingProgramError
        Where tblite or LAMMPS is not installed.
    """
    settings = config.surrogate
    if settings.model == "none":
        return {}
    _doubt(config, account)
    if settings.model == "last_generation":
        return {"surrogate": "the potential of the generation before; the first generation is not screened"}
    with closing(make_surrogate(settings, config.target.elements)) as model:
        return {"surrogate": model.name}


def _doubt(config: PotentialConfig, account: Account) -> None:
    settings, limit = config.surrogate, config.surrogate.max_force_ev_per_angstrom
    field = "surrogate.max_force_ev_per_angstrom"
    cap = config.labels.force_cap_ev_per_angstrom
    if limit > cap:
        what = f"the surrogate lets forces up to {limit:g} eV/Å through, and labels above {cap:g} eV/Å are refused"
        account.warn(what, f"at most {cap:g} eV/Å, as in labels.force_cap_ev_per_angstrom", field=field)
    picked = config.selection.max_force_ev_per_angstrom
    if settings.model == "last_generation" and limit >= picked and settings.energy_window_ev_per_atom is None:
        what = f"{limit:g} eV/Å leaves out nothing: the selection refuses forces above {picked:g} by the same potential"
        account.warn(what, f"below {picked:g} eV/Å, or energy_window_ev_per_atom", field=field)
    same = (config.dft.engine, config.dft.tblite_method) == ("tblite", settings.tblite_method)
    if settings.model == "tblite" and same:
        what = f"surrogate and labels are both tblite {settings.tblite_method}, so that no time is saved"
        account.warn(what, "a model that is cheaper than the labels", field="surrogate.model")
