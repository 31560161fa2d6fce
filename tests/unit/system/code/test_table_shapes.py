"""Every way to declare a table reads exactly as SQLAlchemy's own metadata."""

# ruff: noqa: E501 - a shape is easier to read on its one line

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.system.code.differential import HEAD, assert_same, read

FUTURE = "from __future__ import annotations\n"

SHAPES = {
    "a column function that depends on the version of the library": """
try:
    from sqlalchemy.orm import mapped_column
    _Made = mapped_column
except ImportError:
    from sqlalchemy import Column as _Made

class Road(Base):
    __tablename__ = "roads"
    id = _Made(Integer, primary_key=True)
    light = _Made(Enum(Light), nullable=False)
""",
    "mixins and an abstract base": """
class Stamps:
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

class Lit:
    light: Mapped[Light] = mapped_column(Enum(Light), default=Light.RED)
    hidden: Mapped[str]

class Common(Stamps, Base):
    __abstract__ = True
    id: Mapped[int] = mapped_column(primary_key=True)

class Road(Lit, Common):
    __tablename__ = "roads"
    hidden = None
    length: Mapped[float] = mapped_column(sa.Integer)
""",
    "a column of the class wins over its mixin": """
class Lit:
    light: Mapped[Light]

class Road(Lit, Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[str] = mapped_column(String(5))
""",
    "single table inheritance": """
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "road"}

class Street(Road):
    light: Mapped[Optional[Light]]
    width = mapped_column(Integer, use_existing_column=True)
    __mapper_args__ = {"polymorphic_identity": "street"}

class Alley(Road):
    width = mapped_column(Integer, use_existing_column=True)
    __mapper_args__ = {"polymorphic_identity": "alley"}
""",
    "joined inheritance": """
class Lit:
    light: Mapped[Light]

class Road(Lit, Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)

class Street(Road):
    __tablename__ = "streets"
    id: Mapped[int] = mapped_column(ForeignKey("roads.id"), primary_key=True)
    side: Mapped[Light]

class Lane(Street):
    __tablename__ = "lanes"
    id: Mapped[int] = mapped_column(ForeignKey(Street.id), primary_key=True)
""",
    "table names by declared_attr": """
class Named:
    @declared_attr.directive
    def __tablename__(cls) -> str:
        '''Words.'''
        return cls.__name__.lower() + "s"

    id: Mapped[int] = mapped_column(primary_key=True)

class Road(Named, Base):
    light: Mapped[Light]

class Street(Road):
    id: Mapped[int] = mapped_column(ForeignKey("roads.id"), primary_key=True)

class Alley(Road):
    __tablename__ = None
    length: Mapped[int | None]

class Way(Named, Base):
    __tablename__ = "ways"
""",
    "table name by f-string and constant": """
PREFIX = "my"
class Road(Base):
    __tablename__ = f"{PREFIX}_roads"
    id = Column(Integer, primary_key=True)
class Street(Base):
    __tablename__ = PREFIX + "_streets"
    id = Column(Integer, primary_key=True)
    road_id = Column(ForeignKey(Road.id))
""",
    "columns by declared_attr": """
class Owned:
    @declared_attr
    def owner_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("owners.id"))

    @declared_attr
    def light(cls):
        return Column(Enum(Light), nullable=False)

    @declared_attr
    def owner(cls) -> Mapped["Owner"]:
        return relationship("Owner")

class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)

class Road(Owned, Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
""",
    "core tables": """
metadata = MetaData(schema="town")
road_id = Column("road_id", ForeignKey("town.roads.id"))
roads = Table(
    "roads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("light", Enum(Light)),
    Column("end", Enum(Light, values_callable=lambda e: [m.value for m in e]), nullable=False),
    sa.Index("ix", "light"),
)
lanes = sa.Table("lanes", metadata, road_id, Column("side", Integer), schema="other")
pairs = Table(
    "pairs",
    MetaData(),
    Column("a", Integer),
    Column("b", Integer),
    sa.PrimaryKeyConstraint("a", "b"),
)
others = Table(
    "others",
    pairs.metadata,
    Column("a", Integer),
    Column("b"),
    sa.ForeignKeyConstraint(["a", "b"], ["pairs.a", "pairs.b"]),
)
named = Table("named", pairs.metadata, Column(ForeignKey(pairs.c.a), name="a", primary_key=True))
""",
    "a class on a core table": """
roads = Table("roads", Base.metadata, Column("id", Integer, primary_key=True), Column("l", Enum(Light)))

class Road(Base):
    __table__ = roads

class Street(Base):
    __table__ = Table("streets", Base.metadata, Column("id", Integer, primary_key=True))
""",
    "table args": """
class Road(Base):
    __tablename__ = "roads"
    __table_args__ = (sa.PrimaryKeyConstraint("a", "b"), sa.UniqueConstraint("a"), {"schema": "town"})
    a: Mapped[int]
    b: Mapped[Light | None]

class Street(Base):
    __tablename__ = "streets"
    __table_args__ = {"schema": "town", "comment": "words"}
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[Optional[int]]
    __mapper_args__ = {"eager_defaults": True}

class Lane(Base):
    __tablename__ = "lanes"
    id: Mapped[int] = mapped_column(primary_key=True)

    @declared_attr.directive
    def __table_args__(cls):
        return (sa.CheckConstraint("id > 0"),)
""",
    "types that follow foreign keys": """
class Road(Base):
    __tablename__ = "roads"
    light: Mapped[Light] = mapped_column(primary_key=True)

class Street(Base):
    __tablename__ = "streets"
    light: Mapped[str] = mapped_column(ForeignKey("roads.light"), primary_key=True)

class Lane(Base):
    __tablename__ = "lanes"
    light = Column(ForeignKey("streets.light"), primary_key=True)
""",
    "type annotation map": """
short = Annotated[str, 9]
Word = Literal["x", "y"]
class Mode(str, enum.Enum):
    ON = "on"
    OFF = "off"
class Size(enum.IntEnum):
    S = 1
class Kept(enum.Enum):
    K = "k"
class Mapping:
    type_annotation_map = {
        enum.Enum: Enum(enum.Enum, values_callable=lambda e: [str(m.value) for m in e], native_enum=False),
        Mode: Enum(Mode),
        Kept: String(4),
        str: sa.Text,
        short: String(9),
        Literal["p", "q"]: Enum("p", "q", "r", name="pqr"),
        Word: Enum(enum.Enum, native_enum=False),
        dict: sa.JSON,
    }
class Other(Mapping, DeclarativeBase):
    pass
class Road(Other):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[Light]
    mode: Mapped[Mode]
    size: Mapped[Size]
    kept: Mapped[Kept]
    text: Mapped[str]
    short: Mapped[short]
    pq: Mapped[Literal["q", "p"]]
    word: Mapped[Word]
    ab: Mapped[Literal["a"]]
    data: Mapped[dict | None]
""",
    "an enum base in the map": """
class Stored(str, enum.Enum):
    pass
class Mode(Stored):
    ON = "on"
class Other(DeclarativeBase):
    registry = sa.orm.registry(
        type_annotation_map={Stored: Enum(Stored, values_callable=lambda e: [m.value for m in e])}
    )
    metadata = MetaData(schema="town")
class Road(Other):
    __tablename__ = "roads"
    mode: Mapped[Mode] = mapped_column(primary_key=True)
""",
    "legacy base": """
from sqlalchemy.orm import declarative_base, registry
Legacy = declarative_base(type_annotation_map={str: sa.Text})
class Road(Legacy):
    __tablename__ = "roads"
    id = Column(Integer, primary_key=True)
    light = Column("colour", Enum(Light), nullable=False, server_default="RED")
    text: Mapped[str]
mapper_registry = registry(metadata=MetaData(schema="town"))
Made = mapper_registry.generate_base()
class Street(Made):
    __tablename__ = "streets"
    id = Column(Integer, primary_key=True)
@mapper_registry.mapped
class Lane:
    __tablename__ = "lanes"
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[Light]
""",
    "dataclasses": """
from sqlalchemy.orm import MappedAsDataclass
class Data(MappedAsDataclass, DeclarativeBase):
    pass
class Road(Data):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    light: Mapped[Light] = mapped_column(default=Light.RED)
    note: Mapped[Optional[str]] = mapped_column(default=None, repr=False)
""",
    "what is no column": """
from typing import ClassVar
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped as M, column_property, synonym, validates
class Road(Base):
    __tablename__ = "roads"
    limit: ClassVar[int] = 3
    id: M[int] = mapped_column(primary_key=True)
    lanes: Mapped[list["Lane"]] = relationship(back_populates="road")
    notes = association_proxy("lanes", "id")
    double = column_property(id * 2)
    same: Mapped[int] = synonym("id")
    plain = 3
    pair = 1, 2
    @hybrid_property
    def twice(self):
        return self.id
    @validates("id")
    def check(self, key, value):
        return value
class Lane(Base):
    __tablename__ = "lanes"
    id: Mapped[int] = mapped_column(primary_key=True)
    road_id: Mapped[int | None] = mapped_column(ForeignKey("roads.id", ondelete="CASCADE"))
    road: Mapped["Road"] = relationship(back_populates="lanes")
""",
    "what Python finds on the class counts": """
class Plain:
    a: int
    b = None
    c: Mapped[int]
class Lit:
    a: Mapped[Light]
    b: Mapped[Light]
    c: Mapped[Light]
    d: Mapped[Light]
    e: Mapped[Light]
    f: Mapped[Light] = mapped_column()
    g: Mapped[str] = mapped_column(String(3))
class Road(Plain, Lit, Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    d = 3
    e: Mapped[str]
    f = property(lambda self: 1)
    g: Mapped[int]
class Other:
    h: Mapped[Light]
class Street(Other, Road):
    __tablename__ = "streets"
    id: Mapped[int] = mapped_column(ForeignKey("roads.id"), primary_key=True)
""",
    "attributes of a mixin stay with the parent": """
class Lit:
    a: Mapped[Light]
    b: Mapped[Light] = mapped_column()
class Road(Lit, Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
class Street(Road):
    __tablename__ = "streets"
    id: Mapped[int] = mapped_column(ForeignKey("roads.id"), primary_key=True)
    d: Mapped[Light]
""",
    "functional enums and aliases": """
Made = enum.Enum("Made", "A B")
Maybe = Optional[Light]
Kind = Annotated[Literal["a", "b"], 3]
Several = Union[Light, None]
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[Made]
    b: Mapped[Maybe]
    c: Mapped[Kind]
    d: Mapped[Several]
    e: Mapped["Optional[Made]"]
""",
    "unusual spellings": """
import typing_extensions as te
Alias = te.TypeAliasType("Alias", Literal["a", "b"])
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[te.Optional[te.Annotated[te.Literal["x"], 3]]]
    b: Mapped[Alias]
    c: Mapped[Optional[Alias]]
""",
    "nullability": """
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[Optional[int]] = mapped_column(primary_key=True)
    a: Mapped[int] = mapped_column(nullable=True)
    b: Mapped[Optional[int]] = mapped_column(nullable=False)
    c = mapped_column(Integer)
    d = Column(Integer)
    e = Column(Integer, nullable=False)
    f = Column(Integer, sa.Identity())
    g: Mapped[int | None] = Column(Integer, nullable=False)
    h: Mapped[int] = Column(Integer)
    i: Mapped[int] = mapped_column(nullable=None)
""",
    "everyday types": """
import decimal, uuid
from datetime import date, time, timedelta
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    a: Mapped[decimal.Decimal]
    b: Mapped[date]
    c: Mapped[time]
    d: Mapped[timedelta]
    e: Mapped[bytes]
    f: Mapped[bool]
    g: Mapped[list[str]] = mapped_column(sa.JSON)
    h: Mapped[int | str] = mapped_column(sa.BigInteger)
    i = mapped_column(sa.ARRAY(String))
    j = mapped_column("state", sa.VARCHAR(3), sa.CheckConstraint("1"), index=True)
""",
    "conditional classes": """
if True:
    class Road(Base):
        __tablename__ = "roads"
        id: Mapped[int] = mapped_column(primary_key=True)
try:
    pass
finally:
    class Lane(Base):
        __tablename__ = "lanes"
        id: Mapped[int] = mapped_column(primary_key=True)
class Outer:
    class Street(Base):
        __tablename__ = "streets"
        id: Mapped[int] = mapped_column(primary_key=True)
        class Kind(enum.Enum):
            A = 1
        kind: Mapped[Kind]
""",
    "what is unique": """
NAME = "code"
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    lane: Mapped[str] = mapped_column("lane_no", index=True, unique=False)
    town: Mapped[str] = mapped_column()
    start: Mapped[int]
    other: Mapped[int] = mapped_column(ForeignKey("s.roads.start"))
    __table_args__ = (
        sa.UniqueConstraint("town", "start", name="one_start"),
        sa.UniqueConstraint(NAME, "lane_no"),
        sa.Index("ix_some", "town", unique=True, sqlite_where=sa.text("start > 1")),
        sa.Index("ix_lower", sa.func.lower(code), unique=True),
        sa.Index("ix_name", town, "lane_no", unique=True),
        sa.Index("ix_plain", "start"),
        sa.ForeignKeyConstraint(["town", "other"], ["s.roads.town", "s.roads.start"]),
        {"schema": "s"},
    )

class Path(Base):
    __table__ = Table("paths", Base.metadata, Column("a", Integer, primary_key=True),
        Column("b", Integer, unique=True), Column("c", Integer),
        sa.UniqueConstraint("b", "c"), sa.Index("ux", "c", unique=True))
""",
}


@pytest.mark.parametrize("source", SHAPES.values(), ids=SHAPES)
def test_a_table_reads_as_sqlalchemy_has_it(source: str, tmp_path: Path) -> None:
    assert_same(tmp_path, source)


POSTPONED = [name for name in SHAPES if name not in {"conditional classes", "type annotation map"}]


@pytest.mark.parametrize("name", POSTPONED)
def test_postponed_annotations_change_nothing(name: str, tmp_path: Path) -> None:
    assert_same(tmp_path, SHAPES[name], head=FUTURE + HEAD)


def test_a_postponed_annotation_means_the_name_of_the_module(tmp_path: Path) -> None:
    source = """
class Road(Base):
    __tablename__ = "roads"
    class Light(enum.Enum):
        A = 1
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[Light]
"""
    early = assert_same(tmp_path, source).tables[0].column("light")
    late = assert_same(tmp_path, source, head=FUTURE + HEAD).tables[0].column("light")
    assert early is not None
    assert late is not None
    assert early.enum is not None
    assert late.enum is not None
    assert (early.enum.values, late.enum.values) == (("A",), ("RED", "AMBER", "GREEN"))


def test_defaults_and_keys_are_kept_as_text(tmp_path: Path) -> None:
    source = """
class Road(Base):
    __tablename__ = "roads"
    id: Mapped[int] = mapped_column(primary_key=True)
    light: Mapped[Light] = mapped_column(default=Light.RED, server_default="RED")
    made: Mapped[datetime] = mapped_column(server_default=sa.text("now()"), default=datetime.now)
    seen: Mapped[datetime] = mapped_column(server_default=sa.func.now(), insert_default=None)
"""
    table = read(tmp_path, source).tables[0]
    found = [(one.name, one.default, one.server_default) for one in table.columns]
    assert found == [
        ("id", None, None),
        ("light", "Light.RED", "RED"),
        ("made", "datetime.now", "now()"),
        ("seen", None, "sa.func.now()"),
    ]
    assert table.location.endswith(":20")
    light = table.column("light")
    assert light is not None
    assert light.enum is not None
    assert light.enum.name == "Light"
    assert light.enum.location.endswith("models.py:15")
