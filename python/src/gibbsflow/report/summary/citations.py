"""What to cite, by what was used: the one table behind ``methods.md`` of a campaign and ``CITATIONS.md``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.workflow.files import atomic_open


@dataclass(frozen=True)
class Citation:
    """One work.

    Attributes
    ----------
    used_for
        What it stands for here.
    work
        Authors, journal, volume, page and year.
    doi
        Its identifier.
    """

    used_for: str
    work: str
    doi: str

    def __str__(self) -> str:
        return f"{self.work}, [doi:{self.doi}](https://doi.org/{self.doi})"


CITATIONS = {
    "nextflow": Citation("Nextflow", "Di Tommaso et al., Nat. Biotechnol. 35, 316 (2017)", "10.1038/nbt.3820"),
    "multiqc": Citation("MultiQC", "Ewels et al., Bioinformatics 32, 3047 (2016)", "10.1093/bioinformatics/btw354"),
    "rdkit": Citation("RDKit", "Landrum et al., RDKit: open-source cheminformatics", "10.5281/zenodo.591637"),
    "openmm": Citation("OpenMM", "Eastman et al., J. Phys. Chem. B 128, 109 (2024)", "10.1021/acs.jpcb.3c06662"),
    "gromacs": Citation("GROMACS", "Abraham et al., SoftwareX 1-2, 19 (2015)", "10.1016/j.softx.2015.06.001"),
    "ambertools": Citation(
        "AmberTools", "Case et al., J. Chem. Inf. Model. 63, 6183 (2023)", "10.1021/acs.jcim.3c01153"
    ),
    "gaff": Citation("GAFF, GAFF2", "Wang et al., J. Comput. Chem. 25, 1157 (2004)", "10.1002/jcc.20035"),
    "bcc": Citation("AM1-BCC", "Jakalian, Jack, Bayly, J. Comput. Chem. 23, 1623 (2002)", "10.1002/jcc.10128"),
    "gas": Citation(
        "Gasteiger charges", "Gasteiger, Marsili, Tetrahedron 36, 3219 (1980)", "10.1016/0040-4020(80)80168-2"
    ),
    "ff14SB": Citation("ff14SB", "Maier et al., J. Chem. Theory Comput. 11, 3696 (2015)", "10.1021/acs.jctc.5b00255"),
    "ff19SB": Citation("ff19SB", "Tian et al., J. Chem. Theory Comput. 16, 528 (2020)", "10.1021/acs.jctc.9b00591"),
    "obc2": Citation(
        "GB of Onufriev, Bashford, Case", "Onufriev, Bashford, Case, Proteins 55, 383 (2004)", "10.1002/prot.20033"
    ),
    "tip3p": Citation("TIP3P", "Jorgensen et al., J. Chem. Phys. 79, 926 (1983)", "10.1063/1.445869"),
    "spce": Citation("SPC/E", "Berendsen, Grigera, Straatsma, J. Phys. Chem. 91, 6269 (1987)", "10.1021/j100308a038"),
    "opc": Citation("OPC", "Izadi, Anandakrishnan, Onufriev, J. Phys. Chem. Lett. 5, 3863 (2014)", "10.1021/jz501780a"),
    "tip4pew": Citation("TIP4P-Ew", "Horn et al., J. Chem. Phys. 120, 9665 (2004)", "10.1063/1.1683075"),
    "pme": Citation("particle mesh Ewald", "Essmann et al., J. Chem. Phys. 103, 8577 (1995)", "10.1063/1.470117"),
    "hmr": Citation(
        "heavy hydrogens",
        "Hopkins, Le Grand, Walker, Roitberg, J. Chem. Theory Comput. 11, 1864 (2015)",
        "10.1021/ct5010406",
    ),
    "beutler": Citation(
        "soft core", "Beutler et al., Chem. Phys. Lett. 222, 529 (1994)", "10.1016/0009-2614(94)00397-1"
    ),
    "gapsys": Citation(
        "soft core of Gapsys", "Gapsys, Seeliger, de Groot, J. Chem. Theory Comput. 8, 2373 (2012)", "10.1021/ct300220p"
    ),
    "boresch": Citation(
        "orientational restraints",
        "Boresch, Tettinger, Leitgeb, Karplus, J. Phys. Chem. B 107, 9535 (2003)",
        "10.1021/jp0217839",
    ),
    "exchange": Citation("replica exchange", "Chodera, Shirts, J. Chem. Phys. 135, 194110 (2011)", "10.1063/1.3660669"),
    "rocklin": Citation(
        "finite-size corrections", "Rocklin et al., J. Chem. Phys. 139, 184103 (2013)", "10.1063/1.4826261"
    ),
    "mbar": Citation("MBAR", "Shirts, Chodera, J. Chem. Phys. 129, 124105 (2008)", "10.1063/1.2978177"),
    "bar": Citation("BAR", "Bennett, J. Comput. Phys. 22, 245 (1976)", "10.1016/0021-9991(76)90078-4"),
    "alchemlyb": Citation("alchemlyb", "Wu et al., J. Open Source Softw. 9, 6934 (2024)", "10.21105/joss.06934"),
    "guidelines": Citation(
        "analysis of alchemical data",
        "Klimovich, Shirts, Mobley, J. Comput.-Aided Mol. Des. 29, 397 (2015)",
        "10.1007/s10822-015-9840-9",
    ),
    "lomap": Citation("networks", "Liu et al., J. Comput.-Aided Mol. Des. 27, 755 (2013)", "10.1007/s10822-013-9678-y"),
    "likelihood": Citation(
        "maximum likelihood", "Xu, J. Chem. Inf. Model. 59, 4720 (2019)", "10.1021/acs.jcim.9b00528"
    ),
    "ase": Citation("ASE", "Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017)", "10.1088/1361-648X/aa680e"),
    "lammps": Citation(
        "LAMMPS", "Thompson et al., Comput. Phys. Commun. 271, 108171 (2022)", "10.1016/j.cpc.2021.108171"
    ),
    "quantum_espresso": Citation(
        "Quantum ESPRESSO", "Giannozzi et al., J. Phys.: Condens. Matter 29, 465901 (2017)", "10.1088/1361-648X/aa8f79"
    ),
    "gpaw": Citation("GPAW", "Mortensen et al., J. Chem. Phys. 160, 092503 (2024)", "10.1063/5.0182685"),
    "gfn2": Citation(
        "GFN2-xTB", "Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019)", "10.1021/acs.jctc.8b01176"
    ),
    "gfn1": Citation(
        "GFN1-xTB", "Grimme, Bannwarth, Shushkov, J. Chem. Theory Comput. 13, 1989 (2017)", "10.1021/acs.jctc.7b00118"
    ),
    "pod": Citation("POD", "Nguyen, Rohskopf, J. Comput. Phys. 480, 112030 (2023)", "10.1016/j.jcp.2023.112030"),
    "pace": Citation("PACE", "Lysogorskiy et al., npj Comput. Mater. 7, 97 (2021)", "10.1038/s41524-021-00559-9"),
    "chgnet": Citation("CHGNet", "Deng et al., Nat. Mach. Intell. 5, 1031 (2023)", "10.1038/s42256-023-00716-3"),
    "grade": Citation(
        "extrapolation grade",
        "Podryabinkin, Shapeev, Comput. Mater. Sci. 140, 171 (2017)",
        "10.1016/j.commatsci.2017.08.031",
    ),
}
"""Works by short names; those that settings have as a value are named by it."""


def citations_page() -> str:
    """Write ``CITATIONS.md``.

    Returns
    -------
    str
        Markdown.
    """
    rows = [f"| {one.used_for} | {one} |" for one in CITATIONS.values()]
    return "\n".join(
        [
            "# What to cite",
            "",
            "Generated by `python -m gibbsflow.report.summary.citations CITATIONS.md`. For gibbsflow: `CITATION.cff`.",
            "`methods.md` in the results of a campaign names, with versions, what that campaign used, and no other.",
            "",
            "| used for | work |",
            "|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    with atomic_open(Path(sys.argv[1]), "w") as page:
        page.write(citations_page())
