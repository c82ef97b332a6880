"""What a launch form shows besides the settings: titles, icons, help, patterns, and what only experts need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gibbsflow.config.modes import MODES

_ICONS = {
    "io": ("Input and output", "fas fa-terminal"),
    "run": ("Campaign", "fas fa-flag"),
    "system": ("Receptor and pose", "fas fa-cube"),
    "param": ("Force field", "fas fa-atom"),
    "md": ("Molecular dynamics", "fas fa-wave-square"),
    "equil": ("Equilibration", "fas fa-fire"),
    "fe": ("Free-energy legs", "fas fa-balance-scale"),
    "relative": ("Network of ligands", "fas fa-project-diagram"),
    "analysis": ("Analysis", "fas fa-chart-line"),
    "costs": ("Costs", "fas fa-coins"),
    "nextflow": ("Nextflow", "fas fa-server"),
    "institution": ("Institution", "fas fa-university"),
}


@dataclass(frozen=True)
class Pattern:
    """What a text must match, and how that is said to people."""

    pattern: str
    right: str


_IMAGE = Pattern(
    r"^[A-Za-z0-9_./][A-Za-z0-9_./:-]*(@sha256:[0-9a-f]{64})?$",
    "name of a container image, as ghcr.io/group/gibbsflow-core:1.2.0",
)
_WORD = r"[A-Za-z0-9_./:=,@%+~^*()\[\]|&!<>-]"
_PARTS = rf"""({_WORD}|"({_WORD}| )*"|'({_WORD}| )*')+"""
_OPTIONS = Pattern(
    rf"^-{_PARTS}( +{_PARTS})*$",
    "options of sbatch, as --constraint=avx512 --exclude=n7; blanks in quotes, and none of $ ` ; # ? { } \\",
)

PATTERNS = {
    "input": Pattern(r"^.+\.(csv|sdf|SDF)$", "a CSV file, or an SDF with a record a ligand"),
    "receptor": Pattern(
        r"^.+\.([mM][oO][lL]2|[sS][dD][fF]|([pP][dD][bB]|[eE][nN][tT]|([mM][mM])?[cC][iI][fF])(\.[gG][zZ])?)$",
        "a MOL2, SDF, PDB or mmCIF file",
    ),
    "config": Pattern(r"^.+\.(ya?ml|json)$", "a YAML or JSON file"),
    "boresch_atoms": Pattern(
        r"^[A-Za-z0-9_:*'+.-]+( *, *[A-Za-z0-9_:*'+.-]+){5}$", "six atoms, as A:111:CA,A:84:CA,A:88:CA,C1,C2,C4"
    ),
    "registry": Pattern(
        r"^[A-Za-z0-9_./][A-Za-z0-9_./:-]*[A-Za-z0-9_]$", "host and group of a registry, as ghcr.io/group"
    ),
    "image_version": Pattern(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", "a tag of images, as 1.2.0"),
    "email": Pattern(
        r"^[A-Za-z0-9_][A-Za-z0-9._+-]*@[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]$", "one address, as me@example.org"
    ),
    "hook_url": Pattern(
        r"^(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:\d{1,5})?(/[A-Za-z0-9._~%/+=?&:@,!*-]*)?$",
        "an address that begins with https://; http:// on this machine alone",
    ),
    **{f"image_{name}": _IMAGE for name in ("core", "cuda", "ml", "dft")},
    **dict.fromkeys(("queue", "account", "qos"), Pattern(r"^[A-Za-z0-9_][A-Za-z0-9_.,:@+%/-]*$", "a name in SLURM")),
    **dict.fromkeys(("cluster_options", "gpu_options"), _OPTIONS),
}
"""Patterns of what is written into scripts as it is, and of files; those of other texts stand with the settings."""

HIDDEN = frozenset(
    {
        "param_cache", "param_memory_gb", "param_time_min", "clash_angstrom", "timestep_fs", "hydrogen_mass_amu",
        "friction_per_ps", "minimise_steps", "equil_segment_ps", "com_force_constant_kcal_per_mol_angstrom2",
        "boresch_k_r_kcal_per_mol_angstrom2", "boresch_k_angle_kcal_per_mol_rad2", "segment_ps", "decorrelate",
        "publish_dir_mode", "soft_core", "box_shape", "density_ps", "equil_stages", "vacuum_schedule", "sdr_schedule",
        "flat_bottom_radius_angstrom", "flat_bottom_force_constant_kcal_per_mol_angstrom2",
    }
)  # fmt: skip
"""Settings whose defaults few have cause to change; `--help_full` and the docs list them all the same."""

SECRET = frozenset({"hook_url"})
"""Parameters whose values no message repeats, and no record keeps."""

HELP = {
    "input": "Columns: ligand, structure or smiles; where wanted charge, pose, pose_of, "
    "experimental_dg_kcal_per_mol, symmetry_number, group. Structures are found relative to the samplesheet. All "
    "faults are listed before the first task. In an SDF each record is a ligand, by its title, in its pose.",
    "receptor": "A host is parametrised as the ligands are; a protein is protonated and gets its force field.",
    "config": "Needed with mode potential, and for that alone; its settings replace those of the other groups.",
    "resume_from": "A folder generation_NN in the outdir of an earlier run; the loop begins with the next generation.",
    "outdir": "Tables, report, figures, records, manifest, and each phase's folder for work by hand.",
    "state_dir": "Checkpoints and sentinels live here, outside the work folder: a run whose work folder is gone goes "
    "on from them. Must be visible to every task.",
    "campaign": "Two runs that share it share their state.",
    "param_cache": "Charges and parameters by content, so that a molecule is parametrised once for all campaigns.",
    "mode": " ".join(f"{mode}: {row.text}." for mode, row in MODES.items()),
    "on_failure": "What is dropped keeps its row in the results, with its cause.",
    "clean_failures": "Nothing else is touched: checkpoints and finished windows stay.",
    "replicates": "Two are the least for an error that knows the spread between independent runs.",
    "seed": "The same seed gives the same samples where the platform is deterministic.",
    "receptor_kind": "Set it where a file's residues do not tell.",
    "receptor_charge": "A check on hosts whose file states no charge.",
    "site": "Proteins need it where the ligand's pose does not lie in the site.",
    "ph": "By the usual pKa of each amino acid; hosts and ligands are taken as given.",
    "protonation": "A modified residue named in it is computed as the amino acid that is chosen, with a warning.",
    "altloc": "Occupancies are compared residue by residue; what was left out is noted.",
    "keep": "Ions and waters have parameters; cofactors need theirs. What is left out near the ligand is a warning.",
    "parameters": "mol2 or lib defines the residue, frcmod its terms; a residue of the chain needs a lib.",
    "clash_angstrom": "Poses with closer contacts are refused before anything runs.",
    "ligand_ff": "Parameters by antechamber and parmchk2.",
    "charge_method": "Gasteiger charges are for trials: they are quick, and wrong for binding.",
    "charge_source": "sdf: property atom.dprop.PartialCharge of each structure, whose sum must be the formal charge.",
    "protein_ff": "Parameters by tleap.",
    "solvent": "A water model puts every leg into its own periodic box; vacuum is for tests.",
    "padding_angstrom": "The box must hold twice the cutoff also after it has shrunk to its density.",
    "salt_mol_per_l": "Na+ and Cl- with the parameters that fit the water model; counter-ions come in any case.",
    "density_ps": "The box finds its size while the solute is held.",
    "soft_core": "Beutler's is what most programs use; Gapsys's has no singular slope near the end.",
    "sdr_schedule": "states: [[restraints, electrostatics, sterics, sterics of the copy], ...].",
    "abfe_protocol": "sdr needs a water model; its box is neutral in all states, also of a charged ligand.",
    "charge_correction": "counter_ion: ions of each box lose their charge as the ligand does; on an edge that changes "
    "it waters become ions. analytic: the terms of Rocklin et al. are computed for each leg and added (docs/methods).",
    "edge_topology": "edges.csv says of each edge which it is.",
    "vacuum_schedule": "states: [[restraints, electrostatics, sterics], ...] from the coupled to the decoupled end.",
    "timestep_fs": "4 fs go with hydrogens of 3 amu.",
    "threads": "Also the cores that a task of MD asks for.",
    "platform": "CUDA and OpenCL go with the profile gpu.",
    "legs_per_gpu": "Each has its own state and results, which do not depend on it.",
    "unbound_threshold_angstrom": "Such a ligand has no bound state to measure: it is listed as unbound.",
    "restraint": "The free energy of letting the restrained ligand go into 1 mol/L is computed both ways and compared.",
    "boresch_atoms": "Atoms of ligands and hosts are named by element and count in their file, or in the SMILES; the "
    "record names the candidates so.",
    "symmetry_number": "Refused with other restraints, which leave all orientations to be sampled, and where the bonds "
    "of ligand and receptor have no such symmetry.",
    "sampler": "Exchange converges faster and needs all windows of a leg in one task; independent windows spread over "
    "a cluster, one or some of them a task (windows_per_task).",
    "complex_schedule": "states: [[restraints, electrostatics, sterics], ...] from the coupled to the decoupled end.",
    "solvent_schedule": "states: [[restraints, electrostatics, sterics], ...] from the coupled to the decoupled end.",
    "window_ps": "The error falls with its square root; the report says whether it was enough.",
    "segment_ps": "What an interruption can cost.",
    "overlap_warn": "Also the overlap that must bridge a missing window.",
    "error_warn_kcal_per_mol": "Results with a larger error get the verdict WARN.",
    "entropy": "Mean energies scatter far more than ΔG does: expect errors of some kcal/mol in explicit solvent.",
    "windows_per_task": "For windows of less than a minute, whose task would cost more than they do. State and results "
    "of a window stay the same whatever the grouping.",
    "publish_dir_mode": "Links save space where work and outdir share a disk; they break when work is removed.",
    "help": "With units, ranges and defaults.",
    "help_full": "Those that few have cause to change are among them.",
    "dry_run": "gibbsflow run-local FILE --dry-run --measure scales the estimate to this machine.",
    "email": "By the mail settings of Nextflow (scope mail), or the sendmail or mail of the machine.",
    "hook_url": "A failure of it is a warning and nothing more. Slack and Mattermost show its key text.",
}


def section_extras(name: str) -> dict[str, str]:
    """Give title and icon of a group.

    Parameters
    ----------
    name
        Name of the section.

    Returns
    -------
    dict
        Keys that its schema has for the launch form.
    """
    title, icon = _ICONS.get(name, (name.capitalize(), "fas fa-cog"))
    return {"title": title, "fa_icon": icon}


def setting_extras(key: str, item: Mapping[str, Any], takes: str) -> dict[str, Any]:
    """Give help, pattern and visibility of a setting.

    Parameters
    ----------
    key
        Its name.
    item
        Its schema.
    takes
        What it takes, in words, without its unit.

    Returns
    -------
    dict
        Keys that its schema has for the launch form.
    """
    unit = f" {item['unit']}" if item.get("unit") else ""
    right = PATTERNS[key].right if key in PATTERNS else f"{takes}{unit}"
    extras: dict[str, Any] = {"help_text": " ".join([*filter(None, [HELP.get(key)]), f"Takes: {right}."])}
    if key in PATTERNS:
        extras |= {"pattern": PATTERNS[key].pattern, "errorMessage": f"right: {PATTERNS[key].right}"}
    elif "pattern" in item:
        extras["errorMessage"] = f"right: text that matches {item['pattern']}"
    if key in HIDDEN or item.get("hidden"):
        extras["hidden"] = True
    if key in SECRET:
        extras["writeOnly"] = True
    return extras
