"""A running guest: started in a session of its own, heard and ended from Doctor's side."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from doctor.guests.wire import pack, take

MESSAGE_CAP = 1 << 22
CALL_CAP = 1 << 24
PRINTED_CAP = 1 << 20
LAST_SECONDS = 0.5
_CHUNK = 1 << 16
_ROOT = str(Path(__file__).parents[2])
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from doctor.guests.child import main; main(sys.argv[2:])"
)
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR")


class BrokenError(Exception):
    """The process must be ended; the text says what it did."""


class Process:
    """One process and our ends of its pipes; ``printed`` is what it printed since ``begin``."""

    def __init__(self) -> None:
        theirs_in, self._write = os.pipe()
        self._read, theirs_out = os.pipe()
        self._stray, theirs_stray = os.pipe()
        self._owner = os.getpid()
        self._buffer = bytearray()
        self._received = 0
        self.printed = b""
        command = [sys.executable, "-P", "-B", "-u", "-c", _PROGRAM, _ROOT]
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs_in), str(theirs_out)],
                stdin=subprocess.DEVNULL,
                stdout=theirs_stray,
                stderr=theirs_stray,
                env=bare_environment(os.environ),
                pass_fds=(theirs_in, theirs_out),
                start_new_session=True,
            )
        except BaseException:
            self._let_go()
            raise
        finally:
            for one in (theirs_in, theirs_out, theirs_stray):
                os.close(one)
        os.set_blocking(self._write, False)
        self._poll = select.poll()
        for one in (self._read, self._stray):
            self._poll.register(one, select.POLLIN)

    @property
    def pid(self) -> int:
        """The number of the process and of its group."""
        return self._process.pid

    def begin(self) -> None:
        """Forget what was counted for the answer before."""
        self._received = 0
        self.printed = b""

    def say(self, document: Mapping[str, Any], end: float) -> None:
        """Send a message until ``end`` of the monotonic clock; raises BrokenError."""
        left = memoryview(pack(document))
        poll = select.poll()
        poll.register(self._write, select.POLLOUT)
        while left:
            if not poll.poll(_milliseconds(end)):
                raise BrokenError("does not listen")
            try:
                left = left[os.write(self._write, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._ended(LAST_SECONDS)
                raise BrokenError("closed its line") from None

    def hear(self, end: float) -> dict[str, Any]:
        """Return the next message; raises BrokenError or WireError where there is none."""
        while (document := take(self._buffer, MESSAGE_CAP)) is None:
            ready = {one for one, _ in self._poll.poll(_milliseconds(end))}
            if not ready or time.monotonic() > end:
                raise BrokenError("gave no answer in time")
            if self._stray in ready:
                self._overhear()
            if self._read in ready:
                self._receive()
        return document

    def end(self) -> int | None:
        """Kill it with whatever it started; return how it had ended before, if it had."""
        if os.getpid() != self._owner:  # a fork of Doctor's process does not own the guest
            self._process.returncode = 0
            return None
        if self._process.returncode is not None:
            return None
        code = self._ended()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._let_go()
        return code

    def _receive(self) -> None:
        chunk = os.read(self._read, _CHUNK)
        if not chunk:
            self._ended(LAST_SECONDS)
            raise BrokenError("closed its line")
        self._received += len(chunk)
        if self._received > CALL_CAP:
            raise BrokenError(f"answered more than {CALL_CAP:,} bytes")
        self._buffer += chunk

    def _overhear(self) -> None:
        chunk = os.read(self._stray, _CHUNK)
        if not chunk:
            self._poll.unregister(self._stray)
        self.printed += chunk
        if len(self.printed) > PRINTED_CAP:
            raise BrokenError(f"printed more than {PRINTED_CAP:,} bytes")

    def _ended(self, patience: float = 0.0) -> int | None:
        """Return how it ended by itself; not reaped, so that its group's number stays its own."""
        until = time.monotonic() + patience
        while True:
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            found = os.waitid(os.P_PID, self._process.pid, how)
            if found is not None and found.si_pid:
                is_exit = found.si_code == os.CLD_EXITED
                return found.si_status if is_exit else -found.si_status
            if time.monotonic() >= until:
                return None
            time.sleep(0.002)

    def _let_go(self) -> None:
        for one in (self._write, self._read, self._stray):
            with suppress(OSError):
                os.close(one)


def bare_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a guest may know of the environment: no credential is among it."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT or name.startswith("LC_")
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def say_ending(code: int) -> str:
    """Return in words how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _milliseconds(end: float) -> float:
    return max(0.0, (end - time.monotonic()) * 1000)
