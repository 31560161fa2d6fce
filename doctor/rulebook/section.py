"""Typed access to the nodes of a document; every mistake is reported where it stands.

A reading method takes a node or None (a key that was missing, which is already reported) and
returns a harmless default after a mistake: whoever reads a document looks at the sheet at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from doctor.model.evidence import Scalar
from doctor.model.rule import Retryable
from doctor.rulebook.nodes import Items, Node, Place, Table, Text
from doctor.rulebook.problem import Sheet, brief, nearest
from doctor.rulebook.scalars import duration, is_plainly_text, resolve
from doctor.rulebook.templates import stray_dollar

_NAMES: Mapping[type[Node], str] = {Items: "a list", Table: "a mapping", Text: "text"}


class Section:
    """A mapping whose keys are known; ``close`` reports those that nobody asked for."""

    def __init__(self, table: Table, what: str, sheet: Sheet) -> None:
        self.table = table
        self.what = what
        self.sheet = sheet
        self._asked: dict[str, None] = {}

    @property
    def place(self) -> Place:
        """Where the mapping begins."""
        return self.table.place

    def find(self, key: str) -> Node | None:
        """Return the value of an optional key."""
        self._asked[key] = None
        return self.table.values.get(key)

    def need(self, key: str) -> Node | None:
        """Return the value of a mandatory key."""
        node = self.find(key)
        if node is None:
            self.sheet.report(self.place, f"{self.what} needs the key {key!r}")
        return node

    def close(self) -> None:
        """Report unknown keys."""
        for name, key in self.table.keys.items():
            if name not in self._asked:
                message = f"unknown key {brief(name)} in {self.what}"
                self.sheet.report(key.place, message, nearest(name, self._asked))


class Reading:
    """Reads the nodes of one file into values."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def section(self, node: Node | None, what: str) -> Section:
        """Read a mapping; an empty one stands for a mistake."""
        if isinstance(node, Table):
            return Section(node, what, self.sheet)
        self._wrong(node, what, "a mapping")
        muted = Sheet(self.sheet.label)
        return Section(Table({}, {}, node.place if node else (1, 1)), what, muted)

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Read a list."""
        if isinstance(node, Items):
            return node.nodes
        self._wrong(node, what, "a list")
        return ()

    def scalar(self, node: Node | None, what: str) -> Scalar:
        """Read text, a number, a boolean or null."""
        if isinstance(node, Text):
            try:
                return resolve(node)
            except ValueError as error:
                self.sheet.report(node.place, f"{what}: {error}")
                return None
        self._wrong(node, what, "a single value")
        return None

    def text(self, node: Node | None, what: str) -> str:
        """Read text that is not empty; ``012`` or ``NO`` are text, ``12`` and ``true`` are not."""
        if type(node) is Text and is_plainly_text(node):
            return node.text
        value = self._scalar_or_none(node, what, "text")
        if isinstance(value, str) and value.strip():
            return value
        if value is not None and node is not None:
            hint = None if isinstance(value, str) else "put it in quotes"
            shown = "empty text" if isinstance(value, str) else brief(value)
            self.sheet.report(node.place, f"{what} must be text, not {shown}", hint)
        return ""

    def named(self, node: Node | None, what: str, pattern: re.Pattern[str], example: str) -> str:
        """Read text of a certain shape."""
        text = self.text(node, what)
        if text and node is not None and not pattern.fullmatch(text):
            self.sheet.report(node.place, f"{what} {brief(text)} must look like {example!r}")
            return ""
        return text

    def verbatim(self, node: Node | None, what: str) -> str:
        """Read text exactly as it was written: ``1``, ``NO`` and ``true`` are text here."""
        if isinstance(node, Text):
            if node.plain and not node.text:
                self.sheet.report(
                    node.place, f"{what} is empty", "put it in quotes if that is meant"
                )
            return node.text
        self._wrong(node, what, "text")
        return ""

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """Read a list of distinct texts."""
        seen: dict[str, None] = {}
        for item in self.items(node, what):
            text = self.text(item, f"an item of {what}")
            if text and text in seen:
                self.sheet.report(item.place, f"{brief(text)} stands twice in {what}")
            elif text:
                seen[text] = None
        return tuple(seen)

    def choice(self, node: Node | None, what: str, words: Iterable[str]) -> str:
        """Read one of a few words."""
        valid = tuple(words)
        value = self._scalar_or_none(node, what, "text")
        if isinstance(value, str) and value in valid:
            return value
        if value is not None and node is not None:
            hint = nearest(str(value), valid)
            self.sheet.report(node.place, f"{brief(value)} is no valid {what}", hint)
        return ""

    def template(self, node: Node | None, what: str) -> str:
        """Read text in which ``${name}`` stands for a value."""
        text = self.text(node, what)
        index = stray_dollar(text)
        if index is not None and isinstance(node, Text):
            message = f"'$' in {what} begins neither '${{name}}' nor '${{name!r}}'"
            self.sheet.report(node.inside(index), message, "write '$$' for a dollar sign")
        return text

    def retryable(self, node: Node | None) -> Retryable:
        """Read whether retrying helps: true, false, or unknown, which is the default."""
        value = self.scalar(node, "retryable") if node is not None else "unknown"
        if isinstance(value, bool):
            return value
        if value != "unknown" and node is not None:
            hint = "one of: true, false, unknown"
            self.sheet.report(node.place, f"{brief(value)} is no valid retryable", hint)
        return "unknown"

    def truth(self, node: Node | None, what: str) -> bool:
        """Read true or false, which is the default."""
        value = self.scalar(node, what) if node is not None else False
        if not isinstance(value, bool) and node is not None:
            self.sheet.report(node.place, f"{what} must be true or false, not {brief(value)}")
        return value is True

    def integer(self, node: Node | None, what: str, least: int, most: int) -> int:
        """Read a whole number within bounds."""
        value = self._scalar_or_none(node, what, "a whole number")
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        if value is not None and node is not None:
            message = f"{what} must be a whole number from {least} to {most}, not {brief(value)}"
            self.sheet.report(node.place, message)
        return least

    def duration(self, node: Node | None, what: str) -> timedelta:
        """Read a duration such as ``10m``."""
        value = self._scalar_or_none(node, what, "a duration")
        length = duration(value) if isinstance(value, str) else None
        if length is not None:
            return length
        if value is not None and node is not None:
            hint = "for example 500ms, 30s, 10m, 2h or 7d"
            self.sheet.report(node.place, f"{what} must be a duration, not {brief(value)}", hint)
        return timedelta(seconds=1)

    def _scalar_or_none(self, node: Node | None, what: str, wanted: str) -> Scalar:
        if not isinstance(node, Text):
            self._wrong(node, what, wanted)
            return None
        before = len(self.sheet.problems)
        value = self.scalar(node, what)
        if value is None and len(self.sheet.problems) == before:
            self.sheet.report(node.place, f"{what} must be {wanted}, not empty")
        return value

    def _wrong(self, node: Node | None, what: str, wanted: str) -> None:
        if node is not None:
            shown = "empty" if isinstance(node, Text) and not node.text else _NAMES[type(node)]
            self.sheet.report(node.place, f"{what} must be {wanted}, not {shown}")
