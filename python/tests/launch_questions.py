"""Parameters that `gibbsflow launch` is asked about, as Nextflow puts them."""

from __future__ import annotations

from known_molecules import CB7

DEMO = {"mode": "abfe", "input": str(CB7.parent / "ligands.csv"), "receptor": str(CB7), "outdir": "out"}
