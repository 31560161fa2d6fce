"""Guarded YAML: text becomes nodes with positions, or problems; never a crash, never a surprise.

Read from the event stream, so nothing is built before it is checked. What YAML offers beyond plain
data (anchors, aliases, tags, merge keys, duplicate and complex keys) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(sheet)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
            if isinstance(event, yaml.DocumentEndEvent) and builder.root is not None:
                yield builder.root
    except _StopReadingError:
        return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        sheet.report(place, f"not valid YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        sheet.report((1, 1), f"not valid YAML: {type(error).__name__}")


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

    def __init__(self, sheet: Sheet) -> None:
        self.root: Node | None = None
        self._sheet = sheet
        self._frames: list[_Frame] = []
        self._nodes = 0
        self._documents = 0
        self._broken = False

    def take(self, event: Any) -> None:
        name = type(event).__name__
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if name == "ScalarEvent":
            self._count(place)
            self._refuse_extras(event, place)
            self._add(self._text(event, place))
        elif name in {"MappingStartEvent", "SequenceStartEvent"}:
            self._count(place)
            self._refuse_extras(event, place)
            self._frames.append(_Frame(place, {} if name == "MappingStartEvent" else None))
            if len(self._frames) > DEEPEST:
                self._stop(place, f"nested deeper than {DEEPEST} levels")
        elif name in {"MappingEndEvent", "SequenceEndEvent"}:
            self._add(self._frames.pop().close())
        elif name == "AliasEvent":
            self._count(place)
            self._broken = True
            self._sheet.report(place, "aliases are not allowed", "write the value out")
            self._add(Text("", plain=True, place=place))
        elif name == "DocumentStartEvent":
            self._start_document(event, place)

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

    def _count(self, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(place, f"more than {MOST_NODES} values in one file", "split the file")

    def _refuse_extras(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self._sheet.report(place, f"anchors are not allowed: {brief('&' + event.anchor)}")
        # A verbatim tag may hold brackets, which the scan for depth does not follow.
        if event.tag is not None:
            self._stop(
                place, f"tags are not allowed: {brief(event.tag)}", "write the value without a tag"
            )

    def _text(self, event: Any, place: Place) -> Text:
        text: str = event.value
        if _UNUSABLE.search(text):
            self._sheet.report(place, "the text holds a NUL or half a character")
        start, end, quotes = event.start_mark, event.end_mark, 1 if event.style else 0
        exact = start.line == end.line and end.column - start.column == len(text) + 2 * quotes
        return Text(text, not event.style, place, place[1] + quotes if exact else 0)

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
            frame.key = None

    def _key(self, node: Node) -> Text:
        if isinstance(node, Text):
            return node
        self._broken = True
        self._sheet.report(node.place, "a key must be text, not a list or mapping")
        return Text("", plain=True, place=node.place)

    def _enter(self, frame: _Frame, keys: dict[str, Text], key: Text, node: Node) -> None:
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
