from __future__ import annotations

import os
import tomllib

import pytest

from doctor.errors import UsageError
from doctor.settings import SystemSettings, load_settings
from doctor.system import discovery
from doctor.system.discovery import Found, write_config
from tests.support.ports import make_database

NOTHING = SystemSettings()


def written(folder):
    return tomllib.loads((folder / "doctor.toml").read_text(encoding="utf-8"))["system"]


def test_what_is_there_is_found_and_written_relative_to_the_folder(tmp_path):
    for name in ("data", "logs", "src", "tests", "node_modules"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "0.db").write_bytes(b"SQLite format 3\0 but broken")
    (tmp_path / "data" / "1.db").write_text("no database")
    make_database(tmp_path / "data" / "2.db")
    make_database(tmp_path / "data" / "app.db", "CREATE TABLE runs (id TEXT PRIMARY KEY)")
    (tmp_path / "src" / "one.py").write_text("__tablename__ = 'a'")
    (tmp_path / "src" / "models.py").write_text("__tablename__ = 'a'\n__tablename__ = 'b'")
    (tmp_path / "tests" / "models.py").write_text("__tablename__ = 'a'\n" * 5)
    (tmp_path / "node_modules" / "models.py").write_text("__tablename__ = 'a'\n" * 5)
    (tmp_path / "src" / "test_models.py").write_text("__tablename__ = 'a'\n" * 5)
    (tmp_path / "logs" / "a.log").write_text("x")
    found = write_config(tmp_path, NOTHING)
    assert found == Found(
        tmp_path / "doctor.toml",
        {
            "database": "sqlite:///data/app.db",
            "api": None,
            "models": "src/models.py",
            "logs": "logs/*.log",
        },
    )
    assert written(tmp_path) == {
        "kind": "discovered",
        "database": "sqlite:///data/app.db",
        "models": "src/models.py",
        "logs": ["logs/*.log"],
    }
    settings = load_settings(tmp_path / "doctor.toml", environment={}).system
    assert settings.database == f"sqlite:///{tmp_path}/data/app.db"
    assert settings.logs == (f"{tmp_path}/logs/*.log",)


def test_where_nothing_is_found_every_line_is_an_example(tmp_path):
    found = write_config(tmp_path, NOTHING)
    assert set(found.found.values()) == {None}
    text = (tmp_path / "doctor.toml").read_text()
    assert written(tmp_path) == {"kind": "discovered"}
    assert '# logs = ["logs/{run_id}*.log"]' in text
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines()[1:])
    assert tomllib.loads(uncommented)["hook"] == {"deadline": "1s", "max_tier": "ADVISE"}


def test_what_is_given_beats_what_is_found(tmp_path):
    make_database(tmp_path / "app.db", "CREATE TABLE runs (id TEXT PRIMARY KEY)")
    (tmp_path / "models.py").write_text("__tablename__ = 'a'")
    given = SystemSettings(
        database="sqlite:////x.db", api="http://h", models="/m.py", logs=("/a.log", "/b, c.log")
    )
    write_config(tmp_path, given)
    assert written(tmp_path) == {
        "kind": "discovered",
        "database": "sqlite:////x.db",
        "api": "http://h",
        "models": "/m.py",
        "logs": ["/a.log", "/b, c.log"],
    }


@pytest.mark.parametrize("name", ['a"b', "a\\b", "ключ", "a#b", "a'b", "[x]", "a\u00e9"])
def test_odd_names_are_quoted(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "x.log").write_text("x")
    (tmp_path / name / "models.py").write_text("__tablename__ = 'a'")
    write_config(tmp_path, NOTHING)
    settings = load_settings(tmp_path / "doctor.toml", environment={}).system
    assert settings.models == str(tmp_path / name / "models.py")
    from doctor.system.files import find_logs

    found = find_logs(settings.logs, None)
    assert [one.path for one in found] == [tmp_path / name / "x.log"]


def test_what_cannot_be_read_or_named_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    (tmp_path / "b.py").symlink_to(tmp_path / "gone.py")
    (tmp_path / "c\nd.log").write_text("x")
    (tmp_path / os.fsdecode(b"\xff.log")).write_text("x")
    (tmp_path / "del\x7f.log").write_text("x")
    assert set(write_config(tmp_path, NOTHING).found.values()) == {None}


def test_models_that_cannot_be_read_are_passed_over(tmp_path):
    assert discovery._declared_tables(tmp_path / "gone.py") == 0


def test_only_so_many_files_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "FILES", 3)
    for name in ("a.txt", "b.txt", "c.txt", "d.log"):
        (tmp_path / name).write_text("x")
    assert write_config(tmp_path, NOTHING).found["logs"] is None


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "doctor.toml").write_text("mine")
    with pytest.raises(UsageError) as caught:
        write_config(tmp_path, NOTHING)
    assert str(caught.value) == f"{str(tmp_path / 'doctor.toml')!r} is there already"
    assert (tmp_path / "doctor.toml").read_text() == "mine"


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "doctor.toml").symlink_to(tmp_path / "other.toml")
    with pytest.raises(UsageError, match=r"cannot write .*: File exists"):
        write_config(tmp_path, NOTHING)
    assert not (tmp_path / "other.toml").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        write_config(tmp_path / "none", NOTHING)
