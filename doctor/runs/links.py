"""How tables reference each other, as declared live or in the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from doctor.model.layout import Member, Role
from doctor.model.schema import CodeModels, LiveForeignKey, LiveTable

Links = Mapping[str, tuple[LiveForeignKey, ...]]


def links_of(tables: Mapping[str, LiveTable], code: CodeModels | None) -> Links:
    """Return the references of every table, as declared live or in the code."""
    links: dict[str, tuple[LiveForeignKey, ...]] = {}
    for table in tables.values():
        found = list(table.foreign_keys)
        known = {name for one in found for name in one.columns}
        found += [one for one in _declared(table, tables, code) if not known & {*one.columns}]
        links[table.name] = tuple(
            one
            for one in sorted(found, key=lambda one: len(one.columns))
            if one.table in tables and one.table != table.name and pairs_of(one, tables[one.table])
        )
    return links


def _declared(
    table: LiveTable, tables: Mapping[str, LiveTable], code: CodeModels | None
) -> Iterator[LiveForeignKey]:
    """Yield the references that only the code declares.

    Columns that lead to different columns of one table are one reference; those that lead to the
    same column are one each.
    """
    declared = code.table(table.name) if code else None
    pairs: dict[str, list[tuple[str, str]]] = {}
    for column in declared.columns if declared else ():
        if column.foreign_key and table.column(column.name):
            target, _, key = column.foreign_key.rpartition(".")
            if target not in tables:  # it is named with its schema
                target = target.rpartition(".")[2]
            if target in tables and tables[target].column(key):
                pairs.setdefault(target, []).append((column.name, key))
    for target, many in pairs.items():
        is_one = len({key for _, key in many}) == len(many)
        for part in [many] if is_one else [[one] for one in many]:
            own, theirs = zip(*part, strict=True)
            yield LiveForeignKey(own, target, theirs)


def pairs_of(link: LiveForeignKey, table: LiveTable) -> tuple[tuple[str, str], ...]:
    """Return the pairs of columns, own and of ``table``, that the link compares; () for none."""
    columns = link.references or table.primary_key
    is_whole = len(columns) == len(link.columns) and all(map(table.column, columns))
    return tuple(zip(link.columns, columns, strict=True)) if is_whole else ()


def target_of(link: LiveForeignKey, table: LiveTable) -> str | None:
    """Return the only column of ``table`` that the link leads to, None where it has several."""
    pairs = pairs_of(link, table)
    return pairs[0][1] if len(pairs) == 1 else None


def member_below(role: Role, table: LiveTable, parent: Member, link: LiveForeignKey) -> Member:
    """Return a table that references ``parent``, by the column that names the run if one does."""
    pairs = pairs_of(link, parent.table)
    via, key = next((one for one in pairs if one[1] == parent.via), pairs[0])
    member = Member(role, table, via, parent, key)
    more = tuple(one for one in pairs if one != (via, key))
    return member if member.names_run else replace(member, more=more)
