"""What a YAML document is read into: text, items and tables that know where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Place = tuple[int, int]


class Text(NamedTuple):
    """A scalar as it was written.

    Attributes:
        text: the characters, without quotes and escapes.
        plain: whether it stood without quotes.
        place: where it begins.
        first: column of its first character where each character stands for itself on one line,
            else 0.
    """

    text: str
    plain: bool
    place: Place
    first: int = 0

    def inside(self, index: int) -> Place:
        """Return the place of the character at ``index``, as far as it can be told."""
        return (self.place[0], self.first + index) if self.first else self.place


class Items(NamedTuple):
    """A sequence."""

    nodes: tuple[Node, ...]
    place: Place


class Table(NamedTuple):
    """A mapping; its keys are always text. ``keys`` and ``values`` have the same names."""

    keys: Mapping[str, Text]
    values: Mapping[str, Node]
    place: Place


Node = Text | Items | Table


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file.

    Attributes:
        label: how the file is called in messages.
        root: what the document holds.
        builtin: whether it came with Doctor.
    """

    label: str
    root: Node
    builtin: bool = False

    def locate(self, *path: str | int) -> str:
        """Return ``file:line:column`` of the value at ``path``, or of its nearest parent."""
        node = self.root
        for step in path:
            below = _below(node, step)
            if below is None:
                break
            node = below
        return f"{self.label}:{node.place[0]}:{node.place[1]}"

    def places(self) -> dict[str, str]:
        """Return ``file:line:column`` of every key, by its dotted path."""
        return dict(_places(self.root, "", self.label))

    def locate_key(self, *path: str | int) -> str:
        """Return ``file:line:column`` of the key that ends ``path``, or of its nearest parent."""
        node: Node | None = self.root
        for step in path[:-1]:
            node = _below(node, step) if node is not None else None
        if isinstance(node, Table) and (key := node.keys.get(str(path[-1]))):
            return f"{self.label}:{key.place[0]}:{key.place[1]}"
        return self.locate(*path)


def _places(node: Node, path: str, label: str) -> Iterator[tuple[str, str]]:
    if not isinstance(node, Table):
        return
    for name, key in node.keys.items():
        own = f"{path}.{name}" if path else name
        if isinstance(node.values[name], Table):
            yield from _places(node.values[name], own, label)
        else:
            yield own, f"{label}:{key.place[0]}:{key.place[1]}"


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Table):
        return node.values.get(str(step))
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
        return node.nodes[step]
    return None
