from __future__ import annotations

import io
import resource
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from doctor.inference import worker
from doctor.inference.durable import _engine_folder

pytestmark = pytest.mark.durable

REQUEST = b"""\
R{"r0": {"all": [{"m0": {"l": "p0"}}, {"n0$not": {"$and": [{"l": "n1"}, {"k": {"m0": "k"}}]}}]}}
F{"id": "f0", "l": "n1", "k": "k0"}
F{"id": "f1", "l": "p0", "k": "k0"}
F{"id": "f2", "l": "p0", "k": "k1"}
F{"id": "f3", "l": "p0", "k": "k2"}
G
R{"r1": {"all": [{"m0": {"l": "p0"}}]}}
F{"id": "f0", "l": "p0", "k": "k0"}
G
"""


AS_MODULE = ("-m", "doctor.inference.worker")
AS_FILE = ("-I", "-S", worker.__file__)


def run(request: bytes, how: tuple[str, ...] = AS_MODULE) -> tuple[int, list[str]]:
    folder = _engine_folder()
    assert folder is not None
    command = [sys.executable, *how, folder, str(1 << 30), "20"]
    home = Path(worker.__file__).parents[2]
    done = subprocess.run(
        command, input=request, capture_output=True, check=False, timeout=60, cwd=home
    )
    return done.returncode, done.stdout.decode().splitlines()


@pytest.mark.parametrize("how", [AS_MODULE, AS_FILE])
def test_it_answers_each_ruleset_and_says_that_it_is_done(how: tuple[str, ...]) -> None:
    code, lines = run(REQUEST, how)
    assert code == 0
    assert sorted(lines[:2]) == [
        '{"r0":{"m0":{"id": "f2", "l": "p0", "k": "k1"}}}',
        '{"r0":{"m0":{"id": "f3", "l": "p0", "k": "k2"}}}',
    ]
    assert lines[2:] == [".", '{"r1":{"m0":{"id": "f0", "l": "p0", "k": "k0"}}}', ".", "end"]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (b'R{"r0": {"all": [{"m0": {"l": "p0"}}]}}\nF{"id": "f0", "l": "p9"}\nG\n', "answered 1"),
        (
            b'R{"r0": {"all": [{"m0": {"l": "p0"}}]}}\n' + b'F{"id": "f0", "l": "p0"}\n' * 2,
            "answered 2",
        ),
        (b"Rnonsense\n", "Could not create ruleset"),
        (b'R{"r0": {"all": [{"m0": {"l": "p0"}}]}}\nFnonsense\n', "Could not assert fact"),
        (b"R\xff\n", "UnicodeDecodeError"),
    ],
)
def test_whatever_the_engine_refuses_ends_it(request_: bytes, complaint: str) -> None:
    code, lines = run(request_)
    assert code == 1
    assert lines[-1].startswith("! ")
    assert complaint in lines[-1]


def test_an_engine_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", worker.__file__, str(tmp_path), str(1 << 30), "5"]
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stdout.startswith(b"! ModuleNotFoundError: ")


def test_a_limit_is_lowered_and_never_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    hard = {1: 10, 2: resource.RLIM_INFINITY}
    monkeypatch.setattr(resource, "getrlimit", lambda what: (0, hard[what]))
    monkeypatch.setattr(resource, "setrlimit", lambda what, pair: asked.append((what, pair)))
    worker.limit(1, 99)
    worker.limit(2, 99)
    assert asked == [(1, (10, 10)), (2, (99, 99))]


def test_a_limit_that_the_system_refuses_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: int) -> None:
        raise ValueError(what)

    monkeypatch.setattr(resource, "getrlimit", refuse)
    worker.limit(resource.RLIMIT_CORE, 0)


class Engine(ModuleType):
    """Stands in for the durable engine, in this process."""

    def __init__(self) -> None:
        super().__init__("engine")
        self.calls: list[str] = []

    def create_ruleset(self, name: str, text: str) -> int:
        self.calls.append(f"{name} {text}")
        return 5

    def assert_fact(self, ruleset: int, text: str) -> tuple[int, int]:
        self.calls.append(f"{ruleset} {text}")
        return (0 if text == "good" else 3, 7)

    def start_action_for_state(self, ruleset: int, state: int) -> tuple[str, str] | None:
        return ("state", "one") if (ruleset, state) == (5, 7) else None

    def complete_and_start_action(self, ruleset: int, state: int) -> str | None:
        self.calls.append(f"{ruleset} {state}")
        return "two" if self.calls.count("5 7") == 1 else None


def test_it_takes_every_match_of_a_ruleset() -> None:
    engine, out = Engine(), io.BytesIO()
    worker.serve(engine, io.BytesIO(b"Rrules\nFgood\nG\n"), out)
    assert out.getvalue() == b"one\ntwo\n.\nend\n"
    assert engine.calls[:2] == ["s0 rules", "5 good"]


def test_a_deferred_fact_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="assert_fact answered 3"):
        worker.serve(Engine(), io.BytesIO(b"Rrules\nFbad\n"), io.BytesIO())


def test_a_ruleset_without_a_match_is_empty() -> None:
    out = io.BytesIO()
    worker.serve(Engine(), io.BytesIO(b"G\n"), out)
    assert out.getvalue() == b".\nend\n"
