"""The id conventions of a system, learned from a sample of its rows or pinned in doctor.toml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from doctor.errors import SourceError, UsageError
from doctor.ids.columns import columns_read, id_column
from doctor.ids.learning import fitting, learn
from doctor.ids.relations import first_token, holds, relations_of
from doctor.model.evidence import Gap, Scalar
from doctor.model.ids import ColumnIds, Convention, Family, IdConventions
from doctor.model.layout import Member
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, CodeTable, Row
from doctor.model.system import System

PROBE = "ids"
MOST_ROWS = 2_000
_REPEATED = 0.9
Pinned = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class IdCheck:
    """What a convention says about one id: a warning at most, never a refusal.

    Attributes:
        id: the id.
        column: whose convention it was held against.
        family: the family that it is of, or None.
        warnings: what is unusual about it; () where nothing is, or nothing is known.
        note: why nothing can be said, "" where something can.
        nearest: ids that the convention would give next.
    """

    id: str
    column: str
    family: Family | None
    warnings: tuple[str, ...] = ()
    note: str = ""
    nearest: tuple[str, ...] = ()


def id_convention(
    system: System, *, pinned: Pinned | None = None, now: datetime | None = None
) -> IdConventions:
    """Return how the ids of runs and of the rows below them are made up.

    At most ``MOST_ROWS`` rows of each table are read, chosen by chance where there are more.
    ``pinned`` maps ``TABLE.COLUMN`` to patterns that the owner declared, by default in doctor.toml;
    they are not learned.
    Raises UsageError without a database, SourceError where it is not known which table has runs.
    """
    if system.database is None:
        raise UsageError("no database is configured", hint="give --database")
    if system.layout is None:
        raise SourceError(system.layout_reason or "the run table was not found")
    pinned = system.ids if pinned is None else pinned
    today = (now or datetime.now(UTC)).date().isoformat()
    models, gaps = _models(system)
    found: list[ColumnIds] = []
    for member in system.layout.members:
        try:
            code = models.table(member.table.name) if models else None
            column = _of_member(system.database, member, code, today, pinned)
        except SourceError as error:
            gaps.append(Gap(PROBE, f"{member.table.name}: {error.message}"))
            continue
        if column is not None:
            found.append(column)
    return IdConventions(tuple(found), tuple(gaps))


def check_id(known: ColumnIds, text: str, parent: str | None = None) -> IdCheck:
    """Hold an id, and its relation to the id of its parent, against what is known."""
    convention = known.convention
    if not convention.families:
        note = f"there is no convention: {convention.reason}"
        return IdCheck(text, known.column, None, note=note)
    family = fitting(convention.families, text)
    warnings = [] if family else [_stranger(known, text)]
    nearest = tuple(one.following for one in convention.families[:3] if one.following)
    if parent is not None and known.relations:
        nearest = following_of(parent, known, nearest)
    closest = next((one for one in known.relations if one.kind != "none"), None)
    if parent is not None and closest is not None:
        relation = next((one for one in known.relations if one.among == "one of several"), closest)
        if relation.kind != "none" and not holds(relation.kind, parent, text):
            warnings.append(
                f"{relation.kind!r} does not hold between {parent!r} and it;"
                f" it does for at least {relation.at_least:.0%} of {relation.pairs} others"
            )
    return IdCheck(text, known.column, family, tuple(warnings), nearest=nearest)


def following_of(parent: str, known: ColumnIds, usual: Sequence[str]) -> tuple[str, ...]:
    """Return what the next id below ``parent`` would be, by the relation that holds."""
    kind = known.relations[-1].kind
    if kind == "same id":
        return (parent,)
    if kind == "none":
        return tuple(usual)
    start = parent if kind == "parent prefix" else first_token(parent)
    return tuple(f"{start}{one[len(first_token(one)) :]}" for one in usual)


def _stranger(known: ColumnIds, text: str) -> str:
    convention = known.convention
    if convention.is_pinned:
        return f"{text!r} is of none of the patterns that doctor.toml has for {known.column}"
    return (
        f"{text!r} is of none of {len(convention.families)} families;"
        f" {convention.accepted} of {convention.ids} ids are"
    )


def _models(system: System) -> tuple[CodeModels | None, list[Gap]]:
    try:
        return (system.code.models() if system.code else None), []
    except SourceError as error:
        return None, [Gap(PROBE, f"the models: {error.message}")]


def _of_member(
    door: ReadDoor, member: Member, code: CodeTable | None, today: str, pinned: Pinned
) -> ColumnIds | None:
    rows, of = door.sample(member.table, *columns_read(member), limit=MOST_ROWS)
    is_whole = len(rows) >= of
    name = id_column(member, rows, code)
    if name is None:
        return None
    column = f"{member.table.name}.{name}"
    values = [one[name] for one in rows if one.get(name) is not None]
    if values and all(type(one) is int for one in values):
        is_own = member.table.primary_key == (name,)
        numbered = is_own and name in door.intake(member.table).numbered
        return ColumnIds(
            column,
            "number",
            _counted(values, is_whole=is_whole),
            rows=len(rows),
            of=of,
            numbered=numbered,
        )
    texts = [str(one) for one in values]
    pairs = _pairs(member, name, rows)
    relations = relations_of(pairs, is_whole=is_whole) if pairs else ()
    convention = (
        _pinned(pinned[column]) if column in pinned else learn(texts, today, is_whole=is_whole)
    )
    parent = f"{member.parent.table.name}.{member.parent_key}" if pairs and member.parent else None
    if not convention.is_pinned and pairs and all(one.kind == "none" for one in relations):
        convention = _unrelated(convention, texts, relations[-1].pairs)
    return ColumnIds(column, "text", convention, relations, parent, len(rows), of)


def _pairs(member: Member, name: str, rows: Sequence[Row]) -> list[tuple[str, str]]:
    if not member.names_run or member.parent is None:
        return []
    found = ((one.get(member.via), one.get(name)) for one in rows)
    return [(p, c) for p, c in found if isinstance(p, str) and isinstance(c, str)]


def _pinned(patterns: Sequence[str]) -> Convention:
    return Convention(tuple(Family(one, one) for one in patterns), is_pinned=True)


def _counted(values: Sequence[Scalar], *, is_whole: bool) -> Convention:
    numbers = [one for one in values if isinstance(one, int)]
    highest = max(numbers)
    following = str(highest + 1) if is_whole else "<n>"
    family = Family("<n>", r"(?:0|[1-9]\d*)", len(numbers), str(highest), following)
    return Convention((family,), len(set(numbers)), len(numbers), 1.0)


def _unrelated(convention: Convention, texts: Sequence[str], pairs: int) -> Convention:
    """Return that there is no convention where ids only count rows within their parent."""
    different = len(set(texts))
    if different > _REPEATED * len(texts):
        return convention
    often = Counter(texts).most_common(1)[0]
    reason = (
        f"{len(texts)} rows hold {different} different ids ({often[0]!r} {often[1]} times), and"
        f" none of the {pairs} pairs of parent and child that were looked at shows how one follows"
    )
    return Convention((), different, 0, 0.0, (), reason)
