"""The guest's side of the ports: every call is a question that Doctor answers through its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast, get_type_hints

from doctor.guests.message import PORTS, Outline
from doctor.guests.wire import decode, encode
from doctor.model.ports import Api, Code, Log, LogLine, ReadDoor
from doctor.model.system import System

Ask = Callable[[dict[str, Any]], Any]


class RemotePort:
    """A port of the system whose methods are questions; SourceError comes through."""

    def __init__(self, ask: Ask, port: str, **known: str):
        self._ask = ask
        self._port = port
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = None if name.startswith("_") else getattr(PORTS[self._port], name, None)
        if method is None:
            raise AttributeError(f"a {PORTS[self._port].__name__} has no {name!r}")
        signature, hints = inspect.signature(method), get_type_hints(method)

        def call(*positional: Any, **named: Any) -> Any:
            given = signature.bind(self, *positional, **named).arguments
            given.pop("self")
            asked = {one: encode(value) for one, value in given.items()}
            return decode(
                hints["return"], self._ask({"port": self._port, "method": name, "with": asked})
            )

        return call


class RemoteLog:
    """A log whose lines come in portions."""

    def __init__(self, ask: Ask, port: str, number: int, name: str):
        self._ask = ask
        self._place = {"port": port, "number": number}
        self.name = name

    def lines(self) -> Iterator[LogLine]:
        """Yield the lines in order."""
        handle = self._ask({**self._place, "method": "lines", "with": {}})
        while portion := self._ask({"port": "lines", "number": handle, "method": "", "with": {}}):
            yield from decode(tuple[LogLine, ...], portion)


def remote_system(known: Outline, ask: Ask) -> System:
    """Return the system as a guest sees it."""
    return System(
        identity=known.identity,
        database=cast("ReadDoor", RemotePort(ask, "database")) if known.database else None,
        api=None if known.api is None else cast("Api", RemotePort(ask, "api", origin=known.api)),
        code=cast("Code", RemotePort(ask, "code")) if known.code else None,
        logs=_logs(ask, "logs", known.logs),
        reports=_logs(ask, "reports", known.reports),
        layout=known.layout,
        layout_reason=known.layout_reason,
        route=known.route,
        route_reason=known.route_reason,
        run_prefix=known.run_prefix,
        mappings=known.mappings,
        terminal=known.terminal,
    )


def _logs(ask: Ask, port: str, names: tuple[str, ...]) -> tuple[Log, ...]:
    return tuple(RemoteLog(ask, port, number, name) for number, name in enumerate(names))
