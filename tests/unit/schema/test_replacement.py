from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.model.diagnosis import Subject
from doctor.model.rule import ValueMapping
from doctor.model.tier import Tier
from doctor.schema.replacement import RankedValue, is_one_letter_off, rank_values

VALID = ("READY", "RUNNING", "RUN_CREATED", "DONE_SUCCESS", "DONE_FAILED")


def mapping(to, *, value="OLD", table="runs", column="state", owner="me"):
    return ValueMapping(table, column, {value: to}, owner, "renamed", f"{owner}.yaml:1")


def rank(value, *mappings, valid=VALID, terminal=()):
    subject = Subject("runs", "state", {"id": "a"}, value, valid)
    return rank_values(subject, "RunState", mappings, frozenset(terminal))


def test_what_the_owner_declared_comes_alone_and_is_safe():
    reason = "declared by me (renamed) in me.yaml:1"
    assert rank("OLD", mapping("READY")) == (RankedValue("READY", Tier.SAFE, reason, certain=True),)


def test_two_owners_that_agree_are_one():
    assert rank("OLD", mapping("READY"), mapping("READY", owner="you")) == rank(
        "OLD", mapping("READY")
    )


def test_two_owners_that_disagree_are_not_certain():
    assert rank("OLD", mapping("READY"), mapping("RUNNING", owner="you")) == (
        RankedValue(
            "READY",
            Tier.GUARDED,
            "declared by me (renamed) in me.yaml:1; but the mappings disagree: READY, RUNNING",
        ),
        RankedValue(
            "RUNNING",
            Tier.GUARDED,
            "declared by you (renamed) in you.yaml:1; but the mappings disagree: READY, RUNNING",
        ),
    )


@pytest.mark.parametrize(
    "other",
    [
        mapping("NO_STATE"),
        mapping("READY", value="OTHER"),
        mapping("READY", table="tiers"),
        mapping("READY", column="kind"),
        mapping("READY", value="old"),
    ],
)
def test_a_mapping_of_something_else_is_passed_over(other):
    assert rank("OLD", other) == rank("OLD")
    assert not any(one.certain for one in rank("OLD", other))


@pytest.mark.parametrize(
    ("value", "to", "difference"),
    [
        ("ready", "READY", "upper and lower case"),
        (" READY\n", "READY", "white space"),
        ("run created", "RUN_CREATED", "case, spaces and separators"),
        ("run-created", "RUN_CREATED", "case, spaces and separators"),
        ("RUNCREATED", "RUN_CREATED", "case, spaces and separators"),
        ("RunState.READY", "READY", "the enum's own name in front of it"),
        ("app.models.RunState.READY", "READY", "the enum's own name in front of it"),
        ("<RunState.READY: 1>", "READY", "the enum's own name in front of it"),
        ("<RunState.READY: 'x'>", "READY", "the enum's own name in front of it"),
        (" runstate.ready ", None, None),
        ("PhaseState.READY", None, None),
        ("<PhaseState.READY: 1>", None, None),
        ("<READY>", None, None),
        ("", None, None),
        ("_", None, None),
        ("COMPLETED", None, None),
        ("REA.DY", None, None),
    ],
)
def test_the_same_value_after_folding_comes_alone_and_is_safe(value, to, difference):
    found = rank(value)
    if to is None:
        assert len(found) == len(VALID)
        assert {one.tier for one in found} == {Tier.GUARDED}
    else:
        reason = f"the same value but for {difference}"
        assert found == (RankedValue(to, Tier.SAFE, reason, certain=True),)


def test_two_values_that_fold_alike_are_not_certain():
    found = rank("in-progress", valid=("IN_PROGRESS", "INPROGRESS"))
    assert {one.tier for one in found} == {Tier.GUARDED}
    assert not any(one.certain for one in found)


def test_a_mapping_beats_a_fold():
    assert [one.to for one in rank("ready", mapping("RUNNING", value="ready"))] == ["RUNNING"]


def test_the_only_value_one_letter_off_comes_first_and_needs_a_human():
    first, *others = rank("RUNNNING")
    assert first == RankedValue(
        "RUNNING", Tier.GUARDED, "one letter off, and the only value that is"
    )
    assert {one.to for one in others} == set(VALID) - {"RUNNING"}
    assert all(one.reason.startswith("no evidence; only ") for one in others)


def test_a_typo_of_two_values_or_of_a_short_word_is_only_similar():
    twice = rank("STATE_C", valid=("STATE_A", "STATE_B"))
    short = rank("REDY")
    for found in (*twice, *short):
        assert found.reason.startswith("no evidence; only ")
    assert short[0].to == "READY"


def test_similarity_ranks_and_ties_are_in_order_of_the_alphabet():
    assert [one.to for one in rank("zzz", valid=("B", "A", "zzy"))] == ["zzy", "A", "B"]


@pytest.mark.parametrize("value", [5, 1.5, True, b"READY", None])
def test_what_is_no_text_is_never_certain(value):
    found = rank(value, mapping("READY", value=str(value)))
    assert {one.to for one in found} == set(VALID)
    assert {(one.tier, one.certain) for one in found} == {(Tier.GUARDED, False)}


def test_leaving_a_state_that_has_ended_is_irreversible():
    found = rank(
        "done success", terminal=["DONE_SUCCESS", "DONE_FAILED"], valid=VALID[:3] + VALID[4:]
    )
    assert {one.to: one.tier for one in found} == {
        "READY": Tier.IRREVERSIBLE,
        "RUNNING": Tier.IRREVERSIBLE,
        "RUN_CREATED": Tier.IRREVERSIBLE,
        "DONE_FAILED": Tier.GUARDED,
    }


WORDS = st.text("ABab_- .<>:RunState1", max_size=12) | st.sampled_from([*VALID, "ready", "REDY"])


@given(
    value=WORDS | st.integers() | st.binary(max_size=4) | st.none(),
    valid=st.lists(WORDS, max_size=5, unique=True).map(tuple),
    maps=st.lists(st.tuples(WORDS, WORDS), max_size=3),
    terminal=st.frozensets(WORDS, max_size=3),
)
@settings(max_examples=400, deadline=None)
def test_nothing_but_a_mapping_or_a_fold_is_ever_safe(value, valid, maps, terminal):
    declared = [mapping(to, value=old) for old, to in maps]
    found = rank(value, *declared, valid=valid, terminal=terminal)
    assert {one.to for one in found} <= set(valid)
    for one in found:
        is_fold = one.reason.startswith("the same value but for ")
        assert one.certain == (one.tier is Tier.SAFE)
        if one.certain:
            assert len(found) == 1
            assert (value, one.to) in maps or (is_fold and _letters(one.to) in _letters(str(value)))
        else:
            assert one.tier in (Tier.GUARDED, Tier.IRREVERSIBLE)


def _letters(text):
    return "".join(text.casefold().split()).replace("_", "").replace("-", "")


def distance(one, other):
    """Restricted Damerau-Levenshtein distance by the textbook's table."""
    rows = {(-1, -1): 0}
    for i in range(-1, len(one)):
        for j in range(-1, len(other)):
            if i < 0 or j < 0:
                rows[i, j] = max(i, j) + 1
                continue
            cost = one[i] != other[j]
            rows[i, j] = min(rows[i - 1, j] + 1, rows[i, j - 1] + 1, rows[i - 1, j - 1] + cost)
            if i and j and one[i] == other[j - 1] and one[i - 1] == other[j]:
                rows[i, j] = min(rows[i, j], rows[i - 2, j - 2] + 1)
    return rows[len(one) - 1, len(other) - 1]


@given(st.text("ab", max_size=7), st.text("ab", max_size=7))
@settings(max_examples=1000, deadline=None)
def test_one_letter_off_is_damerau_s_distance_of_one(one, other):
    assert is_one_letter_off(one, other) == (distance(one, other) == 1)
    assert is_one_letter_off(one, other) == is_one_letter_off(other, one)


@pytest.mark.parametrize(
    ("one", "other", "off"),
    [
        ("READY", "REDY", True),
        ("READY", "READYY", True),
        ("READY", "RAEDY", True),
        ("READY", "READX", True),
        ("READY", "READY", False),
        ("READY", "RDEAY", False),
        ("ab", "ba", True),
        ("", "a", True),
        ("", "ab", False),
    ],
)
def test_one_letter_off_by_example(one, other, off):
    assert is_one_letter_off(one, other) is off
