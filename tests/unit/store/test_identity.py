from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_state_path

from doctor.errors import UsageError
from doctor.store import api_identity, state_folder, target_identity


def test_a_sqlite_target_is_named_by_its_real_path(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "link.db").symlink_to("app.db")
    monkeypatch.chdir(tmp_path)
    real = f"sqlite:{tmp_path.resolve()}/real/app.db"
    urls = [
        "sqlite:///real/app.db",
        "sqlite:///link/link.db",
        f"sqlite+pysqlite:///{tmp_path}/link/../real/app.db?timeout=3",
        f"sqlite:///file:{tmp_path}/real/app.db?mode=ro&uri=true",
    ]
    assert {target_identity(url) for url in urls} == {real}


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (
            "postgresql+psycopg://bob:s3cret@DB.Example/app?sslmode=on",
            "postgresql://db.example/app",
        ),
        ("postgresql://db.example:5432/app", "postgresql://db.example/app"),
        ("postgresql://db.example:5433/app", "postgresql://db.example:5433/app"),
        ("postgresql:///app?host=/run/pg", "postgresql:///run/pg/app"),
        ("postgresql:///app?host=a&host=b", "postgresql://a/app"),
        ("postgres://u:p@127.0.0.1/app", "postgresql://localhost/app"),
        ("postgresql+asyncpg://[::1]:5432/app", "postgresql://localhost/app"),
        ("mysql://u:p@LOCALHOST/app?charset=x", "mysql://localhost/app"),
        ("postgresql://h/app?options=-csearch_path%3Dmine,public", "postgresql://h/app#mine"),
        ("postgresql://h/app?options=-c%20search_path=mine", "postgresql://h/app#mine"),
        ("postgresql://h/app?options=-clock_timeout%3D9", "postgresql://h/app"),
        ("mariadb+pymysql://u:p@h/app", "mysql://h/app"),
        ("mysql://h:3306", "mysql://h/"),
        ("oracle://h:1521/x", "oracle://h:1521/x"),
    ],
)
def test_other_targets_are_named_without_credentials_driver_and_query(url, identity):
    assert target_identity(url) == identity


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///x?mode=memory"])
def test_a_database_in_memory_is_refused(url):
    with pytest.raises(UsageError, match="in memory"):
        target_identity(url)


@pytest.mark.parametrize("url", ["", "app.db", "bob:s3cret@h/app", "x://bob:s3cret@h:port/app"])
def test_what_is_no_database_url_is_refused_without_its_password(url):
    with pytest.raises(UsageError, match="is not a database URL") as refused:
        target_identity(url)
    assert "s3cret" not in str(refused.value)


def test_an_api_is_named_by_its_origin():
    assert api_identity("HTTP://User:pw@Host.example:8000/v1?x") == "api:http://host.example:8000"
    assert api_identity("https://host/") == "api:https://host"
    with pytest.raises(UsageError, match="is not the URL of an API"):
        api_identity("host:8000")


def test_the_state_folder_is_the_users_unless_it_is_named(tmp_path, monkeypatch):
    assert state_folder() == tmp_path / "state"
    monkeypatch.setenv("DOCTOR_STATE_DIR", "~/x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / "x"
    monkeypatch.delenv("DOCTOR_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == user_state_path("doctor", appauthor=False)
    assert isinstance(state_folder(), Path)
