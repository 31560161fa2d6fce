"""A system under care to test on: its files, its address, and what is sick in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Dump = dict[str, list[dict[str, tuple[Any, str]]]]


@dataclass(frozen=True)
class Ward:
    """One system with the same illnesses under its own names.

    ``columns`` are the enum columns of run, tier and phase as TABLE.COLUMN; ``runs`` maps an
    illness to the id of the run that has it; ``declared`` maps each column to what its owner would
    declare about the bad value of the run where all three are sick.
    """

    folder: Path
    database: Path
    models: Path
    api: str
    columns: tuple[str, str, str]
    valid: tuple[str, ...]
    runs: Mapping[str, str]
    values: Mapping[str, str]
    declared: Mapping[str, Mapping[str, str]]
    healed: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.columns[0].partition(".")[0]

    @property
    def column(self) -> str:
        return self.columns[0].partition(".")[2]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def options(self, *, api: bool | str = True) -> list[str]:
        """Return the command-line options that name this system."""
        found = ["--database", self.url, "--models", str(self.models)]
        address = self.api if api is True else api
        return [*found, "--api", address] if address else found

    def mapping(self, *columns: str) -> str:
        """Write the owner's mapping file for ``columns`` (all of them by default)."""
        parts = []
        for column in columns or self.columns:
            values = ", ".join(f"'{bad}': {good}" for bad, good in self.declared[column].items())
            parts.append(
                f"format: doctor/1\nmapping: {column}\nowner: team\nreason: T-1\n"
                f"values: {{{values}}}\n"
            )
        file = self.folder / f"mapping-{len(columns)}.yaml"
        file.write_text("---\n".join(parts), encoding="utf-8")
        return str(file)

    def execute(self, statement: str, *values: object) -> None:
        """Change the system behind Doctor's back."""
        connection = sqlite3.connect(self.database)
        with connection:
            connection.execute(statement, values)
        connection.close()

    def cell(self, run: str) -> str:
        """Return what stands in the run's own enum cell."""
        key = "id" if self.table == "runs" else "uid"
        connection = sqlite3.connect(self.database)
        query = f"SELECT {self.column} FROM {self.table} WHERE {key} = ?"
        [(value,)] = connection.execute(query, (run,)).fetchall()
        connection.close()
        return str(value)

    def dump(self) -> Dump:
        """Return every cell of every user table with its storage class."""
        return dump(self.database)


def dump(database: Path) -> Dump:
    """Return every row of every user table but Doctor's marker, each cell with its typeof()."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name <> 'doctor_applied' ORDER BY name"
    )
    found: Dump = {}
    for (table,) in connection.execute(query).fetchall():
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        cells = ", ".join(f'"{name}", typeof("{name}")' for name in names)
        found[table] = [
            {name: (row[2 * at], row[2 * at + 1]) for at, name in enumerate(names)}
            for row in connection.execute(f"SELECT {cells} FROM {table} ORDER BY rowid")
        ]
    connection.close()
    assert found
    return found


def changed(before: Dump, after: Dump) -> list[tuple[str, Any, Any]]:
    """Return (TABLE.COLUMN, old, new) of every cell that differs; no row may come or go."""
    assert before.keys() == after.keys()
    found = []
    for table, rows in before.items():
        assert len(rows) == len(after[table])
        for old, new in zip(rows, after[table], strict=True):
            assert old.keys() == new.keys()
            found += [
                (f"{table}.{name}", old[name][0], new[name][0])
                for name in old
                if old[name] != new[name]
            ]
    return found
