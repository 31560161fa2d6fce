"""The conversation with one child: what goes wrong in the middle of it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

import pytest

from doctor.executors.frames import pack, take
from doctor.executors.link import Link, NoAnswerError, TreatingError
from doctor.executors.spawn import command_of_child
from tests.support.deaths import program

LARGE = {"text": "x" * 200_000}


@pytest.fixture
def links(tmp_path):
    """Make links over a program; they are closed at the end."""
    made: list[Any] = []

    def make(source):
        made.append(Link(program(tmp_path, source, f"child-{len(made)}")))
        return made[-1]

    yield make
    for one in made:
        one.close()


def soon(seconds=0.2):
    return time.monotonic() + seconds


def ready(link):
    link.start()
    end = soon(5)
    while not link.is_ready and time.monotonic() < end:
        link.listen()
        time.sleep(0.005)
    assert link.is_ready


def test_a_child_that_does_not_read_is_given_up_at_the_deadline(links):
    link = links('say({"hello": True}); time.sleep(60)')
    ready(link)
    with pytest.raises(NoAnswerError, match="in time"):
        link.ask(LARGE, "key", soon())
    assert link.pid is None


def test_a_child_that_closed_its_ear_is_given_up_at_once(links):
    link = links('os.close(0); say({"hello": True}); time.sleep(60)')
    ready(link)
    start = time.monotonic()
    with pytest.raises(NoAnswerError, match="before it was asked"):
        link.ask({}, "key", soon(5))
    assert time.monotonic() - start < 2


def test_a_question_that_was_cut_off_while_the_child_started_costs_the_child(links):
    link = links("time.sleep(60)")
    with pytest.raises(NoAnswerError, match="starting"):
        link.ask(LARGE, "key", soon())
    first = link.pid
    with pytest.raises(NoAnswerError, match="starting"):
        link.ask({}, "key", soon())
    assert link.pid not in (None, first)


def test_a_child_that_starts_for_too_long_is_replaced(links, monkeypatch):
    monkeypatch.setattr("doctor.executors.link.START_SECONDS", 0.1)
    link = links("time.sleep(60)")
    with pytest.raises(NoAnswerError, match="in time"):
        link.ask({}, "key", soon())


def test_questions_that_are_never_answered_are_few(links):
    link = links("time.sleep(60)")
    for number in range(70):
        with pytest.raises(NoAnswerError):
            link.ask({}, number, soon(0.001))
    assert link.waiting == 64


def test_late_answers_are_few(links):
    link = links(
        "first = [hear() for _ in range(70)]\n"
        'say({"hello": True})\nfor one in first: advise(one, "stop")\nadvise(hear())\nhear()\n'
    )
    for number in range(70):
        with suppress(NoAnswerError):
            link.ask({}, number, soon(0.001))
    assert link.ask({}, "last", soon(10))["advice"] == {"action": "stop"}
    assert link.waiting <= 64


def test_notes_wait_until_the_child_takes_them(links):
    link = links('say({"hello": True}); time.sleep(0.5); advise(hear()); hear()')
    ready(link)
    for number in range(400):
        link.notes.append({"note": "n", "text": "x" * 2000, "number": number})
        link.flush()
    assert link.notes
    assert link.ask({}, "key", soon(10))["id"] == 1


def test_a_child_that_treats_is_not_told_anything_and_not_killed(links, tmp_path):
    file = tmp_path / "ended"
    link = links(
        'say({"hello": True})\nquestion = hear()\nsay({"id": question["id"], "treating": True})\n'
        f"hear(); time.sleep(1); open({str(file)!r}, 'w').close()\n"
    )
    with pytest.raises(TreatingError):
        link.ask({"run": "r1"}, "key", soon(0.5))
    assert link.treated_run == "r1"
    link.notes.append({"note": "n"})
    link.flush()
    assert link.notes
    link.close(0.01)
    end = soon(10)
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert file.exists()


def test_an_answer_that_comes_twice_is_heard_once(links):
    link = links('one = hear(); advise(one); advise(one); advise(hear(), "wait"); hear()')
    assert link.ask({}, "a", soon(5))["advice"] == {"action": "stop"}
    assert link.ask({}, "b", soon(5))["advice"] == {"action": "wait"}


def test_a_forked_process_forgets_children_without_touching_them(links):
    link = links("time.sleep(60)")
    link.start()
    first = link.pid
    link.kill()
    link.kill()
    link.start()
    second = link.pid
    link.forget()
    assert link.pid is None
    os.kill(second, 9)
    assert first != os.waitpid(second, 0)[0]


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xff", b"\0\0\0\2[]", b"\0\0\0\1{", b"\0\1\0\0" + b"[" * 65536, b"\0\0\0\1\xff"],
)
def test_a_frame_that_is_none_is_refused(data):
    with pytest.raises(ValueError):
        take(bytearray(data))


def test_frames_come_whole_or_not_at_all():
    frame = pack({"a": "ä"})
    assert take(bytearray(frame[:3])) is None
    assert take(bytearray(frame[:-1])) is None
    buffer = bytearray(frame + b"rest")
    assert take(buffer) == {"a": "ä"}
    assert buffer == b"rest"


def test_without_an_interpreter_there_is_no_child(monkeypatch):
    monkeypatch.setattr("sys.executable", "")
    with pytest.raises(ValueError, match="interpreter"):
        command_of_child()
