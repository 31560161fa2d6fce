from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doctor.model.change import Plan, SetCells
from doctor.model.rule import Verify
from doctor.model.tier import Tier
from doctor.store import Store, Uptime, Window, open_store

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Counter:
    """Ids in order: I-1, F-2, ..."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}-{next(self.numbers)}"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def clock():
    return Clock()


class Running:
    """An uptime that is moved by hand."""

    def __init__(self, boot: str = "first") -> None:
        self.boot = boot
        self.seconds = 1000.0

    def __call__(self) -> Uptime:
        return Uptime(self.boot, self.seconds)


@pytest.fixture
def uptime():
    return Running()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/doctor.db"


@pytest.fixture
def opened(clock, url):
    """Open the store of a target anew, as another process would."""
    stores: list[Store] = []

    def opened(target="sqlite:/app.db", **options):
        store = open_store(url, clock, target=target, create=True, **options)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened(new_id=Counter())


@pytest.fixture
def limits():
    return {"run": Window(6, 1800), "system": Window(10, 3600)}


@pytest.fixture
def plan():
    def plan(run="r1", to="DONE", cost=2, key=1):
        change = SetCells("runs", {"id": key}, {"state": "dnoe"}, {"state": to})
        return Plan(
            target="sqlite:/app.db",
            run=run,
            rules=("state@1",),
            changes=(change,),
            tier=Tier.GUARDED,
            cost=cost,
            verify=(Verify("confirm"), Verify("get_run", 200)),
            notes=("a note",),
        )

    return plan


@pytest.fixture
def kinds():
    return lambda store: [entry.kind for entry in store.journal.entries()]


@pytest.fixture
def together():
    """Run the same script in several processes that begin at the same moment."""

    def together(script: str, arguments: list[list[str]]) -> list[str]:
        gate = "import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        processes = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", script.replace("# gate", gate), *extra],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for extra in arguments
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(processes)
        return answers

    return together
