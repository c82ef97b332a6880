"""Fine-tuning of the network: batches in an order that a seed gives, a checkpoint an epoch, the best epoch by a fold.

An epoch's order depends on the seed and its number alone, and a checkpoint holds parameters and optimiser: a fit that
was killed goes on to the parameters that it would have had, bit for bit on the same machine with as many threads.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gibbsflow.engines.foundation.program import network
from gibbsflow.engines.foundation.program.fit_files import FRAMES, REQUEST, TUNED

CHECKPOINT, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
ENERGY_EV_PER_ATOM, FORCE_EV_PER_ANGSTROM, STRESS_GPA = 0.01, 0.1, 1.0
"""Errors that count alike where all weights are one."""
_LAST_RATE = 0.01
_EMBEDDINGS = ("atom_embedding", "bond_embedding", "angle_embedding", "bond_basis_expansion", "angle_basis_expansion",
               "bond_weights")  # fmt: skip
_CONVOLUTIONS = ("atom_conv_layers", "bond_conv_layers", "angle_layers")
_LAST_CONVOLUTION = "atom_conv_layers.3"


@dataclass(frozen=True)
class _Example:
    """One frame with the targets of the network."""

    graph: Any
    energy_ev_per_atom: float
    forces: Any
    mask: Any
    stress_gpa: Any | None
    weights: tuple[float, float, float]


def tune(folder: Path, *, tell: Callable[[dict[str, Any]], None], stopped: Callable[[], bool]) -> dict[str, Any]:
    """Tune as a folder says, or go on where its checkpoint is.

    Parameters
    ----------
    folder
        With ``request.json`` (``weights``, ``frozen``, ``learning_rate``, ``epochs``, ``batch``, ``loss`` weights,
        ``seed``, ``time_s``) and ``frames.npz``; gets the checkpoints and ``tuned.npz``.
    tell
        Called after each batch (``beat``) and each epoch (``epoch``).
    stopped
        Whether to end after the present batch.

    Returns
    -------
    dict
        ``best_epoch``, ``epochs``, ``planned``, ``stopped_by``, ``history``, ``begun_at``, ``parameters``.

    Raises
    ------
    FloatingPointError
        Where the loss is not finite.
    """
    begin = time.monotonic()
    request = json.loads((folder / REQUEST).read_text())
    key = _key(folder, request)
    model = network.load(request["weights"])
    trained = _free(model, request["frozen"])
    learn, judge = _examples(folder, model, tell)
    rate, loss_weights = request["learning_rate"], request["loss"]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.0)
    kept = _read(folder, key, model, optimizer)
    if kept is None:
        kept = {"key": key, "epoch": 0, "planned": request["epochs"], "history": [], "best_epoch": 0,
                "best": _copy(model), "best_loss": math.inf}  # fmt: skip
        if judge:
            first = _judged(model, judge, loss_weights, tell)
            kept["history"].append({"epoch": 0, **first})
            kept["best_loss"] = first["loss"]
    begun_at, reason, longest_s = kept["epoch"], "", 0.0
    while kept["epoch"] < kept["planned"] and not reason:
        number, start = kept["epoch"] + 1, time.monotonic()
        if start - begin + longest_s > request["time_s"]:
            reason = "time budget"
            break
        order = np.random.default_rng([request["seed"], number]).permutation(len(learn))
        batches = [order[k : k + request["batch"]] for k in range(0, len(order), request["batch"])]
        total = 0.0
        model.train()
        for count, batch in enumerate(batches):
            done = (number - 1 + count / len(batches)) / kept["planned"]
            optimizer.param_groups[0]["lr"] = rate * _cosine(done)
            optimizer.zero_grad()
            loss = _loss(model, [learn[k] for k in batch], loss_weights)[0]
            if not torch.isfinite(loss):
                raise FloatingPointError(f"the loss is not finite in epoch {number}: a smaller learning_rate may help")
            loss.backward()
            optimizer.step()
            total += float(loss) * len(batch)
            tell({"beat": [number, count + 1, len(batches)]})
            if stopped():
                reason = "signal"
            elif time.monotonic() - begin > request["time_s"]:
                reason = "time budget"
            if reason:
                break
        if reason:
            break  # the epoch that was cut is not the checkpoint's, which stands
        record = {"epoch": number, "train_loss": total / len(learn)}
        if judge:
            record |= _judged(model, judge, loss_weights, tell)
        score = record.get("loss", -number)  # where no fold judges, the last epoch is the best
        if score < kept["best_loss"]:
            kept |= {"best_loss": score, "best_epoch": number, "best": _copy(model)}
        kept["epoch"] = number
        longest_s = max(longest_s, time.monotonic() - start)
        if number == 1:
            # the rate falls to its end within the time: planned once, and kept with the checkpoint
            holds = 1 + int((request["time_s"] - (time.monotonic() - begin)) / (1.05 * longest_s))
            kept["planned"] = max(1, min(request["epochs"], holds))
        kept["history"].append({**record, "seconds": round(time.monotonic() - start, 3)})
        _write(folder, kept, model, optimizer)
        tell({"epoch": kept["history"][-1], "planned": kept["planned"]})
    network.save(folder / TUNED, kept["best"])
    if not reason and kept["planned"] < request["epochs"]:
        reason = "time budget"
    return {
        "best_epoch": kept["best_epoch"], "epochs": kept["epoch"], "planned": kept["planned"], "stopped_by": reason,
        "history": kept["history"], "begun_at": begun_at, "parameters": trained,
    }  # fmt: skip


def _cosine(done: float) -> float:
    """Rate, of the first one's, at a share of the fit; from one down to a hundredth."""
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def _free(model: Any, frozen: str) -> int:
    """Free what shall be trained; number of its parameters. The composition's own energies are never trained."""
    count = 0
    for name, parameter in model.named_parameters():
        fixed = name.startswith("composition_model") or name.startswith("site_wise")
        fixed |= frozen in ("embeddings", "interactions") and name.startswith(_EMBEDDINGS)
        fixed |= frozen == "interactions" and name.startswith(_CONVOLUTIONS) and not name.startswith(_LAST_CONVOLUTION)
        parameter.requires_grad_(not fixed)
        count += 0 if fixed else parameter.numel()
    return count


def _examples(
    folder: Path, model: Any, tell: Callable[[dict[str, Any]], None]
) -> tuple[list[_Example], list[_Example]]:
    """Frames that are learnt from, and those that judge."""
    with np.load(folder / FRAMES, allow_pickle=False) as content:
        data = {name: content[name] for name in content.files}
    sets: tuple[list[_Example], list[_Example]] = ([], [])
    ends = np.cumsum(data["counts"])
    for k, (end, count) in enumerate(zip(ends, data["counts"], strict=True)):
        own = slice(end - count, end)
        graph = network.graph_of(model, data["numbers"][own], data["positions"][own], data["cells"][k])
        stress = data["stresses"][k] * network.GPA_PER_EV_PER_ANGSTROM3
        sets[int(data["judge"][k])].append(
            _Example(
                graph, float(data["energies"][k] / count), torch.tensor(data["forces"][own], dtype=torch.float32),
                torch.tensor(data["masks"][own]),
                torch.tensor(stress, dtype=torch.float32) if np.isfinite(stress).all() else None,
                tuple(data["weights"][k].tolist()),
            )
        )  # fmt: skip
        tell({"beat": [0, k + 1, len(ends)]})
    return sets


def _loss(model: Any, batch: list[_Example], weights: list[float]) -> tuple[Any, dict[str, list[Any]]]:
    """Mean loss of a batch, and errors by kind; a label that does not count, or is not there, adds nothing."""
    got = model([example.graph for example in batch], task="efs")
    total = torch.zeros(())
    errors: dict[str, list[Any]] = {"energy": [], "force": [], "stress": []}
    for k, example in enumerate(batch):
        own = [a * b for a, b in zip(weights, example.weights, strict=True)]
        if own[0] > 0:
            error = (got["e"][k] - example.energy_ev_per_atom).reshape(1)
            errors["energy"].append(error.detach())
            total = total + own[0] * _huber(error / ENERGY_EV_PER_ATOM)
        if own[1] > 0 and bool(example.mask.any()):
            error = (got["f"][k] - example.forces)[example.mask]
            errors["force"].append(error.detach().reshape(-1))
            total = total + own[1] * _huber(error / FORCE_EV_PER_ANGSTROM)
        if own[2] > 0 and example.stress_gpa is not None:
            stress = (0.5 * (got["s"][k] + got["s"][k].T))[network.VOIGT]
            error = stress - example.stress_gpa
            errors["stress"].append(error.detach())
            total = total + own[2] * _huber(error / STRESS_GPA)
    return total / len(batch), errors


def _huber(scaled: Any) -> Any:
    """Mean of squares up to one, linear beyond: a few odd labels do not decide."""
    return 2 * torch.nn.functional.huber_loss(scaled, torch.zeros_like(scaled))


def _judged(
    model: Any, judge: list[_Example], weights: list[float], tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Loss and errors on the fold that is not learnt from."""
    model.eval()
    total = 0.0
    errors: dict[str, list[Any]] = {"energy": [], "force": [], "stress": []}
    for k, example in enumerate(judge):
        loss, own = _loss(model, [example], weights)
        total += float(loss)
        for kind, values in own.items():
            errors[kind] += values
        tell({"beat": [0, k + 1, len(judge)]})
    units = {"energy": "energy_rmse_mev_per_atom", "force": "force_rmse_ev_per_angstrom", "stress": "stress_rmse_gpa"}
    rmse = {
        units[kind]: float(torch.cat(values).square().mean().sqrt()) * (1e3 if kind == "energy" else 1.0)
        for kind, values in errors.items() if values
    }  # fmt: skip
    return {"loss": total / len(judge), **rmse}


def _copy(model: Any) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _key(folder: Path, request: dict[str, Any]) -> str:
    """Hash of what makes the outcome; the time is no part of it."""
    told = json.dumps({name: value for name, value in request.items() if name != "time_s"}, sort_keys=True)
    return hashlib.sha256(told.encode() + (folder / FRAMES).read_bytes()).hexdigest()


def _write(folder: Path, kept: dict[str, Any], model: Any, optimizer: Any) -> None:
    """Replace the checkpoint as a whole; the one before stays beside it."""
    partial = folder / "checkpoint.partial"
    torch.save({**kept, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, partial)
    if (folder / CHECKPOINT).exists():
        (folder / CHECKPOINT).replace(folder / PREVIOUS)
    partial.replace(folder / CHECKPOINT)


def _read(folder: Path, key: str, model: Any, optimizer: Any) -> dict[str, Any] | None:
    """Read the last checkpoint that is whole and of these inputs."""
    for name in (CHECKPOINT, PREVIOUS):
        if not (folder / name).exists():
            continue
        try:
            kept: dict[str, Any] = torch.load(folder / name, weights_only=True)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file gives; the one before stands
            print(f"{name} cannot be read ({error}): the one before is taken", flush=True)
            continue
        if kept["key"] != key:
            continue
        model.load_state_dict(kept.pop("model"))
        optimizer.load_state_dict(kept.pop("optimizer"))
        return kept
    return None
