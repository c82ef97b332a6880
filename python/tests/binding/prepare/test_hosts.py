"""Hosts: their residues as a site, and a net charge on which all sources agree."""

import pytest
from known_molecules import CB7

from gibbsflow.binding.prepare.hosts import read_host
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError

METHYLAMMONIUM = """@<TRIPOS>MOLECULE
small
8 7 1 0 0
SMALL
USER_CHARGES

@<TRIPOS>ATOM
1 C1 0.000 0.000 0.000 C.3 1 {residue} {carbon}
2 N1 1.500 0.000 0.000 N.4 1 {residue} 0.4000
3 H1 -0.360 1.030 0.000 H 1 {residue} 0.1000
4 H2 -0.360 -0.510 0.890 H 1 {residue} 0.1000
5 H3 -0.360 -0.510 -0.890 H 1 {residue} 0.1000
6 H4 1.840 -0.960 0.000 H 1 {residue} 0.1000
7 H5 1.840 0.480 0.830 H 1 {residue} 0.1000
8 H6 1.840 0.480 -0.830 H 1 {residue} 0.1000
@<TRIPOS>BOND
1 1 2 1
2 1 3 1
3 1 4 1
4 1 5 1
5 2 6 1
6 2 7 1
7 2 8 1
"""


def methylammonium(folder, carbon: float):
    """A cation of eight atoms; its partial charges sum to `carbon` + 1."""
    path = folder / "small.mol2"
    path.write_text(METHYLAMMONIUM.format(carbon=f"{carbon:.4f}", residue="MAM"))
    return path


def told(path, **settings) -> str:
    with pytest.raises(InputError) as caught:
        read_host(path, System(**settings))
    return str(caught.value)


@pytest.mark.parametrize("carbon", [0.0, -0.05, 0.4], ids=["exact", "rounded", "no integer"])
def test_formal_charges_decide_where_partial_ones_agree_or_say_nothing(tmp_path, carbon):
    host = read_host(methylammonium(tmp_path, carbon), System())
    assert (host.charge, host.name, host.kind, host.heavy_angstrom.shape) == (1, "small", "host", (2, 3))


def test_sources_that_disagree_are_named(tmp_path):
    path = methylammonium(tmp_path, -1.0)
    assert "the charge is +1 by its formal charges and +0 by its partial charges (right: say receptor_charge)" in told(
        path
    )
    assert read_host(path, System(receptor_charge=1)).charge == 1
    assert "+2 given, but the host has +1 by its formal charges and +0 by" in told(path, receptor_charge=2)


def test_a_charge_that_leaves_an_electron_alone(tmp_path):
    path = methylammonium(tmp_path, -1.0)
    assert "an odd number of electrons (19)" in told(path, receptor_charge=0)


def test_a_site_is_made_of_the_residues_of_the_host(tmp_path):
    path = methylammonium(tmp_path, 0.0)
    assert read_host(path, System(site="MAM")).site == "MAM"
    assert "no residue XYZ, ABC (right: the residues of this host (MAM), or no site" in told(path, site="XYZ,MAM, ABC")


def test_a_host_without_residues_is_one_called_hst(tmp_path):
    lines = CB7.read_text().splitlines()
    untitled = tmp_path / "host.sdf"
    untitled.write_text("\n".join(["", *lines[1:]]) + "\n")
    assert read_host(untitled, System(site="HST")).site == "HST"
