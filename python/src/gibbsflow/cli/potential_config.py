"""`train config`: expand the settings of the learning loop, and check what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Json, remark, verb


def config(
    expand: Annotated[Path, typer.Option("--config", "--expand", help="Settings, short or whole (YAML, JSON).")],
    check: Annotated[
        bool, typer.Option("--check", help="Also check files, DFT program, surrogate and LAMMPS.")
    ] = False,
    structure: Annotated[
        Path | None, typer.Option("--structure", help="The structure file that the settings name, where it lies now.")
    ] = None,
    surrogate: Annotated[
        Path | None, typer.Option("--surrogate", help="The surrogate's file or folder, where it lies now.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write config.json here instead of printing it.")] = None,
    as_json: Json = False,
) -> None:
    """Print all settings that a file stands for: what it gives, what the rules add, and the defaults of the rest."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig

        settings = PotentialConfig.expand(expand, structure).with_files(structure=structure, surrogate=surrogate)
        result.figures |= {"engine": settings.dft.engine, "engine_because": settings.dft.engine_because}
        if settings.dft.engine_because:
            remark(f"note: labels are made by {settings.dft.engine}: {settings.dft.engine_because}")
        if check:
            from gibbsflow.potential.loop import preflight

            programs = preflight.check(settings, str(expand))
            result.figures["programs"] = programs
            seen = (f"{key} {value}" for key, value in programs.items() if key != "settings_hash")
            remark(f"note: found: {'; '.join(seen)}")
        if out is not None:
            settings.write(out / "config.json")
        elif not as_json:
            import yaml

            typer.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True), nl=False)
        else:
            result.figures["config"] = settings.model_dump(mode="json")
