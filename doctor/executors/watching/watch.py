"""Runs a command, reads its output along, and ends or pauses it when it turns in a circle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from doctor.executors.advice import Advice
from doctor.executors.watching.judge import Judge
from doctor.executors.watching.lines import LineReader, Sighting
from doctor.executors.watching.pump import Pump
from doctor.executors.watching.scanner import Scanner
from doctor.model.rule import Signature

Policy = Literal["end", "pause", "report"]
ENDED = 3
NOT_FOUND, NOT_RUNNABLE = 127, 126
GRACE = 5.0
_OUT, _ERR = 1, 2
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_FROM_KEYS = ("SIGINT", "SIGQUIT")


@dataclass(frozen=True, slots=True)
class Watch:
    """How to watch.

    Attributes:
        policy: what to do about a loop.
        judge: who is asked about each failure that the command prints.
        say: how to tell a person.
        holds: whether the command stands still while the judge thinks.
        grace: seconds between asking a command to end and killing it.
    """

    policy: Policy
    judge: Judge
    say: Callable[[str], None]
    holds: bool = False
    grace: float = GRACE


def watch(command: Sequence[str], signatures: Iterable[Signature], how: Watch) -> int:
    """Run a command to its end and return its exit code, negative for a signal.

    Where Doctor ended it: 3. Where it could not be started: 127 or 126.
    """
    signatures = tuple(signatures)
    is_own_group = not sys.stdin.isatty() if sys.stdin is not None else True
    try:
        process = subprocess.Popen(
            list(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0 if is_own_group else None,
        )
    except FileNotFoundError:
        how.say(f"there is no command {command[0]!r}")
        return NOT_FOUND
    except OSError as error:
        how.say(f"cannot run {command[0]!r}: {error.strerror}")
        return NOT_RUNNABLE
    ward = _Ward(process, how, is_own_group=is_own_group)
    scanner = Scanner({one: LineReader(signatures) for one in (_OUT, _ERR)}, ward.heard)
    assert process.stdout is not None  # noqa: S101 - both are pipes
    assert process.stderr is not None  # noqa: S101
    targets = {process.stdout.fileno(): _OUT, process.stderr.fileno(): _ERR}
    with _signals(ward.send, is_own_group=is_own_group):
        Pump(process, scanner.give).run(targets, ward.tick)
        code = ward.wait()
    scanner.close(1.0)
    for pipe in (process.stdout, process.stderr):
        with suppress(OSError):
            pipe.close()
    if scanner.failure:
        how.say(f"watching ended early: {scanner.failure}")
    if scanner.left_out:
        how.say(f"{scanner.left_out:,} bytes came too fast to be looked at")
    return ENDED if ward.was_ended else code


class _Ward:
    """The command that is watched, and what was decided about it."""

    def __init__(self, process: subprocess.Popen[bytes], how: Watch, *, is_own_group: bool):
        self._process = process
        self._how = how
        self._is_own_group = is_own_group
        self._advice: Advice | None = None
        self._is_settled = False
        self._kill_at: float | None = None
        self.was_ended = False

    def heard(self, one: Sighting) -> None:
        """Ask Doctor about a failure that the command printed."""
        if self._advice is not None:
            return
        advice = self._asked(one)
        if advice.is_final:
            self._advice = advice
            self.tick()
        elif advice.action == "fixed":
            self._how.say(f"repaired while it ran: {advice.reason}")

    def _asked(self, one: Sighting) -> Advice:
        if not self._how.holds:
            return self._how.judge(one)
        self.send(signal.SIGSTOP)
        try:
            return self._how.judge(one)
        finally:
            self.send(signal.SIGCONT)

    def tick(self) -> None:
        """Carry out what was decided; called often."""
        if self._advice is not None and not self._is_settled:
            self._is_settled = True
            self._settle(self._advice)
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self._kill_at = None
            self.send(signal.SIGKILL)

    def send(self, number: int) -> None:
        """Send a signal to the command, where it is alone in its group to all of that."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if self._is_own_group:
                os.killpg(self._process.pid, number)
            else:
                os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Wait for the end of the command, which may have closed its output before."""
        while True:
            self.tick()
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(0.1)

    def _settle(self, advice: Advice) -> None:
        done = {"end": "ending the command", "pause": "pausing the command", "report": "a loop"}
        self._how.say(f"{done[self._how.policy]}: {advice.reason}")
        for line in advice.receipt.tried if advice.receipt else ():
            self._how.say(f"  {line}")
        if self._how.policy == "pause":
            self.send(signal.SIGSTOP)
            mark = "-" if self._is_own_group else ""
            self._how.say(f"let it go on with: kill -CONT {mark}{self._process.pid}")
        elif self._how.policy == "end":
            self.was_ended = True
            self.send(signal.SIGTERM)
            self._kill_at = time.monotonic() + self._how.grace


@contextmanager
def _signals(send: Callable[[int], None], *, is_own_group: bool) -> Any:
    """Pass signals on while the command runs; those of the keyboard reach its own terminal."""
    before: dict[int, Any] = {}
    passed = (*_PASSED_ON, *(_FROM_KEYS if is_own_group else ()))
    try:
        for name in passed:
            number = getattr(signal, name)
            before[number] = signal.signal(number, lambda got, _: send(got))
        for name in () if is_own_group else _FROM_KEYS:
            number = getattr(signal, name)
            before[number] = signal.signal(number, lambda _got, _frame: None)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_as(code: int) -> int:
    """End this process by the signal that ended the command; else return its exit code."""
    if code >= 0:
        return code
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    sys.stdout.flush()
    with suppress(OSError, ValueError):
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return 128 - code
