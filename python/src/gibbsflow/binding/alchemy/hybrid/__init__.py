"""Relative free energies: ligand A turns into ligand B in the same surroundings, in PME, OBC2 or vacuum.

The calls in order, for an edge A→B of which A was equilibrated as any ligand and B has its topology alone:

    shared = share_atoms(end_a, end_b, pairs)              # settles the map: notes of pairs taken apart; faults refused
    positions = hybrid_positions(shared, a_nm, b_nm)       # A and its surroundings, then the atoms that only B has
    clashes(shared, positions[0], box_nm)                  # those on top of the surroundings, by name
    edge = hybrid_topology(shared, ligand_a_nm, ligand_b_nm)      # edge.system: all states by global parameters
    edge.words                                             # which terms of dummies are kept, dropped, added
    edge.at(state.as_dict())                               # one state as a System of its own

or all of it, with legs that ``fe run`` samples and ``analysis leg`` analyses as any other:

    system = prepare_edge(a, b, pairs, config, out, result)       # legs/complex, legs/solvent: G(B) − G(A) of each
    leg = read_leg_folder(out / "legs" / "complex")        # a HybridLeg
    sample_leg(leg, replicate, None, state, out, stopper, result)
    edge_topology(leg, engine)                             # the same leg for GROMACS, which samples it where chosen
    cycle_sum(RELATIVE, {"complex": …, "solvent": …}, 0.0)  # ΔΔG = ΔG°(B) − ΔG°(A)

`pairs` are 0-based numbers of atoms in the two prepared molecules, hydrogens included. ``RELATIVE``, in explicit
solvent ``RELATIVE_IN_WATER``, and for solvation ``RELATIVE_SOLVATION`` are tables of `protocols`; ``rbfe_11`` is their
λ schedule, ``rbfe_21`` that of a hard map, by the settings ``complex_schedule`` and so on.
"""
