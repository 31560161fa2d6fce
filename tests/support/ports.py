"""A real SQLite file, a real server on loopback, and models as values, for tests of the ports."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from doctor.model.evidence import Fact
from doctor.model.ports import Log, LogLine
from doctor.model.schema import CodeColumn, CodeModels, CodeTable, EnumValues
from doctor.system.database import open_read_door
from doctor.system.database.reading import CoreReadDoor

Serve = Callable[[socket.socket], None]


def make_database(path: Path, *statements: str) -> Path:
    """Create a SQLite file by the statements."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def read_door(path: Path) -> CoreReadDoor:
    """Open the read door of a file."""
    door = open_read_door(f"sqlite:///{path}")
    assert isinstance(door, CoreReadDoor)
    return door


def dump(path: Path) -> list[str]:
    """Return the whole database as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return list(connection.iterdump())


def query(path: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    """Ask the database file directly."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


@contextmanager
def server(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """Run ``serve`` with each accepted connection, after its request; yield the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    accepted: list[socket.socket] = []

    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            serve(connection)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in accepted:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def read_request(connection: socket.socket) -> bytes:
    """Return the head of one request."""
    request = b""
    while b"\r\n\r\n" not in request and (part := connection.recv(65_536)):
        request += part
    return request


def answering(
    status: int = 200, body: bytes = b"{}", seen: list[bytes] | None = None, head: bytes = b""
) -> Serve:
    """Return a server side that answers every request the same way."""

    def serve(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        length = str(len(body)).encode()
        connection.sendall(
            b"HTTP/1.1 %d X\r\nContent-Length: %b\r\n%b\r\n%b" % (status, length, head, body)
        )

    return serve


class Lines:
    """A log that lies in memory."""

    def __init__(self, name: str, *texts: str, failing: Exception | None = None):
        self.name = name
        self.texts = texts
        self.failing = failing
        self.read = 0

    def lines(self) -> Iterator[LogLine]:
        """Yield the texts, then raise what the log was given to raise."""
        self.read += 1
        for number, text in enumerate(self.texts, start=1):
            yield LogLine(number, text, None, float(number))
        if self.failing is not None:
            raise self.failing


def in_memory(name: str, *texts: str, failing: Exception | None = None) -> Log:
    """Return a log of these lines."""
    return Lines(name, *texts, failing=failing)


def fields(facts: object) -> list[dict[str, object]]:
    """Return the fields of facts."""
    assert isinstance(facts, list | tuple)
    return [dict(one.fields) for one in facts if isinstance(one, Fact)]


def enum_column(name: str, *values: str, aliases: tuple[str, ...] = ()) -> CodeColumn:
    """Return a column with an enum that is named for it."""
    enum = EnumValues(f"{name.title()}Enum", values, "models.py:1", aliases)
    return CodeColumn(name, "Enum", nullable=False, enum=enum)


def code(*tables: tuple[str, tuple[CodeColumn, ...]]) -> CodeModels:
    """Return models of these tables."""
    return CodeModels(
        tuple(CodeTable(name, None, columns, "models.py:1") for name, columns in tables)
    )
