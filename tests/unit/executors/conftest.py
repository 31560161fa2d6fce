from __future__ import annotations

import time

import pytest

from doctor.executors.breaker import Breaker
from doctor.executors.client import Hook
from doctor.executors.link import Link
from tests.support.deaths import answering


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Doctor keeps its state in the test's own folder, and finds no configuration there."""
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "state"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return tmp_path / "state"


@pytest.fixture
def hooks():
    """Make hooks over a command; they are closed at the end."""
    made = []

    def make(command=None, *, failures=3, clock=time.monotonic):
        hook = Hook(Link(command), clock=clock, breaker=Breaker(clock, failures=failures))
        made.append(hook)
        return hook

    yield make
    for hook in made:
        hook.close()


@pytest.fixture
def answers(hooks, tmp_path):
    """Make hooks whose child does a line of Python for each question."""
    return lambda body: hooks(answering(tmp_path, body))
