"""Program that labels one structure with GPAW: ``python gpaw_label.py structure.json settings.json out.json``.

Run on its own, never imported: GPAW is under the GPL and is used as a program.
"""

import json
import sys


def main() -> int:
    """Read the structure, converge it, write its figures.

    Returns
    -------
    int
        Exit code: 0, or 2 where the SCF did not converge.
    """
    from ase.io.jsonio import read_json
    from gpaw import GPAW, PW, KohnShamConvergenceError

    structure, settings_file, out = sys.argv[1:]
    atoms = read_json(structure)
    with open(settings_file) as file:
        settings = json.load(file)
    occupations = {"name": settings["smearing"], "width": settings["width_ev"]}
    if settings["fixed_moment"]:
        occupations["fixmagmom"] = True
    charge = {"charge": settings["charge"]} if settings["charge"] else {}
    atoms.calc = GPAW(
        mode=PW(settings["cutoff_ev"]),
        xc=settings["xc"],
        kpts=settings["kpts"],
        occupations=occupations,
        mixer={"beta": settings["beta"], "nmaxold": settings["history"], "weight": 50},
        maxiter=settings["maxiter"],
        spinpol=settings["spin"],
        symmetry={"point_group": False},
        txt="gpaw.txt",
        **charge,
    )
    try:
        energy = float(atoms.get_potential_energy())
    except KohnShamConvergenceError as error:
        sys.stderr.write(f"not converged: {error}\n")
        return 2
    figures = {"energy": energy, "forces": atoms.get_forces().tolist()}
    if atoms.pbc.all():
        figures["stress"] = atoms.get_stress().tolist()
    if settings["spin"]:
        figures["total_moment"] = float(atoms.get_magnetic_moment())
        # the parts inside the spheres: the plane waves between them are left out
        figures["absolute_moment"] = float(abs(atoms.get_magnetic_moments()).sum())
    with open(out, "w") as file:
        json.dump(figures, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
