"""Tables and columns that a statement names and that do not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from doctor.linting.catalogue import KnownTable
from doctor.linting.sight import Case, Sight, offset_of
from doctor.linting.slots import has_slot

_PSEUDO = frozenset({"rowid", "oid", "_rowid_", "ctid", "xmin", "xmax", "tableoid", "rownum"})
_PSEUDO |= {"current_user", "session_user", "user", "sysdate", "current_date", "current_time"}
_PSEUDO |= {"current_timestamp", "localtime", "localtimestamp", "default", "excluded", "new"}
_PSEUDO |= {"old", "level", "true", "false", "null", "epoch", "microsecond", "second", "minute"}
_PSEUDO |= {"hour", "day", "week", "month", "quarter", "year"}
_SYSTEM = ("sqlite_", "pg_", "pragma_", "information_schema", "dual")
_SCHEMAS = frozenset({"", "public", "main", "dbo"})
Sources = Mapping[str, KnownTable | None]


@dataclass(frozen=True, slots=True)
class _Around:
    """What is in sight of a part of a statement: its sources, and names of common tables."""

    sources: Sources
    common: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Parts:
    """A query taken apart; the queries ``apart`` do not see what the query reads from."""

    own: list[exp.Expression]
    nested: list[exp.Expression]
    apart: list[exp.Expression]
    columns: list[exp.Column]


def check_names(case: Case, tree: exp.Expression) -> Iterator[Sight]:
    """Yield every table and column that certainly does not exist; each name once a statement."""
    seen: set[tuple[str, str]] = set()
    for one in _of(case, tree, _Around({}, frozenset())):
        key = one.code, one.message
        if key not in seen:
            seen.add(key)
            yield one


def _of(case: Case, node: exp.Expression, around: _Around) -> Iterator[Sight]:
    common = around.common | {one.alias.casefold() for one in _common(node)}
    parts = _parts(node)
    sources: dict[str, KnownTable | None] = {}
    for one in parts.own:
        name, known = _source(case, one, common)
        sources[name] = known
        if known is None and isinstance(one, exp.Table):
            yield from _missing_table(case, one, common)
    inner = _Around({**around.sources, **sources}, frozenset(common))
    if not _is_odd(node):
        named = {one.alias.casefold() for one in node.find_all(exp.Alias)}
        for column in parts.columns:
            yield from _missing_column(column, inner.sources, named)
        yield from _listed(case, node)
    for one in parts.nested:
        yield from _of(case, one, inner)
    for one in parts.apart:
        yield from _of(case, one, _Around(around.sources, frozenset(common)))


def _common(node: exp.Expression) -> Iterable[exp.Expression]:
    found = node.args.get("with_") or node.args.get("with")
    return found.expressions if isinstance(found, exp.With) else ()


def _is_odd(node: exp.Expression) -> bool:
    """Tell of statements whose columns are of no table: definitions, permissions."""
    return not isinstance(node, (exp.Query, exp.Insert, exp.Update, exp.Delete))


def _parts(node: exp.Expression) -> _Parts:
    """Return the sources of a query, the queries inside of it, and its own columns."""
    found = _Parts([], [], [], [])
    todo = [(one, False) for one in node.iter_expressions()]
    while todo:
        one, apart = todo.pop()
        if isinstance(one, (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete)):
            (found.apart if apart else found.nested).append(one)
            continue
        derived = _is_derived(one)
        if isinstance(one, exp.Table) or derived:
            found.own.append(one)
        elif isinstance(one, exp.Column):
            found.columns.append(one)
        apart = apart or derived or isinstance(one, exp.CTE)
        todo += [(below, apart) for below in one.iter_expressions()]
    return found


def _is_derived(node: exp.Expression) -> bool:
    """Tell whether a part of a query stands for rows as a table does."""
    kinds = (exp.Subquery, exp.Lateral, exp.Unnest, exp.Values)
    is_source = isinstance(node.parent, (exp.From, exp.Join))
    return isinstance(node, kinds) and (bool(node.alias) or is_source)


def _source(
    case: Case, node: exp.Expression, common: Iterable[str]
) -> tuple[str, KnownTable | None]:
    """Return the name that a source goes by, and its table where that is known whole."""
    name = (node.alias or node.name).casefold() or f"?{id(node)}"
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return name, None
    if node.name.casefold() in set(common) or node.db.casefold() not in _SCHEMAS:
        return name, None
    known = case.catalogue.table(node.name)
    renamed = isinstance(node.args.get("alias"), exp.TableAlias) and node.args["alias"].columns
    return name, None if known is None or not known.whole or renamed else known


def _missing_table(case: Case, node: exp.Table, common: Iterable[str]) -> Iterator[Sight]:
    name = node.name
    folded = name.casefold()
    plain = isinstance(node.this, exp.Identifier) and not has_slot(name) and bool(name)
    if not plain or folded in set(common) or folded.startswith(_SYSTEM) or folded in _PSEUDO:
        return
    if has_slot(node.db) or node.db.casefold() not in _SCHEMAS or not case.catalogue.lacks(name):
        return
    where = "the database has" if case.catalogue.live else "the models declare"
    near = _near(name, (one.name for one in case.catalogue.tables.values()))
    if near is None and not case.catalogue.live:  # it may be of another database
        return
    yield Sight(
        "LINT002",
        offset_of(node.this),
        f"there is no table {name!r} among those that {where}",
        near or "name a table that there is, or declare this one",
        "error" if case.catalogue.live else "warning",
    )


def _missing_column(column: exp.Column, sources: Sources, named: Iterable[str]) -> Iterator[Sight]:
    name, qualifier = column.name, column.table.casefold()
    folded = name.casefold()
    if not isinstance(column.this, exp.Identifier) or has_slot(name) or has_slot(qualifier):
        return
    if folded in _PSEUDO or qualifier in _PSEUDO or column.db:
        return
    if qualifier:
        tables = [sources[qualifier]] if qualifier in sources else [None]
    else:
        quoted = column.this.args.get("quoted")  # SQLite and MySQL take "text" as a text
        tables = list(sources.values())
        is_other = (
            folded in set(named) or folded in sources or isinstance(column.parent, exp.Collate)
        )
        if quoted or is_other or not tables:
            return
    known = [one for one in tables if one is not None]
    if len(known) == len(tables) and all(one.column(name) is None for one in known):
        yield _no_column(known, name, offset_of(column.this))


def _listed(case: Case, node: exp.Expression) -> Iterator[Sight]:
    """Yield the columns that an INSERT lists and its table does not have."""
    schema = node.this if isinstance(node, exp.Insert) else None
    if not isinstance(schema, exp.Schema) or not isinstance(schema.this, exp.Table):
        return
    _, table = _source(case, schema.this, ())
    for one in schema.expressions if table is not None else ():
        is_plain = isinstance(one, exp.Identifier) and not has_slot(one.name)
        pseudo = one.name.casefold() in _PSEUDO
        if table is not None and is_plain and not pseudo and table.column(one.name) is None:
            yield _no_column([table], one.name, offset_of(one))


def _no_column(tables: list[KnownTable], name: str, at: int) -> Sight:
    names = [one.name for table in tables for one in table.columns.values()]
    joined = " and ".join(dict.fromkeys(one.name for one in tables))
    has = "has" if len(tables) == 1 else "have"
    origin = ", ".join(dict.fromkeys(one.origin for one in tables))
    hint = _near(name, names) or f"columns that there are stand at {origin}"
    return Sight("LINT003", at, f"{joined} {has} no column {name!r}", hint)


def _near(name: str, known: Iterable[str]) -> str | None:
    words = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold()[:80], words, n=1, cutoff=0.7)
    return f"did you mean {words[close[0]]!r}?" if close else None
