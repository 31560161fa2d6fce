"""The guest's side in this process, over real pipes, without the fence that would hold us too."""

from __future__ import annotations

import os
import sqlite3
import threading

import pytest

from doctor.errors import SourceError
from doctor.guests import fence
from doctor.guests.child import Guest, Line
from doctor.guests.doors import remote_system
from doctor.guests.message import Description, outline
from doctor.guests.porter import ROWS, Porter
from doctor.guests.wire import WireError, decode, encode, pack, take
from doctor.model.system import System
from doctor.runs import find_layout
from tests.support import evil
from tests.support.ports import code, enum_column, in_memory, make_database, read_door


class Codes:
    def models(self):
        return code(("runs", (enum_column("state", "READY"),)))


class Web:
    origin = "http://127.0.0.1:1"

    def get(self, path):
        raise SourceError(f"no answer to {path}")


@pytest.fixture
def system(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state BLOB)",
        "INSERT INTO runs VALUES ('r1', x'ff00'), ('r2', 'READY')",
    )
    door = read_door(path)
    return System(
        "x",
        database=door,
        api=Web(),
        code=Codes(),
        logs=(in_memory("a.log", *map(str, range(1200))),),
        reports=(in_memory("r", "x", failing=SourceError("unreadable")),),
        layout=find_layout(door, None, None, "runs"),
    )


@pytest.fixture
def remote(system):
    """The system as a guest sees it, its questions answered by a porter."""
    porter = Porter(system)

    def ask(question):
        answer = porter.answer(question)
        if "error" in answer:
            raise SourceError(answer["error"])
        return answer["value"]

    return remote_system(outline(system), ask)


def test_every_port_answers_a_guest_as_it_answers_doctor(system, remote):
    tables = remote.database.tables()
    assert tables == system.database.tables()
    assert remote.database.rows(tables[0], {"id": "r1"}, limit=5) == (
        {"id": "r1", "state": b"\xff\x00"},
    )
    not_in = remote.database.rows_not_in(tables[0], "id", ("r1",), within=None, limit=ROWS * 9)
    assert [row["id"] for row in not_in] == ["r2"]
    assert remote.database.count(tables[0], {}) == 2
    assert remote.code.models() == system.code.models()
    assert remote.layout == system.layout
    assert [one.text for one in remote.logs[0].lines()] == [str(one) for one in range(1200)]
    assert (remote.api.origin, remote.logs[0].name) == ("http://127.0.0.1:1", "a.log")


def test_what_cannot_be_read_is_a_source_error_on_both_sides(remote):
    with pytest.raises(SourceError, match="no answer to /x"):
        remote.api.get("/x")
    with pytest.raises(SourceError, match="unreadable"):
        list(remote.reports[0].lines())
    with pytest.raises(SourceError, match="cannot be answered"):
        remote.database.count(remote.database.tables()[0], {"nothing": 1})


def test_a_port_has_its_own_methods_only(remote):
    with pytest.raises(AttributeError, match="a ReadDoor has no 'transaction'"):
        remote.database.transaction()
    with pytest.raises(AttributeError):
        remote.api._secret()


@pytest.mark.parametrize(
    "question",
    [
        {"port": "database", "method": "__class__", "with": {}},
        {"port": "code", "method": "tables", "with": {}},
        {"port": "store", "method": "tables", "with": {}},
        {"port": "database", "method": "count", "with": {"table": [], "where": {"m": {}}}},
    ],
)
def test_a_question_that_no_port_has_is_nonsense(system, question):
    with pytest.raises(WireError):
        Porter(system).answer(question)


@pytest.mark.parametrize("question", [{}, {"port": [], "method": "x", "with": 5}])
def test_a_malformed_question_gets_an_error(system, question):
    assert "cannot be answered" in Porter(system).answer(question)["error"]


def test_only_so_many_logs_are_read_in_one_call(system):
    porter = Porter(system)
    question = {"port": "logs", "number": 0, "method": "lines", "with": {}}
    for number in range(64):
        assert porter.answer(question) == {"value": number}
    with pytest.raises(WireError, match="more than 64 logs"):
        porter.answer(question)


class Conversation:
    """A Guest in a thread, at the other end of two pipes."""

    def __init__(self, name):
        theirs, self.write = os.pipe()
        self.read, out = os.pipe()
        self.seconds: list[float] = []
        self.buffer = bytearray()
        guest = Guest(Line(theirs, out), name, f"{name}_plugin", self.seconds.append)
        self.thread = threading.Thread(target=guest.serve)
        self.thread.start()

    def say(self, **document):
        os.write(self.write, pack(document))

    def hear(self):
        while (found := take(self.buffer, 1 << 24)) is None:
            self.buffer += os.read(self.read, 65_536)
        return found

    def close(self):
        os.close(self.write)
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def talk(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    opened = []

    def start(name, module):
        (tmp_path / f"{name}_plugin.py").write_text(module)
        opened.append(Conversation(name))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_guest_says_what_it_brings_and_looks_when_it_is_asked(talk, system):
    guest = talk("inner", evil.probe_module("inner", "for _ in range(3): yield Gap('x', 'y')"))
    guest.say(do="describe", seconds=9.0)
    description = decode(Description, guest.hear()["items"][0])
    assert (description.hooks, description.probes[0].name) == (("doctor_probes",), "inner.probe")
    assert guest.hear() == {"done": True}
    asked = {"do": "collect", "name": "inner.probe", "system": encode(outline(system)), "run": "r"}
    guest.say(**asked)
    nouns = [one[0] for one in guest.hear()["items"]]
    assert (nouns, guest.hear()) == (["Gap", "Gap", "Gap", "Fact"], {"done": True})
    guest.say(**{**asked, "name": "other"})
    assert guest.hear() == {
        "failed": "doctor.errors.DoctorError: it does not bring 'other' any more"
    }
    assert guest.seconds == [9.0, 1.0, 1.0]


def test_what_came_before_a_failure_is_sent_and_a_source_error_is_told_apart(talk, system):
    body = "yield Gap('x', 'y')\nfrom doctor import SourceError\nraise SourceError('locked')"
    guest = talk("locked", evil.probe_module("locked", body))
    guest.say(do="describe")
    guest.hear(), guest.hear()
    asked = {"do": "collect", "name": "locked.probe", "system": encode(outline(system)), "run": "r"}
    guest.say(**asked)
    assert [one[0] for one in guest.hear()["items"]] == ["Gap"]
    assert guest.hear() == {"failed": "locked", "source": True}


def test_a_guest_asks_doctor_for_what_it_reads(talk, system):
    body = "system.database.count(system.database.tables()[0], {})"
    guest = talk("asking", evil.probe_module("asking", body))
    guest.say(do="describe")
    guest.hear(), guest.hear()
    asked = {"do": "collect", "name": "asking.probe", "system": encode(outline(system)), "run": "r"}
    guest.say(**asked)
    porter = Porter(system)
    for method in ("tables", "count"):
        question = guest.hear()["ask"]
        assert question["method"] == method
        guest.say(**porter.answer(question))
    assert [one[0] for one in guest.hear()["items"]] == ["Fact"]
    assert guest.hear() == {"done": True}


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("open", ("/x", "w", os.O_WRONLY)),
        ("open", ("/x", None, os.O_RDONLY | os.O_CREAT)),
        ("sqlite3.connect", ("/x.db",)),
        ("subprocess.Popen", ()),
        ("os.fork", ()),
        ("os.forkpty", ()),
        ("os.remove", ()),
        ("shutil.rmtree", ()),
        ("os.kill", ()),
    ],
)
def test_the_fence_refuses_processes_and_changes(event, arguments):
    with pytest.raises(PermissionError, match="a plugin"):
        fence.refuse(event, arguments)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("open", ("/x", "r", os.O_RDONLY | os.O_CLOEXEC)),
        ("open", (os.devnull, "w", os.O_WRONLY)),
        ("open", ("/x", "r", None)),
        ("sqlite3.connect", (":memory:",)),
        ("sqlite3.connect", ("file:/x.db?mode=ro",)),
        ("import", ("x",)),
        ("socket.connect", ()),
    ],
)
def test_the_fence_lets_a_plugin_look(event, arguments):
    fence.refuse(event, arguments)


def test_sqlite_itself_is_content_with_what_the_fence_allows(tmp_path):
    path = make_database(tmp_path / "a.db", "CREATE TABLE t (a)")
    fence.refuse("sqlite3.connect", (f"file:{path}?mode=ro",))
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()
