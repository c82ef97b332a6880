"""param: force field parameters of a ligand, and of its host."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Out, State, System, new_app, verb

app = new_app("param", "Force field parameters: GAFF or GAFF2 with AM1-BCC charges, from a content-addressed cache.")
log = logging.getLogger(__name__)


@app.command()
def ligand(
    system: System,
    cache: Annotated[Path, typer.Option("--cache", help="Folder of the parameter cache, shared by all processes.")],
    out: Out,
    config: Config = None,
    state: State = None,
) -> None:
    """Parametrise the ligand of a system, and the host where the receptor is one."""
    with verb(out, state=state) as result:
        from gibbsflow.binding.forcefield.given.given_topologies import is_solvated, keep_parameters
        from gibbsflow.binding.forcefield.parametrise import parametrisation_hash, parametrise_system
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.engines import ambertools

        settings = BindingConfig.read(config) if config else BindingConfig()
        given = SimSystem.read(system)
        if is_solvated(given):
            done, facts = keep_parameters(given, out)
            done.write()
            result.inputs_hash = facts.pop("hash")
            result.figures.update(facts)
            return
        result.inputs_hash = parametrisation_hash(given, settings.param)
        result.versions["ambertools"] = ambertools.version()
        done, facts = parametrise_system(given, settings.param, cache=cache, out=out)
        done.write()
        result.figures.update(facts)


def main() -> None:
    """Run the program."""
    app()


if __name__ == "__main__":
    main()
