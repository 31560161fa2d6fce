from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.guests.wire import WireError, decode, encode, pack, take
from doctor.model.change import SetCells
from doctor.model.diagnosis import Diagnosis, Subject
from doctor.model.documentation import DocEntry
from doctor.model.evidence import Fact, FactKind, Gap, Scalar, Value
from doctor.model.layout import Layout, Member, Within
from doctor.model.ports import ReadDoor
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveTable
from doctor.model.system import Proposal
from doctor.model.tier import Tier

TABLE = LiveTable(
    "runs", (LiveColumn("id", "TEXT", nullable=False),), ("id",), (LiveForeignKey((), "x", ()),)
)
FACT = Fact(
    "a.b", {"x": b"\xff", "y": ("a",), "z": {"b": 1}}, "s", datetime(2026, 1, 2, tzinfo=UTC)
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
)
values = scalars | st.lists(st.text()).map(tuple) | st.dictionaries(st.text(), scalars)


def there_and_back(declared, value):
    return decode(declared, json.loads(json.dumps(encode(value))))


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (Fact, FACT),
        (Gap, Gap("p", "r", ("k",))),
        (Layout, Layout((Member("run", TABLE, "id"), Member("tier", TABLE, "id")))),
        (Within | None, Within("a", parent=TABLE, parent_within=Within("b", 3))),
        (
            Diagnosis,
            Diagnosis(
                *("C", "r", "high", "c", "unknown", Subject("t", "c", {"k": 1}, 2.5), "m", "h"),
                facts=(FACT,),
            ),
        ),
        (Proposal, Proposal(SetCells("t", {}, {}, {"a": None}), "a", Tier.SAFE, "r", certain=True)),
        (tuple[tuple[Scalar, int], ...], (("a", 1), (None, 2))),
        (frozenset[str], frozenset({"a"})),
        (get_type_hints(ReadDoor.comments)["return"], (("a", "", "b"),)),
        (get_type_hints(ReadDoor.documentation)["return"], (DocEntry("a", "b"),)),
    ],
)
def test_a_value_arrives_as_it_was(declared, value):
    assert there_and_back(declared, value) == value


@given(values)
def test_every_value_of_a_fact_arrives_with_its_type(value):
    found = there_and_back(Value, value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        (Fact, []),
        (Fact, ["a", {"m": {}}, "s", "yesterday", None, 0.0]),
        (Fact, ["a", {"x": 1}, "s", None, None, 0.0]),
        (Fact, ["a", {"m": []}, "s", None, None, 0.0]),
        (Fact, [5, {"m": {}}, "s", None, None, 0.0]),
        (Fact, ["a", {"m": {}}, "s", None, True, 0.0]),
        (Fact, ["a", {"m": {}}, "s", None, None, "0"]),
        (Fact, ["a", {"m": {}}, "s", None, None, 10**400]),
        (bytes, {"b": "xx"}),
        (bytes, "ff"),
        (Tier, 9),
        (FactKind, ["k", "t", [["n", "complex", True]]]),
        (tuple[Scalar, int], ["a"]),
        (Scalar, [1]),
    ],
)
def test_what_does_not_fit_its_type_is_refused(declared, data):
    with pytest.raises(WireError):
        decode(declared, data)


def test_what_is_nested_too_deeply_is_refused():
    data: object = None
    for _ in range(5000):
        data = ["a", None, None, None, data]
    with pytest.raises(WireError):
        decode(Within, data)


@pytest.mark.parametrize("value", [object(), {1: 2}, [object()]])
def test_what_no_model_holds_cannot_be_sent(value):
    with pytest.raises(WireError):
        encode(value)


def test_messages_are_taken_from_a_stream_one_by_one():
    stream = bytearray()
    for part in pack({"a": 1}) + pack({"b": 2}):
        assert take(stream, 100) is None
        stream.append(part)
        if (found := take(stream, 100)) is not None:
            assert found in ({"a": 1}, {"b": 2})
    assert not stream


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 9000]
)
def test_a_message_that_is_none_is_refused(body):
    with pytest.raises(WireError):
        take(bytearray(len(body).to_bytes(4, "big") + body), 10_000)


def test_a_message_that_is_too_long_is_refused_before_it_came():
    with pytest.raises(WireError, match="a message of 101 bytes"):
        take(bytearray((101).to_bytes(4, "big")), 100)
