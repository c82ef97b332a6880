"""Settings of networks of relative free energies."""

import pytest

from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Relative
from gibbsflow.errors import InputError


def test_defaults_are_a_network_of_cycles_on_a_scale_of_its_own() -> None:
    assert Relative() == Relative(network="redundant", hub=None, map=None, anchor="none")


def test_they_are_parameters_of_the_pipeline() -> None:
    given = BindingConfig.from_params({"mode": "rbfe", "network": "net.csv", "map": "maps.json", "anchor": "mean"})
    assert (given.relative.network, str(given.relative.map), given.relative.anchor) == ("net.csv", "maps.json", "mean")
    with pytest.raises(InputError, match="hub"):
        BindingConfig.from_params({"hub": 3})
