"""The code port of a described system: what the models say, and what is known beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from doctor.model.description import (
    ColumnFacts,
    Contradiction,
    Requirement,
    SystemDescription,
)
from doctor.model.ports import Code
from doctor.model.schema import (
    CodeColumn,
    CodeGap,
    CodeModels,
    CodeTable,
    DescribedShape,
    EnumValues,
    LiveTable,
)
from doctor.settings import SystemSettings
from doctor.system.code.lookup import Lookup
from doctor.system.code.source.symbols import UnreadableError

_HOLDS = {
    "json": "JSON",
    "pickle": "pickle",
    "timestamp": "DateTime",
    "number": "Float",
    "integer": "Integer",
}
_DEEPEST = 6
_LISTED = "the list of accepted values"


class DescribedCode:
    """Models with what a description adds to them; what the models know themselves stays.

    ``live`` are the tables of the database: what is described and not there is a gap.
    """

    def __init__(
        self,
        inner: Code | None,
        description: SystemDescription,
        live: Iterable[LiveTable],
        models: Path | None = None,
    ):
        self._inner = inner
        self._description = description
        self._live = {one.name: one for one in live}
        self._lookup = Lookup(_roots(models))
        self._models: CodeModels | None = None

    def models(self) -> CodeModels:
        """Return the models; raises SourceError where those beneath cannot be read."""
        if self._models is None:
            self._models = self._described(self._inner.models() if self._inner else CodeModels())
        return self._models

    def _described(self, models: CodeModels) -> CodeModels:
        tables = {one.name: one for one in models.tables}
        gaps = list(models.gaps)
        for one in self._description.columns:
            name, _, column = one.column.rpartition(".")
            if name not in self._live or self._live[name].column(column) is None:
                reason = "it is described, and the database does not have it"
                gaps.append(CodeGap(one.origin, one.column, reason))
                continue
            table = tables.get(name) or CodeTable(name, None, (), one.origin)
            known = table.column(column) or CodeColumn(column, None, None)
            try:
                tables[name] = _with(table, self._column(known, one))
                gaps = [gap for gap in gaps if gap.what != one.column or known.enum]
            except UnreadableError as error:
                gaps.append(CodeGap(error.where or one.origin, one.column, error.reason))
        requires, lacking = self._requires()
        never, gone = self._never()
        return CodeModels(
            tuple(tables.values()),
            (*gaps, *lacking, *gone),
            (*models.requires, *requires),
            (*models.never, *never),
            (*models.copies, *self._description.copies),
        )

    def _column(self, known: CodeColumn, one: ColumnFacts) -> CodeColumn:
        enum = (self._values(one) or known.enum) if one.firm else (known.enum or self._values(one))
        return replace(
            known,
            type=_HOLDS[one.holds] if one.holds else known.type,
            nullable=known.nullable if one.null is None else one.null,
            enum=replace(enum, open=one.open) if enum else None,
            breaks=one.breaks,
            shape=DescribedShape(one.schema, one.origin) if one.schema else known.shape,
        )

    def _values(self, one: ColumnFacts) -> EnumValues | None:
        listed = EnumValues(_LISTED, one.values, one.origin) if one.values else None
        if one.enum is None:
            return listed
        try:
            return self._lookup.values(one.enum, one.stored)
        except UnreadableError as error:
            if listed is None:
                reason = f"the values of {one.enum} are not known: {error.reason}"
                raise UnreadableError(reason, error.where) from error
            return replace(listed, name=one.enum.rpartition(":")[2])

    def _requires(self) -> tuple[Sequence[Requirement], Sequence[CodeGap]]:
        kept, gaps = [], []
        for one in self._description.requires:
            names = [name for name in (one.table, one.rows, one.as_many_as) if name]
            gone = [name for name in names if name not in self._live]
            columns = [name for name in (*one.when, *one.set) if not gone]
            gone += [
                f"{one.table}.{name}"
                for name in columns
                if self._live[one.table].column(name) is None
            ]
            if gone:
                reason = "a requirement names it, and the database does not have it"
                gaps.append(CodeGap(one.origin, gone[0], reason))
            else:
                kept.append(one)
        return kept, gaps

    def _never(self) -> tuple[Sequence[Contradiction], Sequence[CodeGap]]:
        kept, gaps = [], []
        for one in self._description.never:
            parts = [(one.table, name) for name in one.when]
            parts += [(one.rows, name) for name in one.holding]
            gone = [
                f"{table}.{name}"
                for table, name in parts
                if table not in self._live or self._live[table].column(name) is None
            ]
            if gone:
                reason = "a contradiction names it, and the database does not have it"
                gaps.append(CodeGap(one.origin, gone[0], reason))
            else:
                kept.append(one)
        return kept, gaps


def with_columns(
    description: SystemDescription | None, settings: SystemSettings, origin: str
) -> SystemDescription | None:
    """Return the description with what the owner says of single columns in doctor.toml."""
    if not settings.columns:
        return description
    own = {
        name: ColumnFacts(
            name,
            one.enum,
            one.stored,
            one.values,
            one.open,
            None if one.nulls is None else one.nulls == "accepted",
            one.terminal,
            one.holds,
            origin=origin,
            firm=True,
        )
        for name, one in settings.columns.items()
    }
    base = description or SystemDescription("discovered", origin=origin)
    kept = tuple(one for one in base.columns if one.column not in own)
    return replace(base, columns=(*kept, *own.values()))


def renamed(description: SystemDescription, runs: str | None) -> SystemDescription:
    """Return the description for a system whose run table is called ``runs``."""
    usual = description.runs
    if runs is None or usual is None or runs == usual:
        return description

    def other(name: str | None) -> str | None:
        return runs if name == usual else name

    def cell(name: str) -> str:
        table, _, column = name.rpartition(".")
        return f"{other(table)}.{column}"

    return replace(
        description,
        runs=runs,
        columns=tuple(replace(one, column=cell(one.column)) for one in description.columns),
        requires=tuple(
            replace(
                one,
                table=other(one.table) or "",
                rows=other(one.rows),
                as_many_as=other(one.as_many_as),
            )
            for one in description.requires
        ),
        never=tuple(
            replace(one, table=other(one.table) or "", rows=other(one.rows) or "")
            for one in description.never
        ),
        copies=tuple(
            replace(one, column=cell(one.column), inside=cell(one.inside))
            for one in description.copies
        ),
    )


def _roots(models: Path | None) -> tuple[Path, ...]:
    """Return the folders that packages of the system may lie in, from its models upwards."""
    if models is None:
        return ()
    return tuple(models.absolute().parents)[:_DEEPEST]


def _with(table: CodeTable, column: CodeColumn) -> CodeTable:
    others = tuple(one for one in table.columns if one.name != column.name)
    return replace(table, columns=(*others, column))
