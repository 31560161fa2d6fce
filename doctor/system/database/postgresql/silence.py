"""A server that says nothing is given up: its own timeouts hold only while it is running."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


def connecting(seconds: float) -> Any:
    """Return what connects like the driver; each wait for the server ends after ``seconds``."""
    import psycopg

    class ImpatientConnection(psycopg.Connection[Any]):
        """A connection that is cut where the server is silent for too long."""

        def wait(self, *arguments: Any, **options: Any) -> Any:
            with _cut_after(self.pgconn.socket, seconds):
                return super().wait(*arguments, **options)

    return ImpatientConnection.connect


@contextmanager
def _cut_after(descriptor: int, seconds: float) -> Iterator[None]:
    """Shut the socket down after ``seconds``, unless what is inside has ended."""

    def cut() -> None:
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:
            one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
