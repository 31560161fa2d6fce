"""One child process that gets one request and gives one answer, or is killed in time."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Final

from doctor.inference.port import EngineUnavailable

_CHUNK: Final = 1 << 16


class Child:
    """A child that was started with ``command`` and waits for its request on stdin.

    It has its own session, so that a kill reaches whatever it started; stderr is thrown away.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._unread = False
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise EngineUnavailable(f"the rule engine could not be started: {error}") from error

    @property
    def waits(self) -> bool:
        """Whether the child is still there."""
        return self._process.poll() is None

    def ask(self, request: bytes, *, seconds: float, limit: int) -> bytes:
        """Return what the child answers, and end it.

        Raises:
            EngineUnavailable: it took more than ``seconds`` of wall time, answered more than
                ``limit`` bytes, or ended otherwise than with exit code 0.
        """
        deadline = time.monotonic() + seconds
        try:
            answer = self._exchange(request, deadline, limit)
            code = self._process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise EngineUnavailable(f"the rule engine gave no answer in {seconds:g} s") from error
        finally:
            self.close()
        if code:
            raise EngineUnavailable(f"the rule engine {_ending(code)}{_last_words(answer)}")
        if self._unread:
            raise EngineUnavailable("the rule engine did not read its whole request")
        return answer

    def close(self) -> None:
        """Kill the child if it is still there, and take its remains away."""
        process = self._process
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _exchange(self, request: bytes, deadline: float, limit: int) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - both are pipes
        assert stdout is not None  # noqa: S101
        os.set_blocking(stdin.fileno(), False)
        left = memoryview(request)
        answer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    if key.fileobj is stdout:
                        chunk = os.read(stdout.fileno(), _CHUNK)
                        answer += chunk
                        if len(answer) > limit:
                            raise EngineUnavailable(
                                f"the rule engine answered more than {limit} bytes"
                            )
                        done = not chunk
                    else:
                        left = self._write(stdin.fileno(), left)
                        done = not left
                    if done:
                        selector.unregister(key.fileobj)
                        if key.fileobj is stdin:
                            stdin.close()
        return bytes(answer)

    def _write(self, descriptor: int, data: memoryview) -> memoryview:
        try:
            return data[os.write(descriptor, data[:_CHUNK]) :]
        except BrokenPipeError:  # how it ended says more, so that is looked at first
            self._unread = True
            return data[:0]


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _last_words(answer: bytes) -> str:
    lines = answer[-400:].decode("ascii", "replace").splitlines()
    return f": {lines[-1][1:].strip()[:200]}" if lines and lines[-1].startswith("!") else ""
