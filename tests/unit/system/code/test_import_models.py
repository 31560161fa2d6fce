"""Models that are imported on request: in a child process that cannot harm or hang Doctor."""

# ruff: noqa: E501 - a shape is easier to read on its one line

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from doctor.errors import SourceError, UsageError
from doctor.model.schema import CodeGap, CodeModels
from doctor.system.code import imported, read_models, wire
from doctor.system.code.importing import import_models
from tests.unit.system.code.differential import HEAD, write
from tests.unit.system.code.test_enum_shapes import table
from tests.unit.system.code.test_table_shapes import SHAPES

TIMEOUT = 60.0
MODEL = HEAD + table(
    "x: Mapped[Light] = mapped_column(default=Light.RED)\n"
    "y = mapped_column(Enum(Light, omit_aliases=False, name='y'), server_default='RED')\n"
    "z: Mapped[str] = mapped_column(default='normal', server_default=sa.text('now()'))"
)


def test_an_imported_file_gives_what_reading_it_gives(tmp_path: Path) -> None:
    path = write(tmp_path, MODEL)
    assert import_models(path, timeout=TIMEOUT) == read_models(path)


def test_prints_and_threads_of_the_models_do_not_disturb(tmp_path: Path) -> None:
    noise = "import threading, time\nprint('noise')\nthreading.Thread(target=time.sleep, args=[99]).start()\n"
    path = write(tmp_path, MODEL + "\n\n" + noise)
    started = time.monotonic()
    assert [one.name for one in import_models(path, timeout=TIMEOUT).tables] == ["roads"]
    assert time.monotonic() - started < TIMEOUT


def test_a_package_is_imported_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, "", "app/__init__.py")
    write(tmp_path, HEAD, "app/base.py")
    write(tmp_path, "from app.base import *\n" + table("x: Mapped[Light]"), "app/roads.py")
    write(tmp_path, "from .base import *\nt = Table('lanes', Base.metadata)\n", "app/lanes.py")
    found = import_models(tmp_path / "app", timeout=TIMEOUT)
    assert {one.name for one in found.tables} == {"lanes", "roads"}
    by_folder = import_models(tmp_path, timeout=TIMEOUT)
    assert {one.name for one in by_folder.tables} == {"lanes", "roads"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ValueError('no')\n", "ValueError: no"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("class (\n", "SyntaxError"),
        ("import os\nos._exit(7)\n", "ended without an answer (exit 7)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "(exit -9)"),
    ],
    ids=["error", "exit", "syntax", "hard exit", "killed"],
)
def test_an_import_that_fails_is_a_source_error(source: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        import_models(write(tmp_path, source), timeout=TIMEOUT)
    assert message in caught.value.message
    assert caught.value.location


@pytest.mark.slow
def test_an_import_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time, pathlib\ntime.sleep(4)\npathlib.Path({str(mark)!r}).touch()\n"
    source = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\n"
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"took longer than 1\.5 seconds"):
        import_models(write(tmp_path, source), timeout=1.5)
    assert time.monotonic() - started < 4
    time.sleep(max(0.0, 4.5 - (time.monotonic() - started)))
    assert not mark.exists()


def test_an_answer_that_is_no_answer_is_a_source_error(tmp_path: Path) -> None:
    source = "import sys\nprint(f'\\n{sys.argv[2]}\\n[]', flush=True)\nimport os\nos._exit(0)\n"
    with pytest.raises(SourceError, match="no readable answer"):
        import_models(write(tmp_path, source), timeout=TIMEOUT)


def test_a_missing_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        import_models(tmp_path / "models.py", timeout=TIMEOUT)


@pytest.fixture
def clean_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "models", raising=False)


@pytest.mark.usefixtures("clean_modules")
@pytest.mark.parametrize("name", SHAPES)
def test_every_table_shape_imports_as_it_reads(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + SHAPES[name])
    read = {one.name: one for one in read_models(path).tables}
    found = {one.name: one for one in imported.declared(path).tables}
    sys.modules.pop("models")
    assert set(found) == set(read)
    for table_name, one in found.items():
        ours = read[table_name]
        assert {c.name: (c.type, c.nullable, c.enum and c.enum.values) for c in one.columns} == {
            c.name: (c.type, c.nullable, c.enum and c.enum.values) for c in ours.columns
        }


ODD = """
class Coded(sa.types.TypeDecorator):
    impl = Enum(Light)
    cache_ok = True
    def process_bind_param(self, value, dialect):
        return value
class Plain(sa.types.TypeDecorator):
    impl = Enum(Light)
    cache_ok = True
class E(enum.Enum):
    A = 1
    B = 1
Made = enum.Enum("Made", "A B")
del Made.__module__
"""


@pytest.mark.usefixtures("clean_modules")
def test_imported_types_that_hide_an_enum_are_gaps(tmp_path: Path) -> None:
    columns = (
        "a = mapped_column(Coded)\nb = mapped_column(sa.ARRAY(Enum(Light)))\nc = mapped_column(Enum())\n"
        "d = mapped_column(Plain)\ne = mapped_column(Enum(E, omit_aliases=False))\n"
        "f = mapped_column(Enum(Made), default=len)\ng = mapped_column(Integer, sa.Sequence('s'))"
    )
    path = write(tmp_path, HEAD + ODD.replace("del Made.__module__\n", "") + table(columns))
    found = imported.declared(path)
    sys.modules.pop("models")
    assert {gap.what for gap in found.gaps} == {"roads.a", "roads.b", "roads.c"}
    known = {one.name: one.enum for one in found.tables[0].columns if one.enum is not None}
    assert {name: one.values for name, one in known.items()} == {
        "d": ("RED", "AMBER", "GREEN"),
        "e": ("A", "B"),
        "f": ("A", "B"),
    }
    assert known["e"].aliases == ("B",)


@pytest.mark.usefixtures("clean_modules")
def test_the_answer_is_one_marked_line(tmp_path: Path) -> None:
    out = io.StringIO()
    imported.answer(write(tmp_path, MODEL), "mark", out)
    sys.modules.pop("models")
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["", "mark"]
    assert [one.name for one in wire.from_json(lines[2]).tables] == ["roads"]
    out = io.StringIO()
    imported.answer(write(tmp_path, "raise KeyError\n", "other.py"), "mark", out)
    assert json.loads(out.getvalue().splitlines()[2])["error"].startswith("KeyError")


def test_models_survive_the_wire(tmp_path: Path) -> None:
    found = read_models(write(tmp_path, MODEL))
    models = CodeModels(found.tables, (CodeGap("a.py:1", "t.c", "why"),))
    assert wire.from_json(wire.to_json(models)) == models
