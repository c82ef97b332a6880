"""Seeds for every stretch of random work, derived from one and from what the stretch is."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *parts: str | int) -> int:
    """Derive a seed that depends on nothing but its arguments.

    Every segment of a calculation takes its own, so that an interrupted run draws the same numbers as one in one go.

    Parameters
    ----------
    seed
        The campaign's seed.
    *parts
        What the seed is for: transformation, leg, replicate, window, segment, ...

    Returns
    -------
    int
        Between 1 and 2³¹ − 2 (0 means "choose one" to OpenMM).
    """
    text = "\0".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % (2**31 - 2) + 1
