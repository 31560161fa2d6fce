"""The adapters of HTTP libraries, over one kit and a real server on loopback."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from doctor.executors.adapters.httpx import AsyncDoctorTransport, DoctorTransport
from doctor.executors.adapters.outcome import AskedError, Call
from doctor.executors.adapters.urllib3 import DoctorRetry
from tests.support.ports import read_request, server
from tests.unit.executors.adapters import kit
from tests.unit.executors.adapters.kit import caught


class Site:
    """Answers 500 a number of times, then 200; counts requests."""

    def __init__(self):
        self.failures = 0
        self.status = b"500 Oops"
        self.seen: list[bytes] = []
        self.url = ""

    def serve(self, connection):
        request = read_request(connection)
        self.seen.append(request)
        is_bad = len(self.seen) <= self.failures
        if is_bad and self.status == b"drop":
            return
        status = self.status if is_bad else b"200 OK"
        connection.sendall(
            b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        )


@pytest.fixture
def site():
    found = Site()
    with server(found.serve) as port:
        found.url = f"http://127.0.0.1:{port}/runs/r1"
        yield found


def with_httpx(hook, url, method="GET", **more):
    inner = httpx.HTTPTransport()
    transport = inner if hook is None else DoctorTransport(inner, run="r1", hook=hook)
    with httpx.Client(transport=transport) as client:
        return client.request(method, url, **more).status_code


def with_async_httpx(hook, url, method="GET", **more):
    async def ask():
        inner = httpx.AsyncHTTPTransport()
        transport = inner if hook is None else AsyncDoctorTransport(inner, run="r1", hook=hook)
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.request(method, url, **more)).status_code

    return asyncio.run(ask())


def with_requests(hook, url, method="GET", **more):
    policy: dict[str, Any] = {
        "total": 2,
        "status_forcelist": [500],
        "backoff_factor": 0,
        "allowed_methods": None,
    }
    call = None if hook is None else Call(run="r1", hook=hook)
    retry = urllib3.Retry(**policy) if call is None else DoctorRetry(**policy, doctor=call)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        return session.request(method, url, **more).status_code


ALL = {"httpx": with_httpx, "async httpx": with_async_httpx, "requests": with_requests}
TRANSPORTS = [with_httpx, with_async_httpx]


@pytest.fixture(params=ALL)
def library(request):
    return ALL[request.param]


def outcome(library, hook, site):
    """Return the status or the exception's type, and the number of requests."""
    site.seen.clear()
    try:
        found = library(hook, site.url)
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        found = type(error).__name__
    return found, len(site.seen)


def test_what_was_repaired_is_sent_again_at_once(library, answers, site):
    site.failures = 1
    assert outcome(library, answers(kit.FIXED), site) == (200, 2)


def test_the_library_waits_as_long_as_doctor_says(library, answers, site):
    site.failures = 1
    start = time.monotonic()
    assert outcome(library, answers(kit.WAIT), site) == (200, 2)
    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize("failures", [0, 1, 9])
@pytest.mark.parametrize("status", [b"500 Oops", b"drop"])
@pytest.mark.parametrize("answer", [kit.DEFAULT, kit.BROKEN])
def test_without_an_opinion_or_a_doctor_it_is_as_without(
    library, answers, site, answer, failures, status
):
    site.failures, site.status = failures, status
    expected = outcome(library, None, site)
    assert outcome(library, answers(answer), site) == expected


@pytest.mark.parametrize("status", [b"500 Oops", b"drop"])
def test_stop_ends_at_the_first_failure(library, answers, site, status):
    site.failures, site.status = 9, status
    found, count = outcome(library, answers(kit.STOP), site)
    assert count == 1
    assert found in (500, "RetryError", "ConnectionError", "RemoteProtocolError")


def test_asked_raises_that_a_human_was_asked(library, answers, site):
    site.failures = 9
    assert outcome(library, answers(kit.ASKED), site) == ("AskedError", 1)


@pytest.mark.parametrize("library", TRANSPORTS)
def test_a_transport_repeats_nothing_that_may_have_an_effect(library, answers, site):
    site.failures = 9
    assert caught(lambda: library(answers(kit.FIXED), site.url, "POST", content=b"x")) is None
    assert len(site.seen) == 1


@pytest.mark.parametrize("library", TRANSPORTS)
def test_a_transport_repeats_a_few_times_at_most(library, answers, site):
    site.failures = 99
    assert outcome(library, answers(kit.FIXED), site) == (500, 4)


def test_the_advice_comes_with_the_response(answers, site):
    site.failures = 9
    transport = DoctorTransport(httpx.HTTPTransport(), hook=answers(kit.STOP))
    with httpx.Client(transport=transport) as client:
        assert client.get(site.url).extensions["doctor"].reason == "useless"


def test_the_call_is_named_by_method_and_address(answers, site):
    site.failures = 1
    body = "advise(question, \"stop\", reason=f\"{question['operation']} {question['status']}\")"
    transport = DoctorTransport(httpx.HTTPTransport(), hook=answers(body))
    with httpx.Client(transport=transport) as client:
        assert client.get(site.url).extensions["doctor"].reason == f"GET {site.url} 500"


def test_a_redirect_is_no_failure(answers, site):
    site.failures, site.status = 1, b"302 Found\r\nLocation: /there"
    http = urllib3.PoolManager(retries=DoctorRetry(total=2, doctor=Call(hook=answers(kit.ASKED))))
    assert http.request("GET", site.url).status == 200
    http.clear()


def test_urllib3_keeps_its_own_limits(answers, site):
    site.failures = 9
    retry = DoctorRetry(total=1, status_forcelist=[500], doctor=Call(hook=answers(kit.DEFAULT)))
    with pytest.raises(urllib3.exceptions.MaxRetryError), urllib3.PoolManager() as http:
        http.request("GET", site.url, retries=retry)
    assert len(site.seen) == 2
    assert AskedError("x").incident is None


def test_without_a_response_and_an_error_nobody_is_asked(answers):
    retry = DoctorRetry(total=2, doctor=Call(hook=answers(kit.ASKED)))
    assert retry.increment("GET", "/").total == 1
