from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from doctor.inference import (
    DurableEngine,
    EngineUnavailable,
    ReferenceEngine,
    durable,
    durable_available,
    infer,
)
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule
from tests.unit.inference.build import both, either, fact, job, no, rule, seen, sel

pytestmark = pytest.mark.durable

RULES = [
    rule("join", sel("a", "a"), sel("b", "b"), join=("run",)),
    rule("not", sel("a", "a"), sel("b", "b"), when=both("a", no("b")), join=("run",)),
    rule("or", sel("c", "c"), sel("b", "b"), when=either("b", "c"), join=("run",)),
    rule("one", sel("a", "a")),
    rule("then", sel("d", "diagnosis", rule="join"), join=("run",)),
]
EVIDENCE = seen(
    fact("a", run="r1"), fact("b", run="r1"), fact("a", run="r2"), fact("c", run="r\u00fc 'x\"\n")
)


def test_both_engines_say_the_same() -> None:
    with DurableEngine() as engine:
        found = infer(RULES, EVIDENCE, engine)
    assert (found.engine, found.agreed, found.note) == ("durable", True, None)
    assert found.verdicts == infer(RULES, EVIDENCE, ReferenceEngine()).verdicts
    assert [(one.rule, one.key) for one in found.verdicts if one.result == "match"] == [
        ("join", ("r1",)),
        ("not", ("r2",)),
        ("or", ("r1",)),
        ("or", ("r\u00fc 'x\"\n",)),
        ("one", ()),
        ("then", ("r1",)),
    ]


def test_the_engine_is_never_imported_here() -> None:
    assert durable_available()
    assert "durable_rules_engine" not in sys.modules


def test_the_widest_alternative_is_joined() -> None:
    names = "abcdefgh"
    runs = {
        name: [f"r{at}" for at in range(12) if at % 8 >= place] for place, name in enumerate(names)
    }
    rules = [rule("x", *(sel(name, name) for name in names), join=("run",))]
    facts = [fact(name, run=run) for name, own in runs.items() for run in own]
    one = job(rules, seen(*facts))
    assert DurableEngine().match(one.rules, one.selections) == {("x", ("r7",))}


def test_many_rules_on_one_label_and_many_labels_are_sharded() -> None:
    rules = [rule(f"x{at}", sel("a", "a"), sel("b", "b", n=at), join=("run",)) for at in range(300)]
    facts = [fact("b", n=at, run=f"r{at % 7}") for at in range(300)]
    one = job(rules, seen(*facts, *(fact("a", run=f"r{at}") for at in range(7))))
    expected = ReferenceEngine().match(one.rules, one.selections)
    assert len(expected) == 300
    assert DurableEngine().match(one.rules, one.selections) == expected


def test_many_jobs_share_children_and_keep_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job(RULES[:4], EVIDENCE), job([], EVIDENCE), job(RULES[2:3], seen(fact("c", run="z")))]
    expected = ReferenceEngine().match_all(jobs)
    assert DurableEngine().match_all(jobs) == expected
    monkeypatch.setattr(durable, "_CLAUSES_AT_ONCE", 1)
    assert DurableEngine().match_all(jobs) == expected


def test_without_anything_to_join_no_child_is_started() -> None:
    found = infer(RULES, seen(), DurableEngine(command=["/no/such/program"]))
    assert found.agreed
    assert {one.result for one in found.verdicts} == {"no_match"}


# a spare child


def children() -> int:
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_a_warmed_child_is_used_and_an_unused_one_ended() -> None:
    before = children()
    with DurableEngine() as engine:
        engine.warm()
        engine.warm()
        assert children() == before + 1
        assert infer(RULES[:1], EVIDENCE, engine).agreed
        assert children() == before
        engine.warm()
    assert children() == before
    engine.close()


def test_a_spare_child_that_died_is_replaced() -> None:
    with DurableEngine() as engine:
        engine.warm()
        assert engine._spare is not None
        os.kill(engine._spare._process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while engine._spare.waits and time.monotonic() < deadline:
            time.sleep(0.001)
        assert infer(RULES[:1], EVIDENCE, engine).agreed


# deaths of the child

PROGRAMS = {
    "SIGSEGV": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
    "hang": ("import time; time.sleep(600)", "gave no answer in 0.5 s"),
    "closes and hangs": (
        "import os, time; os.close(1); os.close(0); time.sleep(600)",
        "gave no answer in 0.5 s",
    ),
    "_exit": ("import os; os._exit(3)", "ended with exit code 3"),
    "silence": ("import sys; sys.stdin.read()", "answer is not whole"),
    "garbage": ("import sys; sys.stdin.read(); print('\\x00\\xff{]')", "answer is not whole"),
    "oversize": (
        "import os\nwhile True: os.write(1, b'x' * 65536)",
        f"answered more than {64 << 20} bytes",
    ),
    "memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28,) * 2)\nb'x' * (1 << 30)",
        "ended with exit code 1",
    ),
    "last words": (
        "import sys; sys.stdin.read(); print('! no memory'); sys.exit(1)",
        "ended with exit code 1: no memory",
    ),
    "too few": ("import sys; sys.stdin.read(); print('end')", "answer is not whole"),
    "too many": ("import sys; sys.stdin.read(); print('.\\n.\\nend')", "answer is not whole"),
}


def child(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_child_that_dies_is_no_answer_and_costs_bounded_time(name: str) -> None:
    program, complaint = PROGRAMS[name]
    seconds = 0.5 if "hang" in name else 30.0
    start, before = time.monotonic(), children()
    found = infer(RULES[:1], EVIDENCE, DurableEngine(seconds=seconds, command=child(program)))
    assert time.monotonic() - start < 20
    assert children() == before
    assert [(one.result, one.key) for one in found.verdicts] == [("unknown", ("r1",))]
    assert not found.agreed
    assert found.note is not None
    assert found.note.startswith("the rule engine gave no answer: the rule engine")
    assert complaint in found.note


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"r0": {}}',
        '{"r0": [], "r1": []}',
        '{"r0": {"m0": {}}}',
        '{"r0": {"m0": {"k": "k9"}}}',
        '{"r9": {"m0": {"k": "k0"}}}',
        '{"r0": {"m0": {"k": "k0"}, "m1": {"k": "k1"}}}',
        '{"r0": {"m0": {"k": ["k0"]}}}',
        "[" * 100_000,
    ],
)
def test_a_match_that_makes_no_sense_is_no_answer(line: str) -> None:
    program = f"import sys; sys.stdin.read(); print({line!r}); print('.'); print('end')"
    one = job(RULES[:1], EVIDENCE)
    with pytest.raises(EngineUnavailable, match=r"the rule engine answered '"):
        DurableEngine(command=child(program)).match(one.rules, one.selections)


def test_a_child_that_reads_nothing_of_a_large_request_is_no_answer() -> None:
    rules, evidence = _large()
    program = "import os; os.close(0); print('.'); print('end')"
    one = job(rules, evidence)
    with pytest.raises(EngineUnavailable, match="did not read its whole request"):
        DurableEngine(command=child(program)).match(one.rules, one.selections)


def test_a_child_that_stops_reading_is_ended_in_time() -> None:
    rules, evidence = _large()
    one = job(rules, evidence)
    start = time.monotonic()
    engine = DurableEngine(seconds=0.3, command=child("import time; time.sleep(600)"))
    with pytest.raises(EngineUnavailable, match=r"no answer in 0\.3 s"):
        engine.match(one.rules, one.selections)
    assert time.monotonic() - start < 10


def _large() -> tuple[list[Rule], Evidence]:
    facts = [fact(kind, run=f"r{at}") for at in range(3000) for kind in "ab"]
    return [rule("x", sel("a", "a"), sel("b", "b", run="r1"), join=("run",))], seen(*facts)


@pytest.mark.slow
def test_a_child_takes_with_it_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = (
        "import subprocess, sys, time; "
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"open({str(note)!r}, 'w').write(str(one.pid)); time.sleep(600)"
    )
    one = job(RULES[:1], EVIDENCE)
    with pytest.raises(EngineUnavailable):
        DurableEngine(seconds=2, command=child(program)).match(one.rules, one.selections)
    pid, deadline = int(note.read_text()), time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_program_that_is_not_there_is_no_answer() -> None:
    with (
        pytest.raises(EngineUnavailable, match="could not be started"),
        DurableEngine(command=["/no/such/program"]) as engine,
    ):
        engine.warm()


def test_an_engine_that_is_not_installed_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert not durable_available()
    found = infer(RULES[:1], EVIDENCE, DurableEngine())
    assert found.note == "the rule engine gave no answer: durable_rules is not installed"


def test_no_interpreter_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    found = infer(RULES[:1], EVIDENCE, DurableEngine())
    assert found.note is not None
    assert "no Python interpreter" in found.note


def test_the_child_gets_no_environment_but_where_libraries_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    program = "import os, json, sys; print('! ' + json.dumps(sorted(os.environ))); sys.exit(1)"
    one = job(RULES[:1], EVIDENCE)
    with pytest.raises(EngineUnavailable) as caught:
        DurableEngine(command=child(program)).match(one.rules, one.selections)
    names = json.loads(caught.value.message.partition("1: ")[2])
    assert set(names) <= {"LD_LIBRARY_PATH", "LC_CTYPE"}
