"""The transactions that all rooms of a store share."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from doctor.errors import SourceError
from doctor.store.anchor import Anchor, Head
from doctor.store.choice import shown_url
from doctor.store.engine import beginning, in_our_words, is_in_transaction
from doctor.store.uptime import Uptime, no_uptime


class Session:
    """An engine, a clock, the uptime where it is known, and a source of ids.

    Within ``writing`` every room of this thread works in the one transaction; a write inside
    another one is undone alone when it fails.
    """

    def __init__(
        self,
        engine: Engine,
        url: str,
        target: str,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        anchor: Anchor,
        uptime: Callable[[], Uptime | None] = no_uptime,
    ) -> None:
        self.url = url
        self.target = target
        self.clock = clock
        self.new_id = new_id
        self.anchor = anchor
        self.uptime = uptime
        self._engine = engine
        self._open = threading.local()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Work in one transaction that holds the store's write lock; an exception undoes it."""
        outer = self._current()
        if outer is None:
            with self._transaction("IMMEDIATE") as connection:
                yield connection
            self._set_anchor()
        else:
            head = self._open.head
            try:
                self._check_alive(outer)
                with self._translated(), outer.begin_nested():
                    yield outer
            except BaseException:
                self._open.head = head
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Work on one snapshot, or within the transaction that is open in this thread."""
        outer = self._current()
        if outer is None:
            with self._transaction("DEFERRED") as connection:
                yield connection
        else:
            self._check_alive(outer)
            with self._translated():
                yield outer

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def size(self) -> int:
        """Return how many bytes of the store's file are in use."""
        with self.reading() as connection:
            count, free, page = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (count - free) * page

    def shrink(self) -> None:
        """Give free pages back to the file system where nobody else uses the store now."""
        with suppress(DBAPIError), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is not None:
                with suppress(sqlite3.Error):
                    raw.execute("VACUUM")

    def remember_head(self, head: Head) -> None:
        """Keep the journal's head until the open transaction is committed."""
        self._open.head = head

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        self._open.head = None
        with (
            self._translated(),
            self._engine.connect() as connection,
            beginning(connection, begin),
        ):
            self._open.connection = connection
            try:
                yield connection
                self._check_alive(connection)
            finally:
                self._open.connection = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise in_our_words(error, self.url) from None

    def _check_alive(self, connection: Connection) -> None:
        if not is_in_transaction(connection):
            raise SourceError(f"the store {shown_url(self.url)!r} undid what was being written")

    def _set_anchor(self) -> None:
        if self._open.head is not None:
            self.anchor.drop(self._open.head)

    def _current(self) -> Connection | None:
        connection: Connection | None = getattr(self._open, "connection", None)
        return connection
