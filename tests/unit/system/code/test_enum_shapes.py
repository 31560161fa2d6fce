"""Every way to declare an enum column reads exactly as SQLAlchemy's own ``Enum.enums``."""

# ruff: noqa: E501, ISC004, RUF005 - a shape is easier to read on its one line

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.system.code.differential import assert_same

ID = "    id: Mapped[int] = mapped_column(primary_key=True)\n"


def table(columns: str) -> str:
    lines = "".join(f"    {line}\n" for line in columns.strip().splitlines())
    return f'\n\nclass Road(Base):\n    __tablename__ = "roads"\n{ID}{lines}'


COLUMNS = {
    "enum class stores names": "x = mapped_column(Enum(Light))",
    "sa prefix and a type name": 'x: Mapped[Light] = mapped_column(sa.Enum(Light, name="light"))',
    "values by lambda": "x = mapped_column(Enum(Light, values_callable=lambda e: [m.value for m in e]))",
    "values as text": "x = mapped_column(Enum(Light, values_callable=lambda e: [str(m.value) for m in e]))",
    "names by lambda": "x = mapped_column(Enum(Light, values_callable=lambda e: [m.name for m in e]))",
    "lower names": "x = mapped_column(Enum(Light, values_callable=lambda e: [m.name.lower() for m in e]))",
    "values by the class's own name": (
        "x = mapped_column(Enum(Light, values_callable=lambda _: [m.value for m in Light]))"
    ),
    "values by list of a generator": (
        "x = mapped_column(Enum(Light, values_callable=lambda e: list(m.value for m in e)))"
    ),
    "values by map": (
        "x = mapped_column(Enum(Light, values_callable=lambda e: list(map(lambda m: m.value, e))))"
    ),
    "values by members": (
        "x = mapped_column("
        "Enum(Light, values_callable=lambda e: [m.value for m in e.__members__.values()]))"
    ),
    "names by members": "x = mapped_column(Enum(Light, values_callable=lambda e: list(e.__members__)))",
    "values with a filter": (
        "x = mapped_column(Enum(Light, values_callable=lambda e:"
        " [m.value for m in e if m.name != 'BLUE' and m is not None]))"
    ),
    "values with an index": (
        "x = mapped_column(Enum(Light, values_callable=lambda e: [e['RED'].value, 'b', 'c']))"
    ),
    "no native enum": "x = mapped_column(Enum(Light, native_enum=False, length=40))",
    "name of the class": "x = mapped_column(Enum(Light.__name__, name='z'))",
    "a member by a property's name": "x = mapped_column(Enum(*[m.name for m in Light if m.value in ('red', 'green')], name='z'))",
    "a comparison that fails": "x = mapped_column(Enum('a' if 1 == 2 != 3 else 'b', name='z'))",
    "or and and": "x = mapped_column(Enum('' or 'b', 'a' and 'c', name='z'))",
    "joined texts": "x = mapped_column(Enum(','.join(['a', 'b']), '-'.join(m.name for m in Light), name='z'))",
    "numbers as text": "x = mapped_column(Enum(str(2 ** 3 - 1), str(-len([1])), f'{1!s}', name='z'))",
    "a text's letters": "x = mapped_column(Enum(*'abc', 'd'[0], name='z'))",
    "reversed": "x = mapped_column(Enum(*reversed(['a', 'b']), *tuple(['c']), name='z'))",
    "written out": 'x = mapped_column(Enum("a", "b", name="ab"))',
    "written out with doubled values": 'x = mapped_column(Enum("a", "b", "a", name="ab"))',
    "bare annotation": "x: Mapped[Light]",
    "optional": "x: Mapped[Optional[Light]]",
    "none union": "x: Mapped[Light | None]",
    "typing union": "x: Mapped[Union[None, Light]]",
    "quoted inside": 'x: Mapped["Light"]',
    "quoted outside": 'x: "Mapped[Light | None]"',
    "literal": 'x: Mapped[Literal["a", "b"]]',
    "optional literal": 'x: Mapped[Optional[Literal["a", "b"]]]',
    "nested literal": 'x: Mapped[Literal["a", Literal["b", "a"]]]',
    "string overrides the annotation": "x: Mapped[Light] = mapped_column(String(20))",
    "classic column": "x = Column(Enum(Light), nullable=False)",
    "named column": 'x = Column("colour", Enum(Light))',
    "named column by keyword": 'x = mapped_column(Enum(Light), name="colour")',
    "type by keyword": "x = mapped_column(type_=Enum(Light))",
    "values of members one by one": "x = mapped_column(Enum(Light.RED.value, 'b', name='z'))",
    "values unpacked": "x = mapped_column(Enum(*[m.value for m in Light], name='z'))",
    "names unpacked": "x = mapped_column(Enum(*(m.name for m in Light), name='z'))",
    "members unpacked": "x = mapped_column(Enum(*Light.__members__, name='z'))",
    "sorted values unpacked": "x = mapped_column(Enum(*sorted(m.value for m in Light), name='z'))",
    "variant of a plain type": "x = mapped_column(String(9).with_variant(sa.Text(), 'sqlite'))",
    "deferred": "x = sa.orm.deferred(Column(Enum(Light)))",
    "column property": "x = sa.orm.column_property(Column(Enum(Light)))",
    "mutable json": "x = mapped_column(sa.ext.mutable.MutableDict.as_mutable(sa.JSON))",
    "none as name": "x = mapped_column(None, Enum(Light))",
    "computed text": "x = mapped_column(Enum('a' + 'b', f'{1}x', 'A'.lower(), name='z'))",
    "choice and logic": "x = mapped_column(Enum('a' if 1 in (1, 2) and not 0 else 'b', name='z'))",
    "dict keys": "x = mapped_column(Enum(*{'a': 1, **{'b': 2}}.keys(), name='z'))",
    "pairs": "x = mapped_column(Enum(*[b for a, b in [(1, 'p'), (2, 'q')]], name='z'))",
    "nested loops": "x = mapped_column(Enum(*[a + b for a in 'xy' for b in 'pq'], name='z'))",
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_column_reads_as_sqlalchemy_has_it(column: str, tmp_path: Path) -> None:
    head = "import sqlalchemy.ext.mutable\n" if "mutable" in column else ""
    assert_same(tmp_path, head + table(column))


ENUMS = {
    "aliases are left out": "class E(enum.Enum):\n    A = 1\n    B = 2\n    C = 1\n",
    "str mixin": "class E(str, enum.Enum):\n    A = 'a'\n    B = 'b'\n",
    "str enum with auto": "class E(enum.StrEnum):\n    FIRST = enum.auto()\n    SECOND = enum.auto()\n",
    "int enum": "class E(enum.IntEnum):\n    ONE = 1\n    TWO = 2\n    UNO = 1\n",
    "auto numbers": "class E(enum.Enum):\n    A = enum.auto()\n    B = 7\n    C = enum.auto()\n    D = 8\n",
    "str mixin with auto": "class E(str, enum.Enum):\n    A = enum.auto()\n    B = enum.auto()\n",
    "flags": "class E(enum.Flag):\n    NONE = 0\n    A = enum.auto()\n    B = enum.auto()\n    AB = A | B\n    C = 2\n",
    "int flags": "class E(enum.IntFlag):\n    A = 1\n    B = 1 << 1\n    C = B\n",
    "unique": "@enum.unique\nclass E(enum.Enum):\n    A = 1\n    B = 2\n",
    "verify": "@enum.verify(enum.UNIQUE)\nclass E(enum.Enum):\n    A = 1\n    B = 2\n",
    "methods and properties": """
class E(enum.Enum):
    '''Words.'''

    A = "a"
    B = "b"

    @property
    def label(self):
        return self.value.title()

    @classmethod
    def default(cls):
        return cls.A

    @staticmethod
    def count():
        return 2

    def __str__(self):
        return self.value

    @classmethod
    def _missing_(cls, value):
        return cls.A

    @label.setter
    def label(self, value):
        pass

    short = lambda self: self.name[0]
    upper = property(lambda self: self.name)
""",
    "names that look private": """
class E(enum.Enum):
    _one = 1
    __two = 2
    __three__ = 3
    four = 4
""",
    "annotated names are no members": """
class E(enum.Enum):
    label: str
    A: int = 1
    B = 2
""",
    "ignored names": """
class E(enum.Enum):
    _ignore_ = ["helper", "other"]
    helper = 3
    other = 4
    A = helper
    B = 4
""",
    "ignored names as text": "class E(enum.Enum):\n    _ignore_ = 'helper x'\n    helper = 3\n    A = 1\n",
    "an order": "class E(enum.Enum):\n    _order_ = 'A B'\n    A = 1\n    B = 2\n",
    "members of members": "class E(enum.Enum):\n    A = 1\n    B = A\n    C = A + 1\n    D = -1\n",
    "two at once": "class E(enum.Enum):\n    A, B = 1, 2\n    C = D = 3\n",
    "member and nonmember": """
class E(enum.Enum):
    A = enum.member(1)
    B = enum.nonmember(2)
    C = 2

    @enum.member
    def d(self):
        pass

    @enum.nonmember
    class Inner:
        pass

    @enum.member
    class Outer:
        pass
""",
    "tuples as values": "class E(enum.Enum):\n    A = (1, 'x')\n    B = 1, 'y'\n    C = [1]\n    D = {1: 2}\n    E = {3}\n",
    "objects as values": "class E(enum.Enum):\n    A = object()\n    B = object()\n",
    "equal numbers of different types": "class E(enum.Enum):\n    A = 1\n    B = True\n    C = 1.0\n",
    "floats": "class E(float, enum.Enum):\n    A = 1\n    B = 1.5\n",
    "an empty base enum": """
class Named(str, enum.Enum):
    def __str__(self):
        return self.value

class E(Named):
    A = 'a'
    B = 'b'
""",
    "auto by the base's own rule": """
class Named(enum.Enum):
    @staticmethod
    def _generate_next_value_(name, start, count, last_values):
        return name.lower()

class E(Named):
    A = enum.auto()
    B = enum.auto()
    C = 'a'
""",
    "auto by its own rule": """
class E(str, enum.Enum):
    def _generate_next_value_(name, start, count, last_values):
        '''Words.'''
        return f"{name}-{count}"

    A = enum.auto()
    B = enum.auto()
""",
    "a mixin of methods": """
class Labels:
    def label(self):
        return self.name

class E(Labels, enum.Enum):
    A = 1
    B = 2
""",
    "str enum for old versions": """
try:
    from enum import StrEnum
except ImportError:
    class StrEnum(str, enum.Enum):
        pass

class E(StrEnum):
    A = "a"
    B = "b"
""",
    "values of another enum": "class E(enum.Enum):\n    A = Light.RED.value\n    B = Light.RED\n    C = 'red'\n",
    "constants of the module": "FIRST = 'first'\nclass E(enum.Enum):\n    A = FIRST\n    B = FIRST.upper()\n    C = 'FIRST'\n",
    "functional from text": "E = enum.Enum('E', 'A B, C')\n",
    "functional from a list": "E = enum.Enum('E', ['A', 'B'])\n",
    "functional from pairs": "E = enum.Enum('E', [('A', 'x'), ('B', 'y'), ('C', 'x')])\n",
    "functional from a dict": "E = enum.Enum('E', {'A': 'x', 'B': 'y'})\n",
    "functional by keyword": "E = enum.Enum('E', names='A B', start=4, module=__name__)\n",
    "functional with a type": "E = enum.Enum('E', 'A B', type=str)\n",
    "functional str enum": "E = enum.StrEnum('E', 'A B')\n",
    "functional from a base": "class Named(str, enum.Enum):\n    pass\nE = Named('E', {'A': 'x', 'B': 'y'})\n",
    "another name": "class F(enum.Enum):\n    A = 1\nE = F\n",
    "an object among the bases": "class Labels(object):\n    pass\nclass E(Labels, enum.Enum):\n    A = 1\n",
    "only under a condition": "if True:\n    class E(enum.Enum):\n        A = 1\n        B = 2\n",
}


@pytest.mark.parametrize("source", ENUMS.values(), ids=ENUMS)
def test_an_enum_class_reads_as_sqlalchemy_has_it(source: str, tmp_path: Path) -> None:
    columns = "y = mapped_column(Enum(E))\nz = mapped_column(Enum(E, omit_aliases=False, name='z'))"
    assert_same(tmp_path, source + table(columns))


@pytest.mark.parametrize(
    "name",
    ["str mixin", "str enum with auto", "str mixin with auto", "functional from pairs"]
    + ["functional from a dict", "functional with a type", "functional str enum"]
    + ["an empty base enum", "auto by its own rule", "str enum for old versions"]
    + ["methods and properties", "auto by the base's own rule", "constants of the module"],
)
def test_the_values_of_an_enum_read_as_sqlalchemy_has_them(name: str, tmp_path: Path) -> None:
    values = "values_callable=lambda e: [m.value for m in e]"
    members = "values_callable=lambda e: [m.value for m in e.__members__.values()]"
    columns = (
        f"y = mapped_column(Enum(E, {values}))\nz = mapped_column(Enum(E, {members}, name='z'))"
    )
    assert_same(tmp_path, ENUMS[name] + table(columns))


HELPERS = {
    "named function": (
        "def values(kind):\n    '''Words.'''\n    return [m.value for m in kind]\n",
        "x = mapped_column(Enum(Light, values_callable=values))",
    ),
    "lambda with a name": (
        "values = lambda kind: [m.value for m in kind]\n",
        "x = mapped_column(Enum(Light, values_callable=values))",
    ),
    "helper that makes the type": (
        "def stored(kind, *, name=None, native=True):\n"
        "    return Enum(kind, name=name, values_callable=lambda e: [m.value for m in e])\n",
        "x = mapped_column(stored(Light, name='l'))",
    ),
    "shared type": (
        "kind = Enum(Light)\n",
        "x = mapped_column(kind)\ny: Mapped[Light] = Column(kind)",
    ),
    "constant tuple": ("ALL = ('a', 'b')\n", "x = mapped_column(Enum(*ALL, name='z'))"),
    "joined constants": (
        "A = ['a']\nB = [*A, 'b']\n",
        "x = mapped_column(Enum(*(A + B[1:2] if 0 else B), name='z'))",
    ),
    "arguments of a literal": (
        "from typing import get_args\nKind = Literal['a', 'b']\n",
        "x = mapped_column(Enum(*get_args(Kind), name='z'))\ny: Mapped[Kind]\nz: Mapped[Kind | None]",
    ),
    "class method gives the values": (
        "class E(str, enum.Enum):\n    A = 'x'\n    B = 'y'\n"
        "    @classmethod\n    def all(cls):\n        return [m.value for m in cls]\n"
        "    @staticmethod\n    def some():\n        return ['x']\n",
        "x = mapped_column(Enum(*E.all(), name='z'))\ny = mapped_column(Enum(*E.some(), name='y'))\n"
        "z = mapped_column(Enum(E, values_callable=lambda e: e.all()))",
    ),
    "members of a str enum": (
        "class E(enum.StrEnum):\n    A = 'x'\n    B = 'y'\n",
        "x = mapped_column(Enum(*E, name='z'))\ny = mapped_column(Enum(E.A, E.B, name='y'))\n"
        "z = mapped_column(Enum(E, values_callable=lambda e: [str(m) for m in e]))",
    ),
    "trivial decorator": (
        "class Stored(sa.types.TypeDecorator):\n    impl = Enum(Light)\n    cache_ok = True\n",
        "x = mapped_column(Stored)\ny = mapped_column(Stored())",
    ),
    "decorator that passes on": (
        "class Stored(sa.types.TypeDecorator):\n    '''Words.'''\n    impl = Enum\n    cache_ok: bool = True\n",
        "x = mapped_column(Stored(Light))",
    ),
    "decorator without an enum": (
        "class Trimmed(sa.types.TypeDecorator):\n    impl = String\n    cache_ok = True\n"
        "    def process_bind_param(self, value, dialect):\n        return value.strip()\n",
        "x = mapped_column(Trimmed(20))",
    ),
    "subclass of enum": ("class Own(Enum):\n    pass\n", "x = mapped_column(Own(Light))"),
    "postgres and mysql": (
        "from sqlalchemy.dialects import mysql, postgresql\nfrom sqlalchemy.dialects.postgresql import ENUM\n",
        "x = mapped_column(ENUM('a', 'b', name='z', create_type=False))\n"
        "y = mapped_column(mysql.ENUM('p', 'q'))\nz = mapped_column(postgresql.ENUM(Light, name='y'))",
    ),
    "annotated column": (
        "kind = Annotated[Light, mapped_column(Enum(Light, native_enum=False), nullable=True)]\n"
        "short = Annotated[Optional[str], mapped_column(String(5))]\n"
        "key = Annotated[int, mapped_column(primary_key=True)]\n",
        "x: Mapped[kind]\ny: Mapped[Optional[kind]]\nz: Mapped[short]\nk: Mapped[key]\n"
        "w: Mapped[kind] = mapped_column(default=Light.RED)",
    ),
    "nested in the model": (
        "",
        "class State(enum.Enum):\n    A = 1\n    B = 2\nx: Mapped[State]\ny = mapped_column(Enum(State))",
    ),
    "helper that makes the column": (
        "def state(kind, optional):\n    return mapped_column(Enum(kind), nullable=optional)\n",
        "x: Mapped[Light] = state(Light, True)",
    ),
    "options in a dict": (
        "SHARED = {'nullable': False, 'default': Light.RED}\n",
        "x = mapped_column(Enum(Light), **SHARED)",
    ),
}


@pytest.mark.parametrize("shape", HELPERS.values(), ids=HELPERS)
def test_an_enum_behind_a_helper_reads_as_sqlalchemy_has_it(
    shape: tuple[str, str], tmp_path: Path
) -> None:
    helper, columns = shape
    assert_same(tmp_path, helper + table(columns))
