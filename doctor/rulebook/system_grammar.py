"""A document of kind ``system``: what is known beforehand about somebody's system."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, TypeVar, get_args

from doctor.model.description import (
    ColumnFacts,
    Contradiction,
    Holds,
    Requirement,
    StateCopy,
    Stored,
    SystemDescription,
)
from doctor.rulebook.nodes import Items, Node, Text
from doctor.rulebook.problem import brief
from doctor.rulebook.section import Reading, Section

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
COLUMN: Final = re.compile(r"[^.\s](?:.*[^.\s])?\.[^.\s]+")
ENUM: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
OPERATION: Final = re.compile(r"GET /[^\s{}]*(?:\{run\}[^\s{}]*)?")
STORED: Final[tuple[Stored, ...]] = get_args(Stored)
HOLDS: Final[tuple[Holds, ...]] = get_args(Holds)
NULL: Final = ("accepted", "refused")
_T = TypeVar("_T")


def read_system(section: Section, reading: Reading, *, builtin: bool) -> SystemDescription:
    """Read a description; after a mistake, which goes to the sheet, it is not to be used."""
    before = len(reading.sheet.problems)
    node = section.need("system")
    name = reading.named(node, "system", NAME, "my-executor")
    if name == "discovered" and node is not None:
        reading.sheet.report(node.place, "'discovered' is what a system without one is called")
    homepage, package = _about(section.find("about"), reading)
    runs, key = _runs(section.find("tables"), reading)
    columns = _columns(section.find("columns"), reading)
    requires = _each(section.find("requires"), "requires", reading, _requirement)
    never = _each(section.find("never"), "never", reading, _contradiction)
    copies = _each(section.find("also_stored"), "also_stored", reading, _copy)
    one, health = _api(section.find("api"), reading)
    logs = section.find("logs")
    reads = section.find("reading")
    found = SystemDescription(
        name,
        homepage,
        package,
        runs,
        key,
        columns,
        requires,
        never,
        copies,
        one,
        health,
        () if logs is None else reading.texts(logs, "logs"),
        None if reads is None else _reading(reads, reading),
        f"{reading.sheet.label}:{section.table.keys['system'].place[0]}",
        builtin,
    )
    if not found.tables and len(reading.sheet.problems) == before:
        reading.sheet.report(section.place, "the description names no table and no column")
    section.close()
    return found


def _about(node: Node | None, reading: Reading) -> tuple[str, str | None]:
    if node is None:
        return "", None
    about = reading.section(node, "about")
    homepage, package = about.find("homepage"), about.find("package")
    about.close()
    return (
        "" if homepage is None else reading.text(homepage, "homepage"),
        None if package is None else reading.text(package, "package"),
    )


def _runs(node: Node | None, reading: Reading) -> tuple[str | None, str | None]:
    if node is None:
        return None, None
    tables = reading.section(node, "tables")
    runs = reading.section(tables.need("runs"), "runs")
    table = reading.text(runs.need("table"), "table")
    key = runs.find("key")
    runs.close()
    tables.close()
    return table, None if key is None else reading.text(key, "key")


def _columns(node: Node | None, reading: Reading) -> tuple[ColumnFacts, ...]:
    if node is None:
        return ()
    table = reading.section(node, "columns").table
    found = []
    for name, key in table.keys.items():
        if not COLUMN.fullmatch(name):
            message = f"column {brief(name)} must look like 'runs.state'"
            reading.sheet.report(key.place, message)
            continue
        found.append(_column(name, key, table.values[name], reading))
    return tuple(found)


def _column(name: str, key: Text, node: Node, reading: Reading) -> ColumnFacts:
    part = reading.section(node, brief(name))
    words = ("enum", "stored", "values", "open", "nulls", "holds", "schema")
    given = {one: part.find(one) for one in words}
    terminal, breaks = part.find("terminal"), part.find("breaks")
    null = _word(given["nulls"], "nulls", NULL, reading)
    found = ColumnFacts(
        name,
        _enum(given["enum"], reading),
        _word(given["stored"], "stored", STORED, reading) or "values",  # type: ignore[arg-type]
        () if given["values"] is None else _values(given["values"], "values", reading),
        reading.truth(given["open"], "open"),
        None if null is None else null == "accepted",
        () if terminal is None else _values(terminal, "terminal", reading),
        _word(given["holds"], "holds", HOLDS, reading),  # type: ignore[arg-type]
        _shape(given["schema"], reading),
        "" if breaks is None else reading.text(breaks, "breaks"),
        f"{reading.sheet.label}:{key.place[0]}",
    )
    part.close()
    _agree(found, given, terminal, key, reading)
    return found


def _agree(
    found: ColumnFacts,
    given: dict[str, Node | None],
    terminal: Node | None,
    key: Text,
    reading: Reading,
) -> None:
    has_set = given["enum"] is not None or given["values"] is not None
    for name in ("stored", "open"):
        node = given[name]
        if node is not None and not has_set:
            message = f"{name!r} says something about values, and neither 'enum' nor 'values' is"
            reading.sheet.report(node.place, f"{message} there")
    if not has_set and found.null is None and found.holds is None:
        hint = "give enum, values, nulls or holds"
        reading.sheet.report(key.place, f"{brief(found.column)} says nothing to check", hint)
    schema = given["schema"]
    if schema is not None and found.holds != "json":
        reading.sheet.report(schema.place, "'schema' needs 'holds: json'")
    unknown = [one for one in found.terminal if found.values and one not in found.values]
    if unknown and terminal is not None:
        message = f"the terminal value {brief(unknown[0])} is not among the values"
        reading.sheet.report(terminal.place, message)


def _shape(node: Node | None, reading: Reading) -> str:
    return "" if node is None else json.dumps(_plain(node, reading), ensure_ascii=False)


def _plain(node: Node, reading: Reading) -> object:
    """Return what a node is in JSON."""
    if isinstance(node, Items):
        return [_plain(one, reading) for one in node.nodes]
    if isinstance(node, Text):
        return reading.scalar(node, "a value of the schema")
    return {name: _plain(one, reading) for name, one in node.values.items()}


def _enum(node: Node | None, reading: Reading) -> str | None:
    named = None if node is None else reading.named(node, "enum", ENUM, "package.module:Name")
    return named or None


def _word(node: Node | None, what: str, words: tuple[str, ...], reading: Reading) -> str | None:
    return None if node is None else reading.choice(node, what, words) or None


def _values(node: Node, what: str, reading: Reading) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in reading.items(node, what):
        value = reading.verbatim(item, f"an item of {what}")
        if value in found:
            reading.sheet.report(item.place, f"{brief(value)} stands twice in {what}")
        found[value] = None
    if isinstance(node, Items) and not found:
        reading.sheet.report(node.place, f"{what} names nothing")
    return tuple(found)


def _requirement(part: Section, reading: Reading) -> Requirement:
    place = part.place
    table = reading.text(part.need("table"), "table")
    conditions = _conditions(part.need("when"), "when", reading)
    columns, rows, as_many = part.find("set"), part.find("rows"), part.find("as_many_as")
    breaks = part.find("breaks")
    part.close()
    if (columns is None) == (rows is None):
        reading.sheet.report(place, "a requirement has either 'set' or 'rows'")
    if as_many is not None and rows is None:
        reading.sheet.report(as_many.place, "'as_many_as' needs 'rows'")
    return Requirement(
        table,
        conditions,
        () if columns is None else reading.texts(columns, "set"),
        None if rows is None else reading.text(rows, "rows"),
        None if as_many is None else reading.text(as_many, "as_many_as"),
        "" if breaks is None else reading.text(breaks, "breaks"),
        f"{reading.sheet.label}:{place[0]}",
    )


def _contradiction(part: Section, reading: Reading) -> Contradiction:
    place = part.place
    table, rows = part.need("table"), part.need("rows")
    breaks = part.find("breaks")
    found = Contradiction(
        reading.text(table, "table"),
        _conditions(part.need("when"), "when", reading),
        reading.text(rows, "rows"),
        _conditions(part.need("holding"), "holding", reading),
        "" if breaks is None else reading.text(breaks, "breaks"),
        f"{reading.sheet.label}:{place[0]}",
    )
    part.close()
    if not (found.when and found.holding):
        reading.sheet.report(place, "a contradiction needs a column in 'when' and in 'holding'")
    return found


def _conditions(node: Node | None, what: str, reading: Reading) -> dict[str, tuple[str, ...]]:
    """Read accepted values by column."""
    return {
        name: _values(value, f"the values of {brief(name)}", reading)
        for name, value in reading.section(node, what).table.values.items()
    }


def _copy(part: Section, reading: Reading) -> StateCopy:
    column = reading.named(part.need("column"), "column", COLUMN, "runs.state")
    inside = part.need("inside")
    where = reading.named(inside, "inside", COLUMN, "runs.body")
    path = reading.texts(part.need("path"), "path")
    prefix = part.find("prefix")
    part.close()
    if inside is not None and where.rpartition(".")[0] != column.rpartition(".")[0]:
        reading.sheet.report(inside.place, "a copy stands in another column of the same table")
    return StateCopy(column, where, path, "" if prefix is None else reading.text(prefix, "prefix"))


def _each(
    node: Node | None, what: str, reading: Reading, read: Callable[[Section, Reading], _T]
) -> tuple[_T, ...]:
    if node is None:
        return ()
    return tuple(
        read(reading.section(item, f"an item of {what}"), reading)
        for item in reading.items(node, what)
    )


def _api(node: Node | None, reading: Reading) -> tuple[str | None, str | None]:
    if node is None:
        return None, None
    part = reading.section(node, "api")
    one, health = part.find("one"), part.find("health")
    part.close()
    return _path(one, "one", reading, takes_run=True), _path(health, "health", reading)


def _path(node: Node | None, what: str, reading: Reading, *, takes_run: bool = False) -> str | None:
    if node is None:
        return None
    example = "GET /runs/{run}" if takes_run else "GET /health"
    text = reading.named(node, what, OPERATION, example)
    if text and ("{run}" in text) != takes_run:
        reading.sheet.report(node.place, f"{what} {brief(text)} must look like {example!r}")
    return text.removeprefix("GET ") or None


def _reading(node: Node, reading: Reading) -> str | None:
    part = reading.section(node, "reading")
    destroys = reading.text(part.need("destroys"), "destroys")
    part.close()
    return destroys or None
