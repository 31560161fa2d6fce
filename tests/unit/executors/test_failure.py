"""Which failures pass by themselves, and when it is proven that one does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doctor.executors.failure import Failure, failure_from_json, nature_of, seconds_to_wait
from doctor.executors.fingerprint import operation_of, status_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def failure(*types, status=None, operation="GET /x", message=""):
    return Failure("r1", operation, types, message, "f.py:g:1", status)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (failure(status=404), ("final", 1)),
        (failure(status=422, operation="POST /x"), ("final", 1)),
        (failure(status=500), ("certain", 2)),
        (failure(status=500, operation=None), ("certain", 2)),
        (failure(status=500, operation="POST /x"), ("certain", 3)),
        (failure(status=503), ("passing", None)),
        (failure(status=429), ("passing", None)),
        (failure(status=302), ("unknown", None)),
        (failure(status="42P01"), ("certain", 2)),
        (failure(status="40001"), ("passing", None)),
        (failure(status="SQLITE_BUSY"), ("passing", None)),
        (failure(status="XX000"), ("unknown", None)),
        (failure("ConnectionError", "OSError"), ("passing", None)),
        (failure("NameError", "Exception"), ("certain", 2)),
        (failure("LookupError", message="is not among the defined enum values"), ("certain", 2)),
        (failure("TypeError", "Exception"), ("certain", 3)),
        (failure("ValueError", "Exception"), ("unknown", None)),
    ],
)
def test_the_nature_follows_from_what_was_answered_or_raised(one, expected):
    assert nature_of(one) == expected


def test_an_answer_is_the_same_failure_wherever_it_is_raised():
    assert failure("A", status=500).key == failure("B", status=500, message="x").key
    assert failure("A", status=500).key != failure("A", status=503).key


def test_texts_that_differ_in_numbers_only_are_the_same_failure():
    one, other = (failure("A", message=f"row {n} at 0x7f{n}") for n in (17, 42))
    assert one.key == other.key
    assert one.key != failure("A", message="no row").key


def test_the_label_is_what_a_person_would_say():
    assert failure("A", status=500).label == "GET /x: 500"
    assert failure("KeyError", operation=None).label == "f.py:g:1: KeyError"
    assert failure_from_json({}).label == "a call: failure"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:01:00 -0000", None),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert seconds_to_wait(text, NOW) == seconds


class Carrying(Exception):
    """An exception with the given attributes."""

    def __init__(self, **attributes):
        super().__init__("x")
        self.__dict__.update(attributes)


class Falsy:
    """As a response of requests: false from 400 on."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __bool__(self):
        return False


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Carrying(response=Falsy(status_code=500)), 500),
        (Carrying(response=Falsy(status=503)), 503),
        (Carrying(response=Falsy()), None),
        (Carrying(status=404), 404),
        (Carrying(code=429), 429),
        (Carrying(code="e3q8"), None),
        (Carrying(code=7), None),
        (Carrying(sqlstate="42P01"), "42P01"),
        (Carrying(orig=Carrying(sqlstate="40001")), "40001"),
        (Carrying(orig=Carrying(sqlite_errorname="SQLITE_BUSY")), "SQLITE_BUSY"),
        (Carrying(orig=Carrying()), None),
        (Carrying(sqlstate=5), None),
        (ValueError("x"), None),
    ],
)
def test_the_status_is_found_where_libraries_keep_it(error, status):
    assert status_of(error) == status


def test_the_operation_is_taken_from_the_request_of_an_http_library():
    request = Falsy(method="GET", url="http://h/x")
    assert operation_of(Carrying(request=request)) == "GET http://h/x"
    assert operation_of(Carrying(request=Falsy())) is None
    assert operation_of(Carrying()) is None

    class Unset(Exception):
        @property
        def request(self):
            raise RuntimeError

    assert operation_of(Unset()) is None
