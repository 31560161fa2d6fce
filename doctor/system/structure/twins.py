"""Keys and indexes that are there under another name, or on other columns under the same name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from doctor.model.drift import Drift

_DRIFTS: dict[tuple[str, bool], Drift] = {
    ("index", True): "missing_index",
    ("index", False): "extra_index",
    ("unique", True): "missing_unique",
    ("unique", False): "extra_unique",
    ("foreign_key", True): "missing_foreign_key",
    ("foreign_key", False): "extra_foreign_key",
}
_SOURCES = {"index": "Index", "unique": "UniqueConstraint", "foreign_key": "ForeignKeyConstraint"}


@dataclass(frozen=True)
class Keyed:
    """An index or a key that only one side has; ``other`` is what the database has in its place."""

    kind: str
    is_missing: bool
    columns: tuple[str, ...]
    name: str
    operations: tuple[Any, ...]
    target: str = ""
    more: str = ""
    other: str = ""
    is_plain: bool = True

    @property
    def drift(self) -> Drift:
        """The kind of difference that it is."""
        return _DRIFTS[self.kind, self.is_missing]

    @property
    def text(self) -> str:
        """What it is, in words."""
        name = f" {self.name}" if self.name else ""
        leads = f" to {self.target}" if self.target else ""
        return f"{self.kind.replace('_', ' ')}{name} on {', '.join(self.columns)}{leads}{self.more}"

    @property
    def source(self) -> str:
        """How the code would take it out or declare it."""
        way = "out of" if self.is_missing else "to"
        columns = ", ".join(map(repr, self.columns))
        if self.kind == "foreign_key":
            targets = ", ".join(repr(one) for one in self.target.split(", "))
            return f"ForeignKeyConstraint([{columns}], [{targets}]) {way} __table_args__"
        name = repr(self.name) if self.name else "None"
        given = f"{name}, {columns}" if self.kind == "index" else f"{columns}, name={name}"
        return f"{_SOURCES[self.kind]}({given}) {way} __table_args__"


def without_twins(found: Sequence[Keyed]) -> list[Keyed]:
    """Return what is left when the same key of both sides is no difference.

    A key that is there with other columns or rules is one difference and not two.
    """
    left = list(found)
    for one in found:
        if not one.is_missing:
            continue
        for other in [each for each in left if not each.is_missing and each.kind == one.kind]:
            same = (other.columns, other.target, other.more) == (one.columns, one.target, one.more)
            if same:
                left = [each for each in left if each is not one and each is not other]
                break
            if _replaces(other, one) and one in left:
                merged = replace(
                    one, other=other.text, operations=(*other.operations, *one.operations)
                )
                left[left.index(one)] = merged
                left.remove(other)
                break
    return left


def _replaces(other: Keyed, one: Keyed) -> bool:
    if one.kind == "foreign_key":
        return other.columns == one.columns
    return bool(one.name) and other.name == one.name
