"""Figure of what became of a loop's structures: left out by a surrogate, labelled, failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gibbsflow.report.figures.learning.learning_figures import new_figure, save_figure

# hatched: they are told apart in black and white too
_BARS = (("labelled", "#7a8ca3", ""), ("failed", "#c2410c", "xx"), ("screened", "#d6c08d", "//"))


def fates_figure(generations: Sequence[Mapping[str, Any]], stem: Path) -> list[Path]:
    """Structures of each generation by fate, one bar a generation.

    Parameters
    ----------
    generations
        One row a generation: ``generation, labelled, failed, screened``; None counts as none.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    from matplotlib.ticker import MaxNLocator

    figure, (axis,) = new_figure(1, 1, (5.0, 3.4))
    numbers = [row["generation"] for row in generations]
    base = [0] * len(numbers)
    for name, colour, hatch in _BARS:
        heights = [row[name] or 0 for row in generations]
        axis.bar(
            numbers, heights, bottom=base, width=0.6, color=colour, hatch=hatch, edgecolor="#1c2430", lw=0.6, label=name
        )
        base = [low + height for low, height in zip(base, heights, strict=True)]
    axis.set(xlabel="generation", ylabel="structures")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(integer=True))
    axis.legend(frameon=False, fontsize=8)
    return save_figure(figure, stem)
