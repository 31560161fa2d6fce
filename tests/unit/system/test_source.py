from __future__ import annotations

import os
import time

import pytest

from doctor.errors import SourceError
from doctor.system.source import SourceCode

MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String, primary_key=True)
"""


@pytest.mark.parametrize("by_import", [False, True])
def test_models_are_read_once_from_source_or_by_import(tmp_path, by_import):
    path = tmp_path / "models.py"
    path.write_text(MODELS)
    code = SourceCode(path, by_import=by_import)
    first = code.models()
    assert [(table.name, table.columns[0].name) for table in first.tables] == [("runs", "id")]
    path.unlink()
    assert code.models() is first


def test_models_that_were_broken_are_read_again_when_they_are_mended(tmp_path):
    path = tmp_path / "models.py"
    path.write_text("class (:")
    code = SourceCode(path)
    with pytest.raises(SourceError):
        code.models()
    path.write_text(MODELS)
    assert [table.name for table in code.models().tables] == ["runs"]


def aged(*paths):
    """Make it look as if nothing had changed for an hour; the change time is waited for."""
    for path in paths:
        os.utime(path, (time.time() - 3600,) * 2)
    time.sleep(2.1)


def names(path):
    return sorted(table.name for table in SourceCode(path).models().tables)


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "models"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text(MODELS.split("class Run", maxsplit=1)[0])
    (folder / "run.py").write_text(
        "from .base import *\n" + "class Run" + MODELS.split("class Run")[1]
    )
    aged(folder / "run.py")
    return folder


@pytest.mark.slow
def test_unchanged_files_are_not_read_twice(package):
    first = SourceCode(package).models()
    assert SourceCode(package).models() is first


RUN = (
    "from .base import *\n"
    "class Run(Base):\n"
    '    __tablename__ = "{}"\n'
    "    id: Mapped[str] = mapped_column(String, primary_key=True)\n"
)


def rewritten(package):
    """The same size, and the modification time put back: only the change time tells."""
    path = package / "run.py"
    about = path.stat()
    path.write_text(path.read_text().replace('"runs"', '"rums"'))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def added_below(package):
    (package / "inner" / "more.py").write_text(RUN.format("mores").replace(".base", "..base"))


def removed(package):
    (package / "run.py").unlink()


def shadowed(package):
    """A file that the reading looked for and did not find is there now."""
    (package / "base").mkdir()
    (package / "base" / "__init__.py").write_text("Base = object\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (rewritten, ["rums"]),
        (added_below, ["mores", "runs"]),
        (removed, []),
        (shadowed, []),
    ],
)
def test_any_change_is_seen(package, change, expected):
    assert names(package) == ["runs"]
    change(package)
    assert names(package) == expected


def test_what_changed_a_moment_before_it_was_read_is_read_again(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(MODELS)
    first = SourceCode(path).models()
    assert SourceCode(path).models() is not first
