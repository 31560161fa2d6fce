"""The drift zoo's detection table: Doctor, what `alembic check` compares, and sqlalchemy-diff.

sqlalchemy-diff compares two databases, so it is given the clean one instead of the models; it lives
in a venv of its own under the user's cache folder, made at the first run.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from platformdirs import user_cache_path

from doctor.system.code import read_models
from doctor.system.database import open_read_door
from tests.acceptance.test_drift_zoo import judged, place
from tests.bench.figure import Figure
from tests.support.zoo import Plant, afterwards, declared, planted

ENGINES = ("sqlite", "postgresql", "mariadb")
SCHEMAS = 10
SEED = 20
PEER = "sqlalchemy-diff==1.1.1"
_COMPARE = """
import json, sys
from sqlalchemydiff.comparer import Comparer
found = Comparer.from_params(*sys.argv[1:3]).compare().errors
print(json.dumps(found, default=str))
"""
Row = dict[str, list[bool]]


def measure() -> Iterator[Figure]:
    """Print the table of each engine; yield how many plants Doctor missed, and what it made up."""
    for engine in ENGINES:
        yield from _on(engine)


def _on(engine: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        package, clean = stack.enter_context(declared(folder, SEED, SCHEMAS))
        drifted, plants = planted(clean, SCHEMAS, engine)
        url, real = stack.enter_context(place(engine, folder / "drifted.db"))
        twin, other = stack.enter_context(place(engine, folder / "clean.db"))
        _make(real, drifted, afterwards(plants, engine))
        _make(other, clean, [])
        _, third = stack.enter_context(place(engine, folder / "again.db"))
        _make(third, clean, [])
        models = read_models(package)
        missed, others = judged(open_read_door(url).compare(models), plants)
        false = open_read_door(twin).compare(models).differences
        table = {
            "doctor": (set(plants) - set(missed), len(false)),
            "alembic": (_alembic(real, clean, plants), _false_alembic(other, clean)),
            "sqlalchemy-diff": (_diff(other, real, plants), _false_diff(other, third)),
        }
        _print(engine, plants, table)
        yield Figure(f"drift {engine}: plants missed", len(missed), 0)
        yield Figure(f"drift {engine}: false findings", len(others) + len(false), 0)


def _make(url: str, metadata: sa.MetaData, more: list[str]) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        metadata.create_all(connection)
        for one in more:
            connection.exec_driver_sql(one)
    engine.dispose()


def _operations(url: str, metadata: sa.MetaData) -> list[Any]:
    """Return what `alembic check` would list: the differences, with its own defaults."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    logging.getLogger("alembic").disabled = True
    engine = sa.create_engine(url)
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    return [part for one in found for part in (one if isinstance(one, list) else [one])]


_KINDS: Mapping[str, tuple[str, ...]] = {
    "missing_table": ("add_table",), "extra_table": ("remove_table",),
    "missing_column": ("add_column",), "extra_column": ("remove_column",),
    "extra_required_column": ("remove_column",), "type": ("modify_type",),
    "type_size": ("modify_type",), "null_refused": ("modify_nullable",),
    "null_allowed": ("modify_nullable",), "server_default": ("modify_default",),
    "missing_server_default": ("modify_default",), "missing_index": ("add_index",),
    "extra_index": ("remove_index",), "missing_unique": ("add_constraint", "add_index"),
    "extra_unique": ("remove_constraint", "remove_index"), "missing_foreign_key": ("add_fk",),
    "extra_foreign_key": ("remove_fk",), "missing_check": ("add_constraint",),
    "extra_check": ("remove_constraint",), "check": ("add_constraint",),
    "missing_label": ("modify_type",), "extra_label": ("modify_type",),
}  # fmt: skip


def _alembic(url: str, metadata: sa.MetaData, plants: list[Plant]) -> set[Plant]:
    said = [(one[0], _words(one)) for one in _operations(url, metadata)]
    columns = {"missing_label": "state", "extra_label": "state"}
    return {
        plant
        for plant in plants
        for kind, words in said
        if kind in _KINDS.get(plant.drift, ())
        and plant.table in words
        and columns.get(plant.drift, plant.about) in {*words, ""}
    }


def _false_alembic(url: str, metadata: sa.MetaData) -> int:
    return len(_operations(url, metadata))


def _words(one: tuple[Any, ...]) -> set[str]:
    words: set[str] = set()
    for part in one[1:]:
        if isinstance(part, str):
            words.add(part)
        elif isinstance(part, (sa.Table, sa.Column)):
            words.add(part.name)
        elif isinstance(part, (sa.Index, sa.schema.ColumnCollectionConstraint)):
            owner = part.table.name if part.table is not None else ""
            words |= {str(part.name), owner, *(each.name for each in part.columns)}
    return words


def _diff(clean: str, drifted: str, plants: list[Plant]) -> set[Plant]:
    """Return the plants whose table and name stand together in what sqlalchemy-diff reports."""
    found = _reported(clean, drifted)
    by_table: dict[str, str] = defaultdict(str)
    for kind, tables in found.items():
        for table, said in tables.items():
            by_table[table] += f"{kind} {json.dumps(said)}"
    whole = json.dumps({kind: said for kind, said in found.items() if kind in ("tables", "enums")})
    keys = ("primary_key", "no_primary_key")
    return {
        one
        for one in plants
        if (one.drift in keys and "primary_keys" in by_table[one.table])
        or (one.about and f'"{one.about}"' in by_table[one.table])
        or (not one.about and f'"{one.table}"' in whole)
        or ("label" in one.drift and f'"{one.about}"' in whole)
    }


def _false_diff(clean: str, twin: str) -> int:
    """Count the tables of which sqlalchemy-diff says something though nothing differs."""
    return sum(len(tables) for tables in _reported(clean, twin).values())


def _reported(one: str, other: str) -> Any:
    done = subprocess.run(
        [str(_peer()), "-W", "ignore", "-c", _COMPARE, one, other],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout)


def _peer() -> Path:
    """Return the interpreter of the venv that has sqlalchemy-diff, made where it is not there."""
    folder = user_cache_path("doctor-bench") / "sqlalchemy-diff"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        drivers = ["psycopg[binary]", "PyMySQL"]
        command = [str(python), "-m", "pip", "install", "--quiet", PEER, *drivers]
        subprocess.run(command, check=True, capture_output=True)
        (folder / "ready").touch()
    return python


def _print(engine: str, plants: list[Plant], table: Mapping[str, tuple[set[Plant], int]]) -> None:
    print(f"{engine:26}" + "".join(f"{name:>17}" for name in table))
    for drift in dict.fromkeys(one.drift for one in plants):
        many = {one for one in plants if one.drift == drift}
        cells = [f"{len(many & seen)}/{len(many)}" for seen, _ in table.values()]
        print(f"  {drift:24}" + "".join(f"{one:>17}" for one in cells))
    print(f"  {'on the clean twin':24}" + "".join(f"{false:>17}" for _, false in table.values()))
