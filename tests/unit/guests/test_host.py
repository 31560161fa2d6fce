"""Doctor's side of a plugin's process: whatever becomes of Doctor, no guest outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doctor.guests.host import GuestError, Host
from doctor.guests.message import outline
from doctor.guests.wire import encode
from doctor.model.system import System
from tests.support import evil
from tests.support.paths import REPOSITORY

SCRIPT = """
import os, sys, time
sys.path[:0] = [{site!r}, {repository!r}]
from doctor.guests.host import Host
host = Host("evil", "evil_plugin", "evil")
host.describe()
print(host._process.pid, flush=True)
{more}
"""
HANGS = """
from doctor.guests.foreign import GuestProbe
from doctor.model.system import Run, System
host.seconds = 60
list(GuestProbe(host, "evil.probe", ()).collect(System("x"), Run("r")))
"""


def is_alive(pid):
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def is_gone(pid, seconds=5.0):
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(pid)


def line(process):
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a Doctor with one guest; it yields both."""
    started = []

    def begin(more, body="time.sleep(60)"):
        evil.install(tmp_path, "evil", evil.probe_module("evil", body))
        script = SCRIPT.format(site=str(tmp_path), repository=str(REPOSITORY), more=more)
        doctor = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        started.append(doctor)
        return doctor, int(line(doctor))

    yield begin
    for one in started:
        one.kill()
        one.wait()
        if one.stdout is not None:
            one.stdout.close()


def test_a_guest_ends_with_doctor(start):
    doctor, guest = start("")
    assert doctor.wait(10) == 0
    assert is_gone(guest)


def test_a_guest_that_hangs_ends_when_doctor_is_killed(start, figure):
    doctor, guest = start(HANGS)
    time.sleep(0.3)
    assert is_alive(guest)
    doctor.send_signal(signal.SIGKILL)
    begin = time.monotonic()
    assert is_gone(guest)
    figure(f"a hanging plugin outlives a killed Doctor by {time.monotonic() - begin:.1f} s")


def test_a_fork_of_doctor_does_not_end_its_guest(start):
    more = (
        "pid = os.fork()\nif pid == 0: host.end(); os._exit(0)\nos.waitpid(pid, 0)\n"
        "print('on', flush=True)\ntime.sleep(60)"
    )
    doctor, guest = start(more)
    assert line(doctor) == "on\n"
    assert is_alive(guest)


class Nobody:
    def __init__(self):
        self.asked = []

    def answer(self, question):
        self.asked.append(question)
        return {"value": None}


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    opened = []

    def make(module):
        (tmp_path / "evil_plugin.py").write_text(module)
        opened.append(Host("evil", "evil_plugin", "evil of evil"))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


ENDS = {
    b'{"ask": {}}': "talks nonsense: a question while nobody asked",
    b'{"ask": 5}': "talks nonsense: a message that means nothing",
    b'{"items": {}}': "talks nonsense: a message that means nothing",
    b'{"done": true}': "does not say what it brings",
}


@pytest.mark.parametrize("said", ENDS)
def test_a_plugin_that_speaks_for_its_process_is_found_out(host, said):
    module = (
        f"import os\ndata = {len(said).to_bytes(4, 'big') + said!r}\n"
        "for one in range(3, 250):\n    try: os.write(one, data)\n    except OSError: pass\n"
    )
    with pytest.raises(GuestError, match=ENDS[said]):
        host(module).describe()


def test_a_process_that_cannot_be_started_is_said(host, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    one = host("")
    one.warm()
    with pytest.raises(GuestError, match="the plugin evil of evil could not be started"):
        one.describe()
    assert one.strikes == 2


def test_what_a_plugin_prints_is_kept_for_those_who_try_it(host):
    one = host(evil.probe_module("evil", "print('hello')"))
    one.describe()
    request = {"do": "collect", "name": "evil.probe", "system": None, "run": "r"}
    with pytest.raises(GuestError) as caught:
        one.call(request, Nobody().answer)
    assert caught.value.is_own
    one.call({**request, "system": encode(outline(System("x")))}, Nobody().answer)
    assert one.printed == "hello\n"
    one.end()
    assert one.printed == "hello\n"
