"""Random tables with much of what PostgreSQL and MariaDB allow, and random repairs of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
import pymysql

from doctor.model.change import Plan, SetCells
from doctor.model.schema import LiveTable
from doctor.model.tier import Tier
from doctor.system.database import open_read_door
from tests.support.random_database import NAMES
from tests.support.servers import Ground

TEXTS = (
    *(
        "",
        "x",
        "READY",
        "ready",
        "READY ",
        "Ünï",
        "日本",
        "a'b\"c",
        "%s",
        "\\",
        "\\'",
        "12",
        "NULL",
    ),
    *("tab\t", "line\n", "\U0001f600", "é", "ß", "1e3", "x" * 18),
)
INTEGERS = (0, 1, -1, 17, 2**31 - 1, -(2**31))
FLOATS = (0.1, 1 / 3, 1e30, -2.5, 3.0, 1e-30)
SINGLE = struct.unpack("f", struct.pack("f", 1 / 3))[0]  # needs nine digits
BLOBS = (b"", b"\0\xff", b"READY", bytes(range(256)))


def _text(random: Random) -> str:
    return random.choice(TEXTS)


def _decimal(random: Random) -> str:
    return f"{random.randint(-(10**6), 10**6) / 1000:.3f}"


def _moment(random: Random) -> str:
    return (
        f"2026-0{random.randint(1, 9)}-1{random.randint(0, 9)} 03:04:05.{random.randint(0, 999):03}"
    )


def _uuid(random: Random) -> str:
    text = f"{random.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


Make = Callable[[Random], Any]
_SHARED: dict[str, Make] = {
    "VARCHAR(20)": _text,
    "TEXT": _text,
    "INT": lambda random: random.choice(INTEGERS),
    "BIGINT": lambda random: random.choice((*INTEGERS, 2**63 - 1, -(2**63))),
    "NUMERIC(12,3)": _decimal,
    "DOUBLE PRECISION": lambda random: random.choice(FLOATS),
    "UUID": _uuid,
}
TYPES: dict[str, dict[str, Make]] = {
    "postgresql": {
        **_SHARED,
        "CHAR(20)": lambda random: f"{_text(random):20}",
        'TEXT COLLATE "C"': _text,
        "REAL": lambda random: random.choice((0.1, 0.5, -2.5, 3.0)),
        "BOOLEAN": lambda random: random.random() < 0.5,
        "BYTEA": lambda random: random.choice(BLOBS),
        "TIMESTAMPTZ": lambda random: f"{_moment(random).rstrip('0')}+00",
        "JSONB": lambda random: random.choice(('{"a": 1}', "[1, 2]", '"x"', "null")),
        "INT[]": lambda random: random.choice(("{1,2}", "{}", "{NULL}")),
        "INTERVAL": lambda random: random.choice(("1 day", "02:00:00", "-1 days")),
    },
    "mariadb": {
        **_SHARED,
        "CHAR(20)": lambda random: _text(random).rstrip(" "),
        "VARCHAR(20) CHARACTER SET latin1": lambda random: random.choice(("x", "é", "READY ", "")),
        "VARCHAR(20) COLLATE utf8mb4_bin": _text,
        "FLOAT": lambda random: random.choice((SINGLE, 0.5, -2.5, 3.0)),
        "BOOLEAN": lambda random: random.choice((0, 1)),
        "LONGBLOB": lambda random: random.choice(BLOBS),
        "DATETIME(3)": _moment,
        "JSON": lambda random: random.choice(('{"a": 1}', "[1, 2]", "5")),
        "ENUM('A', 'b', 'READY')": lambda random: random.choice(("A", "b", "READY")),
        "SET('x', 'y')": lambda random: random.choice(("", "x", "x,y")),
        "BIT(9)": lambda random: random.randint(0, 511).to_bytes(2, "big"),
    },
}
KEYS = ("VARCHAR(20)", "INT", "BIGINT", "UUID")


@dataclass(frozen=True, slots=True)
class Made:
    """A table that was made."""

    name: str
    types: dict[str, str]


def make(ground: Ground, seed: int) -> tuple[Made, ...]:
    """Make the tables of a seed, and rows in them."""
    random = Random(f"{ground.engine} {seed}")
    made: list[Made] = []
    with closing(ground.connect(autocommit=True)) as connection:
        cursor = connection.cursor()
        for name in random.sample(NAMES, random.randint(1, 2)):
            made.append(_table(ground, cursor, random, f"t{seed} {name.rstrip()}", made))
            _rows(ground, cursor, random, made[-1])
        if random.random() < 0.3:
            _trigger(ground, cursor, random, seed, random.choice(made), random.choice(made))
    return tuple(made)


def _table(ground: Ground, cursor: Any, random: Random, name: str, known: list[Made]) -> Made:
    quoted = ground.quoted
    columns = [one for one in random.sample(NAMES, random.randint(3, 6)) if one == one.rstrip()]
    count = random.choice((1, 1, 1, 2))
    types = {
        one: random.choice(KEYS if at < count else tuple(TYPES[ground.engine]))
        for at, one in enumerate(columns)
    }
    rules = ("", "", "", " NOT NULL", " UNIQUE")
    lines = [
        f"{quoted(one)} {kind}" + (random.choice(rules) if at >= count and kind in KEYS else "")
        for at, (one, kind) in enumerate(types.items())
    ]
    if random.random() < 0.2:
        source = quoted(random.choice(columns))
        lines.append(f"made INT GENERATED ALWAYS AS ({source} IS NULL) STORED".replace(
            "INT GENERATED", ground.of(postgresql="BOOLEAN GENERATED", mariadb="INT GENERATED")
        ))  # fmt: skip
    keys = ", ".join(quoted(one) for one in columns[:count])
    lines.append(f"PRIMARY KEY ({keys})")
    links = [
        (one, other, theirs)
        for one, kind in types.items()
        for other in known
        for theirs, its in [next(iter(other.types.items()))]
        if kind == its and len(other.types) > 1
    ]
    if links and random.random() < 0.5:
        one, other, theirs = random.choice(links)
        action = random.choice(("", " ON UPDATE CASCADE"))
        target = f"{quoted(other.name)} ({quoted(theirs)}){action}"
        with_link = [*lines, f"FOREIGN KEY ({quoted(one)}) REFERENCES {target}"]
        with suppress(psycopg.Error, pymysql.Error):
            cursor.execute(f"CREATE TABLE {quoted(name)} ({', '.join(with_link)})")
            return Made(name, types)
    cursor.execute(f"CREATE TABLE {quoted(name)} ({', '.join(lines)})")
    return Made(name, types)


def _rows(ground: Ground, cursor: Any, random: Random, table: Made) -> None:
    names = ", ".join(ground.quoted(one) for one in table.types).replace("%", "%%")
    marks = ", ".join("%s" for _ in table.types)
    into = ground.quoted(table.name).replace("%", "%%")
    for _ in range(random.randint(2, 6)):
        row = [
            None if at > 1 and random.random() < 0.2 else TYPES[ground.engine][kind](random)
            for at, kind in enumerate(table.types.values())
        ]
        with suppress(psycopg.Error, pymysql.Error):
            cursor.execute(f"INSERT INTO {into} ({names}) VALUES ({marks})", row)


def _trigger(
    ground: Ground, cursor: Any, random: Random, seed: int, table: Made, other: Made
) -> None:
    cell = ground.quoted(random.choice(list(other.types)))
    far = ground.quoted(other.name)
    with suppress(psycopg.Error, pymysql.Error):
        if ground.engine == "postgresql":
            doing = random.choice(
                (
                    "RETURN new;",
                    "RETURN null;",
                    f"DELETE FROM {far} WHERE {cell} IS NOT NULL; RETURN new;",
                    f"UPDATE {far} SET {cell} = NULL; RETURN new;",
                    "RAISE EXCEPTION 'no'; RETURN new;",
                )
            )
            cursor.execute(
                f"CREATE FUNCTION act{seed}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $act$ BEGIN {doing} END $act$"
            )
            cursor.execute(
                f"CREATE TRIGGER act BEFORE UPDATE ON {ground.quoted(table.name)}"
                f" FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION act{seed}()"
            )
        else:
            doing = random.choice(
                (
                    "SET @x = 1",
                    f"DELETE FROM {far} WHERE {cell} IS NOT NULL",
                    "SIGNAL SQLSTATE '45000'",
                )
            )
            cursor.execute(
                f"CREATE TRIGGER act{seed} BEFORE UPDATE ON {ground.quoted(table.name)}"
                f" FOR EACH ROW {doing}"
            )


def random_plan(ground: Ground, made: tuple[Made, ...], seed: int) -> Plan | None:
    """Return a plan that changes some cells of some rows; None where there is no row."""
    random = Random(f"plan {ground.engine} {seed}")
    read = open_read_door(ground.url)
    known = {one.name: one for one in read.tables()}
    changes = []
    for one in made:
        table: LiveTable = known[one.name]
        rows = read.rows(table, {}, limit=9)
        for row in random.sample(rows, min(len(rows), random.choice((0, 1, 1, 2)))):
            free = [name for name in one.types if name not in table.primary_key]
            if random.random() < 0.05:
                free = list(one.types)
            if not free:
                continue
            cells = random.sample(free, random.randint(1, min(2, len(free))))
            to = {name: TYPES[ground.engine][one.types[name]](random) for name in cells}
            changes.append(
                SetCells(
                    one.name,
                    {name: row[name] for name in table.primary_key},
                    {name: row[name] for name in cells},
                    to,
                )
            )
    if not changes:
        return None
    return Plan("target", f"run {seed}", ("r@1/x",), tuple(changes), Tier.SAFE, 1)


def exact(ground: Ground, made: tuple[Made, ...]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return every row of every table as the server itself spells it, byte by byte."""
    found = []
    for one in made:
        if ground.engine == "postgresql":
            cells = "t::text"
        else:
            cells = ", ".join(
                f"CAST({name} AS DOUBLE)" if kind == "FLOAT" else f"HEX(CAST({name} AS BINARY))"
                for name, kind in ((ground.quoted(n), k) for n, k in one.types.items())
            )
        rows = ground.query(f"SELECT {cells} FROM {ground.quoted(one.name)} t")
        found.append((one.name, sorted(rows, key=repr)))
    return found
