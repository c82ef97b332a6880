from __future__ import annotations

from typing import get_args

import pytest

from gibbsflow.config.potential import Generator, Method, Target
from gibbsflow.errors import InputError
from gibbsflow.potential.generators.generate import GENERATORS, generate, start_types

SI = Target(elements=("Si",))
SETTINGS = Generator()


def ids(frames: list) -> list[str]:
    return [atoms.info["gibbsflow_id"] for atoms in frames]


def test_the_table_has_every_method_of_the_settings() -> None:
    assert set(GENERATORS) == set(get_args(Method))


def test_the_same_settings_give_the_same_and_another_seed_others() -> None:
    settings = Generator(methods=("bulk", "strain", "rattle", "thermal"))
    one, again = generate(SI, settings), generate(SI, settings)
    other = generate(SI, settings.model_copy(update={"generator_seed": 7}))
    assert ids(one.frames) == ids(again.frames)
    assert (
        len(set(ids(one.frames)) & set(ids(other.frames))) == 1 + 7 + 8 - 1
    )  # bulk and strains draw no random numbers
    assert one.duplicates_dropped == {"strain": 1}  # the strain of nothing is the bulk
    assert all(atoms.info["parent"] == one.frames[0].info["gibbsflow_id"] for atoms in one.frames)


def test_the_hold_out_comes_from_another_sampler() -> None:
    holdout = generate(SI, SETTINGS, holdout=True)
    assert {atoms.info["config_type"] for atoms in holdout.frames} == {"thermal"}


def test_what_is_known_is_not_made_again() -> None:
    settings = Generator(methods=("bulk", "strain"))
    first = generate(SI, settings)
    more = generate(SI, settings.model_copy(update={"volume_steps": 8}), generation=3, known=first.frames)
    assert not set(ids(first.frames)) & set(ids(more.frames))
    # of eight volumes the outermost two are known, and so are the bulk and all eight other strains
    assert more.figures() == {
        "structures": 6, "by_generator": {"strain": 6}, "duplicates_dropped": {"bulk": 1, "strain": 10}, "notes": [],
    }  # fmt: skip
    assert {atoms.info["generation"] for atoms in more.frames} == {3}


def test_quasirandom_structures_are_parents_of_what_follows() -> None:
    alloy = Target(elements=("Cu", "Ni"))
    settings = Generator(methods=("sqs", "rattle"), sqs_atoms_max=8, sqs_steps=100, rattle_count=1)
    made = generate(alloy, settings)
    found = {atoms.info["gibbsflow_id"] for atoms in made.frames if atoms.info["config_type"] == "sqs"}
    assert found and found <= {a.info["parent"] for a in made.frames if a.info["config_type"] == "rattle"}
    assert made.notes[0].startswith("SQS error against the random alloy: ")


def test_a_method_that_does_not_apply_is_noted() -> None:
    made = generate(SI, Generator(methods=("bulk", "sqs")))
    assert made.notes == ["sqs made nothing: it does not apply to this target"]


@pytest.mark.parametrize(
    ("target", "methods", "words"),
    [
        (Target(), ("bulk",), "names no elements"),
        (Target(molecule="Nonsense"), ("bulk",), "no molecule"),
        (Target(elements=("Ga",)), ("bulk",), "no simple crystal"),
        (Target(elements=("Si",)), ("normal_mode",), "no structure"),
        (Target(elements=("Si",), crystal="rocksalt"), ("bulk",), "two elements"),
    ],
)
def test_what_cannot_be_made_is_named(target: Target, methods: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        generate(target, Generator(methods=methods))


def test_md_starts_from_the_types_that_rows_name_in_their_order() -> None:
    kinds = ("alloy", "bulk", "sqs", "strain", "vacancy", "interstitial", "antisite", "surface", "normal_mode")
    assert start_types() == (*kinds, "packing")


def test_what_a_row_says_of_its_starts_is_what_its_generator_makes() -> None:
    made = generate(SI, Generator(methods=("bulk", "strain", "rattle", "defect", "surface"))).frames
    for method, module in {"strain": "strains", "defect": "defects", "surface": "surfaces"}.items():
        assert {f.info["config_type"] for f in made if f.info["generator"] == module} <= set(GENERATORS[method].starts)
    assert {f.info["config_type"] for f in made} - set(start_types()) == {"rattle"}


def test_defects_and_slabs_are_displaced_where_there_are_rattles():
    few = {"defect_kinds": ("vacancy",), "surface_indices": ((1, 1, 1),), "surface_layers": 1}
    with_rattles = generate(SI, Generator(methods=("rattle", "defect", "surface"), **few))
    assert with_rattles.by_generator["defect"] == with_rattles.by_generator["surface"] == 2
    alone = generate(SI, Generator(methods=("defect", "surface"), **few))
    assert alone.by_generator["defect"] == alone.by_generator["surface"] == 1
