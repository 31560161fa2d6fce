"""Random databases with everything that SQLite allows in a table, and random repairs of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from doctor.model.change import Plan, SetCells
from doctor.model.tier import Tier

NAMES = (
    "status", "State", "select", "a b", "naïve", 'q"uote', "it's", "x.y", "%s", ":p", "日本",
    "[br]", "a(b)", "tab\tname", "new\nline", "back`tick", "rowid_", "100%", "?", "_",
)  # fmt: skip
TYPES = ("TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "VARCHAR(20)", "", "BOOLEAN", "DATETIME")
STRICT = ("TEXT", "INTEGER", "REAL", "BLOB", "ANY")
VALUES: tuple[Any, ...] = (
    None, "", "x", "READY", "ready ", "Ünï", "日本", "a" * 3000, "nul\0byte", "it's \"q\"", "12",
    " 7 ", "1e3", "NULL", "\U0001f600", 0, 1, -1, 17, 2**63 - 1, -(2**63), 0.1, 1 / 3, 1e308, -0.0,
    5e-324, 3.0, float("inf"), b"", b"\0\xff", b"READY", bytes(range(256)) * 8,
)  # fmt: skip
PIECES = 6
FITS = {"TEXT": str, "VARCHAR(20)": str, "INTEGER": int, "REAL": float, "BLOB": bytes}


@dataclass(frozen=True, slots=True)
class Table:
    """What was made: its name, its columns with their types, and its key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    generated: tuple[str, ...] = ()


def quoted(name: str) -> str:
    """Return an identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def make(path: Path, seed: int) -> tuple[Table, ...]:
    """Make the database of a seed, anew."""
    random = Random(seed)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        mode = random.choice(("delete", "delete", "wal", "persist"))
        connection.execute(f"PRAGMA page_size={random.choice((512, 4096))}")
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("BEGIN")
        names = random.sample(NAMES, random.randint(1, 3))
        tables: list[Table] = []
        for name in names:
            tables.append(_table(connection, random, f"t {name}", tables))
        for table in tables:
            _rows(connection, random, table)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            _trigger(connection, random, random.choice(tables), tables)
        connection.execute("COMMIT")
    return tuple(tables)


def _table(connection: sqlite3.Connection, random: Random, name: str, known: list[Table]) -> Table:
    is_strict = random.random() < 0.15
    types = STRICT if is_strict else TYPES
    names = random.sample(NAMES, random.randint(2, PIECES))
    columns = tuple((one, random.choice(types)) for one in names)
    key = tuple(random.sample(names, random.choice((1, 1, 1, 2, min(3, len(names))))))
    lines = []
    for column, kind in columns:
        line = f"{quoted(column)} {kind}"
        if column not in key:
            line += random.choice(("",) * 6 + RULES).replace("@", quoted(column))
        elif random.random() < 0.2:
            line += " COLLATE NOCASE"
        lines.append(line)
    generated = []
    if random.random() < 0.15:
        generated.append("made")
        kind = random.choice(("STORED", "VIRTUAL"))
        source = quoted(random.choice(names))
        text = "TEXT" if is_strict else ""
        lines.append(f"made {text} GENERATED ALWAYS AS (hex({source})) {kind}")
    lines.append(f"PRIMARY KEY ({', '.join(quoted(one) for one in key)})")
    if known and random.random() < 0.4:
        parent = random.choice(known)
        child = ", ".join(quoted(one) for one in random.sample(names, 1))
        action = random.choice(("", " ON UPDATE CASCADE", " ON UPDATE SET NULL"))
        above = quoted(parent.key[0])
        lines.append(f"FOREIGN KEY ({child}) REFERENCES {quoted(parent.name)} ({above}){action}")
    options = ["WITHOUT ROWID"] if random.random() < 0.25 else []
    options += ["STRICT"] if is_strict else []
    connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(lines)}) {', '.join(options)}")
    if random.random() < 0.3:
        column = quoted(random.choice(names))
        index = quoted(f"by {name}")
        connection.execute(f"CREATE INDEX {index} ON {quoted(name)} ({column} COLLATE NOCASE)")
    return Table(name, columns, key, tuple(generated))


RULES = (
    " NOT NULL", " UNIQUE", " UNIQUE ON CONFLICT REPLACE", " UNIQUE ON CONFLICT IGNORE",
    " NOT NULL ON CONFLICT REPLACE DEFAULT 'x'", " COLLATE NOCASE", " CHECK (@ IS NOT 17)",
    " DEFAULT 'd'", " COLLATE NOCASE UNIQUE ON CONFLICT ROLLBACK",
)  # fmt: skip


def _rows(connection: sqlite3.Connection, random: Random, table: Table) -> None:
    marks = ", ".join("?" for _ in table.columns)
    names = ", ".join(quoted(one) for one, _ in table.columns)
    for number in range(random.randint(1, 6)):
        row = [random.choice(VALUES) for _ in table.columns]
        if random.random() < 0.7:  # a key that fits most types
            row = [
                number if one in table.key else v
                for (one, _), v in zip(table.columns, row, strict=True)
            ]
        with suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
            into = f"INSERT OR ABORT INTO {quoted(table.name)} ({names})"
            connection.execute(f"{into} VALUES ({marks})", row)
    if random.random() < 0.05:  # text that is not UTF-8
        column = quoted(random.choice(table.columns)[0])
        with suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
            update = f"UPDATE OR ABORT {quoted(table.name)} SET {column} = CAST(x'61ff' AS TEXT)"
            connection.execute(update)


def _trigger(
    connection: sqlite3.Connection, random: Random, table: Table, tables: Sequence[Table]
) -> None:
    other = random.choice(tables)
    column = quoted(random.choice(table.columns)[0])
    theirs = quoted(random.choice(other.columns)[0])
    doing = random.choice(
        (
            f"UPDATE {quoted(other.name)} SET {theirs} = {theirs}",
            f"UPDATE {quoted(other.name)} SET {theirs} = 'by a trigger'",
            f"DELETE FROM {quoted(other.name)} WHERE {theirs} IS NOT NULL",
            "SELECT RAISE(IGNORE)",
            "SELECT RAISE(ABORT, 'no')",
            "SELECT 1",
        )
    )
    when = random.choice(("", "WHEN 0", f"WHEN new.{column} IS 'x'"))
    name = quoted(f"trigger {random.random()}")
    time = random.choice(("BEFORE", "AFTER"))
    connection.execute(
        f"CREATE TRIGGER {name} {time} UPDATE OF {column} ON {quoted(table.name)} {when}"
        f" BEGIN {doing}; END"
    )


def random_plan(path: Path, tables: Sequence[Table], seed: int) -> Plan | None:
    """Return a plan that changes some cells of some rows; None where there is no row."""
    random = Random(f"plan {seed}")
    changes = []
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = _text
        for table in tables:
            names = [*(one for one, _ in table.columns), *table.generated]
            shown = ", ".join(quoted(one) for one in names)
            rows = connection.execute(f"SELECT {shown} FROM {quoted(table.name)}").fetchall()
            for row in random.sample(rows, min(len(rows), random.choice((0, 1, 1, 2)))):
                held = dict(zip(names, row, strict=True))
                free = [one for one in names if one not in table.key and one not in table.generated]
                if random.random() < 0.03:
                    free = names
                if not free:
                    continue
                cells = random.sample(free, random.randint(1, min(2, len(free))))
                changes.append(
                    SetCells(
                        table.name,
                        {one: held[one] for one in table.key},
                        {one: held[one] for one in cells},
                        {one: _new(random, table, one) for one in cells},
                    )
                )
    if not changes:
        return None
    return Plan("target", f"run {seed}", ("r@1/x",), tuple(changes), Tier.SAFE, 1)


def _new(random: Random, table: Table, column: str) -> Any:
    """Return a value that mostly is of the column's type; others are converted, so refused."""
    fits = FITS.get(dict(table.columns).get(column, ""), object)
    return random.choice(
        VALUES if random.random() < 0.1 else [one for one in VALUES if isinstance(one, fits)]
    )


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def exact(path: Path, tables: Sequence[Table]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return every row of every table, each cell by its type, its literal and its bytes."""
    found: list[tuple[str, list[tuple[Any, ...]]]] = []
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = _text
        for table in tables:
            cells = ", ".join(
                f"typeof({one}), quote({one}), hex(CAST({one} AS BLOB))"
                for one in map(quoted, [*(name for name, _ in table.columns), *table.generated])
            )
            rows = connection.execute(f"SELECT {cells} FROM {quoted(table.name)}").fetchall()
            found.append((table.name, sorted(rows, key=repr)))
        schema = connection.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE '%doctor_%'")
        found.append(("schema", sorted(schema.fetchall(), key=str)))
        found.append(("integrity", connection.execute("PRAGMA integrity_check").fetchall()))
    return found
