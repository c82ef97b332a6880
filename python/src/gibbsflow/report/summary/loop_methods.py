"""``methods.md`` of a learning loop: what its settings and versions say, in words for a paper, with works to cite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.report.summary.methods_text import methods_page
from gibbsflow.version import __version__

_TRAINERS = {"pod": "POD", "pace": "PACE", "chgnet": "a tuned CHGNet"}
_ENGINES = {"quantum_espresso": "Quantum ESPRESSO", "gpaw": "GPAW"}
_FUNCTIONALS = {"pbe": "PBE", "lda": "the local density approximation", "pbesol": "PBEsol"}


def loop_methods(
    config: PotentialConfig,
    history: Sequence[GenerationRecord],
    versions: Mapping[str, str],
    programs: Sequence[str],
    *,
    nextflow: bool = True,
) -> str:
    """Write the methods of a learning loop.

    Parameters
    ----------
    config
        Settings of the loop.
    history
        Its generations.
    versions
        Programs of the last fit.
    programs
        Programs that made the labels, with versions.
    nextflow
        Whether Nextflow may have run it, which is then cited.

    Returns
    -------
    str
        Markdown.
    """
    last, training, exploration = history[-1], config.training, config.exploration
    cited = ["ase", training.backend, *(["nextflow"] if nextflow else [])]
    text = [
        f"A machine-learned potential ({_TRAINERS[training.backend]}) for {'-'.join(config.target.elements)} was "
        f"learned by gibbsflow {__version__} in {len(history)} generation{'s' * (len(history) != 1)}, from "
        f"{last.labels} labelled structures; {last.holdout_labels} from another sampler were held out. First "
        f"structures came from the generators {', '.join(config.generator.methods)}."
    ]
    text.append(_labels(config, cited))
    if "lammps" in versions:
        cited.append("lammps")
    unknown = "extrapolation grade" if exploration.uncertainty == "grade" else "spread of a committee"
    cited += ["grade"] if exploration.uncertainty == "grade" else []
    ramp = f"{exploration.temperature_k:g} K"
    if exploration.temperature_end_k is not None:
        ramp = f"{exploration.temperature_k:g} to {exploration.temperature_end_k:g} K"
    text.append(
        f"Each generation ran {config.loop.trajectories} trajectories of {exploration.ensemble.upper()} molecular "
        f"dynamics with the potential, of up to {exploration.steps} steps of {exploration.timestep_fs:g} fs at {ramp}; "
        f"structures that the {unknown} found unknown were candidates, of which at most {config.selection.budget} were "
        f"chosen by {config.selection.in_loop().method} and labelled."
    )
    errors = [
        f"{last.force_mae_ev_per_angstrom:.3g} eV/Å in forces",
        f"{last.energy_mae_mev_per_atom:.3g} meV/atom in energies",
        *([f"{last.stress_mae_gpa:.3g} GPa in stress"] if last.stress_mae_gpa is not None else []),
    ]
    text.append(f"Mean absolute errors on the hold-out are {', '.join(errors)}.")
    used: dict[str, list[str]] = {program: [version] for program, version in versions.items()}
    for program, _, version in (one.rpartition(" ") for one in programs):
        used.setdefault(program, []).append(version)
    return methods_page(text, cited, used)


def _labels(config: PotentialConfig, cited: list[str]) -> str:
    dft: Any = config.dft
    if dft.engine == "tblite":
        cited.append("gfn2" if dft.tblite_method == "GFN2-xTB" else "gfn1")
        return f"Energies, forces and stress were computed by {dft.tblite_method} with tblite, at the Γ point."
    cited.append(dft.engine)
    text = f"Energies, forces and stress were computed by {_ENGINES[dft.engine]} with {_FUNCTIONALS[dft.functional]}"
    cutoffs = ("gpaw_cutoff_ev",) if dft.engine == "gpaw" else ("ecutwfc_ry", "ecutrho_ry")
    said = [
        f"{key} {value:g}" if (value := getattr(dft, key)) is not None else f"{key} by default"
        for key in (*cutoffs, "kspacing_per_angstrom")
    ]
    return f"{text} ({', '.join(said)}; dispersion: {dft.dispersion})."
