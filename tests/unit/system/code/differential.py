"""Models read from source beside the same models imported: SQLAlchemy itself is the judge."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
import warnings
from pathlib import Path
from types import ModuleType
from uuid import uuid4

from sqlalchemy import (
    Column,
    Enum,
    ForeignKeyConstraint,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import NullType, TypeDecorator

from doctor.model.schema import CodeModels
from doctor.system.code import read_models

HEAD = """
import enum
from datetime import datetime
from typing import Annotated, Literal, Optional, Union

import sqlalchemy as sa
from sqlalchemy import Column, Enum, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Light(enum.Enum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
"""

Row = tuple[str, bool | None, bool, str | None, str | None, tuple[str, ...] | None]


def write(folder: Path, source: str, name: str = "models.py") -> Path:
    """Write ``source``, dedented, to a file in ``folder``."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source))
    return path


def load(path: Path) -> ModuleType:
    """Import the file at ``path`` under a name of its own."""
    name = f"shape_{uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the shapes may use what Python deprecates
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        del sys.modules[name]
        for other in [one for one in sys.modules if one.startswith("part_")]:
            del sys.modules[other]
    return module


def tables_of(module: ModuleType) -> list[Table]:
    """Return every table that the imported module declares."""
    found: dict[int, Table] = {}
    for value in vars(module).values():
        metadata = value if isinstance(value, MetaData) else getattr(value, "metadata", None)
        if isinstance(metadata, MetaData):
            found.update({id(one): one for one in metadata.tables.values()})
    return list(found.values())


def seen_by_sqlalchemy(path: Path) -> dict[tuple[str | None, str], list[Row]]:
    """Return the tables of the models at ``path`` as SQLAlchemy has them."""
    return {
        (table.schema, table.name): sorted(
            (
                str(column.name),
                column.nullable,
                column.primary_key,
                next((one.target_fullname for one in column.foreign_keys), None),
                None if isinstance(column.type, NullType) else type(column.type).__name__,
                _values(column.type),
            )
            for column in table.columns
        )
        for table in tables_of(load(path))
    }


def _values(kind: object) -> tuple[str, ...] | None:
    inner = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return tuple(str.__str__(one) for one in inner.enums) if isinstance(inner, Enum) else None


def seen_by_doctor(models: CodeModels) -> dict[tuple[str | None, str], list[Row]]:
    """Return the tables that were read from source in the same form."""
    return {
        (table.schema, table.name): sorted(
            (
                column.name,
                column.nullable,
                column.primary_key,
                column.foreign_key,
                column.type,
                column.enum.values if column.enum is not None else None,
            )
            for column in table.columns
        )
        for table in models.tables
    }


def constraints_by_sqlalchemy(path: Path) -> dict[str, tuple[list[object], list[object]]]:
    """Return what the tables call unique, and their references of several columns."""
    found: dict[str, tuple[list[object], list[object]]] = {}
    for table in tables_of(load(path)):
        uniques: list[object] = [
            [str(each.name) for each in one.columns]
            for one in table.constraints
            if isinstance(one, UniqueConstraint)
        ]
        for index in table.indexes:
            if index.unique:
                plain = all(isinstance(one, Column) for one in index.expressions)
                some = any(name.endswith("_where") for name in index.dialect_kwargs)
                columns = [str(each.name) for each in index.columns]
                uniques.append(columns if plain and not some else [])
        links: list[object] = [
            [one.target_fullname.rpartition(".")[::2] for one in each.elements]
            for each in table.constraints
            if isinstance(each, ForeignKeyConstraint) and len(each.elements) > 1
        ]
        found[str(table.name)] = sorted(uniques, key=repr), sorted(links, key=repr)
    return found


def constraints_by_doctor(models: CodeModels) -> dict[str, tuple[list[object], list[object]]]:
    """Return the same as it was read from source."""
    return {
        table.name: (
            sorted((list(one.columns) for one in table.uniques), key=repr),
            sorted(
                (
                    [(one.table, key) for key in one.references]
                    for one in table.links
                    if len(one.columns) > 1
                ),
                key=repr,
            ),
        )
        for table in models.tables
    }


def read(folder: Path, source: str, head: str = HEAD) -> CodeModels:
    """Write ``source`` below the usual imports and read it without importing it."""
    return read_models(write(folder, head + textwrap.dedent(source)))


def assert_same(folder: Path, source: str, head: str = HEAD) -> CodeModels:
    """Assert that reading ``source`` gives what SQLAlchemy makes of it, without a gap."""
    path = write(folder, head + textwrap.dedent(source))
    models = read_models(path)
    assert models.gaps == ()
    ours, theirs = seen_by_doctor(models), seen_by_sqlalchemy(path)
    assert ours == theirs, f"read {ours}\nSQLAlchemy {theirs}"
    assert constraints_by_doctor(models) == constraints_by_sqlalchemy(path)
    assert models.tables
    return models
