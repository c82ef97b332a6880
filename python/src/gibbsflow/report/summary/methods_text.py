"""``methods.md``: what a campaign did, in words for a paper, with references and versions, by its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gibbsflow.config.modes import COMPARING, MODES
from gibbsflow.report.summary.citations import CITATIONS
from gibbsflow.version import __version__

FILE_NAME = "methods.md"
_WORDS = {
    "obc2": "the generalised Born model of Onufriev, Bashford and Case", "vacuum": "vacuum", "tip3p": "TIP3P water",
    "spce": "SPC/E water", "opc": "OPC water", "tip4pew": "TIP4P-Ew water",
    "gaff": "GAFF", "gaff2": "GAFF2", "bcc": "AM1-BCC charges", "gas": "Gasteiger charges",
    "openmm": "OpenMM", "gromacs": "GROMACS", "amber": "AMBER",
    "exchange": "replica exchange along λ", "independent": "independent windows",
    "double_decoupling": "double decoupling", "sdr": "simultaneous decoupling and recoupling in one box",
    "beutler": "the soft core of Beutler et al.", "gapsys": "the soft core of Gapsys et al.",
    "abfe": "Standard free energies of binding (1 mol/L)", "asfe": "Free energies of solvation (1 mol/L each)",
    "rbfe": "Relative free energies of binding", "rsfe": "Relative free energies of solvation",
    "md": "Equilibrations of complexes",
}  # fmt: skip


class Campaign:
    """What the records of a campaign say of methods, record by record."""

    def __init__(self) -> None:
        self.values: dict[str, set[Any]] = {}
        self.versions: dict[str, set[str]] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Note what a record says.

        Parameters
        ----------
        record
            Content of a ``record.json``.
        """
        settings = record.get("settings", {})
        for section in ("md", "equil", "fe", "param"):
            for key, value in (settings.get(section) or {}).items():
                if isinstance(value, str | int | float | bool):
                    self.values.setdefault(f"{section}.{key}", set()).add(value)
        restraint = (settings.get("restraint") or {}).get("kind")
        for name, value in (
            ("mode", record.get("mode")),
            ("receptor_kind", settings.get("receptor_kind")),
            ("restraint", restraint),
            ("replicates", record.get("replicates")),
            ("finite_size", bool(record.get("finite_size")) or None),
        ):
            if value is not None:
                self.values.setdefault(name, set()).add(value)
        for program, version in {**record.get("versions", {}), **record.get("run_versions", {})}.items():
            self.versions.setdefault(program, set()).add(str(version))

    def has(self, name: str, *values: Any) -> bool:
        """Tell whether a setting had one of some values.

        Parameters
        ----------
        name
            Section and key, such as ``md.solvent``.
        *values
            What is looked for; none for any.

        Returns
        -------
        bool
            In some record.
        """
        found = self.values.get(name, set())
        return bool(found & set(values)) if values else bool(found)

    def said(self, name: str, unit: str = "") -> str:
        """Write the values of a setting.

        Parameters
        ----------
        name
            Section and key.
        unit
            Of its numbers.

        Returns
        -------
        str
            Joined by "or" where records differ.
        """
        found = sorted(self.values.get(name, ()), key=str)
        words = [_WORDS.get(str(one), f"{one:g}" if isinstance(one, float) else str(one)) for one in found]
        return " or ".join(words) + (f" {unit}" if unit else "")


def methods_text(campaign: Campaign, *, nextflow: bool = True) -> str:
    """Write the methods of a campaign of binding free energies.

    Parameters
    ----------
    campaign
        What its records say.
    nextflow
        Whether Nextflow may have run it, which is then cited.

    Returns
    -------
    str
        Markdown; says so where nothing came through.
    """
    if not campaign.has("mode"):
        return methods_page(["No result came through, so that there are no methods to tell of."], [], campaign.versions)
    one, cited = campaign, ["rdkit", *(["nextflow"] if nextflow else [])]
    energies = one.has("mode", *(mode for mode, row in MODES.items() if row.free_energies))
    explicit = one.has("md.solvent", "tip3p", "spce", "opc", "tip4pew")
    text = [f"{one.said('mode')} were computed with gibbsflow {__version__}."]
    text.append(_force_field(one, cited))
    engine = " and ".join(
        name
        for name, used in (
            ("OpenMM", not one.has("md.engine", "amber") or energies),
            ("GROMACS", one.has("md.engine", "gromacs")),
            ("AMBER", one.has("md.engine", "amber")),
        )
        if used
    )
    cited += [key for key in ("openmm", "gromacs") if _WORDS[key] in engine]
    cited += [key for key in ("obc2", "tip3p", "spce", "opc", "tip4pew") if one.has("md.solvent", key)]
    moved = (
        f"Molecular dynamics was run with {engine}, in {one.said('md.solvent')}, at {one.said('md.temperature_k', 'K')}"
    )
    friction = one.said("md.friction_per_ps", "/ps")
    moved += f" with steps of {one.said('md.timestep_fs', 'fs')}, a Langevin friction of {friction}"
    if any(mass > 1.1 for mass in one.values.get("md.hydrogen_mass_amu", ())):
        moved += f" and hydrogens of {one.said('md.hydrogen_mass_amu', 'amu')}"
        cited.append("hmr")
    if explicit:
        moved += (
            f", at {one.said('md.pressure_bar', 'bar')}, with a cutoff of {one.said('md.cutoff_angstrom', 'Å')} and "
            "particle mesh Ewald"
        )
        cited.append("pme")
    text.append(f"{moved}. Equilibration took {one.said('equil.equil_ps', 'ps')} after heating.")
    if energies:
        text += _alchemy(one, cited)
    return methods_page(text, cited, campaign.versions)


def _force_field(one: Campaign, cited: list[str]) -> str:
    if not one.has("param.ligand_ff") or one.has("param.ligand_ff", "given"):
        return "Topologies were taken as they were given."
    cited += ["ambertools", "gaff"]
    charges = "charges of their files"
    if not one.has("param.charge_source", "sdf"):
        charges = one.said("param.charge_method")
        cited += [key for key in ("bcc", "gas") if one.has("param.charge_method", key)]
    text = f"Ligands were parametrised by AmberTools with {one.said('param.ligand_ff')} and {charges}"
    if one.has("receptor_kind", "protein") and one.has("param.protein_ff"):
        cited += [key for key in ("ff14SB", "ff19SB") if one.has("param.protein_ff", key)]
        return f"{text}, proteins with {one.said('param.protein_ff')}."
    return f"{text}."


def _alchemy(one: Campaign, cited: list[str]) -> Iterable[str]:
    if one.has("mode", "abfe"):
        protocol = f"Ligands were removed by {one.said('fe.abfe_protocol')}"
        if one.has("restraint", "boresch"):
            protocol += ", held by an orientational restraint whose standard-state term is analytic"
            cited.append("boresch")
        yield f"{protocol}."
    if one.has("mode", *COMPARING):
        cited += ["lomap", "likelihood"]
        yield "Pairs of ligands were chosen as a network, whose free energies were joined by maximum likelihood."
    cited += [key for key in ("beutler", "gapsys") if one.has("fe.soft_core", key)]
    windows = f"λ windows of {one.said('fe.window_ps', 'ps')} were sampled by {one.said('fe.sampler')}"
    windows += f" with {one.said('fe.soft_core')}"
    if one.has("fe.sampler", "exchange"):
        cited.append("exchange")
    yield f"{windows}, in {one.said('replicates')} independent replicates."
    if one.has("finite_size"):
        cited.append("rocklin")
        yield "Charged ligands were corrected for the size of their boxes."
    cited += ["mbar", "bar", "alchemlyb", "guidelines"]
    yield (
        "Free energies are those of MBAR beside BAR and thermodynamic integration; errors come from blocks of time "
        "within replicates and from the spread between them."
    )


def methods_page(text: Iterable[str], cited: Iterable[str], versions: Mapping[str, Iterable[str]]) -> str:
    """Put methods together.

    Parameters
    ----------
    text
        Paragraphs.
    cited
        Keys of :data:`.CITATIONS`; each once.
    versions
        Of each program, those that were used.

    Returns
    -------
    str
        Markdown.
    """
    works = [CITATIONS[key] for key in dict.fromkeys(cited)]
    lines = ["# Methods", "", *(f"{line}\n" for line in text)]
    if works:
        lines += ["## To cite", "", *(f"- {work.used_for}: {work}" for work in works), ""]
    named = [f"| {program} | {', '.join(sorted(found))} |" for program, found in sorted(versions.items())]
    return "\n".join([*lines, "## Versions", "", "| program | version |", "|---|---|", *named, ""])
