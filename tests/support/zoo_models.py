"""Random model files: mixins, enums in other files, composite keys, odd names, many types."""

from __future__ import annotations

from pathlib import Path
from random import Random

BASE = """from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

class Base(DeclarativeBase):
    metadata = MetaData({naming})
"""
NAMING = """naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }"""
MIXINS = """import datetime
from sqlalchemy import func
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

class Stamped:
    made_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime.datetime | None]

class Counted:
    @declared_attr
    def counter(cls) -> Mapped[int]:
        return mapped_column(server_default="0", index=True)
"""
HEAD = """import datetime, decimal, uuid
from sqlalchemy import *
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from .base import Base
from .enums import Color{i}, Mood{i}
from .mixins import Counted, Stamped

"""
TYPES = (
    "String(40)", "String(255)", "Unicode(30)", "Text", "Text()", "Integer", "BigInteger",
    "SmallInteger", "Numeric(10, 2)", "Numeric(12, 4)", "Float", "Double", "Boolean", "Date",
    "DateTime", "DateTime(timezone=True)", "Time", "LargeBinary", "JSON", "Uuid",
    "Float(53)", "Float(20)", "REAL", "Interval", "CHAR(5)", "TIMESTAMP", "UnicodeText",
    "PickleType", "LargeBinary(100)", "Numeric", "Numeric(8, 3, asdecimal=False)",
    "JSON(none_as_null=True)", "DOUBLE_PRECISION",
    "BigInteger().with_variant(Integer, 'sqlite')",
    "Enum(Color{i}, name='plain{i}_{k}')",
    "Enum(Color{i}, native_enum=False, create_constraint=True, name='made{i}_{k}')",
    "Enum(Mood{i}, values_callable=lambda e: [m.value for m in e], native_enum=False, length=30)",
)  # fmt: skip
DEFAULTS = {
    "Integer": ("'7'", "text('7')", "text('-1')"),
    "BigInteger": ("'12'", "text('12')"),
    "String(40)": ("'a b'", '"it\'s"', "''", "text(\"'x'\")"),
    "Numeric(10, 2)": ("'1.50'", "text('0')"),
    "Boolean": ("true()", "false()", "text('false')"),
    "DateTime": ("func.now()", "text('CURRENT_TIMESTAMP')"),
    "Float": ("'1.5'", "text('0')"),
}
CHECKS = (
    "n1 > 0", "n1 BETWEEN 1 AND 9", "word IN ('a', 'b', 'c')", "word <> ''", "n1 IS NOT NULL",
    "n1 IS NULL OR n1 < 100", "length(word) > 2", "NOT (n1 = 5)", "word NOT IN ('x', 'y')",
    "n1 >= 0 AND n1 < n2 + 10", "word LIKE 'a%'", "n1 != 3", "word = 'a' OR (n1 = 1 AND n2 = 2)",
    "n1 * 2 <= n2", "coalesce(n1, 0) >= 0", "lower(word) = word",
)  # fmt: skip
ODD = ("Mixed Case", "select", "größe", "with-dash", "UPPER", "a.b"[:1] + "1 x", "order")


def write_models(folder: Path, seed: int, count: int) -> Path:
    """Write a package of ``count`` schemas, and return it."""
    random = Random(f"zoo {seed}")
    package = folder / f"zoo_{seed}"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "base.py").write_text(BASE.format(naming=random.choice(("", NAMING))))
    (package / "mixins.py").write_text(MIXINS)
    enums = [_enums(number) for number in range(count)]
    (package / "enums.py").write_text("import enum\n" + "".join(enums))
    for number in range(count):
        (package / f"schema_{number}.py").write_text(_schema(number, Random(f"{seed} {number}")))
    return package


def _enums(i: int) -> str:
    return (
        f"class Color{i}(enum.Enum):\n    RED = 'red'\n    GREEN = 'green'\n    BLUE = 'blue'\n"
        f"class Mood{i}(str, enum.Enum):\n    GOOD = 'good'\n    BAD = 'bad'\n"
    )


def _schema(i: int, random: Random) -> str:
    classes = [_planted(i, random), _child(i, random), _pair(i, random), _gone(i, random)]
    return HEAD.format(i=i) + "\n".join(classes) + _late(i, random)


def _mixed(random: Random) -> str:
    chosen = random.choice(("", "Stamped, ", "Counted, ", "Stamped, Counted, "))
    return f"{chosen}Base"


def _extras(i: int, random: Random, letter: str) -> str:
    lines = []
    names = random.sample(ODD, 2)
    for k in range(random.randint(3, 7)):
        kind = random.choice(TYPES).format(i=i, k=f"{letter}{k}")
        options = [f"nullable={random.random() < 0.5}"]
        if kind in DEFAULTS and random.random() < 0.6:
            options.append(f"server_default={random.choice(DEFAULTS[kind])}")
        name = f"{names[k]!r}, " if k < len(names) else ""
        more = ", ".join(options)
        if random.random() < 0.2:
            lines.append(f"    {letter}{k} = Column({name}{kind}, {more})")
        else:
            lines.append(f"    {letter}{k} = mapped_column({name}{kind}, {more})")
    return "\n".join(lines) + "\n"


def _planted(i: int, random: Random) -> str:
    checks = random.sample(CHECKS, 2)
    return f"""
class Planted{i}({_mixed(random)}):
    __tablename__ = {random.choice((f"planted_{i}", f"Planted Table {i}"))!r}
    __table_args__ = (
        UniqueConstraint("n1", "n2", name="uq_gone_{i}"),
        UniqueConstraint("n2", "word", name="uq_kept_{i}"),
        CheckConstraint("n1 < 1000", name="ck_gone_{i}"),
        CheckConstraint("n2 > 1", name="ck_differs_{i}"),
        CheckConstraint({checks[0]!r}, name="ck_kept_{i}"),
        CheckConstraint({checks[1]!r}, name="ck_also_{i}"),
        Index("ix_gone_{i}", "n1"),
        Index("ix_kept_{i}", "n2", "n1"),
        Index("ix_moved_{i}", "n1", "word"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    n1: Mapped[int | None]
    n2: Mapped[int]
    word: Mapped[str] = mapped_column(String(50))
    gone: Mapped[int | None]
    other_type: Mapped[int | None]
    shorter: Mapped[str | None] = mapped_column(String(80))
    refuses: Mapped[str | None] = mapped_column(String(9))
    allows: Mapped[str] = mapped_column(String(9))
    default_differs: Mapped[int] = mapped_column(server_default="1")
    default_gone: Mapped[int] = mapped_column(server_default=text("2"))
    state: Mapped[Color{i}] = mapped_column(Enum(Color{i}, name="state_{i}"))
{_extras(i, random, "p")}"""


def _child(i: int, random: Random) -> str:
    rule = random.choice(("", ', ondelete="CASCADE"', ', ondelete="SET NULL"'))
    table = "Planted" if random.random() < 0.5 else "Child"
    own = f"ForeignKey(Planted{i}.id{rule})"
    del table
    return f"""
class Child{i}({_mixed(random)}):
    __tablename__ = "child_{i}"
    id: Mapped[int] = mapped_column(primary_key=True)
    planted_id: Mapped[int | None] = mapped_column({own}, index=True)
    gone_id: Mapped[int | None] = mapped_column(ForeignKey(Planted{i}.id), index=True)
    free_id: Mapped[int | None] = mapped_column(index=True)
    unforced: Mapped[int | None]
    code: Mapped[str] = mapped_column(String(20), unique=True)
    plain: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(Enum("NEW", "DONE", native_enum=False, length=20))
    number: Mapped[int | None]
    document = mapped_column(JSON, nullable=True)
{_extras(i, random, "c")}"""


def _pair(i: int, random: Random) -> str:
    return f"""
class Pair{i}(Base):
    __tablename__ = "pair_{i}"
    left: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    right: Mapped[str] = mapped_column(String(30), primary_key=True)
    note: Mapped[str | None] = mapped_column(String(10))
class Linked{i}({_mixed(random)}):
    __tablename__ = "linked_{i}"
    __table_args__ = (
        ForeignKeyConstraint(["left_id", "right_id"], ["pair_{i}.left", "pair_{i}.right"]),
        {{"comment": "links"}},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    left_id: Mapped[int | None]
    right_id: Mapped[str | None] = mapped_column(String(30))
keyed_{i} = Table(
    "keyed_{i}", Base.metadata,
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("second", Integer, primary_key=True, autoincrement=False),
    Column("third", Integer, nullable=False),
)
bare_{i} = Table(
    "bare_{i}", Base.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False), Column("a", Integer),
)
"""


def _gone(i: int, random: Random) -> str:
    return f"""
class Gone{i}({_mixed(random)}):
    __tablename__ = "gone_{i}"
    id: Mapped[int] = mapped_column(primary_key=True)
{_extras(i, random, "g")}"""


def _late(i: int, random: Random) -> str:
    if random.random() < 0.5:
        return ""
    return f'\nIndex("ix_late_{i}", Child{i}.number, Child{i}.plain)\n'
