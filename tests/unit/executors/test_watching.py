"""Lines in blocks that are cut anywhere, and a reader that never holds anything up."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from doctor.executors.advice import Advice
from doctor.executors.watching import scanner as scanning
from doctor.executors.watching.lines import LineReader, Sighting
from doctor.executors.watching.scanner import Scanner
from doctor.executors.watching.watch import Watch, watch
from doctor.registry import load_registry
from doctor.rulebook.book import load_book

FAILED = b"2026-01-02 03:04:05 GET http://h/jobs/7 failed: HTTP 500 (attempt 1/4)\n"
HARMLESS = b"2026-01-02 03:04:05 INFO step 17 of batch 4 is done, and nothing else is new\n"


@pytest.fixture(scope="module")
def signatures():
    return load_book(load_registry(), ()).signatures


@pytest.fixture
def reader(signatures):
    return LineReader(signatures)


def operations(found):
    return [(one.operation, one.status) for one in found]


@pytest.mark.parametrize("size", [1, 7, 64, 5000, 1 << 20])
def test_failures_are_found_wherever_a_block_is_cut(reader, size):
    data = HARMLESS * 100 + FAILED + HARMLESS * 300 + FAILED + FAILED[:-1]
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    found = [one for block in blocks for one in reader.read(block)]
    assert operations(found) == [("GET /jobs/7", 500)] * 2
    assert operations(reader.read(b"\n")) == [("GET /jobs/7", 500)]


def test_a_line_without_an_end_is_not_kept_for_ever(reader):
    for _ in range(20):
        assert list(reader.read(b"x" * 65_536)) == []
    assert operations(reader.read(b"\n" + FAILED)) == [("GET /jobs/7", 500)]


def test_an_anchored_pattern_is_found_inside_of_a_block(reader):
    text = b"ModuleNotFoundError: No module named 'nosuch'\n"
    found = [one.text for one in reader.read(HARMLESS + text + HARMLESS)]
    assert found == ["ModuleNotFoundError: No module named 'nosuch'"]


def test_a_call_without_a_method_or_a_status(reader):
    line = (
        b"fetch failed (attempt 1/4): HTTPError: 404 Client Error: Not Found for url: http://h/x\n"
    )
    assert operations(reader.read(line)) == [("/x", 404)]
    dropped = b"fetch failed (attempt 1/4): ConnectionError: RemoteDisconnected('x')\n"
    assert operations(reader.read(dropped)) == []


def test_without_signatures_nothing_is_found():
    assert list(LineReader(()).read(FAILED)) == []


def test_what_comes_too_fast_is_left_out_and_counted(signatures, monkeypatch):
    monkeypatch.setattr(scanning, "MOST_WAITING", 100)
    go_on, heard = threading.Event(), []

    def hear(one: Sighting):
        go_on.wait(10)
        heard.append(one)

    scanner = Scanner({1: LineReader(signatures)}, hear)
    scanner.give(1, FAILED)
    time.sleep(0.2)
    scanner.give(1, FAILED)
    scanner.give(1, FAILED)
    go_on.set()
    scanner.close(10)
    assert (len(heard), scanner.left_out, scanner.failure) == (2, len(FAILED), None)


def test_a_reader_that_fails_says_so_and_ends_quietly(signatures):
    def hear(_: Sighting):
        raise RuntimeError("broken")

    scanner = Scanner({1: LineReader(signatures)}, hear)
    scanner.give(1, FAILED)
    scanner.give(1, FAILED)
    scanner.close(10)
    assert scanner.failure == "RuntimeError: broken"


def printing(*lines):
    text = b"".join(lines).decode()
    return [sys.executable, "-c", f"print({text!r}, end='')"]


def test_a_judge_that_fails_does_not_disturb_the_command(signatures, capfd):
    def judge(_: Sighting) -> Advice:
        raise RuntimeError("broken")

    said: list[str] = []
    assert watch(printing(FAILED, HARMLESS), signatures, Watch("end", judge, said.append)) == 0
    assert said == ["watching ended early: RuntimeError: broken"]
    assert capfd.readouterr().out.encode() == FAILED + HARMLESS


def test_what_was_left_out_is_said(signatures, monkeypatch, capfd):
    monkeypatch.setattr(scanning, "MOST_WAITING", 10)
    said: list[str] = []
    how = Watch("end", lambda _: Advice("stop"), said.append)
    assert watch(printing(FAILED), signatures, how) == 0
    assert said == [f"{len(FAILED)} bytes came too fast to be looked at"]
    assert capfd.readouterr().out.encode() == FAILED
