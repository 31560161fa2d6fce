"""The tables beside the runs: what leads to them, so that a run is told of what it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from doctor.model.layout import Member, apart
from doctor.model.schema import LiveForeignKey, LiveTable
from doctor.runs.links import Links, pairs_of


def shared_members(
    members: Sequence[Member], tables: Mapping[str, LiveTable], links: Links
) -> tuple[Member, ...]:
    """Return every table that is none of ``members``, those nearest to them first.

    The parent of such a member is what led to it: a table that references it, or one that it
    references and that is shared itself.
    """
    found = {one.table.name: one for one in members}
    todo = list(members)
    for near in todo:  # grows meanwhile
        for one in _neighbours(near, tables, links):
            if one.table.name not in found:
                found[one.table.name] = one
                todo.append(one)
    rest = (table for name, table in tables.items() if name not in found)
    return (*todo[len(members) :], *apart(rest))


def _neighbours(near: Member, tables: Mapping[str, LiveTable], links: Links) -> Iterator[Member]:
    for link in links[near.table.name]:
        pairs = [(theirs, own) for own, theirs in pairs_of(link, tables[link.table])]
        yield _beside(near, tables[link.table], pairs)
    if near.role == "shared":
        for name, link in _references(near.table.name, links):
            yield _beside(near, tables[name], pairs_of(link, near.table))


def _references(name: str, links: Links) -> Iterator[tuple[str, LiveForeignKey]]:
    for child, many in links.items():
        yield from ((child, one) for one in many if one.table == name)


def _beside(near: Member, table: LiveTable, pairs: Sequence[tuple[str, str]]) -> Member:
    (via, key), *more = pairs
    return Member("shared", table, via, near, key, tuple(more))
