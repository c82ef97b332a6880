"""The phases of a binding free energy, as steps."""

from __future__ import annotations

from gibbsflow.binding.campaign.pipeline import Pipeline, Step
from gibbsflow.binding.system import SimSystem

SYSTEM_PREP = "system_prep"
PARAM_LIGANDS = "param_ligands"
PREPARE_EQUIL = "prepare_equil"
EQUIL = "equil"
EQUIL_ANALYSIS = "equil_analysis"
PREPARE_FE = "prepare_fe"
FE = "fe"
ANALYSIS = "analysis"

ABFE = Pipeline(
    [
        Step(
            SYSTEM_PREP,
            (),
            dict,
            SimSystem,
            "read, check, protonate and place receptor and ligand",
        ),
        Step(
            PARAM_LIGANDS,
            (SYSTEM_PREP,),
            SimSystem,
            SimSystem,
            "force field parameters of ligand and host",
        ),
        Step(
            PREPARE_EQUIL,
            (PARAM_LIGANDS,),
            SimSystem,
            SimSystem,
            "topologies and starting coordinates",
        ),
        Step(EQUIL, (PREPARE_EQUIL,), SimSystem, SimSystem, "minimise, heat, equilibrate"),
        Step(
            EQUIL_ANALYSIS,
            (EQUIL,),
            SimSystem,
            SimSystem,
            "bound or unbound, representative frame, anchors",
        ),
        Step(
            PREPARE_FE,
            (EQUIL_ANALYSIS,),
            SimSystem,
            SimSystem,
            "legs, restraints and lambda windows",
        ),
        Step(
            FE,
            (PREPARE_FE,),
            SimSystem,
            list,
            "sample the lambda windows of all legs and replicates",
        ),
        Step(ANALYSIS, (FE,), list, dict, "free energies with errors, verdict, report"),
    ]
)
MD = ABFE.until(EQUIL_ANALYSIS)
PIPELINES: dict[str, Pipeline] = {"abfe": ABFE, "md": MD}
