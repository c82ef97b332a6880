"""A ladder of one-dimensional oscillators written as GROMACS writes dhdl.xvg; its free energy is known exactly.

U(x) = ½ K(λ) x² with K(λ) = K0 + λ (K1 - K0), so that ΔG = ½ kT ln(K1/K0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

KT_KJ_PER_MOL = 8.31446261815324e-3 * 300
K0, K1 = 100.0, 560.0


def exact_kt(first: float, last: float) -> float:
    """ΔG between two λ, kT."""
    return float(0.5 * np.log((K0 + last * (K1 - K0)) / (K0 + first * (K1 - K0))))


@dataclass
class Ladder:
    """Frames of every state, and the text of their files."""

    lambdas: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
    frames: int = 400
    seed: int = 1
    step_ps: float = 0.2
    digits: int = 4
    temperature_k: float = 300.0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def head(self, state: int | None, legends: Sequence[str] = ()) -> list[str]:
        """Header of the file of a state; of an expanded ensemble for None."""
        printed = [f"{value:.{self.digits}f}" for value in self.lambdas]
        own = "" if state is None else f"\\xl\\f{{}} state {state}: fep-lambda = {printed[state]}"
        columns = [*legends, f"dH/d\\xl\\f{{}} fep-lambda = {printed[state or 0]}"]
        columns += [f"\\xD\\f{{}}H \\xl\\f{{}} to {text}" for text in printed]
        subtitle = f'@ subtitle "T = {self.temperature_k:g} (K) {own}"'
        return ["# gmx", "@TYPE xy", subtitle, *(f'@ s{k} legend "{c}"' for k, c in enumerate(columns))]

    def rows(self, state: int, frames: int | None = None, start_ps: float = 0.0) -> list[str]:
        """Rows of samples that are drawn from a state."""
        stiffness = K0 + np.array(self.lambdas) * (K1 - K0)
        x = self.rng.normal(0.0, np.sqrt(KT_KJ_PER_MOL / stiffness[state]), frames or self.frames)
        made = []
        for number, energy in enumerate(0.5 * x**2):
            differences = energy * (stiffness - stiffness[state])
            values = [energy * (K1 - K0), *differences]
            made.append(f"{start_ps + number * self.step_ps:.4f} " + " ".join(f"{v:.8g}" for v in values))
        return made

    def write(self, folder: Path) -> list[Path]:
        """One file a state."""
        folder.mkdir(parents=True, exist_ok=True)
        return [put(folder / f"{k}.xvg", self.head(k) + self.rows(k)) for k in range(len(self.lambdas))]


def put(path: Path, lines: Sequence[str]) -> Path:
    """Write lines."""
    path.write_text("\n".join(lines) + "\n")
    return path


def parts_of(path: Path) -> tuple[list[str], list[str]]:
    """Header and rows of a file."""
    lines = path.read_text().splitlines()
    return [line for line in lines if line[0] in "#@"], [line for line in lines if line[0] not in "#@"]
