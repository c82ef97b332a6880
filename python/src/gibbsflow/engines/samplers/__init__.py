"""Samplers of alchemical states behind one protocol: Hamiltonian replica exchange, and independent windows."""

from __future__ import annotations

from gibbsflow.engines.samplers.contexts import Sampler, Samples, StateContexts, Walkers
from gibbsflow.engines.samplers.exchange import ExchangeSampler, acceptance, round_trips
from gibbsflow.engines.samplers.independent import IndependentSampler

__all__ = [
    "ExchangeSampler",
    "IndependentSampler",
    "Sampler",
    "Samples",
    "StateContexts",
    "Walkers",
    "acceptance",
    "round_trips",
]
