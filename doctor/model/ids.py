"""What was learned about ids: families of them, and how a child's id follows from its parent's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from doctor.errors import UsageError
from doctor.model.evidence import Gap

Among = Literal["only children", "one of several", "children"]
RelationKind = Literal["same id", "parent prefix", "shared first token", "none"]


@dataclass(frozen=True, slots=True)
class Family:
    """Ids that are made up alike.

    Attributes:
        template: what a reader sees, e.g. ``build<n>-<word>{1,4}``.
        pattern: the regular expression (RE2) that says the same.
        support: how many of the ids that were looked at are of this family.
        example: one of them.
        following: the next id, with the parts that only a human can fill left as ``<word>``.
    """

    template: str
    pattern: str
    support: int = 0
    example: str = ""
    following: str = ""


@dataclass(frozen=True, slots=True)
class Convention:
    """How ids are made up.

    Attributes:
        families: most of them first; () where there is no convention.
        ids: how many different ids were looked at.
        accepted: how many of them are as the others say, each judged without itself.
        at_least: lower bound of that share, with 95 % confidence.
        strangers: some that are not.
        reason: why there is no convention, "" where there is one.
        is_pinned: it stands in doctor.toml.
    """

    families: tuple[Family, ...] = ()
    ids: int = 0
    accepted: int = 0
    at_least: float = 0.0
    strangers: tuple[str, ...] = ()
    reason: str = ""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """How ids of children follow from the id of their parent, among some of them.

    Attributes:
        among: whose: children that are the only one of their parent, or one of several; "children"
            where only some of them were looked at.
        kind: what holds for nearly all; "none" where nothing does.
        counts: how many pairs are the same id, have the parent's in front, share the first token
            only, or nothing.
        pairs: how many were looked at.
        at_least: lower bound of the share for which ``kind`` holds.
        by_chance: how often the first token would be shared if parents were mixed up.
        counterexamples: pairs of parent and child for which it does not hold.
    """

    among: Among
    kind: RelationKind
    counts: Mapping[RelationKind, int]
    pairs: int
    at_least: float
    by_chance: float
    counterexamples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnIds:
    """What is known about the ids in one column.

    Attributes:
        column: ``TABLE.COLUMN``.
        kind: what is in it: "text", or "number" for integers.
        convention: how they are made up.
        relations: how they follow from the ids of the parent, where there is one.
        parent: ``TABLE.COLUMN`` of that id, or None.
        rows: how many rows were looked at, and ``of`` how many there are.
        numbered: the database gives the numbers.
    """

    column: str
    kind: Literal["text", "number"]
    convention: Convention
    relations: tuple[Relation, ...] = ()
    parent: str | None = None
    rows: int = 0
    of: int = 0
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class IdConventions:
    """The ids of a system: its runs first, then the rows below them."""

    columns: tuple[ColumnIds, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def column_of(self, table: str | None) -> ColumnIds:
        """Return what is known about the ids of a table, of runs for None.

        Raises UsageError where nothing is.
        """
        named = [one for one in self.columns if table in (None, one.column.rpartition(".")[0])]
        if not named:
            known = ", ".join(one.column.rpartition(".")[0] for one in self.columns)
            hint = f"ids are known of {known}" if known else "`doctor ids infer` says why"
            raise UsageError(f"no ids of {table or 'runs'} are known", hint=hint)
        return named[0]
