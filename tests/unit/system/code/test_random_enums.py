"""Whatever enum is written: reading it gives SQLAlchemy's own values, or a gap."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, Table

from doctor.system.code import read_models
from tests.unit.system.code.differential import HEAD, load, tables_of, write
from tests.unit.system.code.test_enum_shapes import table

pytestmark = pytest.mark.slow

NAMES = st.sampled_from(["A", "B", "C", "_d", "__e", "__f__", "long_name", "Ünïcode"])
TEXTS = st.sampled_from(["'a'", "'b'", "'A'", "''", "'a b'"])
NUMBERS = st.sampled_from(["0", "1", "2", "-1", "True", "1 << 2", "2.0"])
ODD = st.sampled_from(["(1, 2)", "[1]", "None", "object()", "A", "A + A", "{1: 2}", "lambda s: s"])
AUTO = st.just("enum.auto()")
BASES = st.sampled_from(
    [
        ("enum.Enum", TEXTS | NUMBERS | AUTO | ODD),
        ("enum.StrEnum", TEXTS | AUTO | NUMBERS),
        ("str, enum.Enum", TEXTS | AUTO | NUMBERS),
        ("enum.IntEnum", NUMBERS | AUTO),
        ("enum.Flag", NUMBERS | AUTO),
        ("Labels, str, enum.Enum", TEXTS | AUTO),
        ("Lower", TEXTS | AUTO | NUMBERS),
    ]
)
AROUND = """
class Labels:
    def label(self):
        return self.name

class Lower(enum.Enum):
    def _generate_next_value_(name, start, count, last_values):
        return name.lower()

"""


@st.composite
def enums(draw: st.DrawFn) -> str:
    base, values = draw(BASES)
    members = draw(st.lists(st.tuples(NAMES, values), min_size=1, max_size=7))
    lines = [f"    {name} = {value}" for name, value in members]
    if draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), "    def method(self): return 1")
    if draw(st.booleans()):
        lines.insert(0, "    note: str")
    return f"{AROUND}class E({base}):\n" + "\n".join(lines) + "\n"


def stored_by(table: Table, column: str) -> tuple[str, ...]:
    kind = table.c[column].type
    assert isinstance(kind, Enum)
    return tuple(kind.enums)


COLUMNS = """
x = mapped_column(Enum(E))
y = mapped_column(Enum(E, omit_aliases=False, name="y"))
z: Mapped[E]
"""
STORED = "w = mapped_column(Enum(E, values_callable=lambda e: [m.value for m in e], name='w'))"


@settings(max_examples=250, deadline=None)
@given(enums(), st.booleans())
def test_a_random_enum_reads_as_sqlalchemy_has_it_or_not_at_all(source: str, stored: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns = COLUMNS + (STORED if stored else "")
        path = write(Path(folder), HEAD + source + table(columns))
        models = read_models(path)
        try:
            (real,) = tables_of(load(path))
        except Exception:  # noqa: BLE001 - Python or SQLAlchemy refuses this enum
            return
        gaps = {gap.what for gap in models.gaps}
        for column in models.tables[0].columns:
            if f"roads.{column.name}" in gaps:
                assert column.enum is None
            elif column.name != "id":
                assert column.enum is not None
                assert column.enum.values == stored_by(real, column.name)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab'\"\\é \n{%", max_size=3), min_size=1, max_size=5))
def test_written_out_values_read_as_sqlalchemy_has_them(values: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listed = ", ".join(map(repr, values))
        path = write(Path(folder), HEAD + table(f"x = mapped_column(Enum({listed}, name='x'))"))
        column = read_models(path).tables[0].column("x")
        assert column is not None
        (real,) = tables_of(load(path))
        assert column.enum is not None
        assert column.enum.values == stored_by(real, "x")
