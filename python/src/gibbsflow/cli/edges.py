"""``gibbsflow network edges``: what of a campaign's network is to be run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, State, say, verb


def edges(
    out: Out,
    systems: Annotated[
        list[Path] | None, typer.Option("--system", help="Folder of a ligand's system; repeat for all that are left.")
    ] = None,
    config: Config = None,
    before: Annotated[
        Path | None, typer.Option("--before", help="The network as planned before: what is lost of it is made up for.")
    ] = None,
    records: Annotated[
        list[Path] | None, typer.Option("--record", help="Record of one of its edges; repeat for all (with --before).")
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Compare the ligands of a campaign, plan its network, and write a folder for each edge that is to be run."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.campaign.edges import plan_edges
        from gibbsflow.binding.network.design.comparison import Ways
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.workflow.result import versions

        settings = BindingConfig.read(config) if config else BindingConfig()
        result.versions = versions("rdkit")
        found = [SimSystem.read(folder) for folder in systems or ()]
        network = plan_edges(
            found, settings.relative, settings.run.seed, out, result, state=state, before=before, records=records or (),
            ways=Ways.of(settings),
        )  # fmt: skip
        new = ", ".join(result.figures["to_be_run"]) or "none"
        say(f"{len(network.edges)} edges; to be run: {new}", as_json)
