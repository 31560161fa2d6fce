"""The process of one plugin: loads it behind the fence and serves its probes and fixers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from itertools import islice
from typing import Any

from doctor.errors import DoctorError, SourceError
from doctor.guests import fence
from doctor.guests.doors import remote_system
from doctor.guests.loading import load_plugin, shown
from doctor.guests.message import Description, GuestProbeKind, Outline
from doctor.guests.wire import decode, encode, frame, pack, take
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Fact, Gap
from doctor.model.system import Proposal, Run

CAP = 1 << 26
MOST = 100_001  # one more than Doctor takes in, which then says so
PORTION = 1 << 18
_CHUNK = 1 << 16


class Line:
    """The guest's end of the two pipes."""

    def __init__(self, read: int, write: int):
        self._read = read
        self._write = write
        self._buffer = bytearray()

    def say(self, document: Mapping[str, Any]) -> None:
        """Send a message whole."""
        self._send(pack(document))

    def say_items(self, items: Sequence[str]) -> None:
        """Send items that are JSON already."""
        self._send(frame(f'{{"items":[{",".join(items)}]}}'))

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._write, left) :]

    def hear(self) -> dict[str, Any] | None:
        """Return the next message, None when nobody is there any more."""
        while (document := take(self._buffer, CAP)) is None:
            chunk = os.read(self._read, _CHUNK)
            if not chunk:
                return None
            self._buffer += chunk
        return document

    def ask(self, question: dict[str, Any]) -> Any:
        """Return what Doctor's port answers; raises SourceError where it cannot be read."""
        self.say({"ask": question})
        answer = self.hear()
        if answer is None:
            raise SystemExit(0)
        if "error" in answer:
            raise SourceError(answer["error"])
        return answer["value"]


class Guest:
    """One loaded plugin; ``allow`` is told how many seconds the next answer may take."""

    def __init__(
        self,
        line: Line,
        name: str,
        value: str,
        allow: Callable[[float], None] = fence.allow_seconds,
    ):
        self._line = line
        self._allow = allow
        self._entry = metadata.EntryPoint(name, value, "doctor.plugins")
        self._brought: dict[str, Any] = {}

    def serve(self) -> None:
        """Answer until nobody is there any more."""
        while (request := self._line.hear()) is not None:
            self._allow(request.get("seconds", 1.0))
            try:
                self._do(request)
            except SourceError as error:
                self._line.say({"failed": str(error), "source": True})
            except BaseException as error:  # noqa: BLE001 - a plugin may raise whatever there is
                self._line.say({"failed": shown(error)[:2000]})
            else:
                self._line.say({"done": True})

    def _do(self, request: Mapping[str, Any]) -> None:
        if request["do"] == "describe":
            self._brought = load_plugin(self._entry)
            self._line.say({"items": [encode(self._description())]})
            return
        system = remote_system(decode(Outline, request["system"]), self._line.ask)
        if request["do"] == "collect":
            probe = self._one("doctor_probes", request["name"])
            found = iter(probe.collect(system, Run(request["run"])))
            self._send(found, (Fact, Gap))
        else:
            fixer = self._one("doctor_fixers", request["name"])
            diagnosis = decode(Diagnosis, request["diagnosis"])
            self._send(iter(fixer.propose(diagnosis, system)), (Proposal,))

    def _send(self, found: Any, nouns: tuple[type, ...]) -> None:
        """Send what comes; what came before something fails is sent too."""
        items: list[str] = []
        size = 0
        try:
            for one in islice(found, MOST):
                if not isinstance(one, nouns):
                    raise TypeError(f"it brought {one!r:.100}, which it does not declare")
                items.append(json.dumps([type(one).__name__, encode(one)]))
                size += len(items[-1])
                if size > PORTION:
                    self._line.say_items(items)
                    items, size = [], 0
        finally:
            if items:
                self._line.say_items(items)

    def _one(self, hook: str, name: str) -> Any:
        for one in self._brought.get(hook, ()):
            if one.name == name:
                return one
        raise DoctorError(f"it does not bring {name!r} any more")

    def _description(self) -> Description:
        many = self._brought
        return Description(
            tuple(sorted(many)),
            tuple(
                GuestProbeKind(str(one.name), tuple(one.kinds))
                for one in many.get("doctor_probes", ())
            ),
            tuple(str(one.name) for one in many.get("doctor_fixers", ())),
            tuple(str(one) for one in many.get("doctor_rule_packs", ())),
            "doctor_commands" in many,
        )


def main(arguments: list[str]) -> None:
    """Serve on the two descriptors that ``arguments`` name, then end without ado."""
    parent = os.getppid()
    line = Line(int(arguments[0]), int(arguments[1]))
    first = line.hear()
    if first is not None:
        fence.end_with(parent)
        fence.put_up_fence()
        sys.path[:] = first["path"]
        Guest(line, first["name"], first["value"]).serve()
    os._exit(0)
