"""AMBER topologies of complex and ligand by tleap, the same bytes for the same input.

tleap writes one prmtop that OpenMM, sander and (through ParmEd) GROMACS all read. Radii are mbondi2, which OBC2 was
fitted with (Onufriev, Bashford, Case, Proteins 2004, 55, 383).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gibbsflow.binding.facts import ParamFacts, PreparedFacts, TopologyFacts
from gibbsflow.binding.forcefield.amber_protein import AmberProtein, amber_protein, differences
from gibbsflow.binding.forcefield.parametrise import LIGAND_RESIDUE
from gibbsflow.binding.forcefield.readback import topology_differences
from gibbsflow.binding.forcefield.remote import place_copy, uncharged
from gibbsflow.binding.forcefield.solvation import LEAST_LEFT, force_field_doubts, solvate, water_unit
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels, without_date
from gibbsflow.binding.prepare.hosts import HOST_RESIDUE
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.protein.cofactors import read_parameters
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Fe, Md
from gibbsflow.engines import ambertools
from gibbsflow.errors import InputError, ParametrisationError, Problem
from gibbsflow.workflow.seeds import derive_seed

RADII = "mbondi2"
_UNITS = {"complex": "complex", "ligand": LIGAND_RESIDUE}
"""Of tleap, by the files that they are saved as."""
SITE_ANGSTROM = 5.0
"""Without a site given, residues of a protein within this distance of the ligand's pose are its site."""


def boxes_built(md: Md, fe: Fe | None, *, receptor: bool) -> tuple[str, ...]:
    """Say which boxes of a system are built, and then equilibrated.

    Parameters
    ----------
    md
        The solvent.
    fe
        Of this whether a copy of the ligand is in the complex's box; None for none.
    receptor
        Whether there is one.

    Returns
    -------
    tuple of str
        ``complex``, with a receptor; ``solvent``, the ligand alone, where it has a box or there is nothing else.
    """
    if not receptor:
        return ("solvent",)
    twice = fe is not None and fe.abfe_protocol == "sdr"
    return ("complex", "solvent") if md.explicit and not twice else ("complex",)


def build_topologies(system: SimSystem, md: Md, out: Path, *, seed: int = 0, fe: Fe | None = None) -> SimSystem:
    """Build the topologies of the complex and of the ligand alone, the ligand in its pose.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    md
        Section ``md`` of the configuration; kept in the meta.
    out
        Folder that takes all files of the system.
    seed
        Of the places of ions in explicit solvent.
    fe
        Of this what goes into a box: a copy of the ligand for sdr, ions that change with it; None for neither.

    Returns
    -------
    SimSystem
        In `out`, with ``complex_prmtop``, ``complex_inpcrd``, ``ligand_prmtop``, ``ligand_inpcrd`` and the meta ``md``,
        ``ligand_atoms``, ``receptor_atoms``, ``site_atoms`` (0-based indices into the complex); not yet written. In
        explicit solvent the complex is in its box, and the ligand in one of its own is ``solvent_prmtop`` and
        ``solvent_inpcrd``; for sdr there is a copy of the ligand in the box of the complex instead, without charges,
        and with them in ``sdr_prmtop``. Without a receptor there is no complex, and the ligand alone is taken for it.

    Raises
    ------
    InputError
        For a box that is too small.
    ParametrisationError
        Where tleap lacks parameters or atoms, with its own words and its log.
    """
    out = Path(out)
    if md.solvent == "given":
        what, right = "solvent given, and no topologies of a solvated system", "tip3p, or another water model"
        raise InputError(Problem(system.name, what, right, field="solvent"))
    carried = system.copy_to(out)
    known = carried.facts(PreparedFacts)
    force_field = carried.facts(ParamFacts).protein_ff if known.receptor_kind == "protein" else None
    doubts = force_field_doubts(force_field, (), md, where=system.name)
    doubts.settle()
    log = out / "logs" / "leap.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="gibbsflow-leap-") as scratch:
        folder = Path(scratch)
        loads, protein = leap_inputs(carried, folder, md)
        units = {"ligand": LIGAND_RESIDUE} if known.receptor_kind is None else _UNITS
        saves = [f"saveamberparm {unit} {name}.prmtop {name}.inpcrd" for name, unit in units.items()]
        ambertools.tleap("\n".join([*loads, *saves, "quit", ""]), folder=folder, log=log.resolve(), name=system.name)
        for name in units:
            text = (folder / f"{name}.prmtop").read_text()
            (out / f"{name}.prmtop").write_text(without_date(text))
            shutil.copyfile(folder / f"{name}.inpcrd", out / f"{name}.inpcrd")
        alone = Topology.read(out / "ligand.prmtop", out / "ligand.inpcrd")
        topology = Topology.read(out / "complex.prmtop", out / "complex.inpcrd") if "complex" in units else alone
        first = len(topology.elements) - len(alone.elements)
        _check_charge(system.name, topology, carried, first)
        if protein is not None:
            _check_residues(system.name, out / "complex.prmtop", topology, first, protein)
        _check_molecules(system.name, carried, out, first)
        wanted, solutes = boxes_built(md, fe, receptor="complex" in units), {"solvent": alone}
        solutes = {name: solutes.get(name, topology) for name in wanted}
        copy = None
        if md.explicit and "solvent" not in wanted:
            copy = place_copy(topology, range(first, len(topology.elements)), md, LEAST_LEFT)
            x, y, z = copy.shift_angstrom
            loads += [f"far = copy {LIGAND_RESIDUE}", f"translate far {{ {x:.4f} {y:.4f} {z:.4f} }}"]
            loads += [f"complex = combine {{ receptor {LIGAND_RESIDUE} far }}"]
            save = "saveamberparm complex twice.prmtop twice.inpcrd"
            ambertools.tleap("\n".join([*loads, save, "quit", ""]), folder=folder, log=log.resolve(), name=system.name)
            solutes = {"complex": Topology.read(folder / "twice.prmtop", folder / "twice.inpcrd")}
            _check_copy(system.name, solutes["complex"], topology, first)
        if not md.explicit and "solvent" in solutes:  # alone in implicit solvent: the same, under the name of its leg
            for suffix in ("prmtop", "inpcrd"):
                shutil.copyfile(out / f"ligand.{suffix}", out / f"solvent.{suffix}")
        made_up_for = known.ligand_charge if fe is not None and fe.charge_correction == "counter_ion" else 0
        boxes = {
            name: solvate(
                loads, "complex" if name == "complex" else LIGAND_RESIDUE, solute, md,
                with_receptor=known.receptor_kind is not None, seed=derive_seed(seed, system.name, name),
                folder=folder, target=out / name, log=log.resolve(), name=system.name,
                copy=copy, charge_made_up_for=made_up_for,
            )
            for name, solute in (solutes if md.explicit else {}).items()
        }  # fmt: skip
    if copy is not None:
        text = (out / "complex.prmtop").read_text()
        (out / "sdr.prmtop").write_text(text)
        (out / "complex.prmtop").write_text(uncharged(text, copy.facts.copy_atoms))
        carried = carried.with_artifacts(sdr_prmtop="sdr.prmtop")
    files = {f"{n}_{suffix}": f"{n}.{suffix}" for n in (*units, *solutes) for suffix in ("prmtop", "inpcrd")}
    atoms = TopologyFacts(
        md=md,
        receptor_atoms=tuple(range(first)),
        ligand_atoms=tuple(range(first, first + len(alone.elements))),
        site_atoms=tuple(site_atoms(topology, first, protein, known.site)),
        solvation={name: added for name, (added, _) in boxes.items()} or None,
        remote={name: far for name, (_, far) in boxes.items() if far is not None} or None,
    )
    return carried.with_artifacts(**files).with_facts(atoms).with_account(doubts)


def leap_inputs(system: SimSystem, folder: Path, md: Md) -> tuple[list[str], AmberProtein | None]:
    """Put what tleap reads of a system into a folder.

    Parameters
    ----------
    system
        As left by ``param ligand``.
    folder
        Where tleap will run.
    md
        The solvent.

    Returns
    -------
    loads
        Commands that define the units ``receptor``, that of the ligand, and ``complex``.
    protein
        As tleap takes it; None for none.
    """
    known, parameters = system.facts(PreparedFacts), system.facts(ParamFacts)
    protein: AmberProtein | None = None
    for role in ("ligand_mol2", "ligand_frcmod", "host_mol2", "host_frcmod"):
        if role in system.artifacts:
            shutil.copyfile(system.path(role), folder / role.replace("_", "."))
    if known.receptor_kind == "protein":
        protein = amber_protein(system.path("receptor"))
        (folder / "receptor.pdb").write_text(protein.pdb)
        for role in parameter_roles(system):
            shutil.copyfile(system.path(role), folder / system.path(role).name)
    given = [system.path(role) for role in parameter_roles(system)]
    ligand_ff, protein_ff = parameters.param.ligand_ff, parameters.protein_ff
    return _loads(ligand_ff, protein_ff, known.receptor_kind, protein, given, md), protein


def site_atoms(topology: Topology, receptor_size: int, protein: AmberProtein | None, site: str | None) -> list[int]:
    """Find the heavy atoms of the binding site.

    All of a host; of a protein the residues named by `site`, or else those within 5 Å of the ligand's heavy atoms, but
    for waters that were kept: they come and go, and a centre or a frame of reference would go with them.

    Parameters
    ----------
    topology
        The complex, the ligand last.
    receptor_size
        Number of atoms of the receptor.
    protein
        Its residues; None for a host.
    site
        Entries as CHAIN:NUMBER or residue names, separated by commas; None where none is configured.

    Returns
    -------
    list of int
        Indices into the complex.
    """
    heavy = topology.elements > 1
    receptor = np.arange(len(heavy)) < receptor_size
    chosen = receptor & heavy
    if protein is not None:
        if site is not None:
            residues = protein.residues_of(site)
        else:
            ligand = topology.positions_angstrom[~receptor & heavy]
            away = np.linalg.norm(topology.positions_angstrom[:, None] - ligand[None], axis=-1).min(axis=1)
            near = set(topology.residue_of[chosen & (away < SITE_ANGSTROM)].tolist())
            residues = sorted(near - _waters(topology)) or sorted(near)
        chosen = chosen & np.isin(topology.residue_of, residues)
    return [int(i) for i in np.flatnonzero(chosen)]


def _waters(topology: Topology) -> set[int]:
    """Residues of one oxygen, two hydrogens and sites without a nucleus."""
    counts = [np.bincount(topology.residue_of, weights=topology.elements == number) for number in (8, 1)]
    others = np.bincount(topology.residue_of, weights=~np.isin(topology.elements, (0, 1, 8)))
    return set(np.flatnonzero((counts[0] == 1) & (counts[1] == 2) & (others == 0)).tolist())


def parameter_roles(system: SimSystem) -> list[str]:
    """Name the artifacts that hold parameters of what is kept beside a protein.

    Parameters
    ----------
    system
        As left by ``system_prep system`` or a later verb.

    Returns
    -------
    list of str
        In the order in which tleap reads them.
    """
    return sorted(role for role in system.artifacts if role.startswith("receptor_parameters_"))


def _loads(
    ligand_ff: str,
    protein_ff: str,
    receptor_kind: str | None,
    protein: AmberProtein | None,
    given: Sequence[Path],
    md: Md,
) -> list[str]:
    """Commands that define the units of ligand and complex."""
    lines = [f"source leaprc.protein.{protein_ff}"] if protein else []
    if protein and protein.phosphorylated:
        lines += [f"source leaprc.phosaa{protein_ff.removeprefix('ff')}"]
    if md.explicit or (protein and protein.has_ions_or_waters):
        lines += [f"source leaprc.water.{md.solvent if md.explicit else 'tip3p'}"]
    if protein and protein.has_ions_or_waters:
        # tleap moves what it takes for solvent behind the ligand
        lines += [f"HOH = copy {water_unit(md)}", "set HOH.1 restype undefined"]
    lines += [f"source leaprc.{ligand_ff}", f"set default PBRadii {RADII}"]
    for path in given:
        if path.suffix.lower() == ".mol2":
            lines.append(f"{next(iter(read_parameters([path])))} = loadmol2 {path.name}")
        else:
            command = "loadoff" if path.suffix.lower() in (".lib", ".off") else "loadamberparams"
            lines.append(f"{command} {path.name}")
    lines += ["loadamberparams ligand.frcmod", f"{LIGAND_RESIDUE} = loadmol2 ligand.mol2"]
    if protein:
        lines += ["receptor = loadpdb receptor.pdb"]
        lines += [f"bond receptor.{a}.SG receptor.{b}.SG" for a, b in protein.disulfides]
    elif receptor_kind == "host":
        lines += ["loadamberparams host.frcmod", f"{HOST_RESIDUE} = loadmol2 host.mol2", f"receptor = {HOST_RESIDUE}"]
    if receptor_kind is not None:
        lines += [f"complex = combine {{ receptor {LIGAND_RESIDUE} }}"]
    return lines


def _check_residues(name: str, prmtop: Path, topology: Topology, first: int, protein: AmberProtein) -> None:
    """Hold residues and their charges in the topology against what was prepared."""
    count = int(topology.residue_of[first - 1]) + 1
    labels = residue_labels(prmtop)[:count]
    charges = np.bincount(topology.residue_of[:first], weights=topology.charges_e[:first], minlength=count)
    if wrong := differences(protein, labels, charges.tolist()):
        raise ParametrisationError(f"{name}: tleap built another protein than was prepared: {'; '.join(wrong[:8])}")


def _check_copy(name: str, both: Topology, topology: Topology, first: int) -> None:
    """Hold the copy of the ligand against the ligand."""
    expected = np.concatenate([topology.charges_e, topology.charges_e[first:]])
    if both.charges_e.shape != expected.shape or not np.allclose(both.charges_e, expected, atol=1e-6):
        raise ParametrisationError(f"{name}: tleap built another copy of the ligand than the ligand")


def _check_molecules(name: str, system: SimSystem, out: Path, first: int) -> None:
    """Hold elements and bonds in the topologies against the ligand, and the host, that went in."""
    known = system.facts(PreparedFacts)
    ligand = read_sdf(system.path("ligand"), known.ligand_charge).mol
    told = {"ligand alone": topology_differences(out / "ligand.prmtop", ligand)}
    if known.receptor_kind is not None:
        told["ligand"] = topology_differences(out / "complex.prmtop", ligand, first)
    if known.receptor_kind == "host":
        host = read_sdf(system.path("receptor"), known.receptor_charge or 0).mol
        told["host"] = topology_differences(out / "complex.prmtop", host)
    for role, wrong in told.items():
        if wrong:
            raise ParametrisationError(f"{name}: tleap built another {role}: {'; '.join(wrong[:6])}")


def _check_charge(name: str, topology: Topology, system: SimSystem, first: int) -> None:
    """Hold the charges in the topology against the integers that went in."""
    known = system.facts(PreparedFacts)
    expected = {"ligand": (topology.charges_e[first:], known.ligand_charge)}
    if known.receptor_charge is not None:
        expected["receptor"] = (topology.charges_e[:first], known.receptor_charge)
    else:
        total = topology.charges_e[:first].sum()
        expected["receptor"] = (topology.charges_e[:first], round(float(total)))
    for role, (charges, charge) in expected.items():
        if abs(charges.sum() - charge) > 1e-3:
            told = f"charges of the {role} sum to {charges.sum():.4f} e, expected {charge:+d}"
            raise ParametrisationError(f"{name}: {told}")
