"""What cannot be read completely is a gap: never a part of an enum, never a guess."""

# ruff: noqa: E501 - a shape is easier to read on its one line

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.model.schema import CodeModels
from tests.unit.system.code.differential import read, write
from tests.unit.system.code.test_enum_shapes import table

BODIES = {
    "a loop adds members": "class E(enum.Enum):\n    A = 1\n    for i in range(2):\n        locals()[f'X{i}'] = i\n",
    "vars are updated": "class E(enum.Enum):\n    A = 1\n    vars().update(B=2)\n",
    "locals are set": "class E(enum.Enum):\n    A = 1\n    locals()['B'] = 2\n",
    "exec in the body": "class E(enum.Enum):\n    A = 1\n    exec('B = 2')\n",
    "a condition in the body": "class E(enum.Enum):\n    A = 1\n    if A:\n        B = 2\n",
    "an import in the body": "class E(enum.Enum):\n    A = 1\n    import os\n",
    "a walrus in a value": "class E(enum.Enum):\n    A = (B := 1)\n",
    "a walrus in a default": "class E(enum.Enum):\n    A = 1\n    def f(self, x=(B := 2)): ...\n",
    "deleted member": "class E(enum.Enum):\n    A = 1\n    _ignore_ = 'B'\n    B = 1\n    del B\n",
    "starred target": "class E(enum.Enum):\n    A, *B = 1, 2, 3\n",
    "unknown call as value": "class E(enum.Enum):\n    A = 1\n    B = len(__name__)\n",
    "unknown name as value": "import os\nclass E(enum.Enum):\n    A = 1\n    B = os.sep\n",
    "own new": "class E(enum.Enum):\n    A = 1\n    def __new__(cls, v):\n        return object.__new__(cls)\n",
    "init sets the value": "class E(enum.Enum):\n    A = 1\n    def __init__(self, v):\n        self._value_ = 2\n",
    "a value property": "class E(enum.Enum):\n    A = 1\n    @property\n    def value(self): ...\n",
    "metaclass": "class Meta(enum.EnumMeta): ...\nclass E(enum.Enum, metaclass=Meta):\n    A = 1\n",
    "class argument": "class P:\n    def __init_subclass__(cls, **k): ...\nclass E(P, enum.Enum, x=1):\n    A = 1\n",
    "hook in a mixin": "class P:\n    def __init_subclass__(cls): ...\nclass E(P, enum.Enum):\n    A = 1\n",
    "unknown decorator": "def more(cls): return cls\n@more\nclass E(enum.Enum):\n    A = 1\n",
    "unknown method decorator": "def more(f): return 1\nclass E(enum.Enum):\n    A = 1\n    @more\n    def b(self): ...\n",
    "nested class": "class E(enum.Enum):\n    A = 1\n    class B: ...\n",
    "base defined elsewhere": "from elsewhere import Base as Other\nclass E(Other):\n    A = 1\n",
    "base made by a call": "def make(): return enum.Enum\nclass E(make()):\n    A = 1\n",
    "data type of the source": "class T(str): ...\nclass E(T, enum.Enum):\n    A = 'a'\n",
    "two data types": "class E(int, str, enum.Enum):\n    A = 1\n",
    "decorated mixin": "import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int\nclass E(P, enum.Enum):\n    A = 1\n",
    "a base with members": "class F(enum.Enum):\n    B = 1\nclass E(F):\n    A = 2\n",
    "auto after a lower value": "class E(enum.Enum):\n    A = 5\n    B = 1\n    C = enum.auto()\n",
    "auto after text": "class E(enum.Enum):\n    A = 'x'\n    B = enum.auto()\n",
    "auto inside of a tuple": "class E(enum.Enum):\n    A = enum.auto(), 1\n",
    "auto by unknown rule": (
        "class E(enum.Enum):\n    def _generate_next_value_(name, *rest):\n        return name\n    A = enum.auto()\n"
    ),
    "rule that is no function": "class E(enum.Enum):\n    _generate_next_value_ = 3\n    A = 1\n",
    "reserved name": "class E(enum.Enum):\n    _what_ = 1\n",
    "member defined twice": "class E(enum.Enum):\n    A = 1\n    A = 2\n",
    "member and method": "class E(enum.Enum):\n    A = 1\n    def A(self): ...\n",
    "method and member": "class E(enum.Enum):\n    def A(self): ...\n    A = 1\n",
    "no members": "class E(enum.Enum):\n    pass\n",
    "text from a number": "class E(enum.StrEnum):\n    A = 1\n",
    "text from a tuple": "class E(str, enum.Enum):\n    A = 'a', 'b'\n",
    "number from text": "class E(enum.IntEnum):\n    A = '1'\n",
    "negative flag": "class E(enum.Flag):\n    A = -1\n",
    "two definitions": "import sys\nif sys.argv:\n    class E(enum.Enum):\n        A = 1\nelse:\n    class E(enum.Enum):\n        B = 1\n",
    "definition for type checkers": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from enum import Enum as E\n"
        "else:\n    class E(enum.Enum):\n        A = 1\n"
    ),
    "two possible bases": (
        "import sys\nif sys.argv:\n    B = enum.IntEnum\nelse:\n    B = enum.Enum\nclass E(B):\n    A = 1\n"
    ),
    "auto under two rules": (
        "try:\n    from enum import StrEnum\nexcept ImportError:\n    class StrEnum(str, enum.Enum): ...\n"
        "class E(StrEnum):\n    A = enum.auto()\n"
    ),
    "auto of a back-port": "from strenum import StrEnum\nclass E(StrEnum):\n    A = enum.auto()\n",
    "made in a loop": "for n in 'ab':\n    E = enum.Enum('E', n)\n",
    "replaced later": "class E(enum.Enum):\n    A = 1\nE = enum.unique(E)\n",
    "patched later": "class E(enum.Enum):\n    A = 1\nE._member_map_['B'] = E.A\n",
    "functional from unknown names": "import os\nE = enum.Enum('E', os.sep)\n",
    "functional from a list that changes": "NAMES = ['A']\nNAMES.append('B')\nE = enum.Enum('E', NAMES)\n",
    "functional with unknown arguments": "E = enum.Enum('E', 'A B', extra=1)\n",
    "functional with an unknown type": "E = enum.Enum('E', 'A B', type=bytes)\n",
    "functional with odd members": "E = enum.Enum('E', [1, 2])\n",
    "functional without members": "E = enum.Enum('E', module=__name__)\n",
    "functional by a class with members": "class F(enum.Enum):\n    A = 1\nE = F('E', 'B')\n",
    "standard enum": "from http import HTTPStatus as E\n",
    "unknown import": "from elsewhere import E\n",
    "missing relative import": "from .elsewhere import E\n",
    "not defined": "",
    "defined by itself": "E = E2\nE2 = E\n",
    "inherits itself": "class E(E): ...\n",
    "an odd ignore list": "class E(enum.Enum):\n    _ignore_ = 3\n    A = 1\n",
    "enum value too large": "class E(enum.Enum):\n    A = 'x' 'y'\n    B = 2 ** 999\n",
    "enum value by division": "class E(enum.Enum):\n    A = 1 // 0\n",
}


def assert_gap(models: CodeModels, column: str = "x", name: str = "roads") -> None:
    found = models.table(name)
    assert found is not None
    one = found.column(column)
    assert one is None or one.enum is None
    gaps = [gap for gap in models.gaps if gap.what == f"{name}.{column}"]
    assert gaps, models.gaps
    assert all(gap.reason and gap.where.rpartition(":")[2].isdigit() for gap in gaps)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(
    "use", ["x = mapped_column(Enum(E))", "x: Mapped[E]"], ids=["type", "bare"]
)
def test_an_enum_that_is_not_certain_is_a_gap(body: str, use: str, tmp_path: Path) -> None:
    assert_gap(read(tmp_path, body + table(use)))


TYPES = {
    "own text of a str enum": "x = mapped_column(Enum(Loud, values_callable=lambda e: [str(m) for m in e]))",
    "a mixin's text of a str enum": "x = mapped_column(Enum(Mixed, values_callable=lambda e: [str(m) for m in e]))",
    "own method of a str enum": "x = mapped_column(Enum(Loud, values_callable=lambda e: [m.lower() for m in e]))",
    "list set by index": "x = mapped_column(Enum(*SET_LATER))",
    "list of an object": "x = mapped_column(Enum(*shelf.CHANGED))",
    "tuple set in a function": "x = mapped_column(Enum(*GLOBAL))",
    "an awaited value": "x = mapped_column(Enum(*(yield)))",
    "a spread of no dict": "x = mapped_column(Enum(*{**GROWN2}))",
    "a text by range": "x = mapped_column(Enum('abc'[0:1]))",
    "a sum of unlike parts": "x = mapped_column(Enum('a' + 1))",
    "an unknown operator": "x = mapped_column(Enum('%s' % 'a'))",
    "a fraction": "x = mapped_column(Enum(str(2 ** -1)))",
    "a division": "x = mapped_column(Enum(str(2 / 1)))",
    "an order": "x = mapped_column(Enum('a' if 'a' < 'b' else 'b'))",
    "a condition on an enum": "x = mapped_column(Enum('a' if Light else 'b'))",
    "arguments of no literal": "x = mapped_column(Enum(*get_args(3)))",
    "an unknown method": "x = mapped_column(Enum('a'.zfill(3)))",
    "a call with names": "x = mapped_column(Enum('a'.split(sep='b')))",
    "a long text": "x = mapped_column(Enum('" + "a" * 10_001 + "' + 'a'))",
    "uneven names": "x = mapped_column(Enum(*[a for a, b in [(1,)]]))",
    "a call of a value": "x = mapped_column(Enum('a'()))",
    "an attribute of an enum": "x = mapped_column(Enum(Light.short))",
    "an unknown attribute of an enum": "x = mapped_column(Enum(*Light.colours))",
    "a helper with unpacked arguments": "x = mapped_column(stored(*GROWN2))",
    "annotation joined with an unknown": "x: Mapped[elsewhere.Some[Light]]",
    "annotation with an unknown name inside": "x: Mapped[Unknown[int]]",
    "annotation by an unknown call": "x: Mapped[unknown()]",
    "annotation that is too deep": "x: Mapped[" + "Optional[" * 40 + "Light" + "]" * 40 + "]",
    "foreign keys in a circle": "x: Mapped[Light] = mapped_column(ForeignKey('roads.x'))",
    "a key to a column of no table": "x = mapped_column(Integer, ForeignKey(Unmapped.y))",
    "a key to a name": "x = mapped_column(Integer, ForeignKey(Light))",
    "options with a spread": "x = mapped_column(Integer, **SPREAD)",
    "type helper with statements": "x = mapped_column(loop(Light))",
    "a type that is a value": "x = mapped_column(type_=NUMBER)",
    "an unmapped container": "x: Mapped[Literal[Light]]",
    "composite of one": "x: Mapped[Light] = sa.orm.composite(mapped_column())",
    "new type from elsewhere": "x: Mapped[NewType('N', elsewhere.State)]",
    "callable of another library": "x = mapped_column(Enum(Light, values_callable=len))",
    "callable with statements": "x = mapped_column(Enum(Light, values_callable=loop))",
    "callable that gives members": "x = mapped_column(Enum(Light, values_callable=lambda e: list(e)))",
    "callable that gives numbers": "x = mapped_column(Enum(Light, values_callable=lambda e: [1 for m in e]))",
    "callable of a set": "x = mapped_column(Enum(Light, values_callable=lambda e: {m.value for m in e}))",
    "callable of an attribute": "x = mapped_column(Enum(Light, values_callable=lambda e: [m.label for m in e]))",
    "callable in a class": "x = mapped_column(Enum(Light, values_callable=Light.nothing))",
    "callable formats": "x = mapped_column(Enum(Light, values_callable=lambda e: [f'{m}' for m in e]))",
    "callable formats more": (
        "x = mapped_column(Enum(Light, values_callable=lambda e: [f'{m.value:>9}' for m in e]))"
    ),
    "text of a member": "x = mapped_column(Enum(Light, values_callable=lambda e: [str(m) for m in e]))",
    "iteration of flags": "x = mapped_column(Enum(Bits, values_callable=lambda e: [m.name for m in e]))",
    "no values": "x = mapped_column(Enum())",
    "no call": "x = mapped_column(Enum)",
    "numbers": "x = mapped_column(Enum(1, 2))",
    "two enums": "x = mapped_column(Enum(Light, Bits))",
    "any enum": "x = mapped_column(Enum(enum.Enum))",
    "unknown argument": "x = mapped_column(Enum(Light, wrong=1))",
    "unknown arguments": "x = mapped_column(Enum(Light, **OPTIONS))",
    "unknown omit_aliases": "x = mapped_column(Enum(Light, omit_aliases=unknown()))",
    "unpacked set": "x = mapped_column(Enum(*{'a', 'b'}))",
    "unpacked unknown": "x = mapped_column(Enum(*unknown()))",
    "list that changes": "x = mapped_column(Enum(*CHANGED))",
    "list that grows": "x = mapped_column(Enum(*GROWN))",
    "variant": "x = mapped_column(Enum(Light).with_variant(String(9), 'sqlite'))",
    "variant that is an enum": "x = mapped_column(String(9).with_variant(Enum(Light), 'mysql'))",
    "another method of a type": "x = mapped_column(Enum(Light).adapt(Enum))",
    "array": "x = mapped_column(sa.ARRAY(Enum(Light)))",
    "choice of types": "x = mapped_column(Enum(Light) if OPTIONS else String)",
    "unknown type": "x = mapped_column(unknown())",
    "type of another library": "x: Mapped[Light] = mapped_column(elsewhere.Stored)",
    "type of another library with an enum": "x = mapped_column(elsewhere.Stored(Light))",
    "enum type of another library": "x = mapped_column(elsewhere.EnumType('a'))",
    "decorator with its own code": "x = mapped_column(Coded)",
    "decorator with an enum inside": "x = mapped_column(Inside)",
    "decorator with an enum argument": "x = mapped_column(Passed(Light))",
    "decorator of no enum": "x = mapped_column(Empty)",
    "decorator for an annotated enum": "x: Mapped[Light] = mapped_column(Plain)",
    "subclass with its own code": "x = mapped_column(Own(Light))",
    "union with an enum": "x: Mapped[Light | str]",
    "optional unknown": "x: Mapped['Unknown | None']",
    "literal of a number": "x: Mapped[Literal[1]]",
    "literal of a member": "x: Mapped[Literal[Light.RED]]",
    "new type of an enum": "x: Mapped[New]",
    "annotation by a call": "x: Mapped[made]",
    "annotation that is a function": "x: Mapped[loop]",
    "annotation of another library": "x: Mapped[elsewhere.State]",
    "annotation from the standard library": "x: Mapped[HTTPStatus]",
    "foreign key to an unread enum": "x: Mapped[Light] = mapped_column(ForeignKey('nowhere.x'))",
    "foreign key to a gap": "x = mapped_column(ForeignKey('roads.y'))\ny = mapped_column(Enum(Light, wrong=1))",
    "unknown foreign key": "x = mapped_column(Integer, ForeignKey(unknown()))",
    "foreign key to nothing": "x = mapped_column(Integer, ForeignKey())",
    "foreign key to an attribute of nothing": "x = mapped_column(Integer, ForeignKey(Light.RED))",
    "unknown options": "x = mapped_column(Enum(Light), **OPTIONS.copy())",
    "unknown arguments of a column": "x = mapped_column(*OPTIONS)",
    "one argument too many": "x = mapped_column(Integer, Integer)",
    "name that is no text": "x = mapped_column(f'{OPTIONS}', Integer)",
    "primary key by chance": "x = mapped_column(Integer, primary_key=unknown())",
    "choice of columns": "x = Column(Integer) if OPTIONS else Column(Enum(Light))",
    "column by a helper with statements": "x = looped(Light)",
    "mapped by another library": "x: Mapped[Light] = elsewhere.column()",
    "composite": "x: Mapped[Light] = sa.orm.composite(mapped_column('a'), mapped_column('b'))",
    "condition in the class": "if OPTIONS:\n    x = Column(Enum(Light))",
}
AROUND = """
import elsewhere
from typing import get_args
SET_LATER = ['a']
SET_LATER[0] = 'b'
GLOBAL = [1]
def change():
    global GLOBAL
    GLOBAL = []
class shelf:
    CHANGED = ['a']
shelf.CHANGED.append('b')
GROWN2 = ('a',)
SPREAD = {**GROWN2}
NUMBER = 3
class Loud(enum.StrEnum):
    A = "a"
    def __str__(self):
        return "loud"
    def lower(self):
        return "loud"
class Text:
    def __str__(self):
        return "text"
class Mixed(Text, enum.StrEnum):
    A = "a"
class Unmapped:
    y = 1
def stored(kind):
    return Enum(kind)
from http import HTTPStatus
from typing import NewType
OPTIONS = {}
CHANGED = ['a']
CHANGED.append('b')
GROWN = ('a',)
GROWN += ('b',)
New = NewType('New', Light)
made = elsewhere.make()
class Bits(enum.Flag):
    A = 1
def loop(kind):
    found = []
    return found
def looped(kind):
    found = Column(Enum(kind))
    return found
class Coded(sa.types.TypeDecorator):
    impl = Enum(Light)
    def process_bind_param(self, value, dialect): ...
class Inside(sa.types.TypeDecorator):
    impl = String
    kind = Light
class Passed(sa.types.TypeDecorator):
    impl = String
    def __init__(self, kind): ...
class Empty(sa.types.TypeDecorator):
    impl = Enum
class Plain(sa.types.UserDefinedType):
    pass
class Own(Enum):
    def __init__(self, kind): ...
"""


@pytest.mark.parametrize("column", TYPES.values(), ids=TYPES)
def test_a_type_that_is_not_certain_is_a_gap(column: str, tmp_path: Path) -> None:
    assert_gap(read(tmp_path, AROUND + table(column)))


TABLES = {
    "annotated columns and a lost base": "from elsewhere import Other\nclass Road(Other):\n    id: Mapped[int] = elsewhere.column()\n",
    "a look-alike of declarative_base": "from elsewhere import declarative_base\nOther = declarative_base()\nclass Road(Other):\n    __tablename__ = 'roads'\n",
    "an unknown look-alike of declarative_base": "Other = declarative_base()\nclass Road(Other):\n    __tablename__ = 'roads'\n",
    "a base that is a value": "Other = 3\nclass Road(Other):\n    __tablename__ = 'roads'\n",
    "a generic base from elsewhere": "from elsewhere import Other\nclass Road(Other[int]):\n    __tablename__ = 'roads'\n",
    "no name": "class Road(Base):\n    id = Column(Integer, primary_key=True)\n",
    "name by a call": "class Road(Base):\n    __tablename__ = name()\n",
    "name that is no text": "class Road(Base):\n    __tablename__ = 3\n",
    "name by statements": (
        "class Road(Base):\n    @declared_attr\n    def __tablename__(cls):\n        x = 1\n        return x\n"
    ),
    "unknown table": "class Road(Base):\n    __table__ = reflect()\n",
    "base from elsewhere": "from elsewhere import Other\nclass Road(Other):\n    id: Mapped[int]\n",
    "made base": "class Road(make()):\n    id = Column(Integer)\n",
    "no order of bases": "class A(Base): __abstract__ = True\nclass Road(Base, A):\n    __tablename__ = 'roads'\n",
    "inside of a function": "def make():\n    class Road(Base):\n        __tablename__ = 'roads'\n",
    "flask's own names": (
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
        "class Road(db.Model):\n    id = db.Column(db.Integer)\n"
    ),
}


@pytest.mark.parametrize("source", TABLES.values(), ids=TABLES)
def test_a_model_whose_table_is_not_certain_is_a_gap(source: str, tmp_path: Path) -> None:
    models = read(tmp_path, source)
    assert models.tables == ()
    assert [gap.what for gap in models.gaps] == ["Road"]


PARTS = {
    "columns of another library": (
        "from elsewhere import Other\nclass Road(Other, Base):\n    __tablename__ = 'roads'\n    id = Column(Integer)\n",
        "roads",
    ),
    "reflected": "roads = Table('roads', MetaData(), autoload_with=engine)\n",
    "star arguments": "roads = Table('roads', MetaData(), *columns())\n",
    "unnamed column": "roads = Table('roads', MetaData(), Column(Integer))\n",
    "unknown schema": "roads = Table('roads', MetaData(), schema=schema())\n",
    "unknown key": "roads = Table('roads', MetaData(), sa.PrimaryKeyConstraint(key()))\n",
    "unknown keys": "roads = Table('roads', MetaData(), sa.ForeignKeyConstraint(['a'], [key()]))\n",
    "one-sided key": "roads = Table('roads', MetaData(), sa.ForeignKeyConstraint(['a']))\n",
    "key to columns": "roads = Table('roads', MetaData(), sa.ForeignKeyConstraint(['a'], [1]))\n",
    "unknown table args": "class Road(Base):\n    __tablename__ = 'roads'\n    __table_args__ = args()\n",
    "starred table args": "class Road(Base):\n    __tablename__ = 'roads'\n    __table_args__ = (*args(),)\n",
    "unknown options": "class Road(Base):\n    __tablename__ = 'roads'\n    __table_args__ = {**args()}\n",
}


@pytest.mark.parametrize("source", PARTS.values(), ids=PARTS)
def test_a_table_that_was_read_in_part_says_so(source: str, tmp_path: Path) -> None:
    text = source if isinstance(source, str) else source[0]
    models = read(tmp_path, text)
    assert [one.name for one in models.tables] == ["roads"]
    assert "roads" in [gap.what for gap in models.gaps]


MAPS = {
    "hook": "# resolve_type_annotation",
    "map that is updated": "registry = sa.orm.registry(type_annotation_map={})\n    registry.update_type_annotation_map({})",
    "registry of another library": "registry = elsewhere.registry()",
    "spread map": "type_annotation_map = {**OTHER}",
    "map by a call": "type_annotation_map = make()",
    "registry by a call": "registry = make()",
    "registry with unknown arguments": "registry = sa.orm.registry(**OTHER)",
}


@pytest.mark.parametrize("option", MAPS.values(), ids=MAPS)
def test_a_bare_enum_is_a_gap_where_the_map_is_not_certain(option: str, tmp_path: Path) -> None:
    source = (
        f"import elsewhere\nOTHER = {{}}\nclass Own(DeclarativeBase):\n    pass\n    {option}\n"
    )
    columns = (
        "x: Mapped[Light]\ny: Mapped[Literal['a']]\nz: Mapped[int]\nw = mapped_column(Enum(Light))"
    )
    models = read(tmp_path, source + table(columns).replace("(Base)", "(Own)"))
    assert_gap(models, "x")
    assert_gap(models, "y")
    assert {gap.what for gap in models.gaps} - {"roads"} == {"roads.x", "roads.y"}
    written = models.tables[0].column("w")
    assert written is not None
    assert written.enum is not None


def test_a_column_that_is_added_after_its_class_is_a_gap(tmp_path: Path) -> None:
    later = (
        "Road.x = Column(Enum(Light))\nRoad.y = 3\nRoad.z = Column(Integer) if 1 else Column()\n"
    )
    models = read(tmp_path, table("") + later)
    assert_gap(models, "x")
    assert [gap.what for gap in models.gaps] == ["roads.x", "roads.z"]


def test_a_column_of_a_function_that_cannot_be_followed_is_a_gap(tmp_path: Path) -> None:
    source = (
        "from elsewhere import EnumColumn, track\n"
        "try:\n    from sqlalchemy import Column as Own\n"
        "except ImportError:\n    def Own(*a): return None\n"
        + table("x = EnumColumn(Light)\ny = Own(Enum(Light))\nz = track()\nw = no_column()")
    )
    models = read(tmp_path, source)
    assert_gap(models, "x")
    assert [gap.what for gap in models.gaps] == ["roads.x", "roads.y", "roads.w"]


def test_two_tables_of_one_name_keep_no_enum_that_they_disagree_about(tmp_path: Path) -> None:
    source = table("x = mapped_column(Enum('a', 'b'))\ny = mapped_column(Enum(Light))")
    other = source.replace("'b'", "'c'").replace("Road(Base)", "Other(Base)")
    models = read(tmp_path, source + other)
    assert len(models.tables) == 1
    assert_gap(models, "x")
    kept = models.tables[0].column("y")
    assert kept is not None
    assert kept.enum is not None
    assert {gap.what for gap in models.gaps} == {"roads", "roads.x"}


def test_a_table_that_is_not_certain_at_the_top_level_is_a_gap(tmp_path: Path) -> None:
    models = read(tmp_path, "roads = Table(name(), MetaData(), Column('x', Enum(Light)))\n")
    assert (models.tables, [gap.what for gap in models.gaps]) == ((), ["Table"])


def test_an_enum_that_depends_on_itself_ends(tmp_path: Path) -> None:
    body = "def f(x): return f(x)\nclass E(enum.Enum):\n    A = f(1)\n"
    assert_gap(read(tmp_path, body + table("x: Mapped[E]")))


def test_a_value_that_would_fill_the_memory_is_a_gap(tmp_path: Path) -> None:
    for value in ("'x' * 10 ** 10", "1 << 10 ** 10", "[a for a in L for b in L]", "9 ** 9 ** 9"):
        body = f"L = [{'1, ' * 900}]\nclass E(enum.Enum):\n    A = {value}\n"
        assert_gap(read(tmp_path, body + table("x: Mapped[E]")))


def test_star_imports_that_may_hide_a_name_are_gaps(tmp_path: Path) -> None:
    head = "from enum import *\nfrom sqlalchemy import *\nfrom sqlalchemy.orm import *\n"
    body = "class E(Enum):\n    A = 1\nclass Base(DeclarativeBase): ...\n"
    path = write(tmp_path, head + body + table("x: Mapped[E]"))
    from doctor.system.code import read_models

    models = read_models(path)
    assert models.gaps
    assert all(one.enum is None for table in models.tables for one in table.columns)
