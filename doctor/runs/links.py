"""How tables reference each other, as declared live or in the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from doctor.model.layout import Member, Role
from doctor.model.schema import CodeModels, LiveForeignKey, LiveTable
from doctor.schema.references import declared_links

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
    """Yield the references that only the code declares."""
    declared = code.table(table.name) if code else None
    for link in declared_links(declared) if declared else ():
        name = link.table if link.table in tables else link.table.rpartition(".")[2]
        target = tables.get(name)
        if (
            target
            and all(map(table.column, link.columns))
            and all(map(target.column, link.references))
        ):
            yield LiveForeignKey(link.columns, name, link.references)


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
