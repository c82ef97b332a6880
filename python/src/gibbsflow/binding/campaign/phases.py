"""The phases of a binding free energy: their one description, which Nextflow (a test holds it) and run-local follow."""

from __future__ import annotations

from gibbsflow.binding.campaign.pipeline import Pipeline, Step
from gibbsflow.binding.system import SimSystem

SYSTEM_PREP = "system_prep"
PARAM_LIGANDS = "param_ligands"
PREPARE_EQUIL = "prepare_equil"
EQUIL = "equil"
EQUIL_ANALYSIS = "equil_analysis"
PLAN_NETWORK = "plan_network"
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
            "system_prep system",
            "read, check, protonate and place receptor and ligand",
        ),
        Step(
            PARAM_LIGANDS,
            (SYSTEM_PREP,),
            SimSystem,
            SimSystem,
            "param ligand",
            "force field parameters of ligand and host",
        ),
        Step(
            PREPARE_EQUIL,
            (PARAM_LIGANDS,),
            SimSystem,
            SimSystem,
            "equil prepare",
            "topologies and starting coordinates",
        ),
        Step(
            EQUIL,
            (PREPARE_EQUIL,),
            SimSystem,
            SimSystem,
            "equil run",
            "minimise, heat, equilibrate",
        ),
        Step(
            EQUIL_ANALYSIS,
            (EQUIL,),
            SimSystem,
            SimSystem,
            "equil analyse",
            "bound or unbound, representative frame, anchors",
        ),
        Step(
            PREPARE_FE,
            (EQUIL_ANALYSIS,),
            SimSystem,
            SimSystem,
            "fe prepare",
            "legs, restraints and lambda windows",
        ),
        Step(
            FE,
            (PREPARE_FE,),
            SimSystem,
            list,
            "fe run",
            "sample the lambda windows of all legs and replicates",
        ),
        Step(
            ANALYSIS,
            (FE,),
            list,
            dict,
            "analysis transformation",
            "free energies with errors, verdict, report",
        ),
    ]
)
MD = ABFE.until(EQUIL_ANALYSIS)
NETWORK = Pipeline(
    [
        *MD,
        Step(
            PLAN_NETWORK,
            (EQUIL_ANALYSIS,),
            SimSystem,
            dict,
            "network edges",
            "which pairs of ligands are compared, by which atoms",
        ),
        ABFE[PREPARE_FE].replace(requires=(PLAN_NETWORK,), payload=dict),
        ABFE[FE],
        ABFE[ANALYSIS],
    ]
)
PIPELINES: dict[str, Pipeline] = {"abfe": ABFE, "asfe": ABFE, "rbfe": NETWORK, "rsfe": NETWORK, "md": MD}
"""Phases of each mode of the binding half."""
PILOT_VERB = "fe pilot"
"""What goes before phase `FE` for each leg, where windows are to place themselves."""
EXTENSION, EXTEND_VERB = "extension", "fe extend"
"""Sampling a leg longer, where an error is to be reached: a round of phase `fe`, and its verb."""
CAMPAIGN_VERB = "analysis campaign"
"""What makes table and report of the last phase's folders, in every mode."""
