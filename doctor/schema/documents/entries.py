"""Entries from everything that says something about a table or a column."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from doctor.errors import SourceError
from doctor.model.documentation import DocEntry, Place, Sources, Words
from doctor.model.evidence import Gap, Scalar
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, CodeModels, LiveColumn, LiveTable, Row
from doctor.model.system import System
from doctor.schema.documents.examples import example_of, example_row
from doctor.schema.documents.fingerprint import fingerprint
from doctor.schema.documents.shapes import infer_schema
from doctor.system.code.fields import field_words
from doctor.system.code.shapes import class_schemas
from doctor.system.code.words import SourceFiles, source_words

PROBE = "schema document"
MOST_ROWS = 1_000
MOST_TEXT = 60_000
_JSON = frozenset({"JSON", "JSONB"})
_KINDS = {
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT"), "integer"),
    **dict.fromkeys(("Float", "Double", "FLOAT", "REAL", "Numeric", "NUMERIC"), "number"),
    **dict.fromkeys(("String", "Text", "Unicode", "UnicodeText", "VARCHAR", "TEXT"), "string"),
    **dict.fromkeys(("Uuid", "UUID", "DateTime", "Date", "Time", "TIMESTAMP"), "string"),
    "Boolean": "boolean",
}


def gather(
    system: System, door: ReadDoor, filled: Mapping[Place, Words]
) -> tuple[Sources, list[Gap]]:
    """Return what entries are made of; what cannot be read is a gap.

    Raises SourceError where the tables of the database cannot be read.
    """
    gaps: list[Gap] = []
    models = CodeModels()
    if system.code is not None:
        try:
            models = system.code.models()
        except SourceError as error:
            gaps.append(Gap(PROBE, f"the models: {error.message}"))
    files = SourceFiles()
    words, schemas = source_words(models, files), class_schemas(models, files)
    for table in models.tables:
        for column in table.columns:
            if column.shape is not None:  # described beats classes
                schemas[table.name, column.name] = Words(column.shape.text, column.shape.at)
    if system.project is not None:
        words = field_words(models, files, system.project) | words
    comments = {(table, column): said for table, column, said in door.comments()}
    return Sources(models, door.tables(), words, schemas, comments, filled), gaps


def make_entries(sources: Sources, door: ReadDoor) -> tuple[tuple[DocEntry, ...], tuple[Gap, ...]]:
    """Return an entry for each table and column of the database, and what could not be read."""
    found: list[DocEntry] = []
    gaps: list[Gap] = []
    for table in sources.tables:
        try:
            rows = door.rows(table, {}, limit=MOST_ROWS)
        except SourceError as error:
            rows = ()
            gaps.append(Gap(PROBE, f"rows of {table.name}: {error.message}"))
        found.append(_entry(sources, table, None, example_row(rows), ""))
        for column in table.columns:
            schema = _schema_text(sources, table, column, rows)
            found.append(_entry(sources, table, column, example_of(column.name, rows), schema))
    return tuple(found), tuple(gaps)


def is_json(column: LiveColumn, code: CodeColumn | None) -> bool:
    """Tell whether the values of a column are JSON documents."""
    declared = code is not None and code.type in _JSON
    return declared or column.type.lower().startswith("json")


def documents(column: str, rows: Sequence[Row]) -> list[Any]:
    """Return the documents of a column; what is no JSON is left out."""
    found = (document(row.get(column)) for row in rows if row.get(column) is not None)
    return [one[0] for one in found if one is not None]


def document(value: Scalar) -> tuple[Any] | None:
    """Return a stored document, None where it is none."""
    if not isinstance(value, str | bytes):
        return (value,)
    try:
        return (json.loads(value),)
    except (ValueError, RecursionError):
        return None


def _entry(
    sources: Sources, table: LiveTable, column: LiveColumn | None, example: str, schema: str
) -> DocEntry:
    place = (table.name, column.name if column is not None else "")
    said = _said(sources, place)
    return DocEntry(
        *place,
        said.text if said is not None else "",
        example,
        schema,
        said.origin if said is not None else "",
        fingerprint(sources, table, column),
    )


def _said(sources: Sources, place: Place) -> Words | None:
    """Return what the source says, else the database itself, else whoever filled it in."""
    comment = sources.comments.get(place)
    native = Words(comment, "COMMENT in the database") if comment else None
    return sources.words.get(place) or native or sources.filled.get(place)


def _schema_text(
    sources: Sources, table: LiveTable, column: LiveColumn, rows: Sequence[Row]
) -> str:
    declared = sources.models.table(table.name)
    code = declared.column(column.name) if declared is not None else None
    known = sources.schemas.get((table.name, column.name))
    if known is not None:
        return known.text
    if is_json(column, code):
        found = infer_schema(documents(column.name, rows))
    elif code is None:
        return ""
    elif code.enum is not None:
        listed = sorted({*code.enum.values, *code.enum.aliases}) if code.enum.open else None
        values = [*code.enum.values, *code.enum.aliases]
        found = {"type": "string", "examples": listed} if listed else {"enum": values}
    else:
        kind = _KINDS.get(code.type or "")
        found = {} if kind is None else {"type": kind}
    text = json.dumps(found, ensure_ascii=False) if found else ""
    return text if len(text) <= MOST_TEXT else ""
