"""What to do with what a learning loop came to, given why it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gibbsflow.potential.loop import stopping

if TYPE_CHECKING:
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop.stopping import GenerationRecord

_STANDS_STILL = 0.95
"""Error of the last generation over that of the one before, above which more of the same hardly helps."""
_MANY_FAILED = 0.1


def next_steps(
    config: PotentialConfig, history: Sequence[GenerationRecord], stopped_by: str, *, held: int = 0
) -> list[str]:
    """Say what to do next, the first thing first.

    Parameters
    ----------
    config
        Settings of the loop.
    history
        Its generations.
    stopped_by
        Why it stopped, as in its checkpoint; empty while it goes on.
    held
        Labels that an audit holds.

    Returns
    -------
    list of str
        Sentences that name the settings to change.
    """
    limits, last = config.convergence, history[-1]
    again = f"and go on from generation_{last.generation:02d} (--resume_from, or `infer loop --local --from`)"
    steps = []
    if not stopped_by:
        steps.append("The loop is under way: the same command goes on.")
    elif stopped_by == stopping.CONVERGED:
        steps.append("It converged: go on with it, as `Use it` says.")
    elif stopped_by == stopping.GENERATIONS:
        steps.append(
            f"Its generations are spent: raise convergence.max_generations ({limits.max_generations}) {again}."
        )
    elif stopped_by == stopping.LABELS:
        steps.append(f"Its labels are spent: raise convergence.max_labels ({limits.max_labels}) {again}.")
    else:
        exploration = config.exploration
        steps.append(
            f"Its MD met nothing new: more exploration.steps ({exploration.steps}), a higher "
            f"exploration.temperature_k ({exploration.temperature_k:g}) or other starts, {again}."
        )
    if stopped_by != stopping.CONVERGED:
        steps += _lacking(config, history)
    if limits.validation == "none" and not last.validation:
        steps.append(
            "No property was held against a reference: `train validate --potential potential` does, before results "
            "depend on it; convergence.validation has each generation judged so."
        )
    elif last.validation in ("WARN", "FAIL"):
        steps.append(f"Its validation is {last.validation}: look at the reasons before results depend on it.")
    failed, made = sum(last.failures.values()), last.labels_made
    if made and failed > _MANY_FAILED * made:
        steps.append(f"{failed} of {made} labels failed: `dft explain ID --database structures.db` says why of each.")
    if held:
        steps.append(f"An audit holds {held} of its labels: look at each below, release it or leave it out.")
    return steps


def _lacking(config: PotentialConfig, history: Sequence[GenerationRecord]) -> list[str]:
    """What keeps it from having converged, and which settings that hangs on."""
    limits, last, steps = config.convergence, history[-1], []
    force = last.force_mae_ev_per_angstrom
    if force > limits.force_mae_ev_per_angstrom:
        still = len(history) > 1 and force > _STANDS_STILL * history[-2].force_mae_ev_per_angstrom
        what = f"The force error is {force:.3g} eV/Å (wanted {limits.force_mae_ev_per_angstrom:g})"
        if still:
            steps.append(
                f"{what} and no longer falls: more labels of the same kind hardly help; a longer "
                f"training.time_budget_min ({config.training.time_budget_min:g}), more training.max_coefficients "
                f"({config.training.max_coefficients}), or labels of finer settings."
            )
        else:
            steps.append(f"{what}: more labels, or a longer training.time_budget_min.")
    if limits.stress_mae_gpa is not None and (stress := last.stress_mae_gpa or 0.0) > limits.stress_mae_gpa:
        steps.append(
            f"The stress error is {stress:.3g} GPa (wanted {limits.stress_mae_gpa:g}): more labels of strained cells."
        )
    if last.fraction_above > limits.fraction_above:
        steps.append(
            f"{last.fraction_above:.1%} of its MD is beyond what it knows (wanted {limits.fraction_above:.1%}): more "
            "generations, or MD that is colder or shorter (section exploration) if results need no more."
        )
    return steps
