"""Guarded YAML: text becomes nodes with positions, or problems; never a crash, never a surprise.

Read from the event stream, so nothing is built before it is checked. What YAML offers beyond plain
data (anchors, aliases, tags, merge keys, duplicate and complex keys) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from doctor.rulebook.guard import DEEPEST, RefusedError, clean_text
from doctor.rulebook.nodes import Items, Node, Place, Table, Text
from doctor.rulebook.problem import Sheet, brief

MOST_NODES = 50_000
MOST_DOCUMENTS = 1_000
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def read(content: str | bytes, sheet: Sheet) -> tuple[Node, ...]:
    """Read the documents of one file; what is wrong goes to ``sheet``.

    A document of which a part had to be left out is left out itself.
    """
    try:
        text = clean_text(content)
    except RefusedError as error:
        sheet.report(error.place, error.message, error.hint)
        return ()
    return tuple(_documents(text, sheet))


def _documents(text: str, sheet: Sheet) -> Iterator[Node]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    builder = _Builder(sheet, yaml)
    try:
        yield from builder.documents(loader.get_event)
    except _StopReadingError:
        return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        sheet.report(place, f"not valid YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        sheet.report((1, 1), f"not valid YAML: {type(error).__name__}")
    finally:
        loader.dispose()


class _StopReadingError(Exception):
    """The rest of the file is not worth or not safe to read."""


class _Frame:
    """A sequence or mapping whose end has not been seen."""

    __slots__ = ("key", "keys", "nodes", "place", "values")

    def __init__(self, place: Place, keys: dict[str, Text] | None) -> None:
        self.place = place
        self.keys = keys
        self.key: Text | None = None
        self.nodes: list[Node] = []
        self.values: dict[str, Node] = {}

    def close(self) -> Node:
        if self.keys is None:
            return Items(tuple(self.nodes), self.place)
        return Table(self.keys, self.values, self.place)


class _Builder:
    """Turns the events of one file into one root node per document."""

    def __init__(self, sheet: Sheet, yaml: Any) -> None:
        self.root: Node | None = None
        self._sheet = sheet
        self._frames: list[_Frame] = []
        self._nodes = 0
        self._documents = 0
        self._broken = False
        self._on: dict[type, Callable[[Any, Place], None]] = {
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start_document,
        }
        self._last = yaml.DocumentEndEvent
        self._is_scalar = yaml.ScalarEvent

    def documents(self, next_event: Callable[[], Any]) -> Iterator[Node]:
        """Yield the root of each document that was read whole.

        Two of three events are scalars, and all time goes here: they are handled in the loop.
        """
        is_scalar, last, handlers, frames = self._is_scalar, self._last, self._on, self._frames
        while (event := next_event()) is not None:
            kind = type(event)
            start = event.start_mark
            place = (start.line + 1, start.column + 1)
            if kind is not is_scalar:
                if (handle := handlers.get(kind)) is not None:
                    handle(event, place)
                elif kind is last and self.root is not None:
                    yield self.root
                continue
            self._nodes += 1
            if event.anchor is not None or event.tag is not None or self._nodes > MOST_NODES:
                self._refuse(event, place)
            node = self._text(event, place)
            frame = frames[-1] if frames else None
            if frame is None:
                self._add(node)
            elif frame.keys is None:
                frame.nodes.append(node)
            elif frame.key is None:
                frame.key = node
            else:
                self._enter(frame, frame.keys, frame.key, node)

    def _text(self, event: Any, place: Place) -> Text:
        text: str = event.value
        style = event.style
        if style == '"' and _UNUSABLE.search(text):  # only an escape can bring it in
            self._sheet.report(place, "the text holds a NUL or half a character")
        end, column = event.end_mark, place[1] + (1 if style else 0)
        exact = end.line + 1 == place[0] and end.column + 1 - place[1] == len(text) + 2 * (
            column - place[1]
        )
        return Text(text, not style, place, column if exact else 0)

    def _mapping(self, event: Any, place: Place) -> None:
        self._count(event, place)
        self._open(_Frame(place, {}))

    def _sequence(self, event: Any, place: Place) -> None:
        self._count(event, place)
        self._open(_Frame(place, None))

    def _open(self, frame: _Frame) -> None:
        self._frames.append(frame)
        if len(self._frames) > DEEPEST:
            self._stop(frame.place, f"nested deeper than {DEEPEST} levels")

    def _end(self, _event: Any, _place: Place) -> None:
        self._add(self._frames.pop().close())

    def _alias(self, _event: Any, place: Place) -> None:
        self._broken = True
        self._sheet.report(place, "aliases are not allowed", "write the value out")
        self._add(Text("", plain=True, place=place))

    def _start_document(self, event: Any, place: Place) -> None:
        self.root = None
        self._broken = False
        self._documents += 1
        if self._documents > MOST_DOCUMENTS:
            self._stop(place, f"more than {MOST_DOCUMENTS} documents in one file")
        if event.version or event.tags:
            self._stop(
                place, "YAML directives are not allowed", "remove the line that begins with %"
            )

    def _count(self, event: Any, place: Place) -> None:
        self._nodes += 1
        self._refuse(event, place)

    def _refuse(self, event: Any, place: Place) -> None:
        if self._nodes > MOST_NODES:
            self._stop(place, f"more than {MOST_NODES} values in one file", "split the file")
        if event.anchor is not None:
            self._sheet.report(place, f"anchors are not allowed: {brief('&' + event.anchor)}")
        # A verbatim tag may hold brackets, which the scan for depth does not follow.
        if event.tag is not None:
            self._stop(
                place, f"tags are not allowed: {brief(event.tag)}", "write the value without a tag"
            )

    def _add(self, node: Node) -> None:
        if not self._frames:
            self.root = None if self._broken else node
            return
        frame = self._frames[-1]
        if frame.keys is None:
            frame.nodes.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._enter(frame, frame.keys, frame.key, node)

    def _key(self, node: Node) -> Text:
        if isinstance(node, Text):
            return node
        self._broken = True
        self._sheet.report(node.place, "a key must be text, not a list or mapping")
        return Text("", plain=True, place=node.place)

    def _enter(self, frame: _Frame, keys: dict[str, Text], key: Text, node: Node) -> None:
        frame.key = None
        if key.plain and key.text == "<<":
            self._broken = True
            self._sheet.report(key.place, "merge keys are not allowed", "write the keys out")
        elif key.text in keys:
            first = keys[key.text].place[0]
            self._sheet.report(key.place, f"duplicate key {brief(key.text)}, first in line {first}")
        else:
            keys[key.text] = key
            frame.values[key.text] = node

    def _stop(self, place: Place, message: str, hint: str | None = None) -> None:
        self._sheet.report(place, message, hint)
        raise _StopReadingError
