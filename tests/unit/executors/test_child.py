"""The child's side of the pipe."""

from __future__ import annotations

import os

import pytest

from doctor.executors import child
from doctor.executors.child import Child, Line
from doctor.executors.frames import pack, take


class Pipes:
    """Two pipes; the test is the executor."""

    def __init__(self):
        self.their_read, self.write = os.pipe()
        self.read, self.their_write = os.pipe()
        self.open = {self.their_read, self.write, self.read, self.their_write}

    def say(self, **document):
        os.write(self.write, pack(document))

    def heard(self):
        buffer = bytearray(os.read(self.read, 1 << 16))
        found = []
        while (frame := take(buffer)) is not None:
            found.append(frame)
        return found

    def close(self, *descriptors):
        for one in descriptors or tuple(self.open):
            os.close(one)
            self.open.discard(one)


@pytest.fixture
def pipes():
    found = Pipes()
    yield found
    found.close()


@pytest.fixture
def line(pipes):
    return Line(pipes.their_read, pipes.their_write, os.getppid())


def test_a_repair_begins_only_with_leave_and_notes_in_between_are_kept(pipes, line):
    pipes.say(note="succeeded", run="r1")
    pipes.say(go=7)
    assert line.may_write(7)
    assert pipes.heard() == [{"id": 7, "treating": True}]
    assert line.hear() == {"note": "succeeded", "run": "r1"}


def test_without_an_executor_no_repair_begins(pipes, line):
    pipes.close(pipes.write)
    assert not line.may_write(7)
    served = Child(line, os.getppid())
    with pytest.raises(SystemExit):
        served.on_step("intent")
    served.on_step("commit")
    served.close()


def test_a_child_whose_parent_changed_ends(pipes, monkeypatch):
    monkeypatch.setattr(child, "IDLE_SECONDS", 0.01)
    assert Line(pipes.their_read, pipes.their_write, -1).hear() is None


def test_a_child_that_is_idle_goes_on(pipes, line, monkeypatch):
    monkeypatch.setattr(child, "IDLE_SECONDS", 0.05)
    import threading

    timer = threading.Timer(0.2, lambda: pipes.say(note="bye"))
    timer.start()
    assert line.hear() == {"note": "bye"}
    timer.join()
