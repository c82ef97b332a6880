from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.label_audit import LabelAudit, in_words
from gibbsflow.potential.validate.labels.moment_checks import lost_moments
from gibbsflow.potential.validate.labels.single_checks import check_alone


def known(number: int, atoms: Atoms, moment_ub: float | None) -> KnownLabel:
    atoms.info["gibbsflow_id"] = f"gf-{number}"
    figures = {"energy": -757.9 * len(atoms), "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}
    result = {"status": "labelled", "absolute_moment_ub": moment_ub}
    return KnownLabel(atoms, figures, "settings", result)


def labels(*moments_ub: float | None) -> list[Audited]:
    iron = bulk("Fe", a=2.87)
    found = audited([known(k, (iron * (k % 2 + 1, 1, 1)), moment) for k, moment in enumerate(moments_ub)])
    for one in found:
        check_alone(one, Audit(), Labels())
    return found


def test_a_moment_that_was_lost_is_a_warning_and_holds_nothing() -> None:
    # moments of pw.x 6.7, PBE, 16 Ry: from 2.2 and 0.05 μB, and compressed to 0.88 of the lattice constant
    found = labels(2.47, 4.94, 1.81, 0.0, 2.4)
    lost = lost_moments(found)
    assert list(lost) == ["gf-3"]
    assert "0.00 μB an atom, 2.40 in the median of 5 labels of Fe" in lost["gf-3"]
    audit = LabelAudit(found, {"lost_moments": lost})
    assert not audit.held and audit.figures()["warnings"] == [f"gf-3: {lost['gf-3']}"]
    assert "note: gf-3: an absolute moment" in in_words(audit)


def test_few_labels_or_small_moments_or_none_say_nothing() -> None:
    assert lost_moments(labels(2.47, 0.0, 2.4)) == {}
    assert lost_moments(labels(0.1, 0.1, 0.1, 0.0)) == {}
    assert lost_moments(labels(None, None, None, None, 0.0)) == {}
