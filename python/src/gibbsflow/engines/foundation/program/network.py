"""CHGNet in PyTorch: loaded by name or with tuned parameters, and evaluated on graphs of structures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from chgnet.model import CHGNet
from pymatgen.core import Lattice, Structure

GPA_PER_EV_PER_ANGSTROM3 = 160.21766208
"""As CHGNet's source has it, so that its stresses come back as they were before."""
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])
"""Rows and columns of xx yy zz yz xz xy."""


def load(weights: str, tuned: Path | None = None) -> Any:
    """Load the network.

    Parameters
    ----------
    weights
        Name of the weights in CHGNet's wheel.
    tuned
        File that :func:`save` wrote, whose parameters replace them.

    Returns
    -------
    CHGNet
        On the CPU.

    Raises
    ------
    ValueError
        Where there are no such weights, or the file's parameters are not of this network.
    """
    network = CHGNet.load(model_name=weights, use_device="cpu", verbose=False)
    network.graph_converter.set_isolated_atom_response("ignore")
    if tuned is not None:
        with np.load(tuned, allow_pickle=False) as content:
            own = {name: torch.from_numpy(content[name]) for name in content.files}
        try:
            network.load_state_dict(own)
        except RuntimeError as error:
            raise ValueError(f"{tuned.name}: {error}") from error
    return network


def save(path: Path, state: dict[str, Any]) -> None:
    """Write parameters to a file that holds numbers only.

    Parameters
    ----------
    path
        File to write, replaced as a whole.
    state
        Tensors by name.
    """
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.savez(file, **{name: tensor.detach().numpy() for name, tensor in state.items()})
    partial.replace(path)


def graph_of(network: Any, numbers: Any, positions: Any, cell: Any) -> Any:
    """Make the graph of a structure.

    Parameters
    ----------
    network
        The network, whose cutoffs count.
    numbers
        Atomic numbers, shape (n,).
    positions
        In Å, shape (n, 3).
    cell
        In Å, shape (3, 3); all directions periodic.

    Returns
    -------
    CrystalGraph
        Of the atoms within 6 Å and the bonds within 3 Å.
    """
    return network.graph_converter(Structure(Lattice(cell), numbers, positions, coords_are_cartesian=True))


def evaluate(network: Any, graph: Any, *, forces: bool) -> dict[str, Any]:
    """Evaluate a structure.

    Parameters
    ----------
    network
        The network.
    graph
        Of the structure.
    forces
        Whether forces and stress are wanted.

    Returns
    -------
    dict
        ``energy`` in eV, ``forces`` in eV/Å of shape (n, 3), ``stress`` in eV/Å^3 of shape (6,).
    """
    got = network.predict_graph(graph, task="efs" if forces else "e")
    found: dict[str, Any] = {"energy": np.float64(got["e"]) * len(graph.atomic_number)}
    if forces:
        stress = np.asarray(got["s"], dtype=float)
        found["forces"] = np.asarray(got["f"], dtype=float)
        found["stress"] = (0.5 * (stress + stress.T))[VOIGT] / GPA_PER_EV_PER_ANGSTROM3
    return found
