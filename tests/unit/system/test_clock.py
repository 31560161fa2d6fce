from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.system.clock import EventClock, stamp

LOCAL = datetime(2026, 1, 2, 3, 4, 5).astimezone()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-02 03:04:05 x", LOCAL),
        ("2026-01-02T03:04:05 x", LOCAL),
        ("2026/01/02 03:04:05 x", LOCAL),
        ("[2026-01-02 03:04:05] x", LOCAL),
        ("(2026-01-02 03:04:05) x", LOCAL),
        ("2026-01-02 03:04:05,678 x", LOCAL.replace(microsecond=678_000)),
        ("2026-01-02 03:04:05.123456789 x", LOCAL.replace(microsecond=123_456)),
        ("2026-01-02T03:04:05Z x", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)),
        ("2026-01-02T03:04:05+02:00 x", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05-0530 x", datetime(2026, 1, 2, 8, 34, 5, tzinfo=UTC)),
        ("INFO worker-7: 2026-01-02T03:04:05Z x", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01 00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_stamps_are_read(text, at):
    assert stamp(text) == at


def test_a_stamp_that_starts_late_keeps_its_fraction_and_zone():
    text = " " * 30 + "2026-01-02T03:04:05.123456+02:00 x"
    assert stamp(text) == datetime(2026, 1, 2, 1, 4, 5, 123_456, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no time here",
        "2026-13-02 03:04:05",
        "2026-01-32 03:04:05",
        "2026-01-02 24:04:05",
        "2026-01-02 03:04:60",
        "2026-01-02 03:04",
        "2026-01-02T03:04:05+99:99",
        "2026-01-02 03:04:05".translate({ord("0"): 0x660, ord("2"): 0x662}),
        "0000-01-01 00:00:00",
        "x" * 33 + "2026-01-02 03:04:05 in the middle of the message",
    ],
)
def test_what_is_no_stamp_at_the_start_is_none(text):
    assert stamp(text) is None


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_the_ends_of_the_calendar_do_not_break_the_clock(text):
    clock = EventClock()
    clock.read("2026-01-02T03:04:05Z")
    assert clock.read(text)[1] >= 0.0


def at(seconds: float) -> str:
    moment = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment.isoformat()} x"


def orders(*texts: str) -> list[float]:
    clock = EventClock()
    return [clock.read(text)[1] for text in texts]


def test_order_counts_seconds_from_the_first_stamp():
    assert orders(at(100), at(101.5), at(110)) == [0.0, 1.5, 10.0]


def test_a_line_without_a_stamp_has_the_time_of_the_line_before():
    clock = EventClock()
    assert clock.read("no stamp yet") == (None, 0.0)
    moment, order = clock.read(at(7))
    assert (clock.read("  at worker.py:3"), order) == ((moment, 0.0), 0.0)


def test_order_stands_still_while_the_clock_jumps_back():
    assert orders(at(1000), at(1010), at(777), at(780)) == [0.0, 10.0, 10.0, 13.0]


def test_a_jump_forward_counts_as_time_that_passed():
    assert orders(at(0), at(965), at(966)) == [0.0, 965.0, 966.0]


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), max_size=30))
def test_order_never_decreases(moments):
    found = orders(*["no stamp" if one is None else at(one) for one in moments])
    assert found == sorted(found)
