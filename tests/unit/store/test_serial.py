from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doctor.errors import TreatmentError, UsageError
from doctor.model.change import Plan, SetCells
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.model.rule import Verify
from doctor.model.tier import Tier
from doctor.redaction import REDACTED
from doctor.store.serial import (
    images_from_json,
    images_to_json,
    is_clean,
    plan_from_json,
    plan_to_json,
)

SECRET = "ghp_" + "a1B2c3D4e5F6" * 3
TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Z", "C")))  # with surrogates
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT, st.binary()
)
CELLS = st.dictionaries(TEXT, SCALARS, max_size=4)
CHANGES = st.builds(SetCells, TEXT, CELLS, CELLS, CELLS)
PLANS = st.builds(
    Plan,
    target=TEXT,
    run=TEXT,
    rules=st.lists(TEXT, max_size=3).map(tuple),
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    tier=st.sampled_from(Tier),
    cost=st.integers(0, 99),
    verify=st.lists(
        st.builds(Verify, TEXT, st.one_of(st.none(), st.integers(100, 599))), max_size=3
    ).map(tuple),
    notes=st.lists(TEXT, max_size=3).map(tuple),
)


def _types(cells):
    return {name: type(value) for name, value in cells.items()}


@given(PLANS)
def test_a_plan_comes_back_as_it_was(plan):
    assume(all(is_clean(part) for one in plan.changes for part in (one.key, one.expected, one.to)))
    text = plan_to_json(plan)
    again = plan_from_json(text)
    assert text.isascii()
    assert again == plan
    assert again.hash == plan.hash
    assert plan_to_json(again) == text
    for before, after in zip(plan.changes, again.changes, strict=True):
        assert _types(before.expected) == _types(after.expected)
        assert list(before.to) == list(after.to)


@given(st.lists(st.builds(ChangeImage, CELLS, CELLS), max_size=3).map(tuple))
def test_row_images_come_back_as_they_were(images):
    assume(all(is_clean(one.before) and is_clean(one.after) for one in images))
    again = images_from_json(images_to_json(images))
    assert again == images
    for before, after in zip(images, again, strict=True):
        assert _types(before.after) == _types(after.after)


@pytest.mark.parametrize("value", [1, 1.0, True, 0, -0.0, math.inf, "\ud83d\ude00", "😀", b"\0"])
def test_values_that_look_alike_stay_apart(value):
    ((before,),) = [one.before.values() for one in images_from_json(_image(value))]
    assert (before, type(before), repr(before)) == (value, type(value), repr(value))


def test_not_a_number_comes_back():
    (image,) = images_from_json(_image(math.nan))
    assert isinstance(image.before["x"], float)
    assert math.isnan(image.before["x"])


def test_a_value_that_cannot_be_kept_exactly_is_refused():
    with pytest.raises(TreatmentError, match="of type 'Decimal' cannot be kept exactly"):
        _image(Decimal(1))


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", "[" * 100_000, '{"target": 1}'])
def test_a_damaged_plan_is_a_clear_error(text):
    with pytest.raises(UsageError, match="a plan in the store is damaged"):
        plan_from_json(text)


@pytest.mark.parametrize(
    "text", ["", "1", "[1]", '[[[["x",{"odd":"AA=="}]],[]]]', '[[[["x",{"bytes":"?"}]],[]]]']
)
def test_damaged_images_are_a_clear_error(text):
    with pytest.raises(UsageError, match="the row images in the store are damaged"):
        images_from_json(text)


@pytest.mark.parametrize("value", [None, [[]], [{"set_cells": []}], [{"bytes": "AA=="}], -7])
@pytest.mark.parametrize("name", ["target", "run", "rules", "changes", "tier", "verify", "notes"])
def test_any_damage_to_a_part_of_a_plan_is_a_clear_error(plan, name, value):
    text = json.dumps({**json.loads(plan_to_json(plan())), name: value})
    with pytest.raises(UsageError, match="a plan in the store is damaged"):
        plan_from_json(text)


def test_a_secret_in_a_plan_is_left_out_and_its_hash_stays():
    change = SetCells("users", {"id": 1}, {"state": SECRET}, {"state": "READY"})
    plan = Plan("t", "r", (), (change,), Tier.SAFE, 1)
    text = plan_to_json(plan)
    again = plan_from_json(text)
    assert SECRET not in text
    assert again.changes[0].expected == {"state": REDACTED}
    assert (again.hash, again.sealed) == (plan.hash, plan.hash)
    assert plan_to_json(again) == text


def test_secrets_in_row_images_are_left_out():
    row: dict[str, Scalar] = {
        "id": 1,
        "password": "short",
        "note": SECRET,
        "state": "READY",
        "pin": math.nan,
    }
    text = images_to_json((ChangeImage(row, {}),))
    (image,) = images_from_json(text)
    assert SECRET not in text
    assert "short" not in text
    assert (image.before["password"], image.before["note"]) == (REDACTED, REDACTED)
    assert (image.before["id"], image.before["state"]) == (1, "READY")


def _image(value):
    return images_to_json((ChangeImage({"x": value}, {}),))
