"""Anchors as they stand in the file of a system."""

import json

from gibbsflow.binding.anchor_facts import AnchorCandidate, AnchorFacts

CANDIDATE = AnchorCandidate(
    (1, 2, 3), (4, 5, 6), 5.0, 90.0, 80.0, 1.0, 2.0, 3.0, 0.3, (4.0, 5.0), (6.0, 7.0, 8.0), 70.0, 110.0, 0.4, -9.5,
    "least fluctuation", ("A:1:CA", "A:2:CA", "A:3:CA", "C1", "C2", "C3"),
)  # fmt: skip


def test_the_set_taken_and_those_beside_it_come_back_as_they_were():
    assert (CANDIDATE.anchors.receptor, CANDIDATE.anchors.phi_c_deg) == ((1, 2, 3), 3.0)
    facts = AnchorFacts(anchors=CANDIDATE.anchors, anchor_candidates=(CANDIDATE,))
    assert AnchorFacts.from_meta(json.loads(json.dumps(facts.as_meta())), where="system.json") == facts
    none = AnchorFacts.from_meta({"anchors": None, "anchors_problem": "two heavy atoms"}, where="system.json")
    assert none.anchors is None and none.anchor_candidates is None
