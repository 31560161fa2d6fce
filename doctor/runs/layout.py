"""Finds the run table and its children from keys and references, never from names."""

from __future__ import annotations

from collections.abc import Mapping

from doctor.errors import SourceError, UsageError
from doctor.model.layout import Layout, Member, Role, as_key
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, LiveTable
from doctor.runs.links import Links, links_of, member_below, target_of
from doctor.runs.shared import shared_members


def find_layout(
    door: ReadDoor,
    code: CodeModels | None,
    run: str | None,
    configured: str | None,
    key: str | None = None,
) -> Layout:
    """Return where the runs are kept.

    The run table is ``configured``, else the table whose key holds ``run`` and that others
    reference, else (an orphan) the table that a child references by ``run``, else the one table
    that others reference and that references none of them. Its column ``key`` names a run, else
    the column that the others reference, else its primary key.

    Raises:
        UsageError: the configured table or column is not there.
        SourceError: the database cannot be read, or several tables would do.
    """
    tables = {table.name: table for table in door.tables()}
    links = links_of(tables, code)
    name = _run_table(door, tables, links, run, configured)
    via = _configured_key(tables[name], key) or _key(tables[name], links)
    if via is None:
        raise SourceError(
            f"no single column of {name!r} names its runs",
            hint='name one in doctor.toml: [system.runs] key = "..."',
        )
    members = _members(Member("run", tables[name], via), tables, links)
    return Layout(members, shared_members(members, tables, links))


def _configured_key(table: LiveTable, key: str | None) -> str | None:
    if key is not None and table.column(key) is None:
        raise UsageError(
            f"{table.name!r} has no column {key!r}, which [system.runs] names",
            hint=f"its columns are {', '.join(one.name for one in table.columns)}",
        )
    return key


def _key(table: LiveTable, links: Links) -> str | None:
    """Return the column that others reference the table by, else its primary key."""
    own = table.primary_key[0] if len(table.primary_key) == 1 else None
    found = (
        target_of(link, table)
        for many in links.values()
        for link in many
        if link.table == table.name
    )
    named = [one for one in found if one is not None]
    if not named or own in named:
        return own
    return max(sorted(named), key=named.count)


def _run_table(
    door: ReadDoor,
    tables: Mapping[str, LiveTable],
    links: Links,
    run: str | None,
    configured: str | None,
) -> str:
    if configured is not None:
        if configured not in tables:
            raise UsageError(
                f"the database has no table {configured!r}, which [system.runs] names",
                hint=f"its tables are {', '.join(tables) or 'none'}",
            )
        return configured
    parents = {link.table for many in links.values() for link in many}
    keyed = [name for name in sorted(parents) if _key(tables[name], links) is not None]
    if run is not None:
        holders = [name for name in keyed if _holds(door, tables[name], links, run)]
        if not holders:
            holders = [name for name in keyed if _is_referenced_by(door, tables, links, name, run)]
        if holders:
            return _only(holders, links)
    roots = [name for name in keyed if not links[name]]
    return _only(roots or keyed, links)


def _only(names: list[str], links: Links) -> str:
    if not names:
        raise SourceError(
            "no table looks like a run table: none is referenced by another",
            hint='name it in doctor.toml: [system.runs] table = "..."',
        )
    ranked = sorted(names, key=lambda name: -len(_descendants(name, links)))
    if len(ranked) > 1:
        first, second = (len(_descendants(name, links)) for name in ranked[:2])
        if first == second:
            raise SourceError(
                f"several tables look like the run table: {', '.join(sorted(names))}",
                hint='name it in doctor.toml: [system.runs] table = "..."',
            )
    return ranked[0]


def _descendants(name: str, links: Links) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        parent = todo.pop()
        for child, many in links.items():
            if child not in found and child != name and any(one.table == parent for one in many):
                found.add(child)
                todo.append(child)
    return found


def _holds(door: ReadDoor, table: LiveTable, links: Links, run: str) -> bool:
    key = _key(table, links) or ""
    return door.count(table, {key: as_key(table, key, run)}) > 0


def _is_referenced_by(
    door: ReadDoor, tables: Mapping[str, LiveTable], links: Links, parent: str, run: str
) -> bool:
    return any(
        door.count(tables[child], {link.columns[0]: as_key(tables[child], link.columns[0], run)})
        for child, many in links.items()
        for link in many
        if link.table == parent and len(link.columns) == 1
    )


def _members(root: Member, tables: Mapping[str, LiveTable], links: Links) -> tuple[Member, ...]:
    top = root.table.name
    found = {top: root}
    depth = _depths(top, links)
    for name in sorted(depth, key=lambda one: (depth[one], one)):
        link = min(
            (one for one in links[name] if one.table == top or one.table in depth),
            key=lambda one: (depth.get(one.table, 0), one.columns[0]),
        )
        role = _role(name, depth, links)
        found[name] = member_below(role, tables[name], found[link.table], link)
    return tuple(found.values())


def _depths(root: str, links: Links) -> dict[str, int]:
    """Return for each descendant the longest chain of references up to the root."""
    below = _descendants(root, links)
    depth = dict.fromkeys(below, 1)
    for _ in below:
        for child in below:
            above = [depth[one.table] for one in links[child] if one.table in below]
            depth[child] = min(1 + max(above, default=0), len(below))
    return depth


def _role(name: str, depth: Mapping[str, int], links: Links) -> Role:
    if depth[name] > 2:  # noqa: PLR2004 - run, tier, phase, and below that tasks
        return "task"
    has_children = any(
        one.table == name for child in depth if child != name for one in links[child]
    )
    return "tier" if has_children and depth[name] == 1 else "phase"
