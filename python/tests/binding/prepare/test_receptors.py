"""What hosts and proteins have in common: their site, and the file that later phases read."""

import numpy as np
import pytest
from known_molecules import CB7

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.receptors import Receptor, site_entries


@pytest.mark.parametrize(
    ("site", "entries"),
    [("A:84,A:99", ["A:84", "A:99"]), (" A:84 , PTR ", ["A:84", "PTR"]), ("CB7", ["CB7"]), ("A:1,,", ["A:1"])],
)
def test_entries_of_a_site(site, entries):
    assert site_entries(site) == entries


def test_a_host_is_written_with_its_bonds_and_read_back(tmp_path):
    host = molecules.from_file(CB7)
    path = Receptor("cb7", "host", 0, host.heavy_angstrom, host).write(tmp_path)
    back = molecules.read_sdf(path, 0)
    assert path.name == "receptor.sdf" and back.smiles == host.smiles
    assert np.allclose(back.positions_angstrom, host.positions_angstrom, atol=1e-4)
    assert len(back.heavy_angstrom) == 84
