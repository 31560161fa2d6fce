"""Counters that find a loop: interleaved, across processes, without exceptions or progress."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from doctor.executors.failure import Failure
from doctor.executors.ledger import FORGET_SECONDS, Ledger, boot, is_alive
from doctor.executors.loops import LoopDetector
from doctor.settings import HookSettings, Window

NOW = 1_800_000_000.0


@pytest.fixture
def detector(tmp_path):
    return LoopDetector(Ledger(tmp_path / "loops"), HookSettings(same_failure=4), "here")


def failure(status=500, operation="GET /x", run="r1", types=()):
    return Failure(run, operation, types, "text", None, status)


def test_the_second_equal_failure_is_a_loop_with_a_receipt(detector):
    assert detector.failed(failure(), 0, NOW).receipt is None
    detector.failed(failure(503), 0, NOW + 1)
    receipt = detector.failed(failure(), 0, NOW + 3).receipt
    assert receipt == (
        "2 times the same failure: GET /x: 500",
        ("GET /x: 500, 2 times", "GET /x: 503, once"),
        3,
        3.0,
    )


def test_what_passes_is_never_a_loop_and_what_is_unknown_after_some(detector):
    assert [detector.failed(failure(503), 0, NOW).left for _ in range(50)] == [None] * 50
    unknown = [detector.failed(failure(None, types=("E",)), 0, NOW) for _ in range(4)]
    assert [one.left for one in unknown] == [3, 2, 1, 0]
    assert unknown[-1].receipt is not None


def test_repetitions_that_were_not_reported_count(detector):
    assert detector.failed(failure(None, types=("E",)), 3, NOW).count == 4


def test_a_success_of_the_same_call_starts_anew(detector):
    detector.failed(failure(), 0, NOW)
    detector.failed(failure(operation="GET /y"), 0, NOW)
    detector.succeeded("r1", "GET /x", NOW)
    assert detector.failed(failure(), 0, NOW).count == 1
    assert detector.failed(failure(operation="GET /y"), 0, NOW).count == 2
    detector.succeeded("r1", None, NOW)
    assert detector.failed(failure(operation="GET /y"), 0, NOW).count == 1


def test_runs_calls_and_projects_are_counted_apart(detector, tmp_path):
    other = LoopDetector(Ledger(tmp_path / "loops"), HookSettings(), "there")
    found = [
        detector.failed(failure(), 0, NOW),
        detector.failed(failure(run="r2"), 0, NOW),
        detector.failed(failure(run=None), 0, NOW),
        detector.failed(failure(run=None, operation="GET /y"), 0, NOW),
        other.failed(failure(), 0, NOW),
    ]
    assert [one.count for one in found] == [1] * 5


def test_what_is_older_than_an_hour_is_forgotten(detector):
    detector.failed(failure(), 0, NOW)
    assert detector.failed(failure(), 0, NOW + FORGET_SECONDS + 1).count == 1


@pytest.mark.slow
def test_processes_count_together(detector, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from doctor.executors.failure import Failure\n"
        "from doctor.executors.ledger import Ledger\n"
        "from doctor.executors.loops import LoopDetector\n"
        "from doctor.settings import HookSettings\n"
        "detector = LoopDetector(Ledger(Path(sys.argv[1])), HookSettings(), 'here')\n"
        "one = Failure('r1', 'GET /x', (), 'text', None, 503)\n"
        f"for _ in range(25): detector.failed(one, 0, {NOW})\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "loops")]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, check=True), range(4)))
    assert len(done) == 4
    assert detector.failed(failure(503), 0, NOW).count == 101


def test_the_same_result_of_a_phase_three_times_is_no_progress(detector):
    steps = [("build", "failed"), ("test", "ok"), ("build", "failed"), ("build", "failed")]
    found = [detector.progressed("r1", phase, result, NOW) for phase, result in steps]
    assert [one is None for one in found] == [True, True, True, False]
    assert found[-1].why == "phase 'build' makes no progress, 3 times the same result: failed"
    assert detector.progressed("r1", "build", "passed", NOW) is None


def test_workers_that_died_without_an_exception_are_counted(detector):
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    for number in range(2):
        detector.started(f"{gone.pid}:{number}", "r1", "GET /x", gone.pid, NOW)
    detector.started("mine:1", "r1", "GET /x", os.getpid(), NOW)
    assert detector.outlook("r1", "GET /x", NOW) is None
    detector.died("mine:1", "r1", "GET /x", NOW)
    receipt = detector.outlook("r1", "GET /x", NOW)
    assert receipt.why == "3 attempts died without an exception"
    assert receipt.tried == ("GET /x: died, 3 times",)
    assert detector.failed(failure(503), 0, NOW).receipt.why == receipt.why
    detector.succeeded("r1", "GET /x", NOW)
    assert detector.outlook("r1", "GET /x", NOW) is None


def test_attempts_that_ended_are_not_deaths(detector):
    for number in range(5):
        detector.started(f"1:{number}", "r1", "GET /x", os.getpid(), NOW)
        detector.ended(f"1:{number}", "r1", "GET /x", NOW)
        detector.died(f"1:{number}", "r1", "GET /x", NOW)
    assert detector.outlook("r1", "GET /x", NOW) is None


def test_the_retries_of_all_runs_are_limited_and_those_in_back_off_count(tmp_path):
    settings = HookSettings(retries=Window(points=3, per=60.0))
    ledger = Ledger(tmp_path / "loops")
    first, second = (LoopDetector(ledger, settings, "here") for _ in range(2))
    assert first.grant(1, 0.0, NOW) == 0.0
    assert second.grant(1, 300.0, NOW) == 0.0
    assert first.grant(1, 0.0, NOW + 30) == 0.0
    assert second.grant(1, 0.0, NOW + 31) == pytest.approx(29.0)
    assert second.grant(1, 0.0, NOW + 61) == 0.0
    assert second.grant(1, 0.0, NOW + 62) == pytest.approx(28.0)
    assert second.grant(1, 0.0, NOW + 300) == 0.0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"failures": 5}', '{"failures": {"x": {"last": "y"}}}']
)
def test_a_damaged_page_is_an_empty_one(detector, tmp_path, text):
    detector.failed(failure(), 0, NOW)
    [page] = (tmp_path / "loops").glob("*.json")
    page.write_text(text)
    assert detector.failed(failure(), 0, NOW).count == 1


def test_where_nothing_can_be_written_counting_goes_on_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    detector = LoopDetector(Ledger(tmp_path / "file" / "loops"), HookSettings(), "here")
    assert [detector.failed(failure(), 0, NOW).count for _ in range(2)] == [1, 2]


def test_a_page_that_is_locked_is_not_waited_for_long(detector, tmp_path):
    from filelock import FileLock

    detector.failed(failure(), 0, NOW)
    [page] = (tmp_path / "loops").glob("*.json")
    with FileLock(page.with_suffix(".lock")):
        assert detector.failed(failure(), 0, NOW).count == 2, "to look needs no lock"


def test_pages_are_few_and_young(tmp_path):
    ledger = Ledger(tmp_path / "loops")
    detector = LoopDetector(ledger, HookSettings(), "here")
    for number in range(3):
        detector.failed(failure(run=f"r{number}"), 0, NOW)
    old = min((tmp_path / "loops").glob("*.json"))
    os.utime(old, (NOW - 7200, NOW - 7200))
    for page in set((tmp_path / "loops").glob("*.json")) - {old}:
        os.utime(page, (NOW, NOW))
    ledger.prune(NOW)
    assert len(list((tmp_path / "loops").glob("*.json"))) == 2
    assert not old.with_suffix(".lock").exists()


def test_a_process_of_another_boot_is_not_alive():
    assert is_alive(os.getpid(), boot())
    assert is_alive(1, boot())
    assert not is_alive(os.getpid(), "another")


def test_entries_of_a_run_are_bounded(detector, tmp_path):
    for number in range(200):
        detector.failed(failure(operation=f"GET /{number}"), 0, NOW + number)
    [page] = (tmp_path / "loops").glob("*.json")
    assert page.stat().st_size < 20_000


def test_what_was_counted_without_the_lock_is_added_to_what_others_counted(detector, tmp_path):
    from filelock import FileLock

    other = LoopDetector(Ledger(tmp_path / "loops"), HookSettings(), "here")
    other.failed(failure(503), 0, NOW)
    other.failed(failure(500, operation="GET /y"), 0, NOW)
    [page] = (tmp_path / "loops").glob("*.json")
    with FileLock(page.with_suffix(".lock")):
        assert [detector.failed(failure(503), 0, NOW).count for _ in range(3)] == [2, 3, 4]
        detector.succeeded("r1", "GET /y", NOW)
        detector.started("mine:1", "r1", "GET /x", os.getpid(), NOW)
        detector.progressed("r1", "build", "failed", NOW)
    assert [other.failed(failure(503), 0, NOW).count for _ in range(2)] == [2, 3]
    other.progressed("r1", "build", "failed", NOW)
    assert detector.failed(failure(503), 0, NOW).count == 1 + 3 + 2 + 1
    kept = json.loads(page.read_text())
    assert [one["count"] for one in kept["failures"].values()] == [7]
    assert list(kept["attempts"]) == ["mine:1"]
    assert kept["progress"]["build"]["count"] == 1
    assert other.failed(failure(503), 0, NOW).count == 8


def test_a_page_that_cannot_be_replaced_is_kept_in_memory(detector, tmp_path):
    detector.failed(failure(), 0, NOW)
    [page] = (tmp_path / "loops").glob("*.json")
    page.unlink()
    page.mkdir()
    (page / "in the way").write_text("")
    assert [detector.failed(failure(503), 0, NOW).count for _ in range(3)] == [1, 2, 3]


def test_pages_in_memory_are_few(tmp_path, monkeypatch):
    monkeypatch.setattr("doctor.executors.ledger.MOST_PAGES", 2)
    (tmp_path / "file").write_text("")
    detector = LoopDetector(Ledger(tmp_path / "file" / "loops"), HookSettings(), "here")
    for number in range(9):
        detector.failed(failure(run=f"r{number}"), 0, NOW)
    assert detector.failed(failure(run="r0"), 0, NOW).count == 1


def test_without_a_boot_id_the_machine_has_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr("doctor.executors.ledger.BOOT", tmp_path / "nothing")
    assert boot() == os.uname().nodename
