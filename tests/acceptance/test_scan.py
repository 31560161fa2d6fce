"""``doctor scan``: what logs show, without any system."""

import gzip
import io
import json
import subprocess
import sys
import time

import pytest

from doctor.cli.progress import Bar
from tests.support.paths import CORPUS
from tests.support.terminal import run, say

RULES = """\
format: doctor/1
signatures:
  - kind: team.limit
    pattern: 'quota of team (?P<team>\\w+) is used up'
    fields: {team: str}
    symptom: {class: team_limit, retryable: true, wait: 90s}
  - kind: team.wrong
    pattern: 'widget is upside down'
    symptom: {class: team_wrong, retryable: false}
  - kind: team.chatter
    pattern: 'chatter'
    symptom: {class: team_chatter, noise: true}
---
format: doctor/1
rule: team.limit-reached
code: TEAM001
revision: 1
title: A team's quota is used up
status: stable
level: medium
owner: team
retryable: true
match: {limit: {kind: team.limit}, condition: limit}
join: [run]
diagnosis:
  cause: team_limit
  message: "team ${team} has no quota left"
  hint: "wait for the next hour"
explanation: {what: the quota is used up, why: calls fail until it is filled}
tests:
  - name: used up
    given: {facts: [{kind: team.limit, run: r1, team: a}]}
    expect: {verdict: match}
  - name: nothing
    given: {facts: []}
    expect: {verdict: no_match}
"""
LOG = "".join(f"2025-01-01 10:{at:02d}:00 INFO step {at}\n" for at in range(50))
SICK = (
    LOG
    + "2025-01-01 11:00:00 ERROR quota of team a is used up password=hunter22\n"
    + "chatter\nwidget is upside down\n"
)


PEAK = """\
import sys
from doctor.cli import main
try:
    main(sys.argv[1:])
finally:
    high = [one for one in open("/proc/self/status") if one.startswith("VmHWM")]
    print(high[0].split()[1], file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "team.yaml"
    path.write_text(RULES)
    return str(path)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "x.log"
    path.write_text(SICK)
    return path


def test_json_has_symptoms_and_diagnoses(rules, log):
    said = say("scan", str(log), "--rules", rules, "--format", "json")
    assert said.code == 3
    found = said.json
    assert set(found) == {"schema_version", "exit_code", "symptoms", "diagnoses", "gaps"}
    assert (found["exit_code"], found["gaps"]) == (3, [])
    wrong, limit, chatter = found["symptoms"]
    assert limit == {
        "class": "team_limit",
        "noise": False,
        "retryable": True,
        "wait": 90.0,
        "count": 1,
        "file": str(log),
        "first_line": 51,
        "last_line": 51,
        "summary": "2025-01-01 11:00:00 ERROR quota of team a is used up password=[hidden]",
    }
    assert [one["class"] for one in (wrong, chatter)] == ["team_wrong", "team_chatter"]
    (one,) = found["diagnoses"]
    assert (one["cause"], one["message"], one["retryable"]) == (
        "team_limit",
        "team a has no quota left",
        True,
    )
    assert "hunter22" not in said.out


def test_text_has_causes_first_then_symptoms_then_a_picture(rules, log):
    said = say("scan", str(log), "--rules", rules)
    assert said.code == 3
    text = said.out
    assert (
        text.index("1 finding")
        < text.index("team_limit [TEAM001]")
        < text.index("symptoms")
        < text.index("when, in")
    )
    assert "retry after 90 s" in text
    assert "do not retry" in text
    assert text.index("team_wrong") < text.index("team_chatter")
    assert "\x1b" not in text
    assert "█" in text
    assert said.err == ""


def test_the_picture_is_ascii_where_the_terminal_is(rules, log):
    said = run(
        "scan",
        str(log),
        "--rules",
        rules,
        environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    picture = said.out[said.out.index("when, in") :]
    assert picture.isascii()
    assert "@" in picture


def test_several_logs_packed_or_not_are_told_apart(rules, log, tmp_path):
    packed = tmp_path / "y.log.gz"
    packed.write_bytes(gzip.compress(SICK.encode()))
    said = say("scan", str(log), str(packed), "--rules", rules, "--format", "json")
    assert [one["file"] for one in said.json["symptoms"]] == [
        str(log),
        str(log),
        str(packed),
        str(packed),
        str(log),
        str(packed),
    ] or len(said.json["symptoms"]) == 6
    assert len(said.json["diagnoses"]) == 2
    assert f"{packed}:51" in say("scan", str(log), str(packed), "--rules", rules).out


def test_a_healthy_log_is_no_finding(tmp_path):
    path = tmp_path / "x.log"
    path.write_text(LOG)
    said = say("scan", str(path))
    assert (said.code, said.out) == (0, f"{path}: no finding in 50 lines\n")
    path.write_text("")
    assert say("scan", str(path)).code == 0


def test_a_log_without_times_is_drawn_over_lines(rules, tmp_path):
    path = tmp_path / "x.log"
    path.write_text("x\n" * 30 + "widget is upside down\n" * 20)
    said = say("scan", str(path), "--rules", rules)
    assert "line 1 " in said.out
    assert "line 50" in said.out


def test_what_cannot_be_read_is_9_without_a_finding_and_3_with_one(rules, log, tmp_path):
    binary = tmp_path / "x.bin"
    binary.write_bytes(b"\x7fELF" + bytes(range(256)) * 4)
    said = say("scan", str(binary), "--format", "json")
    assert (said.code, said.json["exit_code"]) == (9, 9)
    assert said.json["gaps"] == [{"probe": "scan", "reason": f"{binary} is not a text file"}]
    assert say("scan", str(binary), str(log), "--rules", rules).code == 3
    broken = tmp_path / "x.gz"
    broken.write_bytes(gzip.compress(SICK.encode())[:60])
    said = say("scan", str(broken), "--rules", rules)
    assert said.code in (3, 9)
    assert "is packed and damaged" in said.out


def test_what_is_not_there_is_2(tmp_path):
    said = say("scan", str(tmp_path / "none.log"))
    assert said.code == 2
    assert "there is no log file" in said.err
    assert say("scan").code == 2
    assert say("scan", str(tmp_path)).code == 2


def test_standard_input_is_read(rules):
    done = subprocess.run(
        [sys.executable, "-m", "doctor", "scan", "-", "--rules", rules, "--format", "json"],
        input=SICK.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert {one["file"] for one in json.loads(done.stdout)["symptoms"]} == {"-"}


@pytest.mark.slow
def test_a_hundred_megabytes_take_little_memory_and_time(rules, tmp_path):
    path = tmp_path / "big.log"
    with path.open("w") as stream:
        for _ in range((100 << 20) // len(SICK)):
            stream.write(SICK)
    command = [
        sys.executable,
        "-c",
        PEAK,
    ]
    small = subprocess.run(
        [*command, "scan", __file__, "--rules", rules, "--format", "json"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    start = time.monotonic()
    big = subprocess.run(
        [*command, "scan", str(path), "--rules", rules, "--format", "json"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert time.monotonic() - start < 60
    assert big.returncode == 3
    counts = {one["class"]: one["count"] for one in json.loads(big.stdout)["symptoms"]}
    assert counts["team_limit"] == (100 << 20) // len(SICK)
    growth = int(big.stderr.split()[-1]) - int(small.stderr.split()[-1])
    assert growth < 150 << 10, growth


@pytest.mark.corpus
def test_real_logs_without_a_failure_have_no_finding():
    labels = CORPUS / "labels.jsonl"
    if not labels.is_file():
        pytest.skip(f"the corpus is not at {CORPUS}")
    rows = [json.loads(line) for line in labels.read_text("utf-8").splitlines()]
    healthy = [str(CORPUS / "logs" / one["file"]) for one in rows if one["symptom"] == "no_failure"]
    said = say("scan", *healthy, "--format", "json")
    assert len(healthy) == 14
    assert [one["rule"] for one in said.json["diagnoses"] if one["level"] != "info"] == []


class Screen(io.StringIO):
    def __init__(self, encoding="utf-8"):
        super().__init__()
        self._encoding = encoding

    encoding = property(lambda self: self._encoding)

    def isatty(self):
        return True


class Log:
    def __init__(self, name, done, total):
        self.name, self.done, self.total = name, done, total


def test_a_bar_is_shown_after_a_second_at_a_terminal_only(log, monkeypatch):
    now = iter([0.0, 0.5, 1.2, 1.25, 3725.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    size = log.stat().st_size
    with Bar([str(log)]) as bar:
        bar.show(Log("x", 10, size))
        assert screen.getvalue() == ""
        bar.show(Log("x", size // 2, size))
        assert "50%" in screen.getvalue() or "%" in screen.getvalue()
        assert "█" in screen.getvalue()
        bar.show(Log("x", size // 2, size))
        bar.show(Log("x", 1, size))
    assert screen.getvalue().endswith("\r\x1b[K")
    assert ":" in screen.getvalue()


def test_a_bar_without_a_size_says_how_much_was_read(monkeypatch):
    now = iter([0.0, 2.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    screen = Screen("ascii")
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar(["-"]) as bar:
        bar.show(Log("-", 3_000_000_000, None))
    assert "3.0 GB read, 1.5 GB/s" in screen.getvalue()


def test_a_bar_is_ascii_where_the_terminal_is(log, monkeypatch):
    now = iter([0.0, 2.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    screen = Screen("ascii")
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar([str(log)]) as bar:
        bar.show(Log("x", 100, 1))
    assert "#" in screen.getvalue()
    assert screen.getvalue().isascii()


def test_nothing_is_shown_where_there_is_no_terminal(log, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    now = iter([0.0, 9.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    with Bar([str(log)]) as bar:
        bar.show(Log("x", 1, 2))
    assert screen.getvalue() == ""
