"""Methods tell and cite what was used, and nothing else."""

from __future__ import annotations

from typing import Any

from gibbsflow import __version__
from gibbsflow.report.summary.citations import CITATIONS
from gibbsflow.report.summary.methods_text import Campaign, methods_text

MD = {"engine": "openmm", "solvent": "obc2", "temperature_k": 298.15, "timestep_fs": 4.0, "hydrogen_mass_amu": 3.0}
FE = {"sampler": "exchange", "soft_core": "beutler", "window_ps": 1000.0, "abfe_protocol": "double_decoupling"}
PARAM = {"ligand_ff": "gaff2", "charge_method": "bcc", "charge_source": "am1bcc"}


def record(mode: str = "abfe", **settings: Any) -> dict[str, Any]:
    told = {"md": MD, "equil": {"equil_ps": 50.0}, "fe": FE, "param": PARAM, "receptor_kind": "host"} | settings
    return {
        "mode": mode,
        "replicates": 2,
        "settings": told,
        "versions": {"pymbar": "4.1"},
        "run_versions": {"openmm": "8.2"},
    }


def told(*records: dict[str, Any]) -> str:
    campaign = Campaign()
    for one in records:
        campaign.add(one)
    return methods_text(campaign)


def cited(text: str) -> set[str]:
    return {name for name, one in CITATIONS.items() if one.doi in text}


def test_of_a_host_in_implicit_solvent() -> None:
    text = told(record(restraint={"kind": "boresch"}))
    assert cited(text) == {
        "rdkit", "nextflow", "ambertools", "gaff", "bcc", "openmm", "obc2", "hmr", "boresch", "beutler", "exchange",
        "mbar", "bar", "alchemlyb", "guidelines",
    }  # fmt: skip
    assert "| openmm | 8.2 |" in text and "| pymbar | 4.1 |" in text and f"gibbsflow {__version__}" in text
    assert "at 298.15 K with steps of 4 fs" in text and "of 1000 ps" in text and "in 2 independent replicates" in text


def test_of_what_differs_from_record_to_record() -> None:
    protein = record(receptor_kind="protein", param=PARAM | {"protein_ff": "ff19SB"})
    water = MD | {"engine": "gromacs", "solvent": "opc", "hydrogen_mass_amu": 1.008, "pressure_bar": 1.0}
    text = told(protein, record("rbfe", md=water, fe=FE | {"sampler": "independent"}))
    assert {"ff19SB", "opc", "pme", "gromacs", "openmm", "likelihood", "exchange"} <= cited(text)
    assert not {"ff14SB", "gas", "boresch", "gapsys", "rocklin"} & cited(text)
    assert "OpenMM and GROMACS" in text and "or OPC water" in text


def test_of_md_alone_and_of_nothing() -> None:
    text = told(record("md", param={"ligand_ff": "given"}))
    assert not {"mbar", "beutler", "gaff"} & cited(text) and "taken as they were given" in text
    assert "No result came through" in told() and cited(told()) == set()
