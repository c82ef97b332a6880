"""gibbsflow: binding free energies and machine-learned potentials, restartable and with a reason to trust them.

``import gibbsflow as gf`` gives the ten functions that do what the verbs of the command line do, and the nouns that
they take and give; docs/python.md lists them. Each is imported where it is first used: the import itself takes no time.
"""

from typing import Any

from gibbsflow.version import __version__

# name → module; the stub __init__.pyi says the same to editors and type checkers
_HOMES = {
    # from a receptor and a ligand to ΔG°
    "prepare_complex": "binding.campaign.verbs",
    "parametrise_complex": "binding.campaign.verbs",
    "equilibrate_complex": "binding.campaign.verbs",
    "sample_legs": "binding.campaign.verbs",
    "binding_free_energy": "binding.campaign.verbs",
    # from a list of elements to a potential
    "generate_structures": "potential.loop.verbs",
    "label_structures": "potential.loop.verbs",
    "fit_potential": "potential.loop.verbs",
    "explore_from": "potential.loop.verbs",
    "select_structures": "potential.loop.verbs",
    # settings
    "BindingConfig": "config.binding",
    "PotentialConfig": "config.potential_config",
    # what is bound, and what its free energy is made of
    "Molecule": "binding.prepare.molecules",
    "Receptor": "binding.prepare.receptors",
    "SimSystem": "binding.system",
    "LambdaState": "binding.alchemy.schedules",
    "AlchemicalLeg": "binding.alchemy.alchemical_leg",
    "BoreschRestraint": "binding.alchemy.restraint.restraints",
    "CentreOfMassRestraint": "binding.alchemy.restraint.restraints",
    "FlatBottomRestraint": "binding.alchemy.restraint.restraints",
    "Energies": "binding.sample.energies",
    "LegAnalysis": "binding.analyse.leg_result",
    # what is learned from, and what comes of it
    "Generated": "potential.generators.generate",
    "Batch": "potential.label.batch",
    "LabelResult": "potential.data.labels",
    "LabelledFrame": "potential.data.labelled_frames",
    "DatabaseManager": "potential.data.database",
    "PotentialCalculator": "potential.explore.calculator",
    "WorkflowManager": "potential.loop.manager",
    # what both leave behind, and how they fail
    "ArtifactStore": "workflow.artifacts",
    "Result": "workflow.result",
    "GibbsflowError": "errors",
    "InputError": "errors",
    "StoppedEarly": "errors",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
