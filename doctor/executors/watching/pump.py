"""Passes the output of a command on, byte by byte the same, and shows it to whoever reads along."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

BLOCK = 1 << 18
PIPE = 1 << 20
QUIET_SECONDS = 1.0
_TICK = 0.1


class Pump:
    """Copies pipes to descriptors until the command has ended and its pipes are empty.

    ``seen`` gets the target's descriptor and each block, after it was written.
    """

    def __init__(self, process: subprocess.Popen[bytes], seen: Callable[[int, bytes], None]):
        self._process = process
        self._seen = seen

    def run(self, targets: dict[int, int], tick: Callable[[], None]) -> None:
        """Copy each source descriptor to its target; ``tick`` is called a few times a second.

        A process that the command left behind may hold the pipes: it is listened to until it is
        silent for a second.
        """
        poll = select.poll()
        for source in targets:
            with suppress(OSError):
                fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, PIPE)
            poll.register(source, select.POLLIN)
        left = dict(targets)
        quiet_since = time.monotonic()
        while left:
            ready = poll.poll(_TICK * 1000)
            tick()
            now = time.monotonic()
            if ready or self._process.poll() is None:
                quiet_since = now
            elif now - quiet_since > QUIET_SECONDS:
                break
            for source, _ in ready:
                if not self._copy(source, left[source]):
                    poll.unregister(source)
                    del left[source]

    def _copy(self, source: int, target: int) -> bool:
        block = os.read(source, BLOCK)
        if not block:
            return False
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(target, rest) :]
        except BrokenPipeError:  # nobody reads us any more: then nobody reads the command either
            os.close(source)
            return False
        self._seen(target, block)
        return True
