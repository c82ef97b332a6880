"""A measurement is of what it says: more atoms, or water with its long-range part, take longer."""

from __future__ import annotations

import pytest

from gibbsflow.binding.campaign.foreseen import measured_rate
from gibbsflow.binding.campaign.foreseen.measured_rate import step_s


def test_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_rate, "WATER_ATOMS", 660)
    implicit, water = step_s(explicit=False, seconds=0.1), step_s(explicit=True, seconds=0.1)
    assert 1e-5 < implicit < water < 1.0
