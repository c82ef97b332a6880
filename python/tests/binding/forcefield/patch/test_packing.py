"""What OpenMM cannot pack lipids round is told; its packing itself takes minutes and is run by hand."""

import numpy as np
import pytest
from openmm import app

from gibbsflow.binding.forcefield.patch.packing import pack
from gibbsflow.errors import InputError


def test_a_residue_without_parameters_is_told(tmp_path):
    topology = app.Topology()
    residue = topology.addResidue("XYZ", topology.addChain("A"))
    topology.addAtom("AU", app.Element.getBySymbol("Au"), residue)
    with pytest.raises(InputError, match="OpenMM cannot pack lipids round it"):
        pack(topology, np.zeros((1, 3)), 1, "POPC", 10.0, tmp_path, where="x")
