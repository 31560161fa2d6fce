"""Files and folders: what is read, what is followed, and what is said of the unreadable."""

# ruff: noqa: E501, ISC004 - a shape is easier to read on its one line

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doctor.errors import SourceError, UsageError
from doctor.system.code import read_models
from doctor.system.code.source import files
from tests.unit.system.code.differential import HEAD, assert_same, seen_by_doctor, write
from tests.unit.system.code.test_enum_shapes import table

NESTED = "-" * 100_000 + "1\n"


def test_a_syntax_error_names_file_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "x = 1\nclass Run(Base:\n    pass\n")
    with pytest.raises(SourceError) as caught:
        read_models(path)
    assert caught.value.location == f"{path}:2:15"
    assert "the file is not valid Python" in caught.value.message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF\x00\x01", "the file is binary, not Python source"),
        (b"x = '\xff\xfe'\n", "the file is not valid Python"),
        (b"# coding: nonsense\n", "the file is not valid Python"),
        (NESTED.encode(), "the source is nested too deeply"),
        (b"x = " + b"(" * 5_000 + b")" * 5_000, "the file is not valid Python"),
        (b"x = " + b"1+" * 200_000 + b"1", "the source is nested too deeply"),
        (b"#" * (files.MAX_BYTES + 1), "the file is larger than 2,097,152 bytes"),
    ],
    ids=["binary", "undecodable", "unknown coding", "unary", "brackets", "sum", "huge"],
)
def test_a_file_that_is_no_source_is_a_source_error(
    data: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "models.py"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_models(path)
    assert message in caught.value.message
    assert str(caught.value.location).startswith(f"{path}:")


def test_a_file_that_cannot_be_opened_is_a_source_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "device.py").symlink_to("/dev/null")
    for name in ("pipe.py", "device.py"):
        with pytest.raises(SourceError, match="not a regular file"):
            read_models(tmp_path / name)


def test_a_link_to_nothing_in_a_folder_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    assert "cannot be read" in read_models(tmp_path).gaps[0].reason


def test_a_missing_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        read_models(tmp_path / "models.py")


def test_a_folder_without_source_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, "", "node_modules/x.py")
    with pytest.raises(UsageError, match="no Python file"):
        read_models(tmp_path)


def test_an_empty_file_has_no_tables(tmp_path: Path) -> None:
    models = read_models(write(tmp_path, ""))
    assert (models.tables, models.gaps) == ((), ())


def test_a_deep_expression_in_a_column_is_a_gap(tmp_path: Path) -> None:
    deep = "x = mapped_column(Enum(Light, length=" + "(1, " * 90 + "1" + ")" * 90 + "))"
    wide = "y = mapped_column(Enum(" + "+".join(["'a'"] * 400) + "))"
    models = read_models(write(tmp_path, HEAD + table(f"{deep}\n{wide}")))
    assert [gap.what for gap in models.gaps] == ["roads.y"]


def test_a_folder_is_read_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, "from .base import Base\n", "app/__init__.py")
    write(tmp_path, HEAD, "app/base.py")
    write(tmp_path, "from .base import *\n" + table(""), "app/models/roads.py")
    write(tmp_path, "from app.base import *\n" + table(""), "app/models/__init__.py")
    lanes = table("").replace("roads", "lanes")
    write(tmp_path, "from app.base import *\n" + lanes, "app/models/lanes.py")
    broken = write(tmp_path, "class (\n", "app/models/broken.py")
    for skipped in (".hidden/x.py", "venv/x.py", "env2/x.py", "node_modules/x.py", ".x.py"):
        write(tmp_path, "class (\n", f"app/{skipped}")
    write(tmp_path, "", "app/env2/pyvenv.cfg")
    for named in (tmp_path / "app", tmp_path / "app/__init__.py"):
        models = read_models(named)
        assert {one.name for one in models.tables} == {"lanes", "roads"}
        assert (f"{broken}:1:7", str(broken)) in {(gap.where, gap.what) for gap in models.gaps}


def test_only_so_many_files_of_a_folder_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(tmp_path, "", f"m{number}.py")
    monkeypatch.setattr("doctor.system.code.reader.MAX_FILES", 3)
    monkeypatch.setattr("doctor.system.code.source.project.MAX_FILES", 2)
    models = read_models(tmp_path)
    assert [gap.reason for gap in models.gaps] == ["only the first 3 files were read"]


def test_places_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, HEAD + table("x: Mapped[Light]"), "app/models.py")
    monkeypatch.chdir(tmp_path)
    models = read_models(Path("app/models.py"))
    assert models.tables[0].location == "app/models.py:21"
    column = models.tables[0].column("x")
    assert column is not None
    assert column.enum is not None
    assert column.enum.location == "app/models.py:15"


PARTS = {
    "part_base.py": "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): ...\n",
    "part_one.py": "import enum\nclass State(enum.Enum):\n    A = 'a'\n    B = 'b'\n",
    "part_two.py": "from part_one import State as Renamed\n",
    "part_three.py": "from part_two import Renamed as State, Renamed\nimport part_one as one\n",
    "part_stars.py": "from part_one import *\n__all__ = ['State']\nhidden = 1\n",
    "part_mixin.py": (
        "from sqlalchemy.orm import Mapped, mapped_column\nimport part_one\n"
        "class Stateful:\n    state: Mapped[part_one.State]\n"
    ),
}
IMPORTS = {
    "three files away": ("from part_three import State", "State"),
    "module with a name": ("import part_three as parts", "parts.State"),
    "module of a module": ("import part_three", "part_three.one.State"),
    "star import": ("from part_stars import *", "State"),
    "with a stand-in": (
        "try:\n    from part_one import State\nexcept ImportError:\n    State = None",
        "State",
    ),
    "the same from two places": (
        "import sys\nif sys.argv:\n    from part_one import State\n"
        "else:\n    from part_two import Renamed as State",
        "State",
    ),
}


@pytest.mark.parametrize(("statement", "name"), IMPORTS.values(), ids=IMPORTS)
def test_enums_are_followed_to_other_files(statement: str, name: str, tmp_path: Path) -> None:
    for part, source in PARTS.items():
        write(tmp_path, source, part)
    source = f"{statement}\nfrom part_base import Base\nfrom part_mixin import Stateful\n"
    model = table(f"x: Mapped[{name}]\ny = mapped_column(Enum({name}))")
    head = HEAD.replace("class Base(DeclarativeBase):\n    pass\n", "")
    assert_same(tmp_path, source + model.replace("(Base)", "(Stateful, Base)"), head=head)


PACKAGE = {
    "pyproject.toml": "",
    "src/app/__init__.py": "",
    "src/app/states/__init__.py": "from .run import RunState\nfrom . import tier\n",
    "src/app/states/run.py": "from app.states.tier import TierState as RunState\n",
    "src/app/states/tier.py": "import enum\nclass TierState(enum.Enum):\n    A = 1\n    B = 2\n",
    "src/app/db/models/__init__.py": "",
}
PATHS = {
    "absolute through a package": ("from app.states import RunState", "RunState"),
    "relative": ("from ...states import RunState", "RunState"),
    "relative module": ("from ...states import tier", "tier.TierState"),
    "submodule": ("import app.states.tier", "app.states.tier.TierState"),
    "submodule that is not imported there": ("from app.states.tier import TierState", "TierState"),
    "package": ("from app import states", "states.run.RunState"),
}


@pytest.mark.parametrize(("statement", "name"), PATHS.values(), ids=PATHS)
def test_imports_are_followed_through_packages(statement: str, name: str, tmp_path: Path) -> None:
    for part, source in PACKAGE.items():
        write(tmp_path, source, part)
    source = HEAD + f"{statement}\n" + table(f"x = mapped_column(Enum({name}))")
    models = read_models(write(tmp_path, source, "src/app/db/models/roads.py"))
    assert models.gaps == ()
    assert seen_by_doctor(models)[(None, "roads")][1][-1] == ("A", "B")


def test_sources_in_src_are_found_from_outside(tmp_path: Path) -> None:
    for part, source in PACKAGE.items():
        write(tmp_path, source, part)
    source = HEAD + "from app.states import RunState\n" + table("x: Mapped[RunState]")
    models = read_models(write(tmp_path, source, "tools/models.py"))
    assert models.gaps == ()


UNFOLLOWED = {
    "two files of one name": "from twice import State",
    "no such module": "from .nothing import State",
    "no such name": "from single import Nothing as State",
    "broken file": "from broken import State",
    "imports in a circle": "from circle import State",
    "names in a circle": "State = Other\nOther = State",
    "private name by star": "from single import *\nState = _State",
    "name that is not exported": "from exported import *",
    "attribute of a value": "import single\nState = single.number.State",
    "set by a context manager": "with open('x') as State: pass",
    "set by unpacking": "[State, *others] = 1, 2",
    "set by uneven unpacking": "State, other = [1]",
    "set by a loop": "for (State, other) in []: pass",
    "deleted": "class State(enum.Enum):\n    A = 1\ndel State",
    "own package without it": "from . import State",
    "name of a builtin": "from single import list as State",
    "listed by a computation": "from computed import *",
}


@pytest.mark.parametrize("statement", UNFOLLOWED.values(), ids=UNFOLLOWED)
def test_an_import_that_cannot_be_followed_is_a_gap(statement: str, tmp_path: Path) -> None:
    enum_source = (
        "import enum\nclass State(enum.Enum):\n    A = 1\nclass _State(enum.Enum):\n    A = 1\n"
    )
    write(tmp_path, enum_source, "twice.py")
    write(tmp_path, enum_source, "app/twice.py")
    write(tmp_path, enum_source.replace("class S", "number = 1\nclass S"), "app/single.py")
    write(tmp_path, "__all__ = ['Other']\n" + enum_source, "app/exported.py")
    write(tmp_path, "__all__ = [n for n in 'ab']\n", "app/computed.py")
    write(tmp_path, "class (\n", "app/broken.py")
    write(tmp_path, "from back import State\n", "app/circle.py")
    write(tmp_path, "from circle import State\n", "app/back.py")
    source = HEAD + f"\n{statement}\n" + table("x = mapped_column(Enum(State))")
    models = read_models(write(tmp_path, source, "app/models.py"))
    found = models.tables[0].column("x")
    assert found is not None
    assert found.enum is None
    assert "roads.x" in {gap.what for gap in models.gaps}


def test_a_file_stands_for_the_models_that_it_imports(tmp_path: Path) -> None:
    write(tmp_path, HEAD, "base.py")
    for name in ("roads", "lanes", "stars", "cores"):
        model = table("x: Mapped[Light]").replace("roads", name).replace("Road", name.title())
        write(tmp_path, "from base import *\n" + model, f"{name}.py")
    core = "from base import *\nways = Table('ways', Base.metadata, Column('id', Integer))\n"
    write(tmp_path, core, "ways.py")
    write(tmp_path, "class (\n", "broken.py")
    source = "from roads import Roads\nimport lanes\nfrom stars import *\nfrom ways import ways\n"
    models = read_models(write(tmp_path, source + "import broken\n"))
    assert {one.name for one in models.tables} == {"roads", "lanes", "stars", "ways"}
    assert [gap.what for gap in models.gaps] == [str(tmp_path / "broken.py")]


def test_reading_never_imports(tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    source = f"open({str(mark)!r}, 'w').close()\nraise SystemExit\n"
    write(tmp_path, source, "helper.py")
    read_models(write(tmp_path, source + "import helper\nfrom helper import *\n"))
    assert not mark.exists()
