"""`watch`: a campaign as it runs, in the terminal, as a local page or as lines; `pack`: one item for a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibbsflow.cli.options import Json, verb

if TYPE_CHECKING:
    from gibbsflow.workflow.watch.campaign_view import CampaignView

Place = Annotated[
    Path, typer.Argument(help="State folder of a campaign, such as state/demo, or the folder it lies in.")
]


def watch(
    place: Place = Path("state"),
    serve: Annotated[bool, typer.Option("--serve", help="Show it as a page of this machine, and print where.")] = False,
    host: Annotated[
        str, typer.Option("--host", help="Address for --serve; on any but this machine's own, a token is asked for.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Number of the port for --serve; 0 takes a free one.")
    ] = 0,
    token: Annotated[bool, typer.Option("--token", help="Ask for a token on this machine's own address, too.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Print one plain table and end.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.2, help="Time between two looks of the terminal, in seconds.")
    ] = 2.0,
    as_json: Json = False,
) -> None:
    """Look at a campaign while it runs, and after: phases, items, speed, time left, failures, costs, free energies.

    Reads state folders and results alone, and changes nothing. Away from a terminal it prints one table.
    Examples: `gibbsflow watch state/demo`, `gibbsflow watch state/demo --serve`, `gibbsflow watch state/demo --once`.
    """
    import json
    import sys

    with verb(None, reads=True):
        from gibbsflow.report.live.plain_table import plain_table
        from gibbsflow.workflow.watch.campaign_view import CampaignView

        view = CampaignView(place, _phases)
        if serve:
            _serve(view, host, port, token=token)
        elif once or as_json or not sys.stdout.isatty():
            found = view.look()
            typer.echo(json.dumps(found.as_dict(), indent=2) if as_json else plain_table(found))
        else:
            from gibbsflow.report.live.terminal import WatchApp

            WatchApp(view, every).run()


def pack(
    place: Place,
    item: Annotated[str, typer.Argument(help="Ligand, edge or generation, as `watch` names it.")],
    out: Annotated[Path, typer.Option("--out", help="File to write, ending in .tar.gz; never over one that is there.")],
) -> None:
    """Pack what tells about one item for a report of a fault: records, sentinels, logs and inputs, as text.

    Passwords and tokens are masked; trajectories, samples, checkpoints and what is larger than 1 MB stay out, and are
    named in LEFT_OUT.txt. Example: `gibbsflow pack state/demo b2 --out b2.tar.gz`.
    """
    with verb(None, reads=True):
        from gibbsflow.workflow.care.contents import human_bytes
        from gibbsflow.workflow.watch.campaign_view import CampaignView
        from gibbsflow.workflow.watch.packing import pack_item

        packed = pack_item(CampaignView(place, _phases), item, out)
        left = f", {len(packed.left_out)} left out (LEFT_OUT.txt in it names them)"
        typer.echo(f"{out}: {len(packed.names)} files, {human_bytes(packed.size_bytes)}{left}")
        typer.echo("look through it before you send it: ligands and paths are in it", err=True)


def _serve(view: CampaignView, host: str, port: int, *, token: bool) -> None:
    from gibbsflow.report.live.server import PageServer
    from gibbsflow.workflow.signals import Signalled

    with PageServer(view, host, port, token=token) as server:
        typer.echo(server.url)
        typer.echo("Ctrl-C ends it; from elsewhere: ssh -L PORT:localhost:PORT HOST", err=True)
        try:
            server.serve_forever()
        except (KeyboardInterrupt, Signalled):  # how one ends it
            return


def _phases(mode: str, item: str) -> Sequence[str]:
    """Phases of a mode; in relative ones, ligands and the edges between them have their own."""
    from gibbsflow.binding.campaign.phases import PIPELINES, PLAN_NETWORK

    names = [step.name for step in PIPELINES.get(mode, ())]
    if not item or PLAN_NETWORK not in names:
        return names
    at = names.index(PLAN_NETWORK)
    return [PLAN_NETWORK] if item == "network" else names[at + 1 :] if "~" in item else names[:at]
