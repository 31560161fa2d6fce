from __future__ import annotations

import os
import tomllib

import pytest

from doctor.errors import UsageError
from doctor.settings import SystemSettings, load_settings
from doctor.system import discovery
from doctor.system.configuration import Known, config_text, write_config
from doctor.system.discovery import Found, look_around
from tests.support.ports import make_database

NOTHING = SystemSettings()
NOTHING_KNOWN = Known()


def nobody(_tables):
    return ()


def initialise(folder, given=NOTHING, known=NOTHING_KNOWN, recognise=nobody):
    """Look around and write, as the command does."""
    found = look_around(folder, given, recognise)
    write_config(folder / "doctor.toml", config_text(found, known))
    return found


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
    found = initialise(tmp_path)
    assert found == Found(
        "discovered",
        "sqlite:///data/app.db",
        None,
        "src/models.py",
        ("logs/*.log",),
        (
            (
                "models: src/one.py may declare tables as well;"
                " name a folder to have all files below it read"
            ),
        ),
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
    assert initialise(tmp_path) == Found()
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
    initialise(tmp_path, given)
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
    initialise(tmp_path)
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
    assert initialise(tmp_path) == Found()


def test_models_that_cannot_be_read_are_passed_over(tmp_path):
    assert discovery._declared_tables(tmp_path / "gone.py") == 0


def test_only_so_many_files_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "FILES", 3)
    for name in ("a.txt", "b.txt", "c.txt", "d.log"):
        (tmp_path / name).write_text("x")
    assert initialise(tmp_path).logs == ()


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "doctor.toml").write_text("mine")
    with pytest.raises(UsageError) as caught:
        initialise(tmp_path)
    assert str(caught.value) == f"{str(tmp_path / 'doctor.toml')!r} is there already"
    assert (tmp_path / "doctor.toml").read_text() == "mine"


def test_what_is_there_is_replaced_where_that_is_asked_for(tmp_path):
    (tmp_path / "doctor.toml").write_text("mine")
    write_config(tmp_path / "doctor.toml", config_text(Found(), Known()), force=True)
    assert written(tmp_path) == {"kind": "discovered"}


def test_of_several_databases_that_of_a_known_system_is_taken_and_the_others_are_told(tmp_path):
    make_database(tmp_path / "a.db", "CREATE TABLE more (id TEXT PRIMARY KEY)")
    make_database(tmp_path / "b.db", "CREATE TABLE runs (id TEXT PRIMARY KEY)")
    found = initialise(
        tmp_path, recognise=lambda tables: ("one", "two") if tables[0].name == "runs" else ()
    )
    assert (found.kind, found.database) == ("one", "sqlite:///b.db")
    assert found.unsure == (
        "database: a.db could be meant as well",
        "kind: the tables would fit two too",
    )


def test_what_a_first_look_showed_stands_in_the_comments():
    known = Known("jobs.uid", ("steps",), ("OPEN", "DONE"), ("DONE",), has_unread=True)
    text = config_text(Found(), known)
    assert "# found: jobs.uid names a run; steps belong to it" in text
    assert "there are OPEN, DONE" in text
    assert "# import_models = true" in text
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines()[1:])
    runs = tomllib.loads(uncommented)["system"]["runs"]
    assert runs == {"table": "jobs", "terminal": ["DONE"]}


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "doctor.toml").symlink_to(tmp_path / "other.toml")
    with pytest.raises(UsageError, match=r"cannot write .*: File exists"):
        initialise(tmp_path)
    assert not (tmp_path / "other.toml").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        initialise(tmp_path / "none")
